/** Built-in functions that run SQL given as text, or read a table given by name. */
import type { Call, CallHandler } from './call.ts'
import { argumentText, callEffect, counted } from './call.ts'
import { nameParts } from './effect-functions.ts'
import { relationOfParts, readSensitivity, tableRead } from './relation.ts'
import { emit, inMode, unknownName, unseen } from './run.ts'
import { templateOf } from './text.ts'

/** The statement is constant: it is analysed as if it stood here. Otherwise it may be anything. */
function runsText(index: number): CallHandler {
  return (call) => {
    const { text, holes } = templateOf(call.run, call.args[index])
    call.frame.met.unknown = true
    if (holes === 'none') {
      counted(call.frame, () => {
        const inside = inMode(call.run, { via: [...call.run.mode.via, call.name] })
        if (!call.run.engine.text(inside, text)) unparsed(call)
      })
      return
    }
    const found = callEffect(call.frame, {
      action: 'execute',
      scope: 'unknown',
      confidence: 'opaque',
      reversible: 'unknown',
      resource: { type: 'dynamic_sql', name: unknownName },
    })
    unseen(call.run, 'dynamic_sql', found, `the statement of ${call.name} is not constant`)
  }
}

function unparsed(call: Call): void {
  const found = emit(call.run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    resource: { type: 'dynamic_sql', name: unknownName },
  })
  unseen(call.run, 'parse_error', found, `the statement of ${call.name} does not parse`)
}

/** `ts_rewrite(query, text)` runs its text; with three arguments it runs none. */
function rewrites(call: Call): void {
  if (call.args.length === 2) runsText(1)(call)
}

/** `table_to_xml('users', …)` is `TABLE users`. */
function readsTable(call: Call): void {
  const text = argumentText(call, 0)
  const read = tableRead(call.run, relationOfParts(call.run, text === null ? [unknownName] : nameParts(text)))
  read.whole = true
  call.frame.met.unknown = true
  callEffect(call.frame, {
    action: 'read',
    scope: 'all',
    why: call.name,
    confidence: text === null ? 'inferred' : 'exact',
    sensitivity: text === null ? 'unknown' : readSensitivity(read),
    resource: { type: 'table', name: read.relation.shown, schema: read.relation.schema, columns: ['*'] },
  })
}

function readsMany(type: 'schema' | 'database'): CallHandler {
  return (call) => {
    call.frame.met.unknown = true
    callEffect(call.frame, {
      action: 'read',
      scope: 'all',
      why: call.name,
      sensitivity: 'sensitive',
      resource: { type, name: type === 'schema' ? (argumentText(call, 0) ?? unknownName) : '*' },
    })
  }
}

/** A cursor shows what its query reads; that query was read where it was declared, if it was in this text. */
function readsCursor(call: Call): void {
  call.frame.met.unknown = true
  const name = argumentText(call, 0)
  if (name !== null && call.run.session.cursors.has(name)) return
  unseen(call.run, 'session_state', null, 'the cursor is not of this text')
}

/** Functions that run SQL text or read what a text names. */
export const sqlTextFunctions: ReadonlyMap<string, CallHandler> = new Map([
  ['query_to_xml', runsText(0)],
  ['query_to_xmlschema', runsText(0)],
  ['query_to_xml_and_xmlschema', runsText(0)],
  ['ts_stat', runsText(0)],
  ['ts_rewrite', rewrites],
  ['table_to_xml', readsTable],
  ['table_to_xml_and_xmlschema', readsTable],
  ['table_to_xmlschema', readsTable],
  ['schema_to_xml', readsMany('schema')],
  ['schema_to_xml_and_xmlschema', readsMany('schema')],
  ['schema_to_xmlschema', readsMany('schema')],
  ['database_to_xml', readsMany('database')],
  ['database_to_xml_and_xmlschema', readsMany('database')],
  ['database_to_xmlschema', readsMany('database')],
  ['cursor_to_xml', readsCursor],
  ['cursor_to_xmlschema', readsCursor],
])
