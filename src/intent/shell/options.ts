/**
 * Reads a program's words as GNU getopt does: bundled short flags, `--long`, `--long=value`,
 * unambiguous abbreviations, operands among the flags, `--` ends them.
 */
import { withText, type Field } from './field.ts'

interface Flag {
  readonly key: string
  /** 0: none, 1: a value, 2: a value only when attached. */
  readonly arity: 0 | 1 | 2
}

/** Which flags a program has. */
export interface Spec {
  readonly flags: ReadonlyMap<string, Flag>
  /** `-5` is a flag. */
  readonly numeric: boolean
  /** The first operand ends the flags: what follows belongs to somebody else. */
  readonly stops: boolean
}

/** What the words say. */
export interface Options {
  /** By the flag's first name; a flag without a value holds itself. */
  readonly values: ReadonlyMap<string, readonly Field[]>
  readonly operands: readonly Field[]
  /** The first flag that the program's row does not know. */
  readonly unknown: string | null
  /** A word that may become several at run time, flags among them. */
  readonly doubtful: Field | null
}

/**
 * Reads a row such as `r|R|recursive t|target-directory= color? #`: names of one flag between bars,
 * `=` takes a value, `?` takes one only when attached, `#` allows `-5`, `+` stops at the first operand.
 */
export function spec(row: string): Spec {
  const flags = new Map<string, Flag>()
  const signs = new Set(row.split(/\s+/).filter((token) => token !== ''))
  for (const token of signs) {
    if (token === '#' || token === '+') continue
    const arity = token.endsWith('=') ? 1 : token.endsWith('?') ? 2 : 0
    const names = (arity === 0 ? token : token.slice(0, -1)).split('|')
    for (const name of names) flags.set(name, { key: names[0] ?? name, arity })
  }
  return { flags, numeric: signs.has('#'), stops: signs.has('+') }
}

interface Reading {
  readonly spec: Spec
  readonly words: readonly Field[]
  readonly values: Map<string, Field[]>
  readonly operands: Field[]
  unknown: string | null
  doubtful: Field | null
  at: number
}

/** Splits words into flags and operands. */
export function options(words: readonly Field[], of: Spec): Options {
  const reading: Reading = {
    spec: of,
    words,
    values: new Map(),
    operands: [],
    unknown: null,
    doubtful: null,
    at: 0,
  }
  let ended = false
  while (!ended && reading.at < words.length) ended = readWord(reading)
  for (const word of words.slice(reading.at)) reading.operands.push(word)
  return reading
}

/** Reads one word among the flags; true when no flags follow. */
function readWord(reading: Reading): boolean {
  const word = reading.words[reading.at++]
  if (word === undefined || word.text === '--') return true
  if (word.open) reading.doubtful ??= word
  if (!isFlag(word)) {
    reading.operands.push(word)
    return reading.spec.stops
  }
  if (word.text.startsWith('--')) readLong(reading, word)
  else readShort(reading, word)
  return false
}

function isFlag(word: Field): boolean {
  return word.text.length > 1 && word.text.startsWith('-') && word.pipe === null
}

function record(reading: Reading, key: string, value: Field): void {
  const had = reading.values.get(key)
  if (had === undefined) reading.values.set(key, [value])
  else had.push(value)
}

function readLong(reading: Reading, word: Field): void {
  const equals = word.text.indexOf('=')
  const name = word.text.slice(2, equals < 0 ? undefined : equals)
  const flag = longFlag(reading.spec, name)
  if (flag === null) {
    reading.unknown ??= `--${name}`
    return
  }
  if (equals >= 0) record(reading, flag.key, withText(word, word.text.slice(equals + 1)))
  else if (flag.arity === 1) takeNext(reading, flag, word)
  else record(reading, flag.key, word)
}

function takeNext(reading: Reading, flag: Flag, word: Field): void {
  const next = reading.words[reading.at++]
  if (next === undefined) reading.unknown ??= word.text
  else {
    if (next.open) reading.doubtful ??= next
    record(reading, flag.key, next)
  }
}

function longFlag(of: Spec, name: string): Flag | null {
  const exact = name.length > 1 ? of.flags.get(name) : undefined
  if (exact !== undefined) return exact
  let found: Flag | null = null
  for (const [long, flag] of of.flags) {
    if (long.length < 2 || !long.startsWith(name)) continue
    if (found !== null && found.key !== flag.key) return null
    found = flag
  }
  return name === '' ? null : found
}

function readShort(reading: Reading, word: Field): void {
  const text = word.text
  if (reading.spec.numeric && /^-\d+$/.test(text)) {
    record(reading, '#', word)
    return
  }
  for (let at = 1; at < text.length; at++) {
    const flag = reading.spec.flags.get(text.charAt(at))
    if (flag === undefined) {
      reading.unknown ??= `-${text.charAt(at)}`
      return
    }
    if (flag.arity === 0) record(reading, flag.key, word)
    else {
      readValue(reading, flag, { word, at: at + 1 })
      return
    }
  }
}

function readValue(reading: Reading, flag: Flag, rest: { readonly word: Field; readonly at: number }): void {
  const { word, at } = rest
  if (at < word.text.length) record(reading, flag.key, withText(word, word.text.slice(at)))
  else if (flag.arity === 1) takeNext(reading, flag, word)
  else record(reading, flag.key, word)
}

/** Whether a flag was given. */
export function has(from: Options, key: string): boolean {
  return from.values.has(key)
}

/** The last value of a flag. */
export function last(from: Options, key: string): Field | undefined {
  return from.values.get(key)?.at(-1)
}

/** All values of a flag. */
export function all(from: Options, key: string): readonly Field[] {
  return from.values.get(key) ?? []
}
