/** Reads a boolean expression as a condition: what each part of it proves, and about which table. */
import { constantOf, elementsOf, isArrayOfConstants } from './constant.ts'
import type { ArrayConstant } from './constant.ts'
import { visited } from './expression.ts'
import { builtInOperator, fold, foldCondition } from './fold.ts'
import type { ColumnUse, Cond, End, Frame, Qual } from './model.ts'
import { resolveColumn } from './resolve.ts'
import { ascend, descend } from './run.ts'
import type { A_Expr, BoolExpr, Node, SubLink } from './tree.ts'

const always: Cond = { kind: 'true' }
const never: Cond = { kind: 'false' }

/** The condition of an expression, which is visited on the way. */
export function conditionOf(frame: Frame, node: Node): Cond {
  if ('BoolExpr' in node && node.BoolExpr.boolop !== 'NOT_EXPR') return junction(frame, node.BoolExpr)
  const met = visited(frame, node)
  if (met.uses.length === 0 && !met.parameter && !met.query) {
    const value = foldCondition(node)
    if (value !== undefined) return value === true ? always : never
  }
  return (
    proving(frame, node) ?? {
      kind: 'other',
      range: isRange(node),
      uses: met.uses,
      dynamic: met.parameter,
      query: met.query,
    }
  )
}

/** A condition of the query at hand, taken apart at its ANDs. */
export function addQual(frame: Frame, cond: Cond, restricts: Qual['restricts']): void {
  if (cond.kind !== 'and') frame.quals.push({ cond, restricts })
  else for (const part of cond.of) addQual(frame, part, restricts)
}

function junction(frame: Frame, expr: BoolExpr): Cond {
  descend(frame.run)
  const of = (expr.args ?? []).map((arg) => conditionOf(frame, arg))
  ascend(frame.run)
  return { kind: expr.boolop === 'AND_EXPR' ? 'and' : 'or', of }
}

/** A condition with a meaning of its own; null for one that only filters. */
function proving(frame: Frame, node: Node): Cond | null {
  if ('A_Expr' in node) return ofOperator(frame, node.A_Expr)
  if ('SubLink' in node) return ofSubLink(frame, node.SubLink)
  if ('NullTest' in node) {
    return node.NullTest.nulltesttype === 'IS_NOT_NULL' ? holding(frame, node.NullTest.arg) : null
  }
  if ('BoolExpr' in node) return negated(frame, node.BoolExpr.args?.[0])
  return null
}

/** `NOT (id IS NULL)`, `NOT (id <> id)`. */
function negated(frame: Frame, node: Node | undefined): Cond | null {
  if (node === undefined) return null
  if ('NullTest' in node) {
    return node.NullTest.nulltesttype === 'IS_NULL' ? holding(frame, node.NullTest.arg) : null
  }
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return null
  const operator = builtInOperator(node.A_Expr.name)
  return operator === '<>' || operator === '<' || operator === '>' ? sameColumn(frame, node.A_Expr) : null
}

function ofOperator(frame: Frame, expr: A_Expr): Cond | null {
  const operator = builtInOperator(expr.name)
  const prove = operator === null ? undefined : provers.get(`${expr.kind ?? ''} ${operator}`)
  return prove === undefined ? null : prove(frame, expr)
}

/** Kinds and operators that prove something. */
const provers: ReadonlyMap<string, (frame: Frame, expr: A_Expr) => Cond | null> = new Map([
  ['AEXPR_OP =', equality],
  ['AEXPR_OP <=', sameColumn],
  ['AEXPR_OP >=', sameColumn],
  ['AEXPR_IN =', inList],
  ['AEXPR_OP_ANY =', anyOf],
  ['AEXPR_LIKE ~~', matchesAll],
  ['AEXPR_ILIKE ~~*', matchesAll],
  ['AEXPR_NOT_DISTINCT =', (frame, expr) => (sameColumn(frame, expr) === null ? null : always)],
])

/** The table's own column that an expression is, with nothing around it. */
function columnOf(frame: Frame, node: Node | undefined): ReturnType<typeof resolveColumn> | null {
  return node !== undefined && 'ColumnRef' in node ? resolveColumn(frame, node.ColumnRef) : null
}

/** True for every row in which the column is not null. */
function holding(frame: Frame, node: Node | undefined): Cond | null {
  const use = columnOf(frame, node)?.plain ?? null
  return use === null ? null : { kind: 'holds', use }
}

function sameColumn(frame: Frame, expr: A_Expr): Cond | null {
  const left = columnOf(frame, expr.lexpr)?.plain ?? null
  const right = columnOf(frame, expr.rexpr)?.plain ?? null
  if (left === null || right === null || left.read !== right.read || left.column !== right.column) return null
  return { kind: 'holds', use: left }
}

/** `LIKE '%'` is true of every string. */
function matchesAll(frame: Frame, expr: A_Expr): Cond | null {
  const pattern = fold(expr.rexpr)
  return typeof pattern === 'string' && /^%+$/.test(pattern) ? holding(frame, expr.lexpr) : null
}

function equality(frame: Frame, expr: A_Expr): Cond | null {
  const { lexpr, rexpr } = expr
  if (lexpr !== undefined && rexpr !== undefined && 'RowExpr' in lexpr && 'RowExpr' in rexpr) {
    return rowEquality(frame, lexpr.RowExpr.args ?? [], rexpr.RowExpr.args ?? [])
  }
  return (
    sameColumn(frame, expr) ??
    toConstant(frame, lexpr, rexpr) ??
    toConstant(frame, rexpr, lexpr) ??
    linked(frame, expr)
  )
}

function rowEquality(frame: Frame, left: readonly Node[], right: readonly Node[]): Cond | null {
  if (left.length !== right.length) return null
  const of: Cond[] = []
  for (const [index, node] of left.entries()) {
    const cond = toConstant(frame, node, right[index]) ?? toConstant(frame, right[index], node)
    if (cond === null) return null
    of.push(cond)
  }
  return { kind: 'and', of }
}

function toConstant(frame: Frame, column: Node | undefined, other: Node | undefined): Cond | null {
  const use = columnOf(frame, column)?.plain ?? null
  if (use === null || other === undefined) return null
  if ('SubLink' in other) return toScalar(frame, use, other.SubLink)
  const constant = constantOf(frame, other, use)
  if (constant === null) return null
  return constant.isNull ? never : { kind: 'equal', use, dynamic: constant.dynamic }
}

/** `id = (SELECT …)`: one value, as long as the query is the same for every row. */
function toScalar(frame: Frame, use: ColumnUse, link: SubLink): Cond | null {
  const shape = frame.run.findings.sublinks.get(link)
  if (link.subLinkType !== 'EXPR_SUBLINK' || shape === undefined || shape.correlated || shape.volatile)
    return null
  return among(use, 1, { dynamic: false, why: 'scalar_query', unsteady: false })
}

function among(
  use: ColumnUse,
  count: number,
  rest: { readonly dynamic: boolean; readonly why: string; readonly unsteady: boolean },
): Cond {
  return { kind: 'among', read: use.read, columns: [use.column], count, ...rest }
}

function linked(frame: Frame, expr: A_Expr): Cond | null {
  const left = endOf(frame, expr.lexpr)
  const right = endOf(frame, expr.rexpr)
  return left === null || right === null || left.source === right.source
    ? null
    : { kind: 'link', ends: [left, right] }
}

function endOf(frame: Frame, node: Node | undefined): End | null {
  const found = columnOf(frame, node)
  return found === null || found.source === null || found.wholeRow
    ? null
    : { source: found.source, use: found.plain }
}

function inList(frame: Frame, expr: A_Expr): Cond | null {
  const { lexpr, rexpr } = expr
  const items = rexpr !== undefined && 'List' in rexpr ? (rexpr.List.items ?? []) : []
  if (lexpr !== undefined && 'RowExpr' in lexpr) return rowIn(frame, lexpr.RowExpr.args ?? [], items)
  const use = columnOf(frame, lexpr)?.plain ?? null
  return use === null ? null : amongValues(use, elementsOf(frame, items, use))
}

function amongValues(use: ColumnUse, values: ArrayConstant | null): Cond | null {
  if (values === null) return null
  return among(use, values.count, { dynamic: values.dynamic, why: 'unique_key_in', unsteady: false })
}

/** `(a, b) IN ((1, 2), (3, 4))`. */
function rowIn(frame: Frame, left: readonly Node[], items: readonly Node[]): Cond | null {
  const uses = left.flatMap((node) => columnOf(frame, node)?.plain ?? [])
  const [first] = uses
  if (first === undefined || uses.length !== left.length) return null
  const { read } = first
  if (!uses.every((use) => use.read === read)) return null
  if (!items.every((item) => isConstantRow(frame, item, uses.length))) return null
  const columns = uses.map((use) => use.column)
  return {
    kind: 'among',
    read,
    columns,
    count: items.length,
    dynamic: false,
    why: 'unique_key_in',
    unsteady: false,
  }
}

function isConstantRow(frame: Frame, item: Node, length: number): boolean {
  const args = 'RowExpr' in item ? (item.RowExpr.args ?? []) : []
  return args.length === length && args.every((arg) => constantOf(frame, arg, null) !== null)
}

/** `id = ANY (…)`: an array of constants, a bound array, or a query. */
function anyOf(frame: Frame, expr: A_Expr): Cond | null {
  const use = columnOf(frame, expr.lexpr)?.plain ?? null
  if (use === null || expr.rexpr === undefined) return null
  if ('SubLink' in expr.rexpr) return fromQuery(frame, use, expr.rexpr.SubLink)
  return amongValues(use, isArrayOfConstants(frame, expr.rexpr, use))
}

function ofSubLink(frame: Frame, link: SubLink): Cond | null {
  if (link.subLinkType !== 'ANY_SUBLINK') return null
  const operator = link.operName === undefined ? '=' : builtInOperator(link.operName)
  const use = operator === '=' ? (columnOf(frame, link.testexpr)?.plain ?? null) : null
  return use === null ? null : fromQuery(frame, use, link)
}

/** A query of at most n rows, the same for every row outside: at most n values. */
function fromQuery(frame: Frame, use: ColumnUse, link: SubLink): Cond | null {
  const shape = frame.run.findings.sublinks.get(link)
  if (shape === undefined || shape.bound === null || shape.correlated || shape.volatile) return null
  return among(use, shape.bound, { dynamic: false, why: 'limit', unsteady: shape.locks })
}

const comparisons: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', 'BETWEEN', 'BETWEEN SYMMETRIC'])

function isRange(node: Node): boolean {
  return 'A_Expr' in node && comparisons.has(builtInOperator(node.A_Expr.name) ?? '')
}
