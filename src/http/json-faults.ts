/** The slow, exact reader of JSON: finds the first fault of a text and where it is. Makes no value. */
import type { Fault } from '../errors.ts'

/** Thrown and caught inside this file only. */
class Found extends Error {
  readonly fault: Fault

  constructor(fault: Fault) {
    super(fault.detail)
    this.fault = fault
  }
}

/** A name in a pointer is the caller's own text: enough of it to find the place. */
const maxNameLength = 128

const BACKSLASH = 92
const QUOTE = 34

class Reader {
  private readonly text: string
  private readonly maxDepth: number
  private readonly path: (string | number)[] = []
  private at = 0
  private depth = 0

  constructor(text: string, maxDepth: number) {
    this.text = text
    this.maxDepth = maxDepth
  }

  document(): void {
    if (this.text.startsWith('\ufeff')) this.fail('begins with a byte order mark')
    this.skipSpace()
    if (this.at === this.text.length) this.fail('is empty; a JSON value is expected')
    this.value()
    this.skipSpace()
    if (this.at < this.text.length) this.fail('is followed by more text; one JSON value is expected')
  }

  private value(): void {
    const first = this.text[this.at]
    if (first === '{') return this.object()
    if (first === '[') return this.array()
    if (first === '"') return void this.string()
    return this.word()
  }

  /** A number, or one of the three words. */
  private word(): void {
    const from = this.at
    while (this.at < this.text.length && /[-+.0-9A-Za-z]/.test(this.text.charAt(this.at))) this.at++
    const token = this.text.slice(from, this.at)
    if (token === 'true' || token === 'false' || token === 'null') return
    if (!isNumber(token)) this.fail('is not a JSON value')
    if (!isExact(token)) this.fail('is an integer that a double cannot hold exactly; send it as a string')
  }

  private object(): void {
    this.enter()
    const names = new Set<string>()
    for (let more = !this.take('}'); more;) {
      this.skipSpace()
      if (this.text[this.at] !== '"') this.fail('has a member without a name in quotes')
      const name = this.string()
      this.path.push(name)
      if (names.has(name)) this.fail('is a name that its object has twice')
      names.add(name)
      if (!this.take(':')) this.fail('is a name without a colon after it')
      this.skipSpace()
      this.value()
      this.path.pop()
      more = this.take(',')
      if (!more && !this.take('}')) this.fail('is an object without its closing brace')
    }
    this.depth--
  }

  private array(): void {
    this.enter()
    let more = !this.take(']')
    for (let index = 0; more; index++) {
      this.path.push(index)
      this.skipSpace()
      this.value()
      this.path.pop()
      more = this.take(',')
      if (!more && !this.take(']')) this.fail('is an array without its closing bracket')
    }
    this.depth--
  }

  /** By hand: a regular expression would need backtracking memory for each character of a long string. */
  private string(): string {
    const from = this.at++
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at)
      if (code === BACKSLASH) this.at++
      else if (code === QUOTE) break
    }
    const value = stringOf(this.text.slice(from, ++this.at))
    if (value === null)
      this.fail('has a string that does not end, or holds a control character or unknown escape')
    if (!isWellFormed(value)) this.fail('has a string with half of a surrogate pair')
    return value
  }

  private enter(): void {
    this.at++
    this.depth++
    if (this.depth > this.maxDepth) this.fail(`is nested deeper than ${this.maxDepth}`)
  }

  private take(sign: string): boolean {
    this.skipSpace()
    if (this.text[this.at] !== sign) return false
    this.at++
    return true
  }

  private skipSpace(): void {
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
    }
  }

  private fail(detail: string): never {
    throw new Found({ pointer: pointer(this.path), detail })
  }
}

/** The string that a token with its quotes stands for; null when it is none. */
function stringOf(token: string): string | null {
  try {
    return JSON.parse(token) as string
  } catch {
    return null
  }
}

/** JSON pointer (RFC 6901) of a path; long names are cut. */
function pointer(path: readonly (string | number)[]): string {
  const parts = path.map((part) => String(part).slice(0, maxNameLength))
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function isWellFormed(text: string): boolean {
  return !/[\ud800-\udfff]/u.test(text)
}

function isNumber(token: string): boolean {
  return /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(token)
}

/** Whether a number, if it is an integer, is exactly the double that is nearest to it. Linear in its length. */
function isExact(token: string): boolean {
  const value = Number(token)
  if (Math.abs(value) < 2 ** 53) return true
  if (!Number.isFinite(value)) return false
  const asked = decimal(token)
  if (asked.exponent < 0) return true
  const held = decimal(BigInt(value).toString())
  return asked.digits === held.digits && asked.exponent === held.exponent
}

/** A number's size as digits without zeros at either end, times a power of ten. */
function decimal(token: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', power = '0'] = token.slice(token.startsWith('-') ? 1 : 0).split(/[eE]/)
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = whole + fraction
  let from = 0
  let to = all.length
  while (all[from] === '0') from++
  while (to > from && all[to - 1] === '0') to--
  return { digits: all.slice(from, to), exponent: Number(power) - fraction.length + (all.length - to) }
}

/** The first fault of a text, reading from its start; null when it is exact JSON. */
export function firstFault(text: string, maxDepth: number): Fault | null {
  try {
    new Reader(text, maxDepth).document()
    return null
  } catch (error) {
    if (error instanceof Found) return error.fault
    throw error
  }
}
