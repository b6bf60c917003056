/**
 * `sprintf` as Go's `fmt` has it, for what policies print: the verbs `v s d f F e E g G x X q c o b t T %`
 * with `-`, `+`, space, `0`, width and precision. What is left out (`*`, `[n]`, `#`, `U`, `p`), and a
 * whole number that no double holds exactly, throws rather than prints something else.
 *
 * A whole number is an integer here, except for the verbs that print floating point: `1` and `1.0`
 * are one number once they have crossed over from WebAssembly.
 */
import type { HostBuiltin } from '../library.ts'
import { boundedText } from './arguments.ts'
import { exponential, fixed, general } from './go-float.ts'

interface Directive {
  readonly left: boolean
  readonly plus: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly width: number
  readonly precision: number | null
  readonly verb: string
}

type Value = number | string

const directive = /%([-+ 0]*)(\d*)(?:\.(\d*))?([^]?)/gu
const maxWidth = 1000

/** Formats `values` by `format`. Undefined when they are no format and no list. */
export const sprintf: HostBuiltin = (format, values) => {
  if (typeof format !== 'string' || !Array.isArray(values)) return undefined
  const args = (values as readonly unknown[]).map(argument)
  let next = 0
  const text = format.replace(directive, (...match: readonly unknown[]) => {
    const how = parsed(match.slice(1, 5) as [string, string, string | undefined, string])
    if (how.verb === '%') return '%'
    if (how.verb === '') return '%!(NOVERB)'
    const value = args[next]
    next += 1
    return value === undefined ? `%!${how.verb}(MISSING)` : boundedText(formatted(how, value))
  })
  const extra = args.slice(next).map((value) => `${typeName(value)}=${plain(value)}`)
  return boundedText(extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`)
}

function parsed([flags, width, precision, verb]: [string, string, string | undefined, string]): Directive {
  const made = {
    left: flags.includes('-'),
    plus: flags.includes('+'),
    space: flags.includes(' '),
    zero: flags.includes('0') && !flags.includes('-'),
    width: Number(width),
    precision: precision === undefined ? null : Number(precision),
    verb,
  }
  if (made.width > maxWidth || (made.precision ?? 0) > 100) throw new RangeError('sprintf: too wide')
  return made
}

/** Numbers and texts are themselves; everything else is its Rego text. */
function argument(value: unknown): Value {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return regoText(value)
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw new RangeError('sprintf: a number is too large to be printed exactly')
  }
  return value
}

function regoText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(regoText).join(', ')}]`
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value !== 'object') return String(value)
  const members = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${quoted(name)}: ${regoText(member)}`).join(', ')}}`
}

const formatters: Readonly<Record<string, (value: Value, how: Directive) => string | undefined>> = {
  v: (value, how) => (typeof value === 'number' ? signed(plain(value), how) : cut(value, how)),
  s: (value, how) => (typeof value === 'string' ? cut(value, how) : undefined),
  q: (value, how) => (typeof value === 'string' ? quoted(cut(value, how)) : unsupported('%q of a number')),
  d: (value, how) => integer(value, how, 10),
  o: (value, how) => integer(value, how, 8),
  b: (value, how) => integer(value, how, 2),
  x: (value, how) => hexadecimal(value, how),
  X: (value, how) => hexadecimal(value, how)?.toUpperCase(),
  c: (value) => (Number.isSafeInteger(value) ? character(Number(value)) : undefined),
  f: (value, how) => float(value, how, fixed),
  F: (value, how) => float(value, how, fixed),
  e: (value, how) => float(value, how, exponential),
  E: (value, how) => float(value, how, exponential)?.toUpperCase(),
  g: (value, how) => float(value, how, general),
  G: (value, how) => float(value, how, general)?.toUpperCase(),
  t: () => undefined,
  T: (value) => typeName(value),
}

/** Their precision is a least number of digits, and rules out padding with zeros. */
const integerVerbs = new Set(['d', 'o', 'b', 'x', 'X'])
const unsupportedVerbs = new Set(['*', '[', '#', 'U', 'p', 'O', '.'])

function formatted(how: Directive, value: Value): string {
  if (unsupportedVerbs.has(how.verb)) unsupported(`%${how.verb}`)
  const text = formatters[how.verb]?.(value, how)
  if (text === undefined) return `%!${how.verb}(${typeName(value)}=${plain(value)})`
  return padded(text, how, typeof value === 'number')
}

function unsupported(what: string): never {
  throw new TypeError(`sprintf: ${what} is not provided`)
}

function typeName(value: Value): string {
  if (typeof value === 'string') return 'string'
  return Number.isInteger(value) ? 'int64' : 'float64'
}

function plain(value: Value): string {
  if (typeof value === 'string') return value
  return Number.isInteger(value) ? String(value) : general(value, null)
}

function cut(text: string, how: Directive): string {
  return how.precision === null ? text : Array.from(text).slice(0, how.precision).join('')
}

function integer(value: Value, how: Directive, base: number): string | undefined {
  if (!Number.isInteger(value)) return undefined
  const digits = Math.abs(Number(value)).toString(base)
  if (how.precision === 0 && value === 0) return ''
  return signed(`${Number(value) < 0 ? '-' : ''}${digits.padStart(how.precision ?? 0, '0')}`, how)
}

function hexadecimal(value: Value, how: Directive): string | undefined {
  if (typeof value === 'number') return integer(value, how, 16) ?? unsupported('%x of a fraction')
  const bytes = Buffer.from(value)
  return bytes.subarray(0, how.precision ?? bytes.length).toString('hex')
}

function character(point: number): string {
  const isScalar = point >= 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)
  return String.fromCodePoint(isScalar ? point : 0xfffd)
}

function float(
  value: Value,
  how: Directive,
  text: (value: number, precision: number | null) => string,
): string | undefined {
  return typeof value === 'number' ? signed(text(value, how.precision), how) : undefined
}

function signed(text: string, how: Directive): string {
  if (text.startsWith('-')) return text
  if (how.plus) return `+${text}`
  return how.space ? ` ${text}` : text
}

function padded(text: string, how: Directive, isNumber: boolean): string {
  const missing = how.width - Array.from(text).length
  if (missing <= 0) return text
  if (how.left) return text + ' '.repeat(missing)
  if (!how.zero || (isNumber && how.precision !== null && integerVerbs.has(how.verb)))
    return ' '.repeat(missing) + text
  const sign = isNumber && /^[+\- ]/.test(text) ? text.slice(0, 1) : ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}

const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

/** A Go string literal. */
function quoted(text: string): string {
  const body = text.replace(
    /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu,
    (char) => escapes[char] ?? escapedPoint(char),
  )
  return `"${body}"`
}

function escapedPoint(char: string): string {
  const point = char.codePointAt(0) ?? 0
  if (point < 0x80) return `\\x${point.toString(16).padStart(2, '0')}`
  if (point <= 0xffff) return `\\u${point.toString(16).padStart(4, '0')}`
  return `\\U${point.toString(16).padStart(8, '0')}`
}
