/**
 * JSON without room for two readings (RFC 8259, and stricter): UTF-8 without BOM, one value, no name
 * twice in an object, no lone surrogate, no integer that a double can't hold, at most 64 deep.
 *
 * Parsers differ on exactly these points, and a policy that reads one of two `command` members while
 * the executor reads the other is no policy. The fast road is one scan of the text, `JSON.parse`, and
 * one walk over what came out; only when the two disagree, or the text holds something that needs
 * exact arithmetic, does the slow parser read it again and say where it is wrong.
 */
import { isUtf8 } from 'node:buffer'
import { PdpError } from '../errors.ts'
import { firstFault } from './json-faults.ts'

/** Containers inside one another, the outermost one counted. */
export const maxDepth = 64

const QUOTE = 34
const BACKSLASH = 92
const COLON = 58

/** An escape of half a pair, or something that looks like one. */
const surrogateEscape = /\\u[dD][89a-fA-F]/

/**
 * The value of a JSON text.
 *
 * @throws PdpError `request.malformed` with the JSON pointer of the first fault; never a value of the text
 */
export function parseStrictJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw malformed('', 'is not valid UTF-8')
  const members = memberColons(bytes)
  const text = bytes.toString('utf8')
  if (members === null) throw locate(text)
  const value = parsed(text)
  if (countMembers(value) !== members || (text.includes('\\u') && surrogateEscape.test(text))) {
    const fault = firstFault(text, maxDepth)
    if (fault !== null) throw malformed(fault.pointer, fault.detail)
  }
  return value
}

function malformed(pointer: string, detail: string): PdpError {
  return new PdpError('request.malformed', 'the body is not the JSON that this service reads', {
    faults: [{ pointer, detail }],
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The platform's message quotes the text; ours says where and no more.
    throw locate(text)
  }
}

function locate(text: string): PdpError {
  const fault = firstFault(text, maxDepth)
  return malformed(fault?.pointer ?? '', fault?.detail ?? 'is not valid JSON')
}

/**
 * Colons outside strings: as many as there are members. Null when it is nested too deep. What it counts in
 * a text that is no JSON is nonsense, which `JSON.parse` then refuses.
 */
function memberColons(bytes: Uint8Array): number | null {
  let members = 0
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) at = stringEnd(bytes, at + 1)
    else if (byte === COLON) members++
    // `[` and `{` differ in one bit, and so do `]` and `}`. No byte of a longer UTF-8 sequence is below 128.
    else if ((byte | 32) === 123 && ++depth > maxDepth) return null
    else if ((byte | 32) === 125) depth--
  }
  return members
}

function stringEnd(bytes: Uint8Array, from: number): number {
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) break
    if (byte === BACKSLASH) at++
  }
  return at
}

/** Members of all objects in a value; NaN, which equals nothing, when it holds a number to be looked at exactly. */
function countMembers(value: unknown): number {
  if (typeof value === 'number') return Math.abs(value) < 2 ** 53 ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) count += countMembers(value[at])
    return count
  }
  // `JSON.parse` makes `__proto__` a member like any other; for-in sees it, and nothing that is inherited.
  for (const name in value) count += 1 + countMembers((value as Record<string, unknown>)[name])
  return count
}
