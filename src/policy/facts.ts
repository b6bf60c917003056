/** Facts of a target: the bundle's, with the gaps filled by a request that may. Says what was used, by digest. */
import { hash } from 'node:crypto'
import type { Facts, TableFacts } from '../action/action.ts'
import { canonicalJson, canonicalObject } from '../action/canonical.ts'
import type { CanonicalJson } from '../action/canonical.ts'

/** Who spoke. */
export type FactsSource = 'none' | 'bundle' | 'request' | 'bundle+request'

/** Facts, and the commitment to them. */
export interface UsedFacts {
  readonly facts: Facts
  readonly source: FactsSource
  /** `sha256:` over the canonical text of `{facts, source}`. */
  readonly digest: string
}

const noFacts: UsedFacts = used({}, canonicalJson({}), 'none')
const ofBundle = new WeakMap<Facts, UsedFacts>()

/** @param requestText canonical text of the request's facts, where it is at hand */
export function usedFacts(
  pinned: Pinned,
  request: Facts | undefined,
  requestText?: CanonicalJson | null,
): UsedFacts {
  if (request === undefined) return pinned.facts === undefined ? noFacts : bundleFacts(pinned.facts)
  return rememberedFacts(pinned, request, requestText ?? canonicalJson(request))
}

/**
 * A gateway sends the same facts with each command until the schema changes: the digest, and the very
 * object, which analysers index by, are kept. By the whole text, so nothing else can be mistaken for it.
 */
const remembered = new WeakMap<object, Map<string, UsedFacts>>()
const unpinned = {}
const rememberedAtMost = 64
const longestRemembered = 65_536

function rememberedFacts(pinned: Pinned, request: Facts, text: CanonicalJson): UsedFacts {
  const known = remembered.get(pinned.facts ?? unpinned) ?? new Map<string, UsedFacts>()
  const key = `${pinned.schema ?? ''}\n${text}`
  const held = known.get(key)
  const made = held ?? requestFacts(pinned, request, text)
  if (key.length > longestRemembered) return made
  // Whoever was used last comes last, and the first one goes.
  known.delete(key)
  known.set(key, made)
  const [oldest] = known.keys()
  if (known.size > rememberedAtMost && oldest !== undefined) known.delete(oldest)
  remembered.set(pinned.facts ?? unpinned, known)
  return made
}

function requestFacts({ facts, schema }: Pinned, request: Facts, text: CanonicalJson): UsedFacts {
  if (facts === undefined) return used(request, text, 'request')
  const merged = mergeFacts({ facts, schema }, request)
  return used(merged, canonicalJson(merged), 'bundle+request')
}

interface Pinned {
  readonly facts?: Facts | undefined
  /** The default schema, in which a bare table name lies. */
  readonly schema?: string | undefined
}

function bundleFacts(facts: Facts): UsedFacts {
  const held = ofBundle.get(facts)
  if (held !== undefined) return held
  const made = used(facts, canonicalJson(facts), 'bundle')
  ofBundle.set(facts, made)
  return made
}

function used(facts: Facts, text: CanonicalJson, source: FactsSource): UsedFacts {
  const committed = canonicalObject([
    ['facts', text],
    ['source', canonicalJson(source)],
  ])
  return { facts, source, digest: `sha256:${hash('sha256', committed, 'hex')}` }
}

/** Per key: the bundle wins where it speaks, the request fills gaps, what is sensitive adds up. */
export function mergeFacts(bundle: Pinned & { readonly facts: Facts }, request: Facts): Facts {
  const { facts } = bundle
  const own = withoutUndefined({
    tables: mergeTables(bundle, request.tables),
    functions: mergeNamed(facts.functions, request.functions),
    tools: mergeNamed(facts.tools, request.tools),
    routes: mergeRoutes(facts.routes, request.routes),
  })
  return { ...request, ...facts, ...own }
}

function mergeNamed<T>(
  bundle: Readonly<Record<string, T>> | undefined,
  request: Readonly<Record<string, T>> | undefined,
): Record<string, T> | undefined {
  return bundle === undefined && request === undefined ? undefined : ownMembers({ ...request, ...bundle })
}

/** Without a prototype's names: `__proto__` in a request is a name like any other. */
function ownMembers<T>(members: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, members)
}

function mergeTables(bundle: Pinned & { readonly facts: Facts }, request: Facts['tables']): Facts['tables'] {
  const own = bundle.facts.tables
  if (request === undefined || own === undefined) return own ?? request
  const prefix = `${bundle.schema ?? 'public'}.`
  const bare = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name)
  const listed = new Map(Object.keys(own).map((name) => [bare(name), name]))
  const merged = ownMembers<TableFacts>(own)
  for (const [name, table] of Object.entries(request)) {
    // One table under two spellings is one table: or the request could prove by its own keys.
    const spelt = listed.get(bare(name))
    const ours = spelt === undefined ? undefined : merged[spelt]
    if (spelt === undefined || ours === undefined) merged[name] = table
    else merged[spelt] = mergeTable(ours, table)
  }
  return merged
}

/** Keys, nullness and types are proofs: the bundle's alone, even where it says nothing of them. */
function mergeTable(bundle: TableFacts, request: TableFacts): TableFacts {
  const sensitive = mergeSensitive(bundle.sensitive, request.sensitive)
  const columns = bundle.columns ?? request.columns
  return withoutUndefined({ ...bundle, columns, sensitive })
}

function mergeSensitive(
  bundle: TableFacts['sensitive'],
  request: TableFacts['sensitive'],
): TableFacts['sensitive'] {
  if (bundle === true || request === true) return true
  const columns = [...(Array.isArray(bundle) ? bundle : []), ...(Array.isArray(request) ? request : [])]
  return columns.length === 0 ? (bundle ?? request) : [...new Set(columns)]
}

function mergeRoutes(bundle: Facts['routes'], request: Facts['routes']): Facts['routes'] {
  if (bundle === undefined || request === undefined) return bundle ?? request
  const listed = new Set(bundle.map(routeKey))
  return [...bundle, ...request.filter((route) => !listed.has(routeKey(route)))]
}

function routeKey({ method, path }: { readonly method: string; readonly path: string }): string {
  return `${method.toUpperCase()} ${path}`
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

function withoutUndefined<T extends object>(members: T): Defined<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>
}
