/** Builtins that run a string, or a command past the usual search. */
import { runScriptIn } from '../attached.ts'
import type { Call, Handler } from '../call.ts'
import { evaluateField, evaluateStream, joinedWords, type Manner } from '../evaluate.ts'
import { withText, type Field } from '../field.ts'
import { empty, plain, unnamed, type Stream } from '../stream.ts'
import { forget } from '../variables.ts'
import { divergent, keeps, nothing, unseen, unsupported, type Frame } from '../work.ts'

function evaluate(call: Call): Stream {
  const { frame, args } = call
  const words = args[0]?.text === '--' ? args.slice(1) : args
  if (words.length === 0) return empty
  const printed = evaluateField(frame, joinedWords(words), { via: ['eval'], dialect: null })
  forget(frame)
  return printed
}

/** `.` and `source`: a file's text runs in this shell. */
function source(call: Call): Stream {
  const { frame, name, args } = call
  if (name === 'source') divergent(frame, 'source')
  const [file] = args[0]?.text === '--' ? args.slice(1) : args
  if (file === undefined) return empty
  const printed = sourced(frame, file, { via: [name], dialect: null })
  forget(frame)
  frame.shell.hijacked ??= 'something that was sourced'
  return printed
}

function sourced(frame: Frame, file: Field, manner: Manner): Stream {
  if (file.pipe === 'in') return evaluateStream(frame, file.data ?? unnamed, manner)
  if (file.text === '/dev/stdin') return evaluateStream(frame, frame.stdin, manner)
  // A bare name is searched for in PATH: what was attached for the directory in hand may be another file.
  return runScriptIn(frame, file.text.includes('/') ? file : withText(file, `./${file.text}`), manner)
}

function trap(call: Call): Stream {
  const { frame, args } = call
  const words = args[0]?.text === '--' ? args.slice(1) : args
  const [action] = words
  const isQuiet =
    action === undefined ||
    words.length === 1 ||
    /^(?:-|-[lpP]|)$/.test(action.text) ||
    /^\d+$/.test(action.text)
  nothing(frame, 'trap')
  if (isQuiet && action?.dynamic !== true) return empty
  const later: Frame = { ...frame, deferred: true, conditional: true, repeat: null, straight: false }
  if (action !== undefined) evaluateField(later, action, { via: ['trap'], dialect: null })
  return empty
}

/** `exec`, `command`, `builtin`: the words after the flags are the command. */
function runsWords(call: Call): Stream | undefined {
  const { frame, name } = call
  const words = inner(call)
  if (words === null) {
    nothing(frame, name)
    return plain
  }
  const [first] = words
  if (first === undefined) {
    nothing(frame, name)
    return empty
  }
  if (name === 'exec') return frame.work.engine.program(frame, words)
  return withoutFunctions(frame, words)
}

/** The words of the command; null when it is only asked about. */
function inner(call: Call): readonly Field[] | null {
  const { name, args, frame } = call
  const first = args.findIndex((arg, at) => !isOwnFlag(name, arg, args[at - 1]))
  if (first < 0) return []
  const text = args[first]?.text ?? ''
  if (text === '--') return args.slice(first + 1)
  if (name === 'command' && /^-p*[vV]+$/.test(text)) return null
  if (text.startsWith('-') && text !== '-') unsupported(frame, `${name} ${text}`)
  return args.slice(first)
}

function isOwnFlag(name: string, arg: Field, before: Field | undefined): boolean {
  if (/^-[pcl]+$/.test(arg.text)) return true
  return name === 'exec' && (arg.text === '-a' || before?.text === '-a')
}

function withoutFunctions(frame: Frame, words: readonly Field[]): Stream {
  const name = words[0]?.text ?? ''
  const held = frame.shell.functions.get(name)
  if (held === undefined) return frame.work.engine.argv(frame, words)
  frame.shell.functions.delete(name)
  const printed = frame.work.engine.argv(frame, words)
  frame.shell.functions.set(name, held)
  return printed
}

/** `mapfile -C`, `compgen -C`, `complete -C`: a callback is a string that runs. */
function callback(call: Call): Stream {
  const { frame, name, args } = call
  divergent(frame, name)
  nothing(frame, name)
  args.forEach((arg, at) => {
    const match = /^-[a-z]*([CFW])(.*)$/.exec(arg.text)
    if (match === null) return
    const given = match[2] === '' ? args[at + 1] : undefined
    if (given === undefined || match[1] === 'W')
      unseen(frame, 'dynamic_command', `${name} ${arg.text} runs a string`)
    else evaluateField({ ...frame, repeat: null, straight: false }, given, { via: [name], dialect: null })
  })
  if (name === 'complete') keeps(frame, 'completion', args.at(-1)?.text ?? '')
  if (name === 'mapfile' || name === 'readarray') forget(frame)
  return plain
}

export const runningBuiltins: readonly (readonly [string, Handler])[] = [
  ['eval', evaluate],
  ['.', source],
  ['source', source],
  ['trap', trap],
  ['exec', runsWords],
  ['command', runsWords],
  ['builtin', runsWords],
  ['mapfile', callback],
  ['readarray', callback],
  ['compgen', callback],
  ['complete', callback],
]
