/** Brace expansion: textual, before all others, and bounded. */
import type { Word } from 'unbash'
import { anything, type Field } from './field.ts'
import { unsupported, type Frame } from './work.ts'

const wordsAtMost = 64
const groupsAtMost = 6
const detail = 'braces with many words'

/** The words that a word with braces becomes. */
export function braces(frame: Frame, word: Word): readonly Field[] {
  const found = word.parts?.filter((p) => p.type === 'BraceExpansion') ?? []
  const [part] = found
  if (part === undefined) return []
  const before = word.text.slice(0, part.pos - word.pos)
  const after = word.text.slice(part.end - word.pos)
  const inner = alternatives(part.text.slice(1, -1))
  const consistent = before + part.text + after === word.text
  if (inner === null || inner.length > wordsAtMost || !consistent || found.length > groupsAtMost)
    return tooMuch(frame)
  const out: Field[] = []
  for (const one of inner) {
    frame.work.ctx.spend(1)
    for (const field of frame.work.engine.word(frame, before + one + after)) out.push(field)
    if (out.length > wordsAtMost || gaveUp(frame)) return tooMuch(frame)
  }
  return out
}

function tooMuch(frame: Frame): readonly Field[] {
  unsupported(frame, detail)
  return [anything(null, true)]
}

function gaveUp(frame: Frame): boolean {
  return frame.work.unseen.some((u) => u.detail === detail)
}

function alternatives(inner: string): readonly string[] | null {
  return sequence(inner) ?? list(inner)
}

function sequence(inner: string): readonly string[] | null {
  const match = /^(-?\d{1,6}|[a-zA-Z])\.\.(-?\d{1,6}|[a-zA-Z])(?:\.\.(-?\d{1,6}))?$/.exec(inner)
  const [, from, to, by] = match ?? []
  if (from === undefined || to === undefined) return null
  const isNumber = /\d/.test(from)
  if (isNumber !== /\d/.test(to)) return null
  const start = isNumber ? Number(from) : from.charCodeAt(0)
  const end = isNumber ? Number(to) : to.charCodeAt(0)
  const step = Math.max(1, Math.abs(Number(by ?? 1))) * (start <= end ? 1 : -1)
  const width = /^-?0\d/.test(from) || /^-?0\d/.test(to) ? Math.max(from.length, to.length) : 0
  const out: string[] = []
  for (let n = start; step > 0 ? n <= end : n >= end; n += step) {
    out.push(isNumber ? padded(n, width) : `\\${String.fromCharCode(n)}`)
    if (out.length > wordsAtMost) return out
  }
  return out
}

function padded(n: number, width: number): string {
  const digits = String(Math.abs(n))
  return n < 0 ? `-${digits.padStart(width - 1, '0')}` : digits.padStart(width, '0')
}

/** Splits at the commas of this level, outside quotes; null when quoting is not understood. */
function list(inner: string): readonly string[] | null {
  if (/[`]|\$\(|\$'|\$"/.test(inner)) return null
  const out: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < inner.length; at++) {
    const sign = inner[at]
    if (sign === '\\') at++
    else if (sign === "'" || sign === '"') {
      at = closing(inner, at)
      if (at < 0) return null
    } else if (sign === '{') depth++
    else if (sign === '}') depth--
    else if (sign === ',' && depth === 0) {
      out.push(inner.slice(start, at))
      start = at + 1
    }
  }
  out.push(inner.slice(start))
  return out.length > 1 ? out : null
}

function closing(text: string, open: number): number {
  const quote = text[open]
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at++
    else if (text[at] === quote) return at
  }
  return -1
}
