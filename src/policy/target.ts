/**
 * The target as it is judged: what the bundle pins holds, what the request merely says of itself is
 * believed only from a token with `target:facts`, and everything else counts as protected. A request
 * that contradicts a pin is denied by a check, and its claim stays in the record.
 */
import type { Action, Facts, Target } from '../action/action.ts'
import { canonicalJson } from '../action/canonical.ts'
import type { CanonicalJson } from '../action/canonical.ts'
import { claimCovers } from '../action/patterns.ts'
import { PdpError } from '../errors.ts'
import type { AnalysisTarget } from '../intent/analysis.ts'
import type { Claims } from './actor.ts'
import type { BundleData, PinnedTarget } from './bundle.ts'
import { targetChecks } from './checks.ts'
import type { Check } from './checks.ts'
import { usedFacts } from './facts.ts'
import type { FactsSource } from './facts.ts'
import { isProtected } from './places.ts'
import type { OwnPlace } from './places.ts'

/** A target after pins, facts and the token's claims. */
export interface ResolvedTarget {
  readonly analysis: AnalysisTarget
  readonly place: OwnPlace
  /** `target` of the policy's input. */
  readonly text: CanonicalJson
  readonly checks: readonly Check[]
  readonly factsDigest: string
  readonly factsSource: FactsSource
}

interface Asked {
  readonly action: Action
  readonly data: BundleData
  readonly claims: Pick<Claims, 'scopes' | 'targets'>
  /** Canonical text of the request's facts, if it was made already. */
  readonly factsText?: CanonicalJson | null
}

/** Throws `target.forbidden` and `facts.forbidden` when the token may not name the target, or send facts. */
export function resolveTarget(asked: Asked): ResolvedTarget {
  const { action, data } = asked
  const { target } = action
  const believed = mayTellFacts(asked)
  const registered = Object.hasOwn(data.targets, target.id)
  const pin = (registered ? data.targets[target.id] : undefined) ?? nothingPinned
  const used = usedFacts(pin, target.facts, asked.factsText ?? null)
  const place = ownPlace({ target, pin, believed, data })
  const standing: Standing = { target, pin, place, believed, registered }
  return {
    analysis: analysisTarget(standing, action.command.language, used.facts),
    place,
    text: policyTarget(standing, used.facts),
    checks: targetChecks(action, pin, place.system),
    factsDigest: used.digest,
    factsSource: used.source,
  }
}

/** Whether what the request says of its target is believed. */
function mayTellFacts({ action: { target }, claims }: Asked): boolean {
  if (claims.targets !== null && !claimCovers(claims.targets, target.id)) {
    throw new PdpError('target.forbidden', 'the token does not cover this target')
  }
  const believed = claims.scopes.has('target:facts')
  if (target.facts !== undefined && !believed) {
    throw new PdpError('facts.forbidden', 'facts about a target need the scope target:facts')
  }
  return believed
}

interface Named {
  readonly target: Target
  readonly pin: PinnedTarget
  readonly believed: boolean
  readonly data: BundleData
}

function ownPlace({ target, pin, believed, data }: Named): OwnPlace {
  const environment = pin.environment ?? target.environment
  const isKnown = pin.environment !== undefined || believed
  return {
    system: pin.system ?? target.system,
    id: target.id,
    environment,
    protected: !isKnown || isProtected(data, environment),
  }
}

const nothingPinned: PinnedTarget = {}

interface Standing {
  readonly target: Target
  readonly pin: PinnedTarget
  readonly place: OwnPlace
  readonly believed: boolean
  readonly registered: boolean
}

function analysisTarget(standing: Standing, language: string, facts: Facts): AnalysisTarget {
  const { target, pin, place, believed } = standing
  const claimsSchema = target.schema !== undefined && pin.schema === undefined
  const claimsPlace = language === 'sql' ? claimsSchema : claimsSchema || target.cwd !== undefined
  return {
    system: place.system,
    id: target.id,
    schema: pin.schema ?? target.schema ?? null,
    cwd: target.cwd ?? null,
    placeTrusted: believed || !claimsPlace,
    freshSession: believed && target.session === 'fresh',
    facts,
  }
}

/** `target` of the policy's input: verified members at its top, mere claims below `claimed`. */
function policyTarget(standing: Standing, facts: Facts): CanonicalJson {
  const { target, pin, place, believed, registered } = standing
  const labels = pin.labels ?? {}
  const owner = pin.owner ?? (believed ? target.owner : undefined)
  return canonicalJson({
    claimed: claimedMembers(standing),
    cloudProfile: target.cloudProfile,
    cwd: target.cwd,
    environment: place.environment,
    facts: policyFacts(facts, pin),
    id: target.id,
    kubeContext: target.kubeContext,
    labels: believed && target.labels !== undefined ? { ...target.labels, ...labels } : labels,
    owner,
    protected: place.protected,
    registered,
    schema: pin.schema ?? target.schema,
    session: believed && target.session === 'fresh' ? 'fresh' : undefined,
    system: place.system,
  })
}

/** What the request says and nobody believes, or the bundle says otherwise; absent where there is no such thing. */
function claimedMembers(standing: Standing): Readonly<Record<string, unknown>> | undefined {
  const { target, pin, place, believed } = standing
  const claimed = Object.entries({
    environment: unless(target.environment === place.environment, target.environment),
    labels: unless(believed, target.labels),
    owner: unless(believed && pin.owner === undefined, target.owner),
    schema: unless(pin.schema === undefined || pin.schema === target.schema, target.schema),
    session: unless(believed, target.session),
    system: unless(target.system === place.system, target.system),
  }).filter(([, value]) => value !== undefined)
  return claimed.length === 0 ? undefined : Object.fromEntries(claimed)
}

function unless<T>(condition: boolean, value: T): T | undefined {
  return condition ? undefined : value
}

/** The small facts that policies judge by. `sandboxed` opens something, so only the bundle may say it. */
function policyFacts(facts: Facts, pin: PinnedTarget): Readonly<Record<string, unknown>> {
  return {
    catalogue: facts.tables !== undefined,
    internal: facts.internal,
    protectedBranches: facts.protectedBranches,
    sandboxed: pin.facts?.sandboxed,
    workspace: facts.workspace,
  }
}
