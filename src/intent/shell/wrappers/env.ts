/** `env`: variables for one command, or a string that it splits into one. */
import type { Call, Handler } from '../call.ts'
import { needsKnown } from '../evaluate.ts'
import { entersEnvironment } from '../environment.ts'
import { literal, type Field } from '../field.ts'
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
  const [first] = words
  if (again && first !== undefined && first.text.startsWith('-')) {
    opaqueProgram(frame, 'env', 'unknown_flag', 'flags inside env -S')
    return undefined
  }
  let environment: Map<string, Field> | null = null
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at]
    const equals = word?.text.indexOf('=') ?? -1
    if (word === undefined || equals < 0) break
    const name = word.text.slice(0, equals)
    const value = { ...word, text: word.text.slice(equals + 1), tilde: false }
    needsKnown(frame, literal(name), 'a variable')
    entersEnvironment(frame, name, { value, stays: false })
    environment ??= new Map(frame.environment)
    environment.set(name, value)
  }
  const rest = words.slice(at)
  if (rest.length === 0) return prints(frame)
  return frame.work.engine.program(environment === null ? frame : { ...frame, environment }, rest)
}

function prints(frame: Frame): undefined {
  const resource = { system: 'host', type: 'environment', name: '*' }
  emit(frame, { action: 'read', resource, scope: 'bulk', sensitivity: 'unknown', reversible: 'yes', via: [] })
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

function splitText(text: string): readonly string[] | null {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at)
    if (sign === '\\') {
      const escaped = unescaped(text.charAt(++at), quote)
      if (escaped === null) return null
      word = (word ?? '') + escaped
    } else if (quote !== '') {
      if (sign === quote) quote = ''
      else word = (word ?? '') + sign
    } else if (sign === '"' || sign === "'") {
      quote = sign
      word ??= ''
    } else if (!/\s/.test(sign)) word = (word ?? '') + sign
    else if (word !== null) {
      words.push(word)
      word = null
    }
  }
  if (word !== null) words.push(word)
  return quote === '' ? words : null
}

function unescaped(sign: string, quote: string): string | null {
  if (sign === '' || sign === 'c') return null
  if (quote === "'") return sign === '\\' || sign === "'" ? sign : `\\${sign}`
  return escapes[sign] ?? sign
}

export const envWrappers: readonly (readonly [string, Handler])[] = [['env', env]]
