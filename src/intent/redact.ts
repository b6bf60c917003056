/**
 * Takes secrets out: of the command that is recorded, and of what was understood of it. Each
 * distinct value is `‹secret:n›`, n from 1 in the order of the command.
 */
import type { Command } from '../action/action.ts'
import { canonicalJson } from '../action/canonical.ts'
import type { Analysis, SecretSpan } from './analysis.ts'
import type { Effect, Intent, Lineage, OpaqueReason } from './intent.ts'
import { eachString, escapedName, tokenSpans, united } from './secrets.ts'
import type { Span } from './secrets.ts'

/** A command as it may be recorded, and what was taken out of it. */
export interface CutCommand {
  readonly command: Readonly<Record<string, unknown>>
  /** In the order of `‹secret:n›`, which counts from 1. */
  readonly values: readonly string[]
}

/** The command as it is recorded and as policies see it: secrets cut out, or, unread, its beginning. */
export function recordedCommand(command: Command, analysis: Analysis): CutCommand {
  const { ok, parser } = analysis.intent.parse
  if (!ok || parser === 'none') return unparsedCommand(command)
  return cutSecrets(command, analysis.secrets)
}

/** The command with `‹secret:n›` in the place of each secret; the very same object when it has none. */
export function cutSecrets(command: Command, secrets: readonly SecretSpan[]): CutCommand {
  if (secrets.length === 0) return { command, values: [] }
  const spans = spansByPointer(command, secrets)
  const values: string[] = []
  const walk = (value: unknown, pointer: string): unknown => {
    if (typeof value === 'string') return cutText(value, spans.get(pointer), values)
    if (Array.isArray(value)) return value.map((item, index) => walk(item, `${pointer}/${index}`))
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, walk(member, `${pointer}/${escapedName(name)}`)]),
    )
  }
  return { command: walk(command, '') as Readonly<Record<string, unknown>>, values }
}

function cutText(text: string, spans: readonly Span[] | undefined, values: string[]): string {
  if (spans === undefined) return text
  let result = ''
  let from = 0
  for (const { start, end } of united(spans)) {
    const value = text.slice(start, end)
    if (!values.includes(value)) values.push(value)
    result += `${text.slice(from, start)}‹secret:${values.indexOf(value) + 1}›`
    from = end
  }
  return result + text.slice(from)
}

/** The marked spans, and wherever else in the command a value stands that can hardly be anything but a secret. */
function spansByPointer(command: Command, secrets: readonly SecretSpan[]): Map<string, Span[]> {
  const spans = new Map<string, Span[]>()
  const add = (pointer: string, span: Span): void => {
    const held = spans.get(pointer)
    if (held === undefined) spans.set(pointer, [span])
    else held.push(span)
  }
  for (const secret of secrets) if (secret.end > secret.start) add(secret.pointer, secret)
  const telling = secretValues(command, secrets).filter(looksSecret)
  if (telling.length > 0) {
    eachString(command, (text, pointer) => {
      for (const value of telling) for (const span of occurrences(text, value)) add(pointer, span)
    })
  }
  return spans
}

/** The distinct strings that the spans mark. */
function secretValues(command: Command, secrets: readonly SecretSpan[]): readonly string[] {
  if (secrets.length === 0) return []
  const byPointer = new Map<string, string>()
  eachString(command, (text, pointer) => byPointer.set(pointer, text))
  const values = secrets.map(({ pointer, start, end }) => (byPointer.get(pointer) ?? '').slice(start, end))
  return [...new Set(values)].filter((value) => value !== '')
}

function occurrences(text: string, value: string): readonly Span[] {
  const spans: Span[] = []
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + value.length)) {
    spans.push({ start: at, end: at + value.length })
  }
  return spans
}

/** Letters and digits, or signs that names do not have: hardly the name of a table or a host. */
function looksSecret(value: string): boolean {
  return value.length >= 8 && (/[^\w.\-/]/.test(value) || (/\d/.test(value) && /[A-Za-z]/.test(value)))
}

/** What is kept of a command that no parser has read. */
const prefixLength = 1024

/**
 * What can't be parsed may hide secrets anywhere, so its length and beginning are kept, with token
 * shapes cut. The digest of the exact text is the receipt's `act`, which is salted.
 */
export function unparsedCommand(command: Command): CutCommand {
  const text = unparsedText(command)
  const values: string[] = []
  // Cut before the prefix is taken, or a token that straddles its end would show its first half.
  const cut = cutText(text, tokenSpans(text), values)
  const dialect = (command as Readonly<Record<string, unknown>>)['dialect']
  return {
    command: {
      language: command.language,
      ...(typeof dialect === 'string' ? { dialect } : {}),
      unparsed: { length: text.length, prefix: cut.slice(0, prefixLength).replace(/[\ud800-\udbff]$/, '') },
    },
    values,
  }
}

function unparsedText(command: Command): string {
  const { text, argv } = command as { readonly text?: unknown; readonly argv?: unknown }
  if (typeof text === 'string') return text
  return Array.isArray(argv) ? argv.join(' ') : canonicalJson(command)
}

/** Shorter values are left where they stand: they say nothing, and would be found in every other word. */
const shortestReplaced = 4

/**
 * The analysis without the secrets of its command. Prose is simply cut. A name that policies judge
 * by is cut too, but where the secret is no part of a URL or a connection string in it, somebody may
 * have declared a table's name a password to hide it from the rules: then the command is opaque. A
 * value that could be any name (`postgres`) is left in names; there it is only the name.
 */
export function withoutSecrets(analysis: Analysis, values: readonly string[]): Analysis {
  const known = values.filter((value) => value.length >= shortestReplaced)
  if (known.length === 0) return analysis
  const redaction = redactor(known, values)
  const effects = analysis.intent.effects.map((effect) => redactEffect(effect, redaction))
  const reasons = analysis.intent.opaque_reasons.map((reason) => ({
    ...reason,
    via: reason.via.map(redaction.prose),
    detail: redaction.prose(reason.detail),
  }))
  const lineage = analysis.lineage === null ? null : redactLineage(analysis.lineage, redaction)
  const intent = redactIntent({ ...analysis.intent, effects, opaque_reasons: reasons }, redaction)
  return { ...analysis, intent, lineage }
}

interface Redaction {
  readonly prose: (text: string) => string
  readonly name: (text: string) => string
  /** Whether a secret stood in a name where it has no business. */
  readonly hidesName: () => boolean
}

function redactor(known: readonly string[], values: readonly string[]): Redaction {
  let hidden = false
  // Longest first, or the shorter one would leave the longer one's rest.
  const longestFirst = [...known].sort((a, b) => b.length - a.length)
  const telling = longestFirst.filter(looksSecret)
  const mark = (value: string): string => {
    const index = values.indexOf(value)
    return index < 0 ? '‹secret›' : `‹secret:${index + 1}›`
  }
  const replace = (text: string, secrets: readonly string[]): string =>
    secrets.reduce((result, secret) => result.replaceAll(secret, () => mark(secret)), text)
  const name = (text: string): string => {
    let shaped = ''
    let from = 0
    for (const { start, end } of tokenSpans(text)) {
      shaped += text.slice(from, start) + mark(text.slice(start, end))
      from = end
    }
    shaped += text.slice(from)
    const result = replace(shaped, telling)
    if (result !== shaped) hidden = true
    return result
  }
  return { prose: (text) => replace(text, longestFirst), name, hidesName: () => hidden }
}

function redactEffect(effect: Effect, { name, prose }: Redaction): Effect {
  const { resource, predicate, destination, privilege, endpoint } = effect
  return {
    ...effect,
    why: prose(effect.why),
    via: effect.via.map(prose),
    resource: {
      ...resource,
      name: name(resource.name),
      schema: resource.schema === null ? null : name(resource.schema),
      columns: resource.columns.map(name),
    },
    predicate: predicate === null ? null : { ...predicate, columns: predicate.columns.map(name) },
    destination: destination === null ? null : redactMembers(destination, name),
    privilege: privilege === null ? null : redactMembers(privilege, name),
    endpoint: endpoint === null ? null : redactMembers(endpoint, name),
  }
}

function redactMembers<T extends object>(value: T, name: Redaction['name']): T {
  const members = Object.entries(value).map(([key, member]: [string, unknown]) => {
    if (typeof member === 'string') return [key, name(member)]
    return [key, Array.isArray(member) ? member.map((item) => name(String(item))) : member]
  })
  return Object.fromEntries(members) as T
}

function redactIntent(intent: Intent, redaction: Redaction): Intent {
  const destinations = intent.summary.destinations.map((item) => redactMembers(item, redaction.name))
  const error = intent.parse.error === null ? null : redaction.prose(intent.parse.error)
  const cut = { ...intent, parse: { ...intent.parse, error }, summary: { ...intent.summary, destinations } }
  return redaction.hidesName()
    ? { ...cut, opaque: true, opaque_reasons: [...cut.opaque_reasons, secretAsName] }
    : cut
}

const secretAsName: OpaqueReason = {
  code: 'not_analyzed',
  via: [],
  effect: null,
  detail: 'a secret of the command is also a name in it',
}

function redactLineage(lineage: Lineage, { name }: Redaction): Lineage {
  return {
    ...lineage,
    columns: lineage.columns.map((column) => ({
      ...column,
      name: name(column.name),
      sources: column.sources.map((source) => redactMembers(source, name)),
    })),
    inference: lineage.inference.map((item) => redactMembers(item, name)),
  }
}
