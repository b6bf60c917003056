/** What a function call does: built in and harmless, built in with an effect, registered, or unseen. */
import { dblinkFunctions } from './dblink.ts'
import { effectFunctions } from './effect-functions.ts'
import type { Call } from './call.ts'
import { callEffect } from './call.ts'
import {
  aggregates,
  setReturning,
  stableFunctions,
  volatileFunctions,
  windowFunctions,
} from './functions.data.ts'
import type { Frame } from './model.ts'
import { unseen } from './run.ts'
import { sqlTextFunctions } from './sql-text-functions.ts'
import type { FuncCall } from './tree.ts'
import { stringsOf } from './tree.ts'
import type { EffectAction } from '../intent.ts'

/** Tells what a call does; its arguments have been visited. */
export function meetCall(frame: Frame, call: FuncCall): void {
  const parts = stringsOf(call.funcname)
  const name = parts.at(-1) ?? ''
  const schema = parts.at(-2) ?? null
  const bare = schema === null && !frame.run.session.created.has(name)
  if ((bare || schema === 'pg_catalog') && meetBuiltIn(frame, call, name)) return
  meetOther(frame, call, { schema, name })
}

function meetBuiltIn(frame: Frame, call: FuncCall, name: string): boolean {
  if (setReturning.has(name)) frame.multiplied = true
  if (stableFunctions.has(name)) return true
  if (aggregates.has(name)) {
    meetAggregate(frame, call)
    return true
  }
  if (windowFunctions.has(name)) return true
  if (volatileFunctions.has(name)) {
    frame.volatile = true
    return true
  }
  const handler = effectFunctions.get(name) ?? sqlTextFunctions.get(name)
  if (handler === undefined) return false
  frame.volatile = true
  handler(callOf(frame, call, name))
  return true
}

function meetAggregate(frame: Frame, call: FuncCall): void {
  if (call.over !== undefined) return
  frame.aggregated = true
  frame.met.aggregate = true
}

function callOf(frame: Frame, call: FuncCall, name: string): Call {
  return { frame, run: frame.run, name, args: call.args ?? [] }
}

/** Not of pg_catalog. dblink is known by name wherever it was installed; others only if they are registered. */
function meetOther(
  frame: Frame,
  call: FuncCall,
  named: { readonly schema: string | null; readonly name: string },
): void {
  frame.volatile = true
  frame.met.unknown = true
  const { name, schema } = named
  const dblink = dblinkFunctions.get(name)
  dblink?.(callOf(frame, call, name))
  const shown = schema === null || schema === frame.run.place.schema ? name : `${schema}.${name}`
  const declared = declaredEffects(frame, schema, name)
  if (declared !== null) {
    for (const action of declared) meetDeclared(frame, shown, action)
  } else if (dblink === undefined) meetUnknown(frame, shown)
}

function declaredEffects(frame: Frame, schema: string | null, name: string): readonly string[] | null {
  const { functions, schema: bare } = frame.run.place
  const full = `${schema ?? bare}.${name}`
  if (Object.hasOwn(functions, full)) return functions[full]?.effects ?? []
  if ((schema ?? bare) !== bare || !Object.hasOwn(functions, name)) return null
  return functions[name]?.effects ?? []
}

const actions: ReadonlySet<string> = new Set<EffectAction>([
  'none',
  'read',
  'write',
  'insert',
  'update',
  'delete',
  'truncate',
  'drop',
  'create',
  'alter',
  'grant',
  'revoke',
  'execute',
  'export',
  'import',
  'network',
  'process',
  'config',
  'lock',
  'unknown',
])

function isAction(action: string): action is EffectAction {
  return actions.has(action)
}

/** What its registration says that one call does; an action that nobody knows is `unknown`. */
function meetDeclared(frame: Frame, name: string, action: string): void {
  callEffect(frame, {
    action: isAction(action) ? action : 'unknown',
    scope: isAction(action) && action !== 'unknown' ? 'single' : 'unknown',
    why: 'declared',
    confidence: 'inferred',
    resource: { type: 'function', name },
  })
}

function meetUnknown(frame: Frame, name: string): void {
  frame.multiplied = true
  const called = callEffect(frame, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    reversible: 'unknown',
    resource: { type: 'function', name },
  })
  unseen(frame.run, 'stored_code', called, `function ${name} is neither built in nor registered`)
}
