/** Text that becomes code: from a word, from a pipe, in this shell or in a new one. */
import { hole, literal, shown, type Field } from './field.ts'
import { unnamed, type Stream } from './stream.ts'
import { opaque, unseen, type Dialect, type Frame, type Shell } from './work.ts'

/** How text is run. */
export interface Manner {
  /** Added to `via`, and the name of what runs it. */
  readonly via: readonly string[]
  /** A new shell process of this dialect; null: the shell in hand. */
  readonly dialect: Dialect | null
  readonly positional?: readonly Field[]
}

/** Runs the text of a word. */
export function evaluateField(frame: Frame, field: Field, manner: Manner): Stream {
  const remote = field.data?.remote ?? null
  if (remote !== null) return runsRemote(frame, remote)
  return field.dynamic ? runsDynamic(frame, field.text, manner) : evaluateText(frame, field.text, manner)
}

/** Runs what a stream brings. */
export function evaluateStream(frame: Frame, stream: Stream, manner: Manner): Stream {
  if (stream.remote !== null) return runsRemote(frame, stream.remote)
  if (stream.text !== null && stream.text.includes(hole)) return runsDynamic(frame, stream.text, manner)
  if (stream.text !== null) return evaluateText({ ...frame, stdin: unnamed }, stream.text, manner)
  const name = manner.via.at(-1) ?? 'sh'
  const resource = { system: 'host', type: 'shell', name }
  const code = stream.connected ? 'runtime_input' : 'interactive_session'
  const detail = stream.connected
    ? `${name} runs what a pipe brings`
    : `${name} reads commands from its caller`
  opaque(frame, { action: 'execute', resource, scope: 'unknown' }, code, detail)
  return unnamed
}

function runsRemote(frame: Frame, url: string): Stream {
  const resource = { system: 'host', type: 'remote_code', name: url }
  opaque(frame, { action: 'execute', resource, scope: 'unknown' }, 'remote_code', 'code is fetched and run')
  return unnamed
}

function runsDynamic(frame: Frame, text: string, manner: Manner): Stream {
  const resource = { system: 'host', type: 'shell', name: manner.via.at(-1) ?? 'sh' }
  const spliced = text.replaceAll(hole, '').trim() !== ''
  const code = spliced ? 'spliced_variable' : 'dynamic_command'
  opaque(frame, { action: 'execute', resource, scope: 'unknown' }, code, 'text that is run is not known')
  return unnamed
}

/** Runs constant text. */
export function evaluateText(frame: Frame, text: string, manner: Manner): Stream {
  const via = manner.via.length === 0 ? frame.via : [...frame.via, ...manner.via]
  const inner: Frame = { ...frame, via, depth: frame.depth + 4 }
  if (manner.dialect === null) return frame.work.engine.source({ ...inner, straight: false }, text)
  const shell = newShell(frame, text, manner.positional ?? null)
  frame.work.languages.add(`shell.${manner.dialect}`)
  return frame.work.engine.source({ ...inner, shell, dialect: manner.dialect, straight: true }, text)
}

/** A shell process that starts where this one is. */
function newShell(frame: Frame, text: string, positional: readonly Field[] | null): Shell {
  return {
    text,
    cwd: frame.shell.cwd,
    cwdBefore: frame.shell.cwdBefore,
    cwdDoubt: frame.shell.cwdDoubt,
    variables: new Map(),
    exported: new Map(frame.shell.exported),
    functions: new Map(),
    positional,
    stopsOnError: false,
    hijacked: frame.shell.hijacked,
    proven: new Map(),
    bare: null,
  }
}

/** Who and where, of a machine that is reached. */
export interface Login {
  readonly user: string | null
  readonly port: string | null
}

/** The frame on another machine: its paths and directories are its own. */
export function onHost(frame: Frame, host: string, how: Login): Frame {
  const shell: Shell = {
    ...newShell(frame, '', null),
    cwd: null,
    cwdBefore: null,
    cwdDoubt: false,
    exported: new Map(),
  }
  const name = shown(host)
  const endpoint = { host: host.includes(hole) ? null : host, port: how.port }
  return { ...frame, shell, host: name, endpoint, runAs: how.user, via: [...frame.via, `ssh:${name}`] }
}

/** Several words that a program joins with blanks into one text. */
export function joinedWords(words: readonly Field[]): Field {
  const [first] = words
  if (first !== undefined && words.length === 1) return first
  const text = words.map((word) => word.text).join(' ')
  const data = (words.find((word) => word.data?.remote) ?? words.find((word) => word.data !== null))?.data
  const dynamic = words.some((word) => word.dynamic || word.open)
  return { ...literal(text), dynamic, data: data ?? null }
}

/** A reason when a word that must be known is not. */
export function needsKnown(frame: Frame, field: Field, what: string): void {
  if (field.dynamic) unseen(frame, 'dynamic_argument', `${what} is not known`)
}
