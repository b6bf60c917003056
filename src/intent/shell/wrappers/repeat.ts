/** Wrappers that run a command once for each of what a pipe brings. */
import type { Call, Handler } from '../call.ts'
import { anything, hole, literal, withText, type Field } from '../field.ts'
import { has, last, options, spec, type Options } from '../options.ts'
import { placeOf } from '../path.ts'
import { unnamed, type Stream } from '../stream.ts'
import { readPlace } from '../touch.ts'
import { opaqueProgram, unseen, type Frame } from '../work.ts'

const xargsSpec = spec(
  '0|null a|arg-file= d|delimiter= E= e|eof? I= i|replace? L|max-lines= l? n|max-args= P|max-procs= o|open-tty p|interactive process-slot-var= r|no-run-if-empty s|max-chars= show-limits t|verbose x|exit help version +',
)

function xargs(call: Call): Stream | undefined {
  const { frame } = call
  const read = options(call.args, xargsSpec)
  if (read.unknown !== null) {
    opaqueProgram(frame, 'xargs', 'unknown_flag', `xargs ${read.unknown}`)
    return undefined
  }
  const file = last(read, 'a')
  if (file !== undefined) readPlace(frame, placeOf(frame, file), 'single')
  const words = read.operands.length === 0 ? [literal('echo')] : read.operands
  const given = file === undefined ? constantWords(frame.stdin, read) : null
  return given === null ? runsUnknown(frame, words, read) : runsConstant(frame, { words, given, read })
}

/** The words that constant input becomes; null when it is not known, or quoted. */
function constantWords(stdin: Stream, read: Options): readonly Field[] | null {
  const { text } = stdin
  if (text === null || text.includes(hole) || ['0', 'E', 'e'].some((flag) => has(read, flag))) return null
  const delimiter = last(read, 'd')?.text
  const words = delimiter === undefined ? blankSeparated(text, read) : delimited(text, delimiter)
  return words === null || words.length > 64 ? null : words.map((word) => literal(word))
}

function blankSeparated(text: string, read: Options): readonly string[] | null {
  if (/['"\\]/.test(text)) return null
  const words = text.split(replaces(read) === null ? /\s+/ : /\n+/)
  return words.map((word) => word.trimStart()).filter((word) => word !== '')
}

function delimited(text: string, delimiter: string): readonly string[] | null {
  if (delimiter.length !== 1 && delimiter !== '\\n') return null
  return text.split(delimiter === '\\n' ? '\n' : delimiter).filter((word) => word !== '')
}

function replaces(read: Options): string | null {
  const given = last(read, 'I')
  if (given !== undefined) return given.text
  const old = last(read, 'i')
  return old === undefined ? null : old.text.startsWith('-') ? '{}' : old.text
}

interface Constant {
  readonly words: readonly Field[]
  readonly given: readonly Field[]
  readonly read: Options
}

function runsConstant(frame: Frame, { words, given, read }: Constant): Stream {
  const inner: Frame = { ...frame, via: [...frame.via, 'xargs'], stdin: unnamed, straight: false }
  const mark = replaces(read)
  const inOne = !has(read, 'n') && !has(read, 'L')
  if (mark === null && (inOne || given.length === 0))
    return frame.work.engine.program(inner, [...words, ...given])
  let printed: Stream = unnamed
  for (const one of given) {
    const argv = mark === null ? [...words, one] : words.map((word) => substituted(word, mark, one.text))
    printed = frame.work.engine.program(inner, argv)
  }
  return { ...printed, text: null }
}

function substituted(word: Field, mark: string, text: string): Field {
  return word.text.includes(mark) ? withText(word, word.text.replaceAll(mark, text)) : word
}

function runsUnknown(frame: Frame, words: readonly Field[], read: Options): Stream {
  const data = { ...frame.stdin, text: null, unnamed: true, connected: true }
  const mark = replaces(read)
  const inner: Frame = {
    ...frame,
    via: [...frame.via, 'xargs'],
    repeat: null,
    stdin: unnamed,
    straight: false,
  }
  const argv =
    mark === null
      ? [...words, anything(data, true)]
      : words.map((word) => (word.text.includes(mark) ? { ...substituted(word, mark, hole), data } : word))
  const before = frame.work.effects.length
  const printed = frame.work.engine.program(inner, argv)
  const about = frame.work.effects.slice(before).find((effect) => effect.action !== 'none')
  // A command that neither reads nor changes anything may have any words.
  if (about !== undefined) unseen(inner, 'runtime_input', 'xargs takes words from a pipe', about)
  return printed
}

const parallelSpec = spec(
  'j|jobs|P= k|keep-order n|max-args|N= m X d|delimiter= 0|null a|arg-file= I= bar eta progress dry-run halt= joblog= results= retries= delay= timeout= q|quote t|verbose u|ungroup line-buffer no-notice will-cite tag r|no-run-if-empty C|colsep= +',
)

/** `parallel`: joins its words and hands them to a shell. */
function parallel(call: Call): Stream | undefined {
  const { frame } = call
  const read = options(call.args, parallelSpec)
  if (read.unknown !== null) {
    opaqueProgram(frame, 'parallel', 'unknown_flag', `parallel ${read.unknown}`)
    return undefined
  }
  const at = read.operands.findIndex((word) => word.text === ':::')
  const words = at < 0 ? read.operands : read.operands.slice(0, at)
  const given = at < 0 ? [] : read.operands.slice(at + 1)
  const inner: Frame = {
    ...frame,
    via: [...frame.via, 'parallel'],
    stdin: unnamed,
    straight: false,
  }
  const plainWords = [...words, ...given].every(
    (word) => !word.dynamic && /^[\w@%+=:,./{}-]*$/.test(word.text),
  )
  const isPlain = plainWords && words.length > 0 && given.length > 0 && given.length <= 64
  return isPlain ? eachInParallel(inner, words, given) : unknownParallel(inner, words)
}

function eachInParallel(frame: Frame, words: readonly Field[], given: readonly Field[]): Stream {
  const marked = words.some((word) => word.text.includes('{'))
  for (const one of given) {
    const argv = marked ? words.map((word) => substituted(word, '{}', one.text)) : [...words, one]
    if (argv.some((word) => /[{}]|:::/.test(word.text))) return unknownParallel(frame, words)
    frame.work.engine.program(frame, argv)
  }
  return unnamed
}

function unknownParallel(frame: Frame, words: readonly Field[]): Stream {
  const name = words[0]?.text ?? 'parallel'
  opaqueProgram({ ...frame, repeat: null }, name, 'runtime_input', 'parallel runs texts that it makes')
  return unnamed
}

export const repeatWrappers: readonly (readonly [string, Handler])[] = [
  ['xargs', xargs],
  ['parallel', parallel],
]
