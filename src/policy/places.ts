/** Where an effect lands: the target, or the one that its endpoint resolves to. The stricter of both holds. */
import { globMatches } from '../action/patterns.ts'
import type { Effect, Endpoint } from '../intent/intent.ts'
import type { BundleData, PinnedTarget } from './bundle.ts'

/** Under what an effect is judged. */
export interface Place {
  readonly environment: string
  readonly protected: boolean
  /** The target that it lands on; null: on none that is known. */
  readonly target: string | null
  readonly why: 'target' | 'endpoint' | 'unresolved_endpoint'
}

/** The action's own target, as it is judged. */
export interface OwnPlace {
  readonly system: string
  readonly id: string
  readonly environment: string
  readonly protected: boolean
}

interface Index {
  readonly exact: ReadonlyMap<string, readonly string[]>
  readonly globs: readonly { readonly pattern: string; readonly id: string }[]
}

const indexes = new WeakMap<BundleData, Index>()

/** Exact patterns by name, so that ten thousand pinned targets cost no more than ten; only those with a star are tried. */
function indexOf(data: BundleData): Index {
  const held = indexes.get(data)
  if (held !== undefined) return held
  const exact = new Map<string, string[]>()
  const globs: { pattern: string; id: string }[] = []
  for (const [id, { endpoints = [] }] of Object.entries(data.targets)) {
    for (const endpoint of endpoints) {
      const pattern = normal(endpoint)
      if (pattern.includes('*')) globs.push({ pattern, id })
      else exact.set(pattern, [...(exact.get(pattern) ?? []), id])
    }
  }
  const made = { exact, globs }
  indexes.set(data, made)
  return made
}

/** Host names have no case, and a dot at their end says nothing. */
function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

/** Environments that the data lists as unprotected are; every other name is protected. */
export function isProtected(data: BundleData, environment: string | undefined): boolean {
  if (environment === undefined || !Object.hasOwn(data.environments, environment)) return true
  return data.environments[environment]?.protected !== false
}

/** The place of an effect that says nothing of where it lands: the target. */
export function ownPlace({ environment, protected: isProtected, id }: OwnPlace): Place {
  return { environment, protected: isProtected, target: id, why: 'target' }
}

/** The place of one effect. */
export function placeOf(effect: Effect, own: OwnPlace, data: BundleData): Place {
  const { endpoint } = effect
  if (endpoint === null) return ownPlace(own)
  const names = locators(endpoint)
  if (names.length > 0) return resolved(names, own, data)
  // Nothing is named: this system's own default is the target; of another system, whatever the environment says.
  const elsewhere = (endpoint.database ?? null) !== null || effect.resource.system !== own.system
  return elsewhere ? unresolved(own) : ownPlace(own)
}

/** Members that say where. A port, a database or a namespace alone tells no machine from another. */
function locators({ host, context, profile, account }: Endpoint): readonly string[] {
  return [host, context, profile, account].filter(
    (name) => typeof name === 'string' && name !== '',
  ) as string[]
}

function unresolved(own: OwnPlace): Place {
  const environment = own.protected ? own.environment : 'unresolved'
  return { environment, protected: true, target: null, why: 'unresolved_endpoint' }
}

function resolved(names: readonly string[], own: OwnPlace, data: BundleData): Place {
  const ids: string[] = []
  for (const name of names) {
    const found = targetsNamed(normal(name), indexOf(data))
    if (found.length === 0) return unresolved(own)
    ids.push(...found)
  }
  const places = ids.map((id) => pinnedPlace(id, data.targets[id], data))
  const strictest = places.find((place) => place.protected) ?? places[0]
  if (strictest === undefined) return unresolved(own)
  if (strictest.protected || !own.protected) return strictest
  return { environment: own.environment, protected: true, target: strictest.target, why: 'endpoint' }
}

function targetsNamed(name: string, { exact, globs }: Index): readonly string[] {
  const matching = globs.filter(({ pattern }) => globMatches(pattern, name)).map(({ id }) => id)
  return [...(exact.get(name) ?? []), ...matching]
}

function pinnedPlace(id: string, pinned: PinnedTarget | undefined, data: BundleData): Place {
  return {
    environment: pinned?.environment ?? 'unresolved',
    protected: isProtected(data, pinned?.environment),
    target: id,
    why: 'endpoint',
  }
}
