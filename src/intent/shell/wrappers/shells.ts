/** Shells as programs: `sh -c text`, `bash script`, and what a pipe brings them. */
import { runScriptIn } from '../attached.ts'
import type { Call, Handler } from '../call.ts'
import { evaluateField, evaluateStream } from '../evaluate.ts'
import type { Field } from '../field.ts'
import { has, options, spec } from '../options.ts'
import { plain, unnamed, type Stream } from '../stream.ts'
import { nothing, opaque, opaqueProgram, type Dialect } from '../work.ts'

const shellSpec = spec(
  'c s i l|login e u x v n f a b h k m p t B C E H P T D r|restricted o= O= rcfile|init-file= norc noprofile posix verbose noediting debugger help version +',
)

function shell(call: Call): Stream | undefined {
  const { frame, name } = call
  const dialect: Dialect = name === 'bash' ? 'bash' : 'sh'
  const read = options(call.args, shellSpec)
  const [first, ...rest] = read.operands
  if (read.unknown !== null || read.doubtful === first) return refuse(call, read.unknown)
  if (has(read, 'help') || has(read, 'version')) {
    nothing(frame, name)
    return plain
  }
  if (has(read, 'i') || has(read, 'rcfile') || has(read, 'O')) {
    opaqueProgram(frame, name, 'interactive_session', `${name} reads more than its text`)
    return undefined
  }
  const manner = { via: [name], dialect, positional: rest }
  if (has(read, 'c') && first !== undefined)
    return evaluateField(frame, first, { ...manner, positional: rest.slice(1) })
  if (first === undefined || has(read, 's') || isInput(first))
    return evaluateStream(frame, inputOf(call, first), manner)
  return runScriptIn(frame, first, manner)
}

function refuse(call: Call, unknown: string | null): Stream | undefined {
  const { frame, name } = call
  const read = options(call.args, shellSpec)
  if (unknown !== null) opaqueProgram(frame, name, 'unknown_flag', `${name} ${unknown}`)
  else if (read.doubtful === null)
    return evaluateStream(frame, frame.stdin, { via: [name], dialect: name === 'bash' ? 'bash' : 'sh' })
  else return evaluateField(frame, read.doubtful, { via: [name], dialect: 'sh' })
  return undefined
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
