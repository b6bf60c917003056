/** Who acts, as far as the caller's token verifies it. What the body says beyond that is a claim, and kept apart. */
import type { Action, Actor, ActorType } from '../action/action.ts'
import { claimCovers } from '../action/patterns.ts'
import { PdpError } from '../errors.ts'

/** What of a token's claims decides about actors and targets. Null: the claim is absent. */
export interface Claims {
  readonly subject: string
  readonly scopes: ReadonlySet<string>
  readonly actors: readonly string[] | null
  readonly actorTypes: readonly string[] | null
  readonly actorRoles: readonly string[] | null
  readonly targets: readonly string[] | null
}

/** What the body says of an actor, and nobody vouches for. */
export interface ClaimedActor {
  readonly type?: ActorType
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
}

/** For whom the actor acts: named within what the token covers, but the chain itself is not verified. */
export interface Behalf {
  readonly id: string
  readonly type: ActorType
  readonly verified: false
  readonly claimed: ClaimedActor
  readonly onBehalfOf?: Behalf
}

/** The actor as policies see it: `roles` and `groups` hold verified ones only. */
export interface VerifiedActor {
  readonly id: string
  readonly type: ActorType
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly onBehalfOf?: Behalf
  readonly claimed: ClaimedActor
}

/** How many actors may stand behind one another. */
const longestChain = 5

/** Throws `actor.forbidden` when the token does not let its caller speak for the actor. */
export function verifyActor(actor: Action['actor'], claims: Claims): VerifiedActor {
  const type = verifiedType(actor, claims)
  const { roles, claimedRoles } = splitRoles(actor, claims)
  return {
    id: actor.id,
    type,
    roles,
    // No claim of a token verifies groups: they are claims, all of them.
    groups: [],
    ...(actor.onBehalfOf === undefined ? {} : { onBehalfOf: behalf(actor.onBehalfOf, claims, 1) }),
    claimed: claimedActor(actor, claimedRoles),
  }
}

function behalf(actor: Actor, claims: Claims, depth: number): Behalf {
  if (depth > longestChain) {
    throw new PdpError('actor.forbidden', `onBehalfOf is nested more than ${longestChain} deep`)
  }
  const type = verifiedType(actor, claims)
  const next = actor.onBehalfOf
  return {
    id: actor.id,
    type,
    verified: false,
    claimed: claimedActor(actor, actor.roles ?? []),
    ...(next === undefined ? {} : { onBehalfOf: behalf(next, claims, depth + 1) }),
  }
}

function claimedActor(actor: Actor, roles: readonly string[]): ClaimedActor {
  return {
    ...(actor.type === undefined ? {} : { type: actor.type }),
    roles: sorted(roles),
    groups: sorted(actor.groups ?? []),
    attributes: actor.attributes ?? {},
  }
}

// Where the token leaves the choice, the one with the least trust comes first.
const types: readonly ActorType[] = ['agent', 'pipeline', 'service', 'human']

/**
 * The type that the token allows: of its `actor_types`, which one the body may choose; else that of
 * the id's prefix, which nobody may contradict.
 */
function verifiedType(actor: Actor, claims: Claims): ActorType {
  const spokenFor =
    claims.actors === null ? actor.id === claims.subject : claimCovers(claims.actors, actor.id)
  if (!spokenFor) throw new PdpError('actor.forbidden', 'the token does not speak for this actor')
  const byPrefix = prefixType(actor.id)
  const allowed = claims.actorTypes
  if (allowed === null) return statedType(actor.type, [byPrefix], byPrefix)
  const known = types.filter((type) => claimCovers(allowed, type))
  const [only] = known
  const byDefault = known.includes(byPrefix) || only === undefined ? byPrefix : only
  return statedType(actor.type, known, byDefault)
}

function statedType(
  stated: ActorType | undefined,
  allowed: readonly ActorType[],
  byDefault: ActorType,
): ActorType {
  const type = stated ?? byDefault
  if (!allowed.includes(type)) {
    throw new PdpError('actor.forbidden', `the token does not allow an actor of the type ${type} here`)
  }
  return type
}

/** Whoever does not say what they are is an agent: the type with the least trust. */
function prefixType(id: string): ActorType {
  if (id.startsWith('user:')) return 'human'
  if (id.startsWith('service:')) return 'service'
  return id.startsWith('pipeline:') ? 'pipeline' : 'agent'
}

interface Roles {
  readonly roles: readonly string[]
  readonly claimedRoles: readonly string[]
}

function splitRoles({ roles: stated = [] }: Actor, { actorRoles }: Claims): Roles {
  if (stated.length === 0 || actorRoles === null) return { roles: [], claimedRoles: stated }
  return {
    roles: sorted(stated.filter((role) => claimCovers(actorRoles, role))),
    claimedRoles: stated.filter((role) => !claimCovers(actorRoles, role)),
  }
}

/** Sorted and unique, by code unit. */
function sorted(names: readonly string[]): readonly string[] {
  return names.length === 0 ? names : [...new Set(names)].sort()
}
