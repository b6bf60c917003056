/** `env`: variables for one command, or a string that it splits into one. */
import type { Call, Handler } from '../call.ts'
import { needsKnown } from '../evaluate.ts'
import { entersEnvironment } from '../environment.ts'
import { literal, withText, type Field } from '../field.ts'
import { has, last, options, spec } from '../options.ts'
import { placeOf } from '../path.ts'
import { unnamed, type Stream } from '../stream.ts'
import { emit, opaqueProgram, unseen, type Frame } from '../work.ts'

const envSpec = spec(
  'i|ignore-environment u|unset= C|chdir= S|split-string= v|debug 0|null a|argv0= block-signal? default-signal? ignore-signal? list-signal-handling help version +',
)

function env(call: Call): Stream | undefined {
  const { frame } = call
  const read = options(call.args, envSpec)
  if (read.unknown !== null) {
    opaqueProgram(frame, 'env', 'unknown_flag', `env ${read.unknown}`)
    return undefined
  }
  const split = last(read, 'S')
  const shell = {
    ...frame.shell,
    exported: has(read, 'i') ? new Map<string, Field>() : new Map(frame.shell.exported),
  }
  const inner: Frame = {
    ...frame,
    shell,
    via: [...frame.via, split === undefined ? 'env' : 'env -S'],
    straight: false,
  }
  const directory = last(read, 'C')
  if (directory !== undefined) shell.cwd = placeOf(frame, directory).path
  const words = split === undefined ? read.operands : [...splitWords(inner, split), ...read.operands]
  return runs(inner, words, split !== undefined)
}

/** Words of `env -S`: a second level of flags may be in them. */
function runs(frame: Frame, words: readonly Field[], again: boolean): Stream | undefined {
  if (again && words[0]?.text.startsWith('-') === true) {
    opaqueProgram(frame, 'env', 'unknown_flag', 'flags inside env -S')
    return undefined
  }
  const environment = new Map(frame.environment)
  const first = words.findIndex((word) => !assigns(frame, word, environment))
  if (first < 0) return prints(frame)
  return frame.work.engine.program({ ...frame, environment }, words.slice(first))
}

/** Whether a word gives a variable to the command. */
function assigns(frame: Frame, word: Field, environment: Map<string, Field>): boolean {
  const equals = word.text.indexOf('=')
  if (equals < 0) return false
  const name = word.text.slice(0, equals)
  const value = { ...withText(word, word.text.slice(equals + 1)), tilde: false }
  needsKnown(frame, withText(word, name), 'a variable')
  entersEnvironment(frame, name, { value, stays: false })
  environment.set(name, value)
  return true
}

function prints(frame: Frame): undefined {
  const resource = { system: 'host', type: 'environment', name: '*' }
  emit(frame, { action: 'read', resource, scope: 'bulk', sensitivity: 'unknown', reversible: 'yes' })
}

/** GNU env's splitting: blanks, quotes, backslashes, and `${NAME}`, which is not followed. */
function splitWords(frame: Frame, from: Field): readonly Field[] {
  if (from.dynamic || /\$|#/.test(from.text)) {
    unseen(frame, from.dynamic ? 'spliced_variable' : 'unsupported_syntax', 'a text that env splits')
    return [{ ...from, dynamic: true, data: from.data ?? unnamed }]
  }
  const words = splitText(from.text)
  if (words !== null) return words.map((word) => literal(word))
  unseen(frame, 'unsupported_syntax', 'a text that env splits')
  return [{ ...from, dynamic: true }]
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', _: ' ' }

/** A word's pieces: an escape, a quoted part, blanks, or plain signs. */
const pieces = /\\([^]?)|'((?:[^'\\]|\\[^])*)'|"((?:[^"\\]|\\[^])*)"|(\s+)|[^\s'"\\]+|[^]/g

function splitText(text: string): readonly string[] | null {
  const words: string[] = []
  let word: string | null = null
  for (const match of text.matchAll(pieces)) {
    const [whole, , , , blank] = match
    if (blank === undefined) {
      const piece = pieceText(match)
      if (piece === null) return null
      word = (word ?? '') + piece
    } else if (word !== null) {
      words.push(word)
      word = null
    }
    if (whole === "'" || whole === '"') return null
  }
  return word === null ? words : [...words, word]
}

function pieceText([whole, escaped, single, double]: RegExpExecArray): string | null {
  if (escaped !== undefined) return escaped === '' || escaped === 'c' ? null : (escapes[escaped] ?? escaped)
  if (single !== undefined) return single.replace(/\\([\\'])/g, '$1')
  if (double === undefined) return whole
  if (/\\[^\\"$nrtfv_]/.test(double)) return null
  return double.replace(/\\([^])/g, (_all, sign: string) => escapes[sign] ?? sign)
}

export const envWrappers: readonly (readonly [string, Handler])[] = [['env', env]]
