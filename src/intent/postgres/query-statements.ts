/** Statements that are queries, plan one, keep one for later, or go through one step by step. */
import { changeShape } from './dml.ts'
import { addResult } from './lineage.ts'
import { markOutputs } from './mark.ts'
import { mergeShape } from './merge.ts'
import type { Environment, Findings, Run, Session, Shape } from './model.ts'
import { relationOf } from './relation.ts'
import { emit, inMode, unseen } from './run.ts'
import { selectShape, visitAlone } from './select.ts'
import type { Node, RangeVar } from './tree.ts'
import { optionIsOn, optionsOf } from './tree.ts'

const noResult: Shape = {
  outputs: [],
  complete: false,
  bound: null,
  open: false,
  factor: null,
  reads: [],
  rest: [],
  correlated: false,
  volatile: true,
  locks: false,
}

/** A query anywhere: SELECT, or a change that may give rows back. */
export function queryShape(env: Environment, node: Node): Shape {
  if ('SelectStmt' in node) return selectShape(env, node.SelectStmt)
  if ('MergeStmt' in node) return mergeShape(env, node.MergeStmt)
  const shape = changeShape(env, node)
  if (shape !== null) return shape
  env.run.engine.statement(env.run, node)
  return noResult
}

function alone(run: Run): Environment {
  return { run, parent: null, ctes: null }
}

/** A query whose rows go to the caller, or nowhere. */
export function runQuery(run: Run, node: Node, shows: boolean): Shape {
  const shape = queryShape(alone(run), node)
  markOutputs(shape.outputs)
  if (shows && shape.outputs.length > 0) addResult(run, shape, true)
  return shape
}

/** SELECT; with INTO it makes a table. A command's query that does nothing else is an effect of its own, `none`. */
export function selectStatement(run: Run, node: Node): void {
  const { effects, reads } = run.findings
  const before = effects.length + reads.length
  const into = 'SelectStmt' in node ? node.SelectStmt.intoClause?.rel : undefined
  runQuery(run, node, into === undefined)
  if (into !== undefined) createTable(run, into, 'select_into')
  else if (effects.length + reads.length === before && run.depth === 0) nothingDone(run)
}

/** A statement that reads and changes nothing. */
export function nothingDone(run: Run, why = ''): void {
  emit(run, { action: 'none', scope: 'single', why, resource: { type: 'query', name: '' } })
}

/** INSERT, UPDATE, DELETE, MERGE. */
export function changeStatement(run: Run, node: Node): void {
  runQuery(run, node, true)
}

/** A table comes to be; a temporary one hides others of its name for the rest of the session. */
export function createTable(run: Run, named: RangeVar | undefined, why: string): void {
  const temporary = isTemporary(named)
  if (temporary && named?.relname !== undefined && !run.mode.deferred) hide(run, named.relname, why)
  const relation = relationOf(run, temporary ? { ...named, schemaname: 'pg_temp' } : named)
  emit(run, {
    action: 'create',
    scope: 'single',
    why,
    confidence: relation.inferred ? 'inferred' : 'exact',
    resource: { type: 'table', name: relation.shown, schema: relation.schema || null },
  })
}

function isTemporary(named: RangeVar | undefined): boolean {
  return named?.relpersistence === 't' || named?.schemaname === 'pg_temp'
}

/**
 * From here on the bare name means the temporary table, if it was made. Where that is not sure, or
 * a known table would be hidden, later statements are read differently than they seem.
 */
function hide(run: Run, name: string, why: string): void {
  const sure = !run.mode.conditional && relationOf(run, { relname: name }).facts === null
  if (sure) run.session.temporary.add(name)
  else run.session.changed ??= name
  emit(run, {
    action: 'config',
    scope: 'single',
    why: 'temporary_table',
    reversible: 'yes',
    resource: { type: run.session.closed && why === 'on_commit_drop' ? 'setting' : 'session', name },
  })
}

/** CREATE TABLE … AS, CREATE MATERIALIZED VIEW. */
export function createTableAs(
  run: Run,
  statement: Extract<Node, { CreateTableAsStmt: unknown }>['CreateTableAsStmt'],
): void {
  const { into, objtype, query } = statement
  const filled = into?.skipData === true ? inMode(run, { deferred: true }) : run
  if (query !== undefined) runQuery(filled, query, false)
  if (objtype !== 'OBJECT_MATVIEW') {
    createTable(run, into?.rel, 'create_table_as')
    return
  }
  const relation = relationOf(run, into?.rel)
  emit(run, {
    action: 'create',
    scope: 'single',
    resource: { type: 'materialized_view', name: relation.shown, schema: relation.schema || null },
  })
}

/** Only ANALYZE runs the statement; a plan may still evaluate functions that nobody has vouched for. */
export function explain(run: Run, statement: Extract<Node, { ExplainStmt: unknown }>['ExplainStmt']): void {
  const { query, options } = statement
  let analyzes = false
  for (const option of optionsOf(options)) if (option.defname === 'analyze') analyzes = optionIsOn(option)
  if (query === undefined) return
  if (analyzes) {
    run.engine.statement(run, query)
    run.findings.results.length = 0
    return
  }
  planned(run, query)
  nothingDone(run, 'explain')
}

function planned(run: Run, query: Node): void {
  const findings: Findings = {
    ...run.findings,
    effects: [],
    reads: [],
    results: [],
    inference: [],
    unseen: [],
  }
  const trial: Run = { ...run, findings, session: copyOf(run.session) }
  trial.engine.statement(trial, query)
  const calls = new Set(findings.effects.filter(isUnknownCall))
  run.findings.effects.push(...calls)
  for (const reason of findings.unseen) {
    if (reason.effect === null || calls.has(reason.effect)) run.findings.unseen.push(reason)
  }
}

/** A plan leaves the session as it was. */
function copyOf(session: Session): Session {
  return {
    ...session,
    prepared: new Map(session.prepared),
    cursors: new Set(session.cursors),
    temporary: new Set(session.temporary),
    created: new Set(session.created),
    connections: new Map(session.connections),
  }
}

function isUnknownCall({ action, resource }: { action: string; resource: { type: string } }): boolean {
  return action === 'execute' && (resource.type === 'function' || resource.type === 'operator')
}

/** PREPARE keeps a statement for the session. */
export function prepare(run: Run, statement: Extract<Node, { PrepareStmt: unknown }>['PrepareStmt']): void {
  const { name = '', query } = statement
  if (query === undefined) return
  run.session.prepared.set(name, query)
  emit(run, {
    action: 'config',
    scope: 'single',
    why: 'prepare',
    reversible: 'yes',
    resource: { type: 'session', name },
  })
  const later = inMode(run, { deferred: true, via: [...run.mode.via, 'prepare'] })
  run.engine.statement({ ...later, parameters: undefined }, query)
}

/** EXECUTE runs what this text prepared; what an earlier command prepared can't be seen. */
export function execute(run: Run, statement: Extract<Node, { ExecuteStmt: unknown }>['ExecuteStmt']): void {
  const { name = '', params } = statement
  visitAlone(alone(run), params)
  const query = run.session.prepared.get(name)
  if (query !== undefined) {
    // Its parameters are EXECUTE's, not the command's. What can be prepared cannot execute.
    run.engine.statement(
      { ...inMode(run, { via: [...run.mode.via, 'execute'] }), parameters: undefined },
      query,
    )
    return
  }
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    reversible: 'unknown',
    resource: { type: 'prepared_statement', name },
  })
  unseen(run, 'session_state', found, 'the statement was not prepared in this text')
}

/** DECLARE CURSOR: its query is read by what fetches from it. */
export function declareCursor(
  run: Run,
  { DeclareCursorStmt: { portalname = '', query } }: Extract<Node, { DeclareCursorStmt: unknown }>,
): void {
  run.session.cursors.add(portalname)
  if (query !== undefined) runQuery(run, query, false)
}

/** FETCH gives rows of a cursor, whose columns are not followed; MOVE and CLOSE give none. */
export function fetch(
  run: Run,
  { FetchStmt: { ismove, portalname: name = '' } }: Extract<Node, { FetchStmt: unknown }>,
): void {
  if (!run.session.cursors.has(name)) {
    const found = emit(run, {
      action: 'read',
      scope: 'unknown',
      confidence: 'opaque',
      sensitivity: 'unknown',
      resource: { type: 'cursor', name },
    })
    unseen(run, 'session_state', found, 'the cursor was not declared in this text')
  }
  if (ismove === true) return
  addResult(run, noResult, false)
}
