/** SELECT, VALUES and set operations: what they read, and the columns and rows that they give. */
import { addQual, conditionOf } from './condition.ts'
import { bindCtes } from './ctes.ts'
import { visit, within } from './expression.ts'
import { fold } from './fold.ts'
import { addFrom } from './from.ts'
import { distinctUses, markOutputs, markUsed, meetColumns } from './mark.ts'
import type { Environment, Frame, Output, Proof, Shape, TableRead } from './model.ts'
import { outputsOf } from './outputs.ts'
import { bindByLinks, factorOf, frameRows, proveReads } from './rows.ts'
import { tighter } from './prove.ts'
import { ascend, descend, newFrame, repeatEffect } from './run.ts'
import type { Predicate } from '../intent.ts'
import type { Node, SelectStmt } from './tree.ts'
import { stringsOf, targetsOf } from './tree.ts'

/** Reads a query; the tables that it reads are among the findings. */
export function selectShape(env: Environment, statement: SelectStmt): Shape {
  descend(env.run)
  const ctes = bindCtes(env, statement.withClause)
  const inside = { ...env, ctes }
  const shape =
    statement.op !== undefined && statement.op !== 'SETOP_NONE'
      ? setOperation(inside, statement)
      : statement.valuesLists === undefined
        ? plainSelect(inside, statement)
        : values(inside, statement, statement.valuesLists)
  ascend(env.run)
  return shape
}

function plainSelect(env: Environment, statement: SelectStmt): Shape {
  const frame = newFrame(env.run, env.parent, env.ctes)
  const reads: TableRead[] = []
  for (const item of statement.fromClause ?? []) reads.push(...addFrom(frame, item))
  addWhere(frame, statement.whereClause)
  const perRow = frame.calls.length
  const { outputs, complete } = outputsOf(frame, targetsOf(statement.targetList))
  visitClauses(frame, statement, outputs)
  proveReads(frame, reads)
  bindByLinks(frame, false)
  const rows = frame.multiplied ? null : frameRows(frame)
  const limit = limitOf(statement)
  repeatCalls(frame, perRow, rows)
  if (!isFolded(frame, statement)) limitReads(reads, limitProof(statement, limit), frame)
  return {
    outputs,
    complete,
    bound: fewest(limit, rowsOf(frame, statement, rows)),
    open: limit === null && isOpen(frame, statement),
    factor: factorOf(frame),
    reads,
    rest: complete ? [] : restOf(outputs, reads),
    correlated: frame.correlated,
    volatile: frame.volatile,
    locks: statement.lockingClause !== undefined,
  }
}

function restOf(outputs: readonly Output[], reads: readonly TableRead[]): Shape['rest'] {
  const rows = reads.map((read) => ({ read, column: '*' }))
  return distinctUses([...rows, ...outputs.flatMap((output) => output.uses)])
}

/** A query's WHERE as conditions on all its tables. */
export function addWhere(frame: Frame, where: Node | undefined): void {
  if (where === undefined) return
  const around = frame.clause
  frame.clause = 'where'
  addQual(frame, conditionOf(frame, where), null)
  frame.clause = around
}

/** Calls in a condition run once per row that is looked at; those of the select list once per row found. */
function repeatCalls(frame: Frame, perRow: number, rows: number | null): void {
  for (const [index, found] of frame.calls.entries()) {
    const looked = frame.sources.length === 0 ? 1 : null
    repeatEffect(found, index < perRow ? looked : rows)
  }
}

/** An aggregate without groups gives one row. Grouping sets may give more rows than there are. */
function rowsOf(frame: Frame, statement: SelectStmt, rows: number | null): number | null {
  if (statement.groupClause !== undefined) return null
  return frame.aggregated && !frame.multiplied ? 1 : rows
}

function fewest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}

/** Rows of its tables are folded together, so that few rows of the result may tell of many. */
function isFolded(frame: Frame, statement: SelectStmt): boolean {
  return (
    frame.aggregated ||
    frame.windowed ||
    statement.groupClause !== undefined ||
    statement.havingClause !== undefined
  )
}

function isOpen(frame: Frame, statement: SelectStmt): boolean {
  return (
    !isFolded(frame, statement) &&
    !frame.multiplied &&
    statement.distinctClause === undefined &&
    statement.limitOffset === undefined
  )
}

function visitClauses(frame: Frame, statement: SelectStmt, outputs: readonly Output[]): void {
  for (const item of statement.groupClause ?? []) visitGrouping(frame, item, outputs)
  within(frame, 'having', statement.havingClause)
  within(frame, 'window', statement.windowClause)
  visitDistinct(frame, statement.distinctClause, outputs)
  visitOrder(frame, statement.sortClause, outputs)
  within(frame, 'limit', statement.limitOffset)
  within(frame, 'limit', statement.limitCount)
}

/** `GROUP BY 1`, `GROUP BY alias`: a result column, by its number or name. */
function visitGrouping(frame: Frame, item: Node, outputs: readonly Output[]): void {
  const output = outputNamed(item, outputs, false)
  if (output === null) within(frame, 'group_by', item)
  else compare(frame, 'group_by', [output])
}

function outputNamed(node: Node | undefined, outputs: readonly Output[], byName: boolean): Output | null {
  if (node === undefined) return null
  if ('A_Const' in node) {
    const number = node.A_Const.ival?.ival
    return number === undefined ? null : (outputs[number - 1] ?? null)
  }
  if (!byName || !('ColumnRef' in node)) return null
  const names = stringsOf(node.ColumnRef.fields)
  return names.length === 1 ? (outputs.find((output) => output.name === names[0]) ?? null) : null
}

function compare(frame: Frame, clause: Frame['clause'], outputs: readonly Output[]): void {
  const around = frame.clause
  frame.clause = clause
  for (const output of outputs) meetColumns(frame, output.uses)
  frame.clause = around
}

/** DISTINCT compares the whole result; DISTINCT ON its own expressions. A lone empty entry means no ON. */
function visitDistinct(
  frame: Frame,
  distinct: readonly Node[] | undefined,
  outputs: readonly Output[],
): void {
  if (distinct === undefined) return
  const on = distinct.filter((node) => Object.keys(node).length > 0)
  if (on.length === 0) compare(frame, 'distinct', outputs)
  else within(frame, 'distinct', on)
}

function visitOrder(frame: Frame, sort: readonly Node[] | undefined, outputs: readonly Output[]): void {
  for (const item of sort ?? []) {
    const node = 'SortBy' in item ? item.SortBy.node : item
    const output = outputNamed(node, outputs, true)
    if (output === null) within(frame, 'order_by', node)
    else compare(frame, 'order_by', [output])
  }
}

/** A constant number of rows. ALL, NULL, a parameter and WITH TIES bound nothing. */
function limitOf(statement: SelectStmt): number | null {
  if (statement.limitOption === 'LIMIT_OPTION_WITH_TIES') return null
  const limit = fold(statement.limitCount)
  const count = typeof limit === 'string' && /^\d{1,15}$/.test(limit) ? Number(limit) : limit
  return typeof count === 'number' && count >= 0 ? count : null
}

/** What LIMIT proves: a number of rows, or only that it may be fewer than all. */
function limitProof({ limitCount, limitOption }: SelectStmt, limit: number | null): Proof | null {
  const predicate: Predicate = { kind: 'limit', columns: [], dynamic: false }
  if (limit !== null) return { scope: 'bounded', why: 'limit', limit, predicate, inferred: false }
  if (limitCount === undefined || fold(limitCount) === null) return null
  predicate.dynamic = limitOption === 'LIMIT_OPTION_COUNT'
  return { scope: 'bulk', why: 'limit_not_constant', limit: null, predicate, inferred: false }
}

/** Each row of the result shows at most one row of each table. */
function limitReads(reads: readonly TableRead[], limit: Proof | null, frame: Frame | null): void {
  if (limit === null) return
  for (const read of reads) {
    const proof: Proof = { ...limit, inferred: read.relation.inferred }
    const own = frame?.sources.some((source) => source.read === read) === true
    if (own) read.proof = tighter(read.proof, proof)
    else read.outer = tighter(proof, read.outer)
  }
}

/** UNION and its kin: columns by position, named by the first query. */
function setOperation(env: Environment, statement: SelectStmt): Shape {
  const { larg = {}, rarg = {} } = statement
  const left = selectShape(env, larg)
  const right = selectShape(env, rarg)
  const frame = newFrame(env.run, env.parent, env.ctes)
  const outputs = left.outputs.map((output, index) => united(output, right.outputs[index]))
  const reads = [...left.reads, ...right.reads]
  visitClauses(frame, statement, outputs)
  const limit = limitOf(statement)
  if (statement.op === 'SETOP_UNION') limitUnion([left, right], limitProof(statement, limit))
  else markOutputs(right.outputs)
  if (statement.all !== true) compare(frame, 'distinct', outputs)
  return {
    outputs,
    complete: left.complete && right.complete,
    bound: fewest(limit, together(left.bound, right.bound)),
    open: false,
    factor: null,
    reads,
    rest: distinctUses([...left.rest, ...right.rest, ...outputs.flatMap((output) => output.uses)]),
    ...inEither([left, right, { ...frame, locks: false }]),
  }
}

function inEither(
  parts: readonly Pick<Shape, 'correlated' | 'volatile' | 'locks'>[],
): Pick<Shape, 'correlated' | 'volatile' | 'locks'> {
  return {
    correlated: parts.some((part) => part.correlated),
    volatile: parts.some((part) => part.volatile),
    locks: parts.some((part) => part.locks),
  }
}

function limitUnion(sides: readonly Shape[], limit: Proof | null): void {
  for (const side of sides) if (side.open) limitReads(side.reads, limit, null)
}

function together(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other
}

function united(left: Output, right: Output | undefined): Output {
  if (right === undefined) return { ...left, kind: 'unknown', plain: null }
  const kind = left.kind === right.kind && left.kind !== 'plain' ? left.kind : mixed(left, right)
  return { name: left.name, kind, uses: distinctUses([...left.uses, ...right.uses]), plain: null }
}

function mixed(left: Output, right: Output): Output['kind'] {
  const kinds = [left.kind, right.kind]
  if (kinds.includes('unknown')) return 'unknown'
  if (kinds.includes('whole_row')) return 'whole_row'
  return 'derived'
}

function values(env: Environment, statement: SelectStmt, lists: readonly Node[]): Shape {
  const frame = newFrame(env.run, env.parent, env.ctes)
  const outputs: Output[] = []
  for (const list of lists) {
    const items = 'List' in list ? (list.List.items ?? []) : []
    for (const [index, item] of items.entries()) {
      const before = outputs[index]
      const [one] = outputsOf(frame, [{ name: `column${index + 1}`, val: item }]).outputs
      if (one !== undefined) outputs[index] = before === undefined ? one : united(before, one)
    }
  }
  visitClauses(frame, statement, outputs)
  return {
    outputs,
    complete: true,
    bound: frame.multiplied ? null : fewest(limitOf(statement), lists.length),
    open: false,
    factor: null,
    reads: [],
    rest: outputs.flatMap((output) => output.uses),
    correlated: frame.correlated,
    volatile: frame.volatile,
    locks: false,
  }
}

/** Visits an expression that stands in no query, as in DDL, and marks what it reads. */
export function visitAlone(env: Environment, part: unknown): void {
  const frame = newFrame(env.run, env.parent, env.ctes)
  visit(frame, part)
  markUsed(frame.collected)
}
