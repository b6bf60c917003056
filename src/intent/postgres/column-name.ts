/** The name that PostgreSQL gives a result column without an alias. */
import type { Node, SelectStmt } from './tree.ts'
import { kindOf, stringsOf, typeNameOf } from './tree.ts'

interface Named {
  readonly name: string
  /** 1: only a type or `case`, which an inner name beats; 2: a name of its own. */
  readonly strength: 1 | 2
}

/** As the engine returns it: `count`, `coalesce`, `?column?`. */
export function figureName(node: Node): string {
  return figure(node, 0)?.name ?? '?column?'
}

const fixedNames: Readonly<Record<string, string>> = {
  CoalesceExpr: 'coalesce',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
}

function strong(name: string | undefined): Named | null {
  return name === undefined ? null : { name, strength: 2 }
}

function figure(node: Node | undefined, depth: number): Named | null {
  if (node === undefined || depth > 100) return null
  const kind = kindOf(node)
  const fixed = Object.hasOwn(fixedNames, kind) ? fixedNames[kind] : undefined
  return fixed === undefined ? figureOther(node, depth) : strong(fixed)
}

function figureOther(node: Node, depth: number): Named | null {
  if ('ColumnRef' in node) return strong(stringsOf(node.ColumnRef.fields).at(-1))
  if ('FuncCall' in node) return strong(stringsOf(node.FuncCall.funcname).at(-1))
  if ('TypeCast' in node) {
    return stronger(figure(node.TypeCast.arg, depth + 1), typeNameOf(node.TypeCast.typeName))
  }
  if ('CaseExpr' in node) return stronger(figure(node.CaseExpr.defresult, depth + 1), 'case')
  if ('CollateClause' in node) return figure(node.CollateClause.arg, depth + 1)
  if ('SubLink' in node) return figureSubLink(node.SubLink.subLinkType, node.SubLink.subselect, depth)
  return figureRare(node, depth)
}

/** An inner name of its own beats that of a type or `case`. */
function stronger(inner: Named | null, name: string): Named {
  return inner !== null && inner.strength === 2 ? inner : { name, strength: 1 }
}

function figureRare(node: Node, depth: number): Named | null {
  if ('A_Indirection' in node) {
    const own = stringsOf(node.A_Indirection.indirection).at(-1)
    return own === undefined ? figure(node.A_Indirection.arg, depth + 1) : strong(own)
  }
  return figureConstruct(node)
}

function figureConstruct(node: Node): Named | null {
  if ('A_Expr' in node) return node.A_Expr.kind === 'AEXPR_NULLIF' ? strong('nullif') : null
  if ('MinMaxExpr' in node) return strong(node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest')
  if ('SQLValueFunction' in node) return strong(valueFunctionName(node.SQLValueFunction.op))
  if ('XmlExpr' in node) return strong(node.XmlExpr.op?.replace(/^IS_/, '').toLowerCase())
  if ('JsonFuncExpr' in node) return strong(node.JsonFuncExpr.op?.replace(/_OP$/, '').toLowerCase())
  return null
}

/** `SVFOP_CURRENT_TIMESTAMP_N` is `current_timestamp`. */
function valueFunctionName(op: string | undefined): string | undefined {
  return op
    ?.replace(/^SVFOP_/, '')
    .replace(/_N$/, '')
    .toLowerCase()
}

function figureSubLink(type: string | undefined, query: Node | undefined, depth: number): Named | null {
  if (type === 'EXISTS_SUBLINK') return strong('exists')
  if (type === 'ARRAY_SUBLINK') return strong('array')
  if (type !== 'EXPR_SUBLINK' || query === undefined || !('SelectStmt' in query)) return null
  const [first] = leftmost(query.SelectStmt).targetList ?? []
  if (first === undefined || !('ResTarget' in first)) return strong('column1')
  const { name, val } = first.ResTarget
  return name === undefined ? figure(val, depth + 1) : strong(name)
}

/** A set operation's columns are named by its first query. */
function leftmost(statement: SelectStmt): SelectStmt {
  let first = statement
  while (first.larg !== undefined) first = first.larg
  return first
}
