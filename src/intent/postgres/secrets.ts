/** Where in the text the secrets stand that the grammar knows: passwords, connection strings. */
import type { Fragment } from '../analysis.ts'
import type { Run } from './model.ts'

interface Literal {
  readonly start: number
  readonly inside: string
}

/** Spans of secrets; the whole text where they cannot be found in it. */
export function secretSpans(run: Run, text: string): Fragment['secrets'] {
  const { secrets } = run.findings
  if (secrets.size === 0) return []
  const literals = literalsOf(run, text)
  const spans: { start: number; end: number }[] = []
  for (const secret of secrets) {
    const found = placesOf(literals, secret)
    if (found.length === 0) return [{ start: 0, end: text.length }]
    spans.push(...found)
  }
  return spans
}

function placesOf(literals: readonly Literal[], secret: string): { start: number; end: number }[] {
  const whole = literals.filter(({ inside }) => inside === secret)
  if (whole.length > 0) return whole.map(({ start, inside }) => ({ start, end: start + inside.length }))
  const spans: { start: number; end: number }[] = []
  for (const { start, inside } of literals) {
    for (let at = inside.indexOf(secret); at >= 0; at = inside.indexOf(secret, at + secret.length)) {
      spans.push({ start: start + at, end: start + at + secret.length })
    }
  }
  return spans.length > 0 ? spans : escaped(literals, secret)
}

/** Escaped in the text: the literals that might hold it, whole. */
function escaped(literals: readonly Literal[], secret: string): { start: number; end: number }[] {
  return literals
    .filter(({ inside }) => /['\\]/.test(inside) && inside.length >= secret.length)
    .map(({ start, inside }) => ({ start, end: start + inside.length }))
}

interface Token {
  readonly start: number
  readonly end: number
  readonly tokenName: string
}

function isToken(value: unknown): value is Token {
  if (typeof value !== 'object' || value === null) return false
  const { start, end, tokenName } = value as Partial<Token>
  return typeof start === 'number' && typeof end === 'number' && typeof tokenName === 'string'
}

function literalsOf(run: Run, text: string): readonly Literal[] {
  const literals: Literal[] = []
  const at = utf16Offsets(text)
  for (const token of tokensOf(run, text)) {
    if (!token.tokenName.endsWith('CONST')) continue
    const from = at(token.start)
    const raw = text.slice(from, at(token.end))
    const open = /^(?:[A-Za-z]?&?'|\$[^$]*\$)/.exec(raw)?.[0] ?? ''
    if (open === '') continue
    const close = open.endsWith('$') ? open.length : 1
    literals.push({ start: from + open.length, inside: raw.slice(open.length, raw.length - close) })
  }
  return literals
}

function tokensOf(run: Run, text: string): readonly Token[] {
  try {
    const scanned = run.ctx.parsers.postgresScan(text) as { readonly tokens?: unknown }
    return Array.isArray(scanned.tokens) ? (scanned.tokens as unknown[]).filter(isToken) : []
  } catch (error) {
    if (error instanceof Error) return []
    throw error
  }
}

/** Offsets in UTF-8 bytes to offsets in UTF-16 units. Asked in ascending order it is linear. */
export function utf16Offsets(text: string): (bytes: number) => number {
  if (isAscii(text)) return (bytes) => bytes
  let bytes = 0
  let units = 0
  return (wanted) => {
    if (wanted < bytes) {
      bytes = 0
      units = 0
    }
    while (bytes < wanted && units < text.length) {
      const point = text.codePointAt(units) ?? 0
      bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
      units += point < 0x10000 ? 1 : 2
    }
    return units
  }
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false
  return true
}
