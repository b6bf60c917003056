/** `psql`: SQL for the PostgreSQL analyser, with the place where it lands. */
import type { Child } from '../../analysis.ts'
import type { Effect, Endpoint } from '../../intent.ts'
import type { Use } from '../call.ts'
import { attachedText } from '../attached.ts'
import { hole, type Field } from '../field.ts'
import { all, has } from '../options.ts'
import { placeOf } from '../path.ts'
import { unnamed, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { nothing, opaque, unseen, type Frame } from '../work.ts'
import { merge } from '../child.ts'
import { program, type Row } from './row.ts'
import { connectionOf } from './connection.ts'

function psql(use: Use): Stream | undefined {
  const { options, frame } = use
  const endpoint = connectionOf(use)
  for (const flag of ['o', 'L']) for (const file of all(options, flag)) output(frame, file, flag === 'L')
  if (!has(options, 'X')) startupFile(use)
  if (has(options, 'V') || has(options, '?') || has(options, 'help') || has(options, 'version'))
    nothing(frame, 'psql')
  else if (has(options, 'l')) sql(use, endpoint, 'SELECT datname FROM pg_catalog.pg_database')
  else runs(use, endpoint)
  return undefined
}

function runs(use: Use, endpoint: Endpoint | null): void {
  const { options } = use
  for (const text of all(options, 'c')) statement(use, endpoint, text)
  for (const file of all(options, 'f')) scriptFile(use, endpoint, file)
  if (!has(options, 'c') && !has(options, 'f')) stream(use, endpoint, use.frame.stdin)
}

/** `~/.psqlrc` belongs to the machine; nothing of the command changes it. */
function startupFile(use: Use): void {
  if (use.frame.environment?.has('PSQLRC') === true)
    unseen(use.frame, 'external_file', 'a start-up file of psql')
}

function output(frame: Frame, file: Field, append: boolean): void {
  if (file.text.startsWith('|')) unseen(frame, 'dynamic_command', 'psql pipes its output into a command')
  else writePlace(frame, placeOf(frame, file), { action: 'write', append })
}

/** `-c`: one backslash command, or text that goes to the server as it is. */
function statement(use: Use, endpoint: Endpoint | null, text: Field): void {
  if (text.text.trimStart().startsWith('\\')) metaCommand(use, endpoint)
  else if (text.dynamic) spliced(use, endpoint, text)
  else sql(use, endpoint, text.text)
}

function scriptFile(use: Use, endpoint: Endpoint | null, file: Field): void {
  if (file.text === '-' || file.text === '/dev/stdin') stream(use, endpoint, use.frame.stdin)
  else if (file.pipe === 'in') stream(use, endpoint, file.data ?? unnamed)
  else {
    const text = attachedText(use.frame, file)
    if (text === null)
      unknownSql(use, endpoint, {
        code: 'external_file',
        name: placeOf(use.frame, file).name,
        type: 'script',
      })
    else script(use, endpoint, text)
  }
}

function stream(use: Use, endpoint: Endpoint | null, input: Stream): void {
  if (input.text !== null && input.remote === null) script(use, endpoint, input.text)
  else if (input.remote !== null)
    unknownSql(use, endpoint, { code: 'remote_code', name: input.remote, type: 'remote_code' })
  else if (input.connected)
    unknownSql(use, endpoint, { code: 'runtime_input', name: '*unknown*', type: 'dynamic_sql' })
  else unknownSql(use, endpoint, { code: 'interactive_session', name: 'psql', type: 'session' })
}

/** Text that psql reads itself: meta-commands and `:variables` are its own. */
function script(use: Use, endpoint: Endpoint | null, text: string): void {
  if (text.includes('\\')) metaCommand(use, endpoint)
  else if (text.trim() === '') nothing(use.frame, 'psql')
  else if (text.includes(hole)) spliced(use, endpoint, { text })
  else if (hasVariable(text, has(use.options, 'v')))
    unknownSql(use, endpoint, { code: 'spliced_variable', name: '*unknown*', type: 'dynamic_sql' })
  else sql(use, endpoint, text)
}

/** `:name`, `:'name'`, `:"name"`; a cast's `::` and an array slice with numbers are none. */
function hasVariable(text: string, given: boolean): boolean {
  const bare = text.replaceAll('::', '  ').replaceAll(':=', '  ')
  return given ? bare.includes(':') : /:['"{A-Za-z_\u0080-\uffff]/.test(bare)
}

function metaCommand(use: Use, endpoint: Endpoint | null): void {
  unknownSql(use, endpoint, { code: 'unsupported_syntax', name: 'psql', type: 'meta_command' })
}

interface Unknown {
  readonly code: Parameters<typeof opaque>[2]
  readonly name: string
  readonly type: string
}

function unknownSql(use: Use, endpoint: Endpoint | null, what: Unknown): void {
  const frame = { ...use.frame, via: [...use.frame.via, 'psql'] }
  const resource = { system: 'postgresql', type: what.type, name: what.name }
  const seed = { action: 'execute', resource, scope: 'unknown', endpoint } as const
  opaque(frame, seed, what.code, 'SQL that is not known')
}

function childOf(use: Use, endpoint: Endpoint | null, text: string): Child {
  const { frame } = use
  return {
    command: { language: 'sql', dialect: 'postgresql', text },
    via: [...frame.via, 'psql'],
    endpoint: endpoint ?? frame.endpoint,
    runAs: frame.runAs,
    system: 'postgresql',
    conditional: frame.conditional,
    repeat: frame.repeat,
  }
}

function sql(use: Use, endpoint: Endpoint | null, text: string): void {
  merge(use.frame, use.frame.work.ctx.child(childOf(use, endpoint, text)))
}

const placeholder = 'unknown_at_run_time'

/** Known text with unknown parts: its effects are seen, and nothing is proven of them. */
function spliced(use: Use, endpoint: Endpoint | null, text: Pick<Field, 'text'>): void {
  if (text.text.replaceAll(hole, '').trim() === '') {
    unknownSql(use, endpoint, { code: 'dynamic_sql', name: '*unknown*', type: 'dynamic_sql' })
    return
  }
  const filled = text.text.replaceAll(hole, placeholder)
  const found = use.frame.work.ctx.child(childOf(use, endpoint, filled))
  const frame = { ...use.frame, via: [...use.frame.via, 'psql'] }
  merge(use.frame, found, (effect) => lessSure(effect))
  const last = use.frame.work.effects.at(-1) ?? null
  unseen(
    frame,
    'spliced_variable',
    'a variable is spliced into SQL text',
    found.effects.length === 0 ? null : last,
  )
}

function named(text: string): string {
  return text.includes(placeholder) ? '*unknown*' : text
}

function lessSure(effect: Effect): Effect {
  return {
    ...effect,
    resource: {
      ...effect.resource,
      name: named(effect.resource.name),
      columns: effect.resource.columns.map(named),
    },
    scope: 'unknown',
    why: 'spliced_variable',
    limit: null,
    predicate: null,
    confidence: effect.confidence === 'opaque' ? 'opaque' : 'inferred',
  }
}

export const psqlPrograms: readonly Row[] = [
  program(
    'psql',
    'c|command= d|dbname= f|file= l|list v|set|variable= X|no-psqlrc 1|single-transaction a|echo-all b|echo-errors e|echo-queries E|echo-hidden L|log-file= n|no-readline o|output= q|quiet s|single-step S|single-line A|no-align csv F|field-separator= H|html P|pset= R|record-separator= t|tuples-only T|table-attr= x|expanded z|field-separator-zero 0|record-separator-zero h|host= p|port= U|username= w|no-password W|password V ?',
    psql,
  ),
]
