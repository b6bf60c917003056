/** Whether an expression is one value for the whole statement, which the engine compares by the column's type. */
import { fold } from './fold.ts'
import type { ColumnUse, Frame } from './model.ts'
import { parameterKind, parameterValue } from './parameters.ts'
import { resolveColumn } from './resolve.ts'
import type { Node, TypeName } from './tree.ts'
import { typeNameOf } from './tree.ts'

/** A constant; `dynamic` if it is bound or assigned. */
export interface Constant {
  readonly dynamic: boolean
  readonly isNull: boolean
}

const fixed: Constant = { dynamic: false, isNull: false }
const nullConstant: Constant = { dynamic: false, isNull: true }
const bound: Constant = { dynamic: true, isNull: false }

/**
 * A literal, a bound scalar or a variable. A cast changes how it is compared (`'x'::bpchar` equals
 * what has blanks behind it), so it counts only to the column's declared type.
 */
export function constantOf(frame: Frame, node: Node, column: ColumnUse | null): Constant | null {
  if ('ParamRef' in node) return parameter(frame, node.ParamRef.number ?? 0)
  if ('ColumnRef' in node) return resolveColumn(frame, node.ColumnRef).variable ? bound : null
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast
    return arg !== undefined && isOwnType(column, typeName) ? constantOf(frame, arg, column) : null
  }
  if ('A_Const' in node) return node.A_Const.isnull === true ? nullConstant : fixed
  if (!('A_Expr' in node)) return null
  const value = fold(node)
  if (value === undefined) return null
  return value === null ? nullConstant : fixed
}

function parameter(frame: Frame, number: number): Constant | null {
  const kind = parameterKind(frame.run, number)
  return kind === 'scalar' || kind === 'unknown' ? bound : null
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'int4',
  integer: 'int4',
  serial: 'int4',
  bigint: 'int8',
  bigserial: 'int8',
  smallint: 'int2',
  smallserial: 'int2',
  'character varying': 'varchar',
  boolean: 'bool',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
}

/** Types whose equality is that of their values. */
const plainTypes: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'uuid', 'text', 'bool', 'date'])

function isOwnType(column: ColumnUse | null, type: TypeName | undefined): boolean {
  const declared = column?.read.relation.facts?.types?.[column.column]?.toLowerCase()
  if (declared === undefined) return false
  const name = typeNames[declared] ?? declared
  return plainTypes.has(name) && name === typeNameOf(type)
}

/** An array whose length is known: its elements, or the values bound to it. */
export function isArrayOfConstants(
  frame: Frame,
  node: Node,
  column: ColumnUse,
): { readonly count: number; readonly dynamic: boolean } | null {
  if ('A_ArrayExpr' in node) return elements(frame, node.A_ArrayExpr.elements ?? [], column)
  if ('ParamRef' in node) {
    const value = parameterValue(frame.run, node.ParamRef.number ?? 0)
    const known = Array.isArray(value) && parameterKind(frame.run, node.ParamRef.number ?? 0) === 'array'
    return known ? { count: value.length, dynamic: true } : null
  }
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) {
    const { arg, typeName } = node.TypeCast
    return isOwnType(column, typeName) ? isArrayOfConstants(frame, arg, column) : null
  }
  const text = 'A_Const' in node ? node.A_Const.sval?.sval : undefined
  if (text === undefined || !/^\{[^{}"\\]*\}$/.test(text)) return null
  return { count: text.length === 2 ? 0 : text.split(',').length, dynamic: false }
}

function elements(
  frame: Frame,
  nodes: readonly Node[],
  column: ColumnUse,
): { readonly count: number; readonly dynamic: boolean } | null {
  let dynamic = false
  for (const node of nodes) {
    const constant = constantOf(frame, node, column)
    if (constant === null) return null
    dynamic ||= constant.dynamic
  }
  return { count: nodes.length, dynamic }
}
