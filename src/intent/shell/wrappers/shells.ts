/** Shells as programs: `sh -c text`, `bash script`, and what a pipe brings them. */
import { runScriptIn } from '../attached.ts'
import type { Call, Handler } from '../call.ts'
import { evaluateField, evaluateStream, type Manner } from '../evaluate.ts'
import type { Field } from '../field.ts'
import { has, options, spec, type Options } from '../options.ts'
import { unnamed, type Stream } from '../stream.ts'
import { nothing, opaque, opaqueProgram } from '../work.ts'

const shellSpec = spec(
  'c s i l|login e u x v n f a b h k m p t B C E H P T D r|restricted o= O= rcfile|init-file= norc noprofile posix verbose noediting debugger help version +',
)

function shell(call: Call): Stream | undefined {
  const { frame, name } = call
  const read = options(call.args, shellSpec)
  const [first] = read.operands
  if (read.unknown !== null) opaqueProgram(frame, name, 'unknown_flag', `${name} ${read.unknown}`)
  else if (read.doubtful !== null) return evaluateField(frame, read.doubtful, mannerOf(call, read))
  else if (has(read, 'help') || has(read, 'version')) nothing(frame, name)
  else if (['i', 'rcfile', 'O'].some((flag) => has(read, flag)))
    opaqueProgram(frame, name, 'interactive_session', `${name} reads more than its text`)
  else if (has(read, 'c'))
    return first === undefined ? undefined : evaluateField(frame, first, mannerOf(call, read))
  else return runsInput(call, read)
  return undefined
}

function mannerOf(call: Call, read: Options): Manner {
  const words = read.operands.slice(has(read, 'c') ? 2 : 1)
  return { via: [call.name], dialect: call.name === 'bash' ? 'bash' : 'sh', positional: words }
}

/** A script by its path, or what the input brings. */
function runsInput(call: Call, read: Options): Stream {
  const [first] = read.operands
  const manner = mannerOf(call, read)
  if (first === undefined || has(read, 's') || isInput(first))
    return evaluateStream(call.frame, inputOf(call, first), manner)
  return runScriptIn(call.frame, first, manner)
}

function isInput(word: Field): boolean {
  return (
    word.pipe === 'in' ||
    word.text === '-' ||
    /^\/dev\/(?:stdin|fd\/0)$|^\/proc\/self\/fd\/0$/.test(word.text)
  )
}

function inputOf(call: Call, word: Field | undefined): Stream {
  return word?.pipe === 'in' ? (word.data ?? unnamed) : call.frame.stdin
}

const others = [
  'zsh',
  'fish',
  'ksh',
  'mksh',
  'csh',
  'tcsh',
  'pwsh',
  'powershell',
  'cmd',
  'python',
  'python2',
  'python3',
  'perl',
  'ruby',
  'node',
  'nodejs',
  'deno',
  'bun',
  'php',
  'lua',
  'tclsh',
  'Rscript',
  'osascript',
  'ts-node',
  'tsx',
]

/** Interpreters of languages that are not read here. */
function other(call: Call): Stream | undefined {
  const { frame, name, args } = call
  const remote = args.find((arg) => arg.data?.remote)?.data?.remote ?? frame.stdin.remote
  if (remote === null) opaqueProgram(frame, name, 'unknown_command', `${name} is not read`)
  else {
    const resource = { system: 'host', type: 'remote_code', name: remote }
    opaque(frame, { action: 'execute', resource, scope: 'unknown' }, 'remote_code', 'code is fetched and run')
  }
  return undefined
}

export const shellWrappers: readonly (readonly [string, Handler])[] = [
  ...['sh', 'bash', 'dash', 'ash', 'rbash'].map((name) => [name, shell] as const),
  ...others.map((name) => [name, other] as const),
]
