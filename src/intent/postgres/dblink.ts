/** dblink: statements that run on another connection, outside this one's transaction. */
import type { Endpoint } from '../intent.ts'
import type { Call, CallHandler } from './call.ts'
import { argumentText, callEffect, counted } from './call.ts'
import type { Connection } from './conninfo.ts'
import { readConnection } from './conninfo.ts'
import { adoptInto, emit, unknownName, unseen } from './run.ts'
import { templateOf } from './text.ts'
import { serverDestination } from './trust.ts'

const unknownPlace: Connection = { host: unknownName, endpoint: { host: unknownName } }

/** The connection that an argument names or describes; a name is looked up among those of this text. */
function connectionOf(call: Call, index: number): Connection {
  const text = argumentText(call, index)
  if (text === null) return unknownPlace
  const known = call.run.session.connections.get(text)
  const described = known ?? (/[=:]/.test(text) ? text : undefined)
  return described === undefined ? unknownPlace : (readConnection(call.run, described) ?? unknownPlace)
}

function meetNetwork(call: Call, { host }: Connection): void {
  const found = callEffect(call.frame, {
    action: 'network',
    scope: 'single',
    why: call.name,
    reversible: 'no',
    confidence: host === unknownName ? 'inferred' : 'exact',
    destination: serverDestination(call.run, host),
    resource: { type: 'host', name: host },
  })
  if (host === unknownName) unseen(call.run, 'dynamic_argument', found, 'the connection is not constant')
}

/** A statement for the connection; its facts are not this target's. */
function runsThere(call: Call, endpoint: Endpoint, index: number): void {
  const { run } = call
  const { text, holes } = templateOf(run, call.args[index])
  call.frame.met.unknown = true
  if (holes !== 'none') {
    const found = callEffect(call.frame, {
      action: 'execute',
      scope: 'unknown',
      confidence: 'opaque',
      reversible: 'no',
      endpoint,
      resource: { type: 'dynamic_sql', name: unknownName },
    })
    unseen(run, 'dynamic_sql', found, `the statement of ${call.name} is not constant`)
    return
  }
  counted(call.frame, () => {
    remote(call, endpoint, text)
  })
}

function remote(call: Call, endpoint: Endpoint, text: string): void {
  const { run } = call
  run.ctx.spendBytes(text.length)
  const fragment = run.ctx.child({
    command: { language: 'sql', dialect: 'postgresql', text },
    via: ['dblink'],
    endpoint,
    runAs: null,
    system: 'postgresql',
    conditional: false,
    repeat: 1,
  })
  const adopted = new Map(fragment.effects.map((found) => [found, adoptInto(run, found)]))
  for (const reason of fragment.unseen) {
    const about = reason.effect === null ? null : (adopted.get(reason.effect) ?? null)
    run.findings.unseen.push({ ...reason, via: [...run.mode.via, ...reason.via], effect: about })
  }
}

/** `dblink(connection, statement, …)`, or `dblink(statement)` on the unnamed connection. */
function runs(call: Call): void {
  const named = call.args.length > 1 && !isFlag(call, 1)
  const unnamed = call.run.session.connections.get('')
  const connection = named
    ? connectionOf(call, 0)
    : unnamed === undefined
      ? unknownPlace
      : (readConnection(call.run, unnamed) ?? unknownPlace)
  meetNetwork(call, connection)
  runsThere(call, connection.endpoint, named ? 1 : 0)
}

function isFlag(call: Call, index: number): boolean {
  const text = argumentText(call, index)
  return text === 'true' || text === 'false'
}

/** `dblink_open([connection,] cursor, statement [, fail])`. */
function opens(call: Call): void {
  const flagged = isFlag(call, call.args.length - 1)
  const given = call.args.length - (flagged ? 1 : 0)
  const connection = given > 2 ? connectionOf(call, 0) : unknownPlace
  meetNetwork(call, connection)
  runsThere(call, connection.endpoint, given - 1)
}

/** `dblink_connect([name,] connection)`: the session keeps it. */
function connects(call: Call): void {
  const index = call.args.length > 1 ? 1 : 0
  const text = argumentText(call, index)
  const name = index === 1 ? argumentText(call, 0) : ''
  meetNetwork(call, connectionOf(call, index))
  if (text !== null && name !== null) call.run.session.connections.set(name, text)
}

/** Reads what an earlier statement on a connection gave. */
function fetches(call: Call): void {
  call.frame.met.unknown = true
  meetNetwork(call, call.args.length > 0 ? connectionOf(call, 0) : unknownPlace)
}

/** Builds a statement from a table's row, which it reads by its key. */
function builds(call: Call): void {
  call.frame.met.unknown = true
  emit(call.run, {
    action: 'read',
    scope: 'single',
    why: call.name,
    confidence: 'inferred',
    sensitivity: 'unknown',
    resource: { type: 'table', name: argumentText(call, 0) ?? unknownName },
  })
}

/** Nothing but state of the connections. */
const harmless: CallHandler = () => undefined

/** The functions of dblink, by name. */
export const dblinkFunctions: ReadonlyMap<string, CallHandler> = new Map([
  ['dblink', runs],
  ['dblink_exec', runs],
  ['dblink_send_query', runs],
  ['dblink_open', opens],
  ['dblink_connect', connects],
  ['dblink_connect_u', connects],
  ['dblink_fetch', fetches],
  ['dblink_get_result', fetches],
  ['dblink_get_notify', fetches],
  ['dblink_close', harmless],
  ['dblink_disconnect', harmless],
  ['dblink_get_connections', harmless],
  ['dblink_is_busy', harmless],
  ['dblink_cancel_query', harmless],
  ['dblink_error_message', harmless],
  ['dblink_current_query', harmless],
  ['dblink_get_pkey', harmless],
  ['dblink_build_sql_insert', builds],
  ['dblink_build_sql_delete', builds],
  ['dblink_build_sql_update', builds],
])
