/**
 * Secrets in a command, found by their shape: tokens of well-known services, JSON Web Tokens, key
 * blocks, passwords in URLs and connection strings, authorization headers. The languages mark what
 * their grammar knows; this is what holds for any string, read or not.
 *
 * Hot path: one test per string. Each pattern eats what it started on, or fails within a constant
 * number of characters, so that no input makes it quadratic.
 */
import type { Command } from '../action/action.ts'
import type { SecretSpan } from './analysis.ts'

/** A half-open range of UTF-16 offsets. */
export interface Span {
  readonly start: number
  readonly end: number
}

const hint =
  /[sr]k[-_]|eyJ|:\/\/|passw|--pass|passphrase|pwd|bearer|secret|token|(?:api|access|private|account|shared)[-_]?key|authorization|credential|gh[opsur]_|github_pat|glpat-|xox[abeoprs]-|AKIA|ASIA|-----BEGIN|identified/i

const shapes: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])/dg,
  /\b(?:gh[opsur]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,})/dg,
  /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/dg,
  /\b[sr]k[-_][A-Za-z0-9_-]{16,}/dg,
  /\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}/dg,
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----END))*/dg,
  /:\/\/[^\s/:@'"`<>]{0,256}:(?<value>[^\s/'"`<>@]+(?:@[^\s/'"`<>@]+)*)@/dg,
  /\bauthorization["']?\s{0,4}[:=]\s{0,4}["']?(?:[A-Za-z-]{1,16}\s{1,4})?(?<value>[\w+/.~=:-]{6,})/dgi,
  /\bbearer\s{1,4}(?<value>[\w+/.~=-]{8,})/dgi,
  /(?:passw(?:or)?d|passphrase|pwd|secret|token|api[-_]?key|(?:access|private|account|shared)[-_]?key|credential)[\w-]{0,32}["']?(?:\s{0,4}[=:]\s{0,4}|\s{1,4})(?:"(?<double>[^"]+)"|'(?<single>[^']+)')/dgi,
  /(?:passw(?:or)?d|passphrase|pwd|secret|token|api[-_]?key|(?:access|private|account|shared)[-_]?key|credential)[\w-]{0,32}(?:=|: )(?<value>[^\s'"&;,()|<>$:?%{}@*\\‹][^\s'"&;,()|<>]{2,})/dgi,
  /--(?:[a-z]{1,16}-){0,3}(?:passw(?:or)?d|passphrase|pass|pwd|secret|token|api-?key|secret-?key)\s{1,4}(?<value>[^\s'"$-][^\s'"]{2,})/dgi,
  /\bidentified\s{1,4}by\s{1,4}(?:password\s{1,4})?'(?<single>[^']+)'/dgi,
]

/** Where a text holds token shapes: sorted, without overlaps. */
export function tokenSpans(text: string): readonly Span[] {
  if (!hint.test(text)) return none
  const spans: Span[] = []
  for (const shape of shapes) {
    for (const match of text.matchAll(shape)) {
      const span = valueSpan(match)
      if (!isReference(text.slice(span.start, span.end))) spans.push(span)
    }
  }
  return united(spans)
}

const none: readonly Span[] = []

function valueSpan(match: RegExpExecArray): Span {
  const groups = match.indices?.groups
  const [start, end] = groups?.['value'] ??
    groups?.['double'] ??
    groups?.['single'] ??
    match.indices?.[0] ?? [match.index, match.index + match[0].length]
  return { start, end }
}

/** A variable or a bind parameter stands for a secret; it is none. */
function isReference(value: string): boolean {
  return /^(?:\$\{?\w+\}?|\$\d+|:\w+|%\(?\w+\)?s?|\?)$/.test(value)
}

/** Sorted and without overlaps. */
export function united(spans: readonly Span[]): readonly Span[] {
  if (spans.length < 2) return spans
  const sorted = [...spans].sort((a, b) => a.start - b.start || b.end - a.end)
  const result: Span[] = []
  for (const span of sorted) {
    const last = result.at(-1)
    if (last === undefined || span.start >= last.end) result.push(span)
    else if (span.end > last.end) result[result.length - 1] = { start: last.start, end: span.end }
  }
  return result
}

/** United within each string of the command. */
export function unitedSecrets(secrets: readonly SecretSpan[]): readonly SecretSpan[] {
  const byPointer = new Map<string, Span[]>()
  for (const { pointer, start, end } of secrets) {
    byPointer.set(pointer, [...(byPointer.get(pointer) ?? []), { start, end }])
  }
  return [...byPointer].flatMap(([pointer, spans]) => united(spans).map((span) => ({ pointer, ...span })))
}

const secretName =
  /^(?:proxy-)?authorization$|^(?:set-)?cookie$|passw(?:or)?d|passphrase|^pwd$|secret|(?:^|[-_.])token$|api[-_]?key|(?:access|private|account|shared)[-_]?key|^x-auth/i

/** Visits each string of a command, with its JSON pointer and the name of its member. */
export function eachString(
  command: Command,
  visit: (value: string, pointer: string, name: string) => void,
): void {
  const walk = (value: unknown, pointer: string, name: string): void => {
    if (typeof value === 'string') visit(value, pointer, name)
    else if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) walk(value[index], `${pointer}/${index}`, name)
    } else if (value !== null && typeof value === 'object') {
      const members = value as Record<string, unknown>
      for (const key of Object.keys(members)) walk(members[key], `${pointer}/${escapedName(key)}`, key)
    }
  }
  const members = command as Readonly<Record<string, unknown>>
  for (const name of Object.keys(members)) {
    if (name !== 'language' && name !== 'dialect') walk(members[name], `/${escapedName(name)}`, name)
  }
}

/** A member's name in a JSON pointer (RFC 6901 section 3). */
export function escapedName(name: string): string {
  return /[~/]/.test(name) ? name.replaceAll('~', '~0').replaceAll('/', '~1') : name
}

/** Secrets of every string of a command, by shape and by the name of the member that holds them. */
export function commandSecrets(command: Command): readonly SecretSpan[] {
  const secrets: SecretSpan[] = []
  eachString(command, (value, pointer, name) => {
    if (value !== '' && pointer.includes('/', 1) && secretName.test(name)) {
      secrets.push({ pointer, start: 0, end: value.length })
      return
    }
    for (const span of tokenSpans(value)) secrets.push({ pointer, ...span })
  })
  return secrets
}
