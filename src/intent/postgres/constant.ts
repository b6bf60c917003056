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
  const inside = uncast(node, column)
  if (inside !== node) return inside === null ? null : constantOf(frame, inside, column)
  if ('A_Const' in node) return node.A_Const.isnull === true ? nullConstant : fixed
  return 'A_Expr' in node ? folded(node) : null
}

function folded(node: Node): Constant | null {
  const value = fold(node)
  if (value === undefined) return null
  return value === null ? nullConstant : fixed
}

/** What a cast to the column's own type is of; null for another cast, the node itself where there is none. */
function uncast(node: Node, column: ColumnUse | null): Node | null {
  if (!('TypeCast' in node)) return node
  const { arg, typeName } = node.TypeCast
  return arg !== undefined && isOwnType(column, typeName) ? arg : null
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
export function isArrayOfConstants(frame: Frame, node: Node, column: ColumnUse): ArrayConstant | null {
  const inside = uncast(node, column)
  if (inside !== node) return inside === null ? null : isArrayOfConstants(frame, inside, column)
  if ('A_ArrayExpr' in node) return elementsOf(frame, node.A_ArrayExpr.elements ?? [], column)
  if ('ParamRef' in node) return boundArray(frame, node.ParamRef.number ?? 0)
  return 'A_Const' in node ? writtenArray(node.A_Const.sval?.sval ?? '') : null
}

/** How many values there are to compare with. */
export interface ArrayConstant {
  readonly count: number
  readonly dynamic: boolean
}

function boundArray(frame: Frame, number: number): ArrayConstant | null {
  const value = parameterValue(frame.run, number)
  const known = Array.isArray(value) && parameterKind(frame.run, number) === 'array'
  return known ? { count: value.length, dynamic: true } : null
}

/** `'{1,2,3}'`: without quotes and braces inside, as many as there are commas, and one. */
function writtenArray(text: string): ArrayConstant | null {
  if (!/^\{[^{}"\\]*\}$/.test(text)) return null
  return { count: text.length === 2 ? 0 : text.split(',').length, dynamic: false }
}

/** A list whose every item is one value. */
export function elementsOf(frame: Frame, nodes: readonly Node[], column: ColumnUse): ArrayConstant | null {
  let dynamic = false
  for (const node of nodes) {
    const constant = constantOf(frame, node, column)
    if (constant === null) return null
    dynamic ||= constant.dynamic
  }
  return { count: nodes.length, dynamic }
}
