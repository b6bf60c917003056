/**
 * The gate before every parser: what is too large, or holds characters that a parser and the thing
 * that runs the command may read differently. libpg-query stops at NUL and reports the harmless
 * half; bidirectional controls and zero-width characters make a reviewer read another command
 * (CVE-2021-42574), so they may stand in literals only.
 */
import { limits } from './analysis.ts'
import type { OpaqueCode } from './intent.ts'

/** Why a text is not let through. */
export interface GateFault {
  readonly code: Extract<OpaqueCode, 'size_limit' | 'malformed_bytes'>
  readonly detail: string
}

/** How literals look, for the characters that only a literal may hold. */
export type Quoting = 'sql' | 'shell'

// One coarse, linear test for the hot path, by what is allowed: surrogate pairs are sorted out only
// where it hits.
const suspicious =
  /[^\t\n\r -~\u0080-\u061b\u061d-\u200a\u2010-\u2029\u202f-\u205f\u2065\u2070-\ud7ff\ue000-\ufefe\uff00-\uffff]/
const control = /[^\t\n\r -~\u0080-\uffff]/
const loneSurrogate = /\p{Surrogate}/u
const invisible = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g

/** Null when the text may be parsed. */
export function gate(text: string, quoting: Quoting): GateFault | null {
  if (utf8Length(text) > limits.textBytes) {
    return { code: 'size_limit', detail: `the text is longer than ${limits.textBytes} bytes` }
  }
  return suspicious.test(text) ? malformed(text, quoting) : null
}

/** The gate for an argument vector, whose strings need no quoting: each of them is a literal. */
export function gateArgv(argv: readonly string[]): GateFault | null {
  let bytes = 0
  for (const argument of argv) {
    bytes += utf8Length(argument) + 1
    if (control.test(argument)) return malformedBytes('a control character')
    if (loneSurrogate.test(argument)) return malformedBytes('a lone surrogate')
  }
  if (bytes <= limits.textBytes) return null
  return { code: 'size_limit', detail: `the arguments are longer than ${limits.textBytes} bytes` }
}

function malformed(text: string, quoting: Quoting): GateFault | null {
  if (control.test(text)) return malformedBytes('a control character')
  if (loneSurrogate.test(text)) return malformedBytes('a lone surrogate')
  const places = Array.from(text.matchAll(invisible), (match) => match.index)
  if (places.length === 0 || allInLiterals(text, places, quoting)) return null
  return malformedBytes('an invisible or bidirectional control character outside a literal')
}

function malformedBytes(what: string): GateFault {
  return { code: 'malformed_bytes', detail: `the text holds ${what}` }
}

/** Bytes in UTF-8; cheap where the answer is clear from the length. */
function utf8Length(text: string): number {
  if (text.length * 3 <= limits.textBytes || text.length > limits.textBytes) return text.length
  let bytes = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

// Each alternative eats at least its opener, and an unclosed one eats the rest, so the scan is
// linear. `literal`: a quoted literal without escapes or expansions. `skipped`: quotes in it open
// nothing, but invisible characters may not stand in it. Anything else is where quoting gets hard.
const lexemes = {
  sql: /(?<literal>'[^'\\]*(?:'|$))|(?<skipped>"[^"]*(?:"|$)|--[^\n]*|\$\d+)|'|\/\*|\$/g,
  shell: /(?<literal>'[^'\\]*(?:'|$)|"[^"\\$`]*(?:"|$))|(?<skipped>\\[^]|(?<=^|\s)#[^\n]*)|'|"|<</g,
} as const

/**
 * Whether each place lies in a quoted literal. Behind anything hard (block comments, dollar quotes,
 * escapes, expansions, heredocs) nothing counts as a literal: refused, never guessed.
 */
function allInLiterals(text: string, places: readonly number[], quoting: Quoting): boolean {
  let next = 0
  const place = (): number => places[next] ?? text.length
  for (const { 0: lexeme, index, groups } of text.matchAll(lexemes[quoting])) {
    const end = index + lexeme.length
    if (place() < index) return false
    const isLiteral = groups?.['literal'] !== undefined
    const isSkipped = groups?.['skipped'] !== undefined && place() >= end
    if (!isLiteral && !isSkipped) return false
    while (place() < end) next++
    if (next === places.length) return true
  }
  return false
}
