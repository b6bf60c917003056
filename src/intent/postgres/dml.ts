/** INSERT, UPDATE, DELETE: what they change, by what their own conditions prove, and what they give back. */
import { bindCtes } from './ctes.ts'
import { conditionOf } from './condition.ts'
import { visit, within } from './expression.ts'
import { addFrom, tableSource } from './from.ts'
import { markOutputs, markUsed } from './mark.ts'
import type { Environment, Frame, Proof, Shape, Source, TableRead } from './model.ts'
import { outputsOf } from './outputs.ts'
import { proofOf, rowsBy } from './prove.ts'
import { relationOf, tableRead } from './relation.ts'
import { ascend, descend, emit, newFrame, repeatEffect, unknownName } from './run.ts'
import { changeSetting } from './settings.ts'
import { bindByLinks, proveReads } from './rows.ts'
import { addWhere } from './select.ts'
import type { DeleteStmt, InsertStmt, Node, RangeVar, UpdateStmt } from './tree.ts'
import { targetsOf } from './tree.ts'
import type { EffectAction } from '../intent.ts'

/** A statement's target, as a source of columns and as what is proven. */
export interface Target {
  readonly frame: Frame
  readonly read: TableRead
  readonly source: Source
}

/** Opens a statement that changes a table. */
export function openTarget(env: Environment, named: RangeVar | undefined): Target {
  const frame = newFrame(env.run, env.parent, env.ctes)
  const read = tableRead(env.run, relationOf(env.run, named))
  const source = tableSource(read, named)
  frame.sources.push(source)
  return { frame, read, source }
}

/** Reports a change of the target's rows. */
export function emitChange(
  target: Target,
  action: EffectAction,
  proof: Proof,
  columns: readonly string[] = [],
): void {
  const { relation, run } = target.read
  emit(run, {
    action,
    scope: proof.scope,
    why: proof.why,
    limit: proof.limit,
    predicate: proof.predicate,
    confidence: proof.inferred ? 'inferred' : 'exact',
    resource: { type: 'table', name: relation.shown, schema: relation.schema || null, columns: [...columns] },
  })
}

/** Reads a statement that changes rows, alone or in a WITH. */
export function changeShape(env: Environment, node: Node): Shape | null {
  descend(env.run)
  const shape = ofKind(env, node)
  ascend(env.run)
  return shape
}

function ofKind(env: Environment, node: Node): Shape | null {
  if ('InsertStmt' in node) return insertShape(env, node.InsertStmt)
  if ('UpdateStmt' in node) return updateShape(env, node.UpdateStmt)
  if ('DeleteStmt' in node) return deleteShape(env, node.DeleteStmt)
  return null
}

/** Rows written for rows given. */
export function proofOfRows(read: TableRead, rows: number | null, why: string): Proof {
  const { inferred } = read.relation
  if (rows === null) return { scope: 'bulk', why, limit: null, predicate: null, inferred }
  if (rows === 1) return { scope: 'single', why, limit: null, predicate: null, inferred }
  return { scope: 'bounded', why, limit: rows, predicate: null, inferred }
}

function insertShape(outer: Environment, statement: InsertStmt): Shape {
  const env = { ...outer, ctes: bindCtes(outer, statement.withClause) }
  const target = openTarget(env, statement.relation)
  const columns = targetsOf(statement.cols).map((column) => column.name ?? '')
  for (const column of targetsOf(statement.cols)) visit(target.frame, column.indirection)
  const proof = insertedRows(env, target, statement.selectStmt)
  emitChange(target, 'insert', proof, columns)
  updateOnConflict(target, statement, proof)
  return returned(target, { proof, targets: statement.returningClause?.exprs, named: statement.relation })
}

function insertedRows(env: Environment, target: Target, query: Node | undefined): Proof {
  if (query === undefined) return proofOfRows(target.read, 1, 'default_values')
  const shape = env.run.engine.query({ ...env, parent: null }, query)
  markOutputs(shape.outputs)
  const isValues = 'SelectStmt' in query && query.SelectStmt.valuesLists !== undefined
  return proofOfRows(target.read, shape.bound, isValues ? 'values' : 'insert_select')
}

/** ON CONFLICT DO UPDATE changes at most one row for each that is given. */
function updateOnConflict(target: Target, statement: InsertStmt, proof: Proof): void {
  const clause = statement.onConflictClause
  if (clause === undefined) return
  const { frame, source } = target
  frame.sources.push({ ...source, alias: 'excluded', hidden: true })
  within(frame, 'where', clause.infer?.indexElems)
  within(frame, 'where', clause.infer?.whereClause)
  if (clause.action !== 'ONCONFLICT_UPDATE') return
  const set = targetsOf(clause.targetList)
  visitSet(frame, set)
  within(frame, 'where', clause.whereClause)
  emitChange(
    target,
    'update',
    { ...proof, why: 'on_conflict' },
    set.map((column) => column.name ?? ''),
  )
}

/** The new values: what they read of other tables is shown to whoever reads this one. */
function visitSet(frame: Frame, targets: ReturnType<typeof targetsOf>): void {
  for (const target of targets) {
    visit(frame, target.indirection)
    visit(frame, target.val)
  }
  markUsed(frame.collected)
}

function updateShape(outer: Environment, statement: UpdateStmt): Shape {
  const env = { ...outer, ctes: bindCtes(outer, statement.withClause) }
  const target = openTarget(env, statement.relation)
  const set = targetsOf(statement.targetList)
  const { from, where } = { from: statement.fromClause, where: statement.whereClause }
  const proof = changedRows(target, from, where)
  const looked = target.frame.calls.length
  visitSet(target.frame, set)
  const columns = set.map((column) => column.name ?? '')
  emitChange(target, 'update', proof, columns)
  meetSettings(target)
  repeatCalls(target.frame, looked, rowsBy(proof))
  return returned(target, { proof, targets: statement.returningClause?.exprs, named: statement.relation })
}

/** Updating the view pg_settings is SET by another name. */
function meetSettings({ read }: Target): void {
  if (read.relation.shown !== 'pg_catalog.pg_settings') return
  changeSetting(read.run, { name: unknownName, value: null, local: false })
}

function deleteShape(outer: Environment, statement: DeleteStmt): Shape {
  const env = { ...outer, ctes: bindCtes(outer, statement.withClause) }
  const target = openTarget(env, statement.relation)
  const proof = changedRows(target, statement.usingClause, statement.whereClause)
  emitChange(target, 'delete', proof)
  repeatCalls(target.frame)
  return returned(target, { proof, targets: statement.returningClause?.exprs, named: statement.relation })
}

/** A function in a condition may run for any number of rows; past index `looked`, for each row that is found. */
export function repeatCalls(frame: Frame, looked = Infinity, rows: number | null = null): void {
  for (const [index, found] of frame.calls.entries()) repeatEffect(found, index < looked ? null : rows)
}

/** The rows of the target that FROM (or USING) and WHERE let through: bound by the target's own key. */
function changedRows(target: Target, from: readonly Node[] | undefined, where: Node | undefined): Proof {
  const { frame, read } = target
  const reads: TableRead[] = []
  for (const item of from ?? []) reads.push(...addFrom(frame, item))
  if (where !== undefined && 'CurrentOfExpr' in where) {
    return {
      scope: 'single',
      why: 'current_of',
      limit: null,
      predicate: null,
      inferred: read.relation.inferred,
    }
  }
  addWhere(frame, where)
  proveReads(frame, [read, ...reads])
  bindByLinks(frame, true)
  return read.proof
}

interface Returning {
  readonly proof: Proof
  readonly targets: readonly Node[] | undefined
  readonly named: RangeVar | undefined
}

/** RETURNING shows the rows that were changed: a read of the target, as wide as the change. */
export function returned(target: Target, { proof, targets, named }: Returning): Shape {
  const { run, ctes, parent, sources } = target.frame
  const bound = rowsBy(proof)
  if (targets === undefined) return { ...emptyShape, bound }
  const read = tableRead(run, target.read.relation)
  read.proof = proof
  run.findings.reads.push(read)
  const frame = newFrame(run, parent, ctes)
  const own = tableSource(read, named)
  frame.sources.push(
    ...sources.map((source) => (source.read === target.read && !source.hidden ? own : source)),
  )
  frame.sources.push({ ...own, alias: 'old', hidden: true }, { ...own, alias: 'new', hidden: true })
  const { outputs, complete } = outputsOf(frame, targetsOf(targets))
  repeatCalls(frame, 0, bound)
  const rest = complete ? [] : [{ read, column: '*' }, ...outputs.flatMap((output) => output.uses)]
  return { ...emptyShape, outputs, complete, bound, rest, volatile: true }
}

const emptyShape: Shape = {
  outputs: [],
  complete: true,
  bound: null,
  open: false,
  factor: null,
  reads: [],
  rest: [],
  correlated: false,
  volatile: true,
  locks: false,
}

/** A condition's proof for the target alone, in a frame where it has been added. */
export function proofWith(target: Target, extra: Node | undefined): Proof {
  if (extra === undefined) return proofOf(target.read, target.frame.quals)
  const around = target.frame.clause
  target.frame.clause = 'where'
  const cond = conditionOf(target.frame, extra)
  target.frame.clause = around
  return proofOf(target.read, [...target.frame.quals, { cond, restricts: null }])
}
