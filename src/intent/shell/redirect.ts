/** Redirections: effects of their own, and what they connect. */
import type { HereDoc, Redirect, Redirection } from 'unbash'
import { hole, shown, type Field } from './field.ts'
import { sendsTo } from './flow.ts'
import { placeOf } from './path.ts'
import { readPlace, writePlace } from './touch.ts'
import { empty, fetched, known, plain, unnamed, type Stream } from './stream.ts'
import { networkDestination } from './trust.ts'
import { expandOne } from './word.ts'
import { harmlessDevice } from './places.ts'
import { divergent, emit, unseen, unsupported, type Frame } from './work.ts'

/** Where a command's data comes from and goes to, after its redirections. */
export interface Plumbing {
  readonly stdin: Stream
  /** Writes that happen with what the command prints. */
  readonly outputs: readonly Output[]
  /** True when standard output goes on to the pipe. */
  readonly piped: boolean
}

interface Output {
  readonly kind: 'file' | 'network' | 'process'
  readonly field: Field
  readonly append: boolean
}

/** Follows the redirections of a command, in order. Reads are reported here, writes by `writeOutputs`. */
export function plumb(frame: Frame, redirections: readonly Redirection[]): Plumbing {
  const plumbing: Mutable = { stdin: frame.stdin, outputs: [], piped: true }
  for (const one of redirections) {
    const number = descriptorOf(frame, one)
    if (one.type === 'Redirect') connect(frame, one, { plumbing, number })
    else {
      const text = one.type === 'HereString' ? hereString(frame, one) : hereDoc(frame, one)
      if (number === null || number === 0) plumbing.stdin = text
    }
  }
  return plumbing
}

interface Mutable {
  stdin: Stream
  readonly outputs: Output[]
  piped: boolean
}

function descriptorOf(frame: Frame, one: Redirection): number | null {
  if (one.descriptor === undefined) return null
  if (one.descriptor.type === 'FileDescriptor') {
    if (one.descriptor.value > 9) divergent(frame, 'high descriptors')
    return one.descriptor.value
  }
  divergent(frame, '{name}> redirections')
  return -1
}

function connect(
  frame: Frame,
  one: Redirect,
  to: { readonly plumbing: Mutable; readonly number: number | null },
): void {
  const { plumbing, number } = to
  const target = targetOf(frame, one)
  if (isInput(one)) {
    const stream = target === null ? unnamed : reading(frame, target)
    if (number === null || number === 0) plumbing.stdin = stream
  } else if (target !== null) {
    plumbing.outputs.push(target)
    if (number === null || number === 1) plumbing.piped = false
  }
}

function isInput(one: Redirect): boolean {
  return one.operator === '<' || one.operator === '<&'
}

/** What a redirection names; null for a descriptor, and for what holds nothing. */
function targetOf(frame: Frame, one: Redirect): Output | null {
  if (one.target === undefined) {
    unsupported(frame, 'a redirection without a target')
    return null
  }
  if (one.operator.startsWith('&')) divergent(frame, '&>')
  const field = expandOne(frame, one.target)
  if (one.operator === '>&' || one.operator === '<&') {
    if (/^(?:\d+-?|-)$/.test(field.text)) return null
    divergent(frame, '>& with a name')
  }
  return namedTarget(one, field)
}

function namedTarget(one: Redirect, field: Field): Output | null {
  const append = one.operator.includes('>>') || one.operator === '<>'
  if (field.pipe !== null) return { kind: 'process', field, append: false }
  if (!isInput(one) && !field.dynamic && harmlessDevice.test(field.text)) return emptySink(field)
  const kind = /^\/dev\/(?:tcp|udp)\//.test(field.text) ? 'network' : 'file'
  return { kind, field, append }
}

/** `> /dev/null` is no effect, but what is printed goes there. */
function emptySink(field: Field): Output | null {
  const isOutput = /^\/dev\/(?:stdout|stderr|fd\/|tty)|^\/proc/.test(field.text)
  return isOutput ? null : { kind: 'process', field, append: false }
}

function reading(frame: Frame, from: Output): Stream {
  const { field, kind } = from
  if (field.pipe !== null) return field.data ?? unnamed
  if (!field.dynamic && harmlessDevice.test(field.text)) return device(frame, field.text)
  if (kind === 'network') return fetched(network(frame, field))
  const read = readPlace(frame, placeOf(frame, field), 'single')
  return { ...plain, reads: [read] }
}

function device(frame: Frame, path: string): Stream {
  if (path === '/dev/null') return empty
  if (path === '/dev/stdin') return frame.stdin
  return /zero|full|random/.test(path) ? plain : unnamed
}

/** Reports the connection that `/dev/tcp/host/port` makes; its name. */
function network(frame: Frame, field: Field): string {
  const [, , protocol = 'tcp', host = hole, port = ''] = field.text.split('/')
  const destination = networkDestination(host, frame.work.ctx.target.facts.internal)
  const resource = { system: 'host', type: 'host', name: shown(host) }
  const effect = emit(frame, { action: 'network', resource, scope: 'single', destination })
  if (field.dynamic) unseen(frame, 'dynamic_argument', 'the host is not known', effect)
  return shown(`${protocol}://${host}:${port}`)
}

function hereString(frame: Frame, one: Extract<Redirection, { readonly type: 'HereString' }>): Stream {
  divergent(frame, '<<<')
  if (one.target === undefined) return unnamed
  const field = expandOne(frame, one.target)
  return withData(known(`${field.text}\n`), field)
}

function hereDoc(frame: Frame, one: HereDoc): Stream {
  if (one.closing === undefined || one.delimiter === undefined)
    unseen(frame, 'parse_error', 'a heredoc is not closed')
  if (one.delimiter !== undefined && /\$['"]/.test(one.delimiter.text))
    divergent(frame, 'such a heredoc delimiter')
  const text = one.body.text
  if (one.delimiter?.quoted === true) return known(unindented(one, text))
  const { parts } = one.body
  if (parts === undefined)
    return known(unindented(one, text.replace(/\\([$`\\])/g, '$1').replace(/\\\n/g, '')))
  const word = { type: 'Word', text: '"', value: '', pos: one.body.pos, end: one.body.end } as const
  const quoted = { type: 'DoubleQuoted', pos: word.pos, end: word.end, text, parts } as const
  const field = expandOne(frame, { ...word, parts: [quoted as never] })
  return withData(known(unindented(one, field.text)), field)
}

function unindented(one: HereDoc, text: string): string {
  return one.operator === '<<-' ? text.replace(/^\t+/gm, '') : text
}

function withData(stream: Stream, field: Field): Stream {
  if (field.data === null) return field.dynamic ? { ...stream, unnamed: true } : stream
  return { ...field.data, text: stream.text, connected: true, numeric: false }
}

/** Reports the writes: `alone` when no command prints anything, so that a file is only emptied. */
export function writeOutputs(
  frame: Frame,
  outputs: readonly Output[],
  how: { readonly printed: Stream; readonly alone: boolean },
): void {
  for (const { kind, field, append } of outputs) {
    if (kind === 'network') {
      network(frame, field)
      const host = field.text.split('/')[3] ?? hole
      sendsTo(frame, how.printed, networkDestination(host, frame.work.ctx.target.facts.internal))
    } else if (kind === 'file') {
      writePlace(frame, placeOf(frame, field), {
        action: how.alone && !append ? 'truncate' : 'write',
        append,
      })
    }
  }
}
