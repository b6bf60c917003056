/** Texts, numbers and addresses: small builtins that the WebAssembly side leaves to its host. */
import { isIP } from 'node:net'
import type { HostBuiltin } from '../library.ts'
import { boundedText, ofStrings } from './arguments.ts'

/** Offsets in code points, overlapping matches included. */
function offsets(base: string, search: string): readonly number[] | undefined {
  if (search === '') return undefined
  const points = Array.from(base)
  const wanted = Array.from(search)
  const found: number[] = []
  for (let at = 0; at + wanted.length <= points.length; at++) {
    if (wanted.every((point, offset) => points[at + offset] === point)) found.push(at)
  }
  return found
}

/** Without overlaps; the empty text is found before, between and after the code points. */
function occurrences(base: string, search: string): number {
  return search === '' ? Array.from(base).length + 1 : base.split(search).length - 1
}

/** One text or a collection of them; a set arrives as an array. */
function texts(value: unknown): readonly string[] | undefined {
  const list = Array.isArray(value) ? (value as readonly unknown[]) : [value]
  return list.every((one) => typeof one === 'string') ? list : undefined
}

function anyAffix(test: (text: string, affix: string) => boolean): HostBuiltin {
  return (search, base) => {
    const [among, affixes] = [texts(search), texts(base)]
    if (among === undefined || affixes === undefined) return undefined
    if (among.length * affixes.length > 1_000_000) throw new RangeError('too many texts to compare')
    return among.some((text) => affixes.some((affix) => test(text, affix)))
  }
}

function steppedRange(from: unknown, to: unknown, step: unknown): readonly number[] | undefined {
  const range = [from, to, step]
  if (!range.every((one) => Number.isInteger(one))) return undefined
  if (!range.every((one) => Number.isSafeInteger(one))) throw new RangeError('too large a number in a range')
  const [first = 0, last = 0, by = 0] = range.map(Number)
  if (by <= 0) return undefined
  const count = Math.floor(Math.abs(last - first) / by) + 1
  if (count > 100_000) throw new RangeError('too many numbers in a range')
  return Array.from({ length: count }, (_, at) => (first <= last ? first + at * by : first - at * by))
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0 || address.includes('%') || !/^[0-9]{1,3}$/.test(bits)) return false
  return Number(bits) <= (family === 4 ? 32 : 128)
}

/** `application/x-www-form-urlencoded`: a space is `+`, and only `A-Z a-z 0-9 - _ . ~` stay as they are. */
function queryEncoded(text: string): string {
  return boundedText(
    encodeURIComponent(text)
      .replace(/[!'()*]/g, percentEscape)
      .replaceAll('%20', '+'),
  )
}

function percentEscape(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`
}

function queryDecoded(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined
  const bytes = text.replaceAll('+', ' ').split(/%([0-9a-fA-F]{2})/)
  return Buffer.concat(bytes.map((part, at) => Buffer.from(part, at % 2 === 0 ? 'utf8' : 'hex'))).toString()
}

export const stringBuiltins: Readonly<Record<string, HostBuiltin>> = {
  indexof_n: ofStrings((base = '', search = '') => offsets(base, search)),
  'strings.count': ofStrings((base = '', search = '') => occurrences(base, search)),
  'strings.any_prefix_match': anyAffix((text, affix) => text.startsWith(affix)),
  'strings.any_suffix_match': anyAffix((text, affix) => text.endsWith(affix)),
  'numbers.range_step': steppedRange,
  'net.cidr_is_valid': (text) => typeof text === 'string' && isCidr(text),
  'urlquery.encode': ofStrings((text = '') => queryEncoded(text)),
  'urlquery.decode': ofStrings((text = '') => queryDecoded(text)),
}
