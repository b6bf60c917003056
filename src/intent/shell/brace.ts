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
  if (inner === null || !consistent || found.length > groupsAtMost) return tooMuch(frame)
  return expanded(
    frame,
    inner.map((one) => before + one + after),
  )
}

function expanded(frame: Frame, texts: readonly string[]): readonly Field[] {
  if (texts.length > wordsAtMost) return tooMuch(frame)
  const out: Field[] = []
  for (const text of texts) {
    frame.work.ctx.spend(1)
    for (const field of frame.work.engine.word(frame, text)) out.push(field)
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
  const [, from = '', to = '', by = '1'] = match ?? []
  if (match === null || /\d/.test(from) !== /\d/.test(to)) return null
  return /\d/.test(from) ? numbers(from, to, Number(by)) : letters(from, to, Number(by))
}

function numbers(from: string, to: string, by: number): readonly string[] {
  const width = /^-?0\d/.test(from) || /^-?0\d/.test(to) ? Math.max(from.length, to.length) : 0
  return steps(Number(from), Number(to), by).map((n) => padded(n, width))
}

function letters(from: string, to: string, by: number): readonly string[] {
  return steps(from.charCodeAt(0), to.charCodeAt(0), by).map((n) => `\\${String.fromCharCode(n)}`)
}

/** From one to the other, one more than is allowed at most. */
function steps(start: number, end: number, by: number): readonly number[] {
  const step = Math.max(1, Math.abs(by)) * (start <= end ? 1 : -1)
  const out: number[] = []
  for (let n = start; (step > 0 ? n <= end : n >= end) && out.length <= wordsAtMost; n += step) out.push(n)
  return out
}

function padded(n: number, width: number): string {
  const digits = String(Math.abs(n))
  return n < 0 ? `-${digits.padStart(width - 1, '0')}` : digits.padStart(width, '0')
}

const pieces = /\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*"|[^]/g

/** Splits at the commas of this level, outside quotes; null when quoting is not understood. */
function list(inner: string): readonly string[] | null {
  if (/`|\$[('"]/.test(inner)) return null
  const out = ['']
  let depth = 0
  for (const [piece] of inner.matchAll(pieces)) {
    if (piece === "'" || piece === '"') return null
    if (piece === '{') depth++
    else if (piece === '}') depth--
    if (piece === ',' && depth === 0) out.push('')
    else out[out.length - 1] += piece
  }
  return out.length > 1 ? out : null
}
