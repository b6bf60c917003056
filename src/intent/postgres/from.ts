/** FROM: tables, subqueries, functions and joins, as sources of columns and as tables read. */
import { BudgetExceeded, limits } from '../analysis.ts'
import { addQual, conditionOf } from './condition.ts'
import { visit, visited } from './expression.ts'
import { distinctUses, meetColumns } from './mark.ts'
import type { Cond, Cte, End, Frame, Output, Shape, Source, TableRead } from './model.ts'
import { relationOf, tableRead } from './relation.ts'
import { ascend, descend } from './run.ts'
import type { Alias, JoinExpr, Node, RangeFunction, RangeSubselect, RangeVar } from './tree.ts'
import { bodyOf, stringOf, stringsOf } from './tree.ts'

/** A base table as a source of columns, named by its alias. */
export function tableSource(read: TableRead, named: RangeVar | undefined): Source {
  return {
    alias: named?.alias?.aliasname ?? read.relation.name,
    read,
    shape: null,
    columns: stringsOf(named?.alias?.colnames),
    hidden: false,
  }
}

/** Adds an item of FROM to the query; gives the tables in it that conditions can restrict. */
export function addFrom(frame: Frame, item: Node): readonly TableRead[] {
  descend(frame.run)
  const reads = addItem(frame, item)
  ascend(frame.run)
  return reads
}

function addItem(frame: Frame, item: Node): readonly TableRead[] {
  if ('RangeVar' in item) return addTable(frame, item.RangeVar)
  if ('JoinExpr' in item) return addJoin(frame, item.JoinExpr)
  if ('RangeSubselect' in item) return addSubquery(frame, item.RangeSubselect)
  if ('RangeFunction' in item) return addFunction(frame, item.RangeFunction)
  if ('RangeTableSample' in item) {
    visit(frame, item.RangeTableSample.args)
    visit(frame, item.RangeTableSample.repeatable)
    frame.volatile = true
    return item.RangeTableSample.relation === undefined ? [] : addFrom(frame, item.RangeTableSample.relation)
  }
  return addOther(frame, item)
}

/** XMLTABLE, JSON_TABLE and whatever else there is: columns computed from what it refers to. */
function addOther(frame: Frame, item: Node): readonly TableRead[] {
  const met = visited(frame, item)
  const alias = bodyOf(item)['alias'] as { readonly aliasname?: string } | undefined
  addDerived(frame, alias?.aliasname ?? '', {
    ...nothing,
    rest: distinctUses(met.uses),
    volatile: frame.volatile,
  })
  return []
}

const nothing: Shape = {
  outputs: [],
  complete: false,
  bound: null,
  open: false,
  factor: null,
  reads: [],
  rest: [],
  correlated: false,
  volatile: false,
  locks: false,
}

function addDerived(frame: Frame, alias: string, shape: Shape, columns: readonly string[] = []): void {
  addSource(frame, { alias, read: null, shape, columns, hidden: false })
}

/** Each name is looked for in every source: too many of both would take for ever. */
function addSource(frame: Frame, source: Source): void {
  if (frame.sources.length >= limits.effects) {
    throw new BudgetExceeded('node_limit', `more than ${limits.effects} tables in a query`)
  }
  frame.sources.push(source)
}

/** A WITH query's name hides a table's. */
function addTable(frame: Frame, named: RangeVar): readonly TableRead[] {
  const cte = named.schemaname === undefined ? cteNamed(frame.ctes, named.relname ?? '') : null
  const columns = stringsOf(named.alias?.colnames)
  if (cte !== null) {
    if (++cte.references > 1) for (const read of cte.shape.reads) read.shared = true
    addDerived(frame, named.alias?.aliasname ?? cte.name, cte.shape, columns)
    return cte.shape.open ? cte.shape.reads : []
  }
  const read = tableRead(frame.run, relationOf(frame.run, named))
  frame.run.findings.reads.push(read)
  addSource(frame, tableSource(read, named))
  return [read]
}

function cteNamed(ctes: Cte | null, name: string): Cte | null {
  for (let cte = ctes; cte !== null; cte = cte.next) if (cte.name === name) return cte
  return null
}

/** A subquery sees its neighbours only if it is LATERAL. */
function addSubquery(frame: Frame, item: RangeSubselect): readonly TableRead[] {
  const { run, ctes } = frame
  if (item.subquery === undefined) return []
  const parent = item.lateral === true ? frame : frame.parent
  const shape = run.engine.query({ run, parent, ctes }, item.subquery)
  if (shape.volatile) frame.volatile = true
  if (shape.correlated && parent !== frame) frame.correlated = true
  addDerived(frame, item.alias?.aliasname ?? '', shape, stringsOf(item.alias?.colnames))
  return shape.open ? shape.reads : []
}

/** Functions in FROM: columns by a column list, by the alias, or by the function's own name. */
function addFunction(frame: Frame, item: RangeFunction): readonly TableRead[] {
  const { multiplied } = frame
  const calls = frame.calls.length
  const found = visited(frame, { List: { items: item.functions ?? [] } })
  const met = { ...found, uses: distinctUses(found.uses) }
  frame.multiplied = multiplied
  // What refers to no other table is called once.
  if (met.uses.length === 0) frame.calls.length = calls
  const alias = item.alias?.aliasname ?? functionName(item)
  const names = functionColumns(item)
  const kind = met.unknown ? 'unknown' : 'derived'
  const outputs: Output[] = names.map((name) => ({ name, kind, uses: met.uses, plain: null }))
  addDerived(frame, alias, { ...nothing, outputs, complete: names.length > 0, rest: met.uses })
  return []
}

function firstCall(item: RangeFunction): Node | undefined {
  const [first] = item.functions ?? []
  return first !== undefined && 'List' in first ? first.List.items?.[0] : undefined
}

function functionName(item: RangeFunction): string {
  const call = firstCall(item)
  return call !== undefined && 'FuncCall' in call ? (stringsOf(call.FuncCall.funcname).at(-1) ?? '') : ''
}

/** Functions of one column, which is named for the alias or the function. */
const singleColumn: ReadonlySet<string> = new Set([
  'generate_series',
  'generate_subscripts',
  'unnest',
  'regexp_split_to_table',
  'string_to_table',
  'json_object_keys',
  'jsonb_object_keys',
])

function functionColumns(item: RangeFunction): string[] {
  const names: string[] = []
  for (const definition of item.coldeflist ?? []) {
    if ('ColumnDef' in definition) names.push(definition.ColumnDef.colname ?? '')
  }
  const several = item.ordinality === true || item.functions?.length !== 1
  return names.length > 0 || several ? names : oneColumn(functionName(item), item.alias)
}

function oneColumn(name: string, alias: RangeFunction['alias']): string[] {
  if (!singleColumn.has(name)) return []
  const [column] = stringsOf(alias?.colnames)
  return [column ?? alias?.aliasname ?? name]
}

/** Which side a join's condition restricts: rows of an outer side stay without it. */
const restrictedSides: Readonly<Record<string, readonly ('left' | 'right')[]>> = {
  JOIN_INNER: ['left', 'right'],
  JOIN_LEFT: ['right'],
  JOIN_RIGHT: ['left'],
}

function addJoin(frame: Frame, join: JoinExpr): readonly TableRead[] {
  const first = frame.sources.length
  const left = join.larg === undefined ? [] : addFrom(frame, join.larg)
  const second = frame.sources.length
  const right = join.rarg === undefined ? [] : addFrom(frame, join.rarg)
  const around = frame.clause
  frame.clause = 'join'
  joinOn(frame, join, { restricts: restrictedBy(join, left, right), first, second })
  frame.clause = around
  if (join.alias !== undefined) aliasJoin(frame, join.alias, first)
  return [...left, ...right]
}

function restrictedBy(
  join: JoinExpr,
  left: readonly TableRead[],
  right: readonly TableRead[],
): readonly TableRead[] {
  const sides = restrictedSides[join.jointype ?? ''] ?? []
  return sides.flatMap((side) => (side === 'left' ? left : right))
}

/** Indexes of the join's first source, and of the first one on its right side. */
interface Sides {
  readonly restricts: readonly TableRead[]
  readonly first: number
  readonly second: number
}

function joinOn(frame: Frame, join: JoinExpr, { restricts, first, second }: Sides): void {
  if (join.quals !== undefined) addQual(frame, conditionOf(frame, join.quals), restricts)
  for (const column of join.usingClause ?? []) {
    addQual(frame, usingColumn(frame, { first, second, name: stringOf(column) ?? '' }), restricts)
  }
  if (join.isNatural === true || join.usingClause !== undefined) frame.merged = true
  if (join.jointype === 'JOIN_FULL') frame.full = true
}

/** `USING (id)`: a column of each side, equal. */
function usingColumn(
  frame: Frame,
  { first, second, name }: { readonly first: number; readonly second: number; readonly name: string },
): Cond {
  const left = onlyEnd(frame.sources.slice(first, second), name)
  const right = onlyEnd(frame.sources.slice(second), name)
  for (const end of [left, right]) if (end?.use) meetColumns(frame, [end.use])
  if (left !== null && right !== null) return { kind: 'link', ends: [left, right] }
  return { kind: 'other', range: false, uses: [], dynamic: false, query: true }
}

function onlyEnd(sources: readonly Source[], name: string): End | null {
  const [source] = sources
  if (source === undefined || sources.length > 1) return null
  if (source.read !== null) return { source, use: { read: source.read, column: name } }
  const output = source.shape?.outputs.find((candidate) => candidate.name === name)
  return output === undefined ? null : { source, use: output.plain }
}

/** `(a JOIN b …) AS j` renames both: columns of j may be any of theirs. */
function aliasJoin(frame: Frame, alias: Alias, first: number): void {
  const rest = frame.sources
    .slice(first)
    .flatMap((source) =>
      source.read === null ? (source.shape?.rest ?? []) : [{ read: source.read, column: '*' }],
    )
  frame.sources.push({
    alias: alias.aliasname ?? '',
    read: null,
    shape: { ...nothing, rest: distinctUses(rest) },
    columns: [],
    hidden: true,
  })
}
