/**
 * The vocabulary of effects: what a command would do, in the one spelling that the answer, the
 * policy's input and the payload share. The shapes come from `openapi.yaml`; this file names them
 * and holds the defaults, so that every field of every effect always has an explicit value (in
 * Rego, an undefined field makes a deny rule silently not fire).
 */
import type { components } from '../contract/openapi.d.ts'

type Schemas = components['schemas']

/** What one command would do: its effects, and what could not be seen. */
export type Intent = Schemas['Intent']
/** One thing that a command would do to one kind of object. */
export type Effect = Schemas['Effect']
/** What an effect does: `delete`, `read`, `grant`, … */
export type EffectAction = Effect['action']
/** How much of the resource, as far as it is proven: `single`, `bounded`, `bulk`, `all`, `unknown`. */
export type Scope = Effect['scope']
export type Resource = Schemas['EffectResource']
export type Predicate = Schemas['EffectPredicate']
export type Destination = Schemas['EffectDestination']
export type Endpoint = Schemas['EffectEndpoint']
/** Something the analysis could not see, with its closed code and the effect it is about. */
export type OpaqueReason = Schemas['OpaqueReason']
export type OpaqueCode = OpaqueReason['code']
export type RiskCategory = Schemas['IntentSummary']['categories'][number]
/** How a sensitive column of the result came to be there, and every result column in order. */
export type Lineage = Schemas['Lineage']
export type ResultColumn = Schemas['ResultColumn']

/** What must be said of an effect; everything else has a default. */
export type EffectSeed = Pick<Effect, 'action' | 'scope'> &
  Partial<Omit<Effect, 'action' | 'scope' | 'resource'>> & {
    readonly resource: Pick<Resource, 'system' | 'type' | 'name'> & Partial<Resource>
  }

/** An effect with every field present. */
export function effect(seed: EffectSeed): Effect {
  return {
    why: '',
    limit: null,
    predicate: null,
    reversible: 'unknown',
    destination: null,
    privilege: null,
    sensitivity: 'none',
    cascade: null,
    deferred: false,
    conditional: false,
    confidence: 'exact',
    via: [],
    span: null,
    endpoint: null,
    ...seed,
    resource: { schema: null, columns: [], ...seed.resource },
  }
}
