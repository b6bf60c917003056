/** From the words of a command to the row that knows it; what no row knows is opaque. */
import { builtins } from './builtins/table.ts'
import type { Call } from './call.ts'
import { runFunction } from './function.ts'
import { shown, type Field } from './field.ts'
import { options } from './options.ts'
import { programs } from './programs/table.ts'
import { runScript } from './attached.ts'
import type { Effect } from '../intent.ts'
import { withReads, type Stream } from './stream.ts'
import { opaqueProgram, opaque, unseen, type Frame } from './work.ts'
import { wrappers } from './wrappers/table.ts'

/** Runs a command whose words are expanded; what it prints. */
export function dispatch(frame: Frame, argv: readonly Field[]): Stream {
  if (frame.shell.hijacked !== null)
    unseen(frame, 'session_state', `${frame.shell.hijacked} was changed before`)
  return nested(frame, argv, run)
}

/** The same for what another program starts: no functions, no builtins. */
export function dispatchProgram(frame: Frame, argv: readonly Field[]): Stream {
  return nested(frame, argv, start)
}

/** Commands that start commands, at most. */
const nestingAtMost = 64

type Run = (frame: Frame, name: Field, args: readonly Field[]) => Stream | undefined

function nested(frame: Frame, argv: readonly Field[], how: Run): Stream {
  const [name, ...args] = argv
  const { work, stdin } = frame
  if (name === undefined) return stdin
  work.ctx.spend(1)
  if (work.nesting > nestingAtMost) {
    unseen(frame, 'depth_limit', 'commands start commands too deeply')
    return stdin
  }
  work.nesting++
  const before = work.effects.length
  const printed = how(frame, name, args) ?? derived(frame, args, before)
  work.nesting--
  return printed
}

function start(frame: Frame, name: Field, args: readonly Field[]): Stream | undefined {
  if (name.dynamic || name.glob || name.open) return runUnknown(frame, name)
  if (name.text.includes('/')) return runPath(frame, name, args)
  return runProgram({ frame, name: name.text, args })
}

function run(frame: Frame, name: Field, args: readonly Field[]): Stream | undefined {
  if (name.dynamic || name.glob || name.open) return runUnknown(frame, name)
  const body = frame.shell.functions.get(name.text)
  if (body !== undefined) return runFunction(frame, body, args)
  if (name.text.includes('/')) return runPath(frame, name, args)
  const call: Call = { frame, name: name.text, args }
  const builtin = builtins.get(name.text)
  return builtin === undefined ? runProgram(call) : builtin(call)
}

function runProgram(call: Call): Stream | undefined {
  const { frame, name } = call
  const wrapper = wrappers.get(name)
  if (wrapper !== undefined) return wrapper(call)
  const program = programs.get(name)
  if (program === undefined) {
    hidesSecrets(call)
    opaqueProgram(frame, name, 'unknown_command', `${name} is not known`)
    return undefined
  }
  const read = options(call.args, program.spec)
  if (!program.lenient && read.unknown !== null) {
    opaqueProgram(frame, name, 'unknown_flag', `${name} ${read.unknown}`)
    return undefined
  }
  const before = frame.work.effects.length
  const printed = program.run({ ...call, options: read })
  if (!program.lenient && read.doubtful !== null) mayBeFlag(call, before)
  return printed
}

/** A word that may turn out to be a flag: what was found of the command is no longer all. */
function mayBeFlag({ frame, name }: Call, before: number): void {
  const found = frame.work.effects.slice(before)
  if (found.some((effect) => effect.confidence === 'opaque')) return
  const detail = `a word of ${name} may be a flag`
  const about = found.find((effect) => effect.action !== 'none')
  if (about === undefined) opaqueProgram(frame, name, 'dynamic_argument', detail)
  else unseen(frame, 'dynamic_argument', detail, about)
}

const secretFlag = /^--?(?:[a-z]+-)*(?:password|passwd|passphrase|secret|token|api-?key|credentials?)$/i

/** Flags that hold a secret in programs that are not read: `--password x`, and `-px` of the MySQL clients. */
function hidesSecrets({ frame, name, args }: Call): void {
  const { secrets } = frame.work
  args.forEach(({ text, dynamic }, at) => {
    if (dynamic || text.length < 3) return
    if (secretFlag.test(args[at - 1]?.text ?? '')) secrets.add(text)
    if (/^(?:mysql|maria)/.test(name) && text.startsWith('-p')) secrets.add(text.slice(2))
  })
}

const standard = /^\/(?:usr\/(?:local\/)?)?s?bin\/([^/]+)$/

function runPath(frame: Frame, name: Field, args: readonly Field[]): Stream | undefined {
  const known = standard.exec(name.text)?.[1]
  if (known !== undefined && frame.host === null) return runProgram({ frame, name: known, args })
  return runScript(frame, name, args)
}

function runUnknown(frame: Frame, name: Field): undefined {
  const remote = name.data?.remote ?? null
  if (remote !== null) {
    const resource = { system: 'host', type: 'remote_code', name: remote }
    opaque(
      frame,
      { action: 'execute', resource, scope: 'unknown' },
      'remote_code',
      'the command word was fetched',
    )
  } else opaqueProgram(frame, shown(name.text), 'dynamic_command', 'the command word is not known')
}

/** Output that is not known: it may hold what came in and what was read. */
function derived(frame: Frame, args: readonly Field[], before: number): Stream {
  const { stdin, work } = frame
  const reads: Effect[] = []
  for (let at = before; at < work.effects.length; at++) {
    const effect = work.effects[at]
    if (effect?.action === 'read') reads.push(effect)
  }
  let { remote, unnamed } = stdin
  for (const arg of args) {
    unnamed ||= arg.dynamic
    if (arg.data === null) continue
    remote ??= arg.data.remote
    reads.push(...arg.data.reads)
  }
  const own = { text: null, remote, reads: stdin.reads, unnamed, connected: true, numeric: false }
  return withReads(own, reads)
}
