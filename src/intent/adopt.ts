/** A child's fragment, told from its parent's place: how it got there, where it lands, as whom, how often. */
import type { Child, Fragment } from './analysis.ts'
import type { Effect, Endpoint } from './intent.ts'

/** The fragment with each effect as the parent has it. Spans and secrets are offsets in the child's text: dropped. */
export function adopt(child: Child, fragment: Fragment): Fragment {
  const adopted = new Map<Effect, Effect>()
  const effects = fragment.effects.map((effect) => {
    const seen = adoptEffect(child, effect)
    adopted.set(effect, seen)
    return seen
  })
  const unseen = fragment.unseen.map((reason) => ({
    ...reason,
    via: [...child.via, ...reason.via],
    effect: reason.effect === null ? null : (adopted.get(reason.effect) ?? null),
  }))
  return { ...fragment, effects, unseen, secrets: [] }
}

function adoptEffect(child: Child, effect: Effect): Effect {
  return {
    ...effect,
    via: [...child.via, ...effect.via],
    span: null,
    endpoint: adoptEndpoint(child.endpoint, effect.endpoint),
    privilege: adoptPrivilege(child.runAs, effect.privilege),
    conditional: child.conditional || effect.conditional,
    ...repeated(child.repeat, effect),
  }
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])\.?$/i

/**
 * The inner endpoint holds where there is one, even an ambient one: `ssh host 'psql'` lands wherever
 * that machine's environment points. Loopback means the machine around it.
 */
function adoptEndpoint(outer: Endpoint | null, inner: Endpoint | null): Endpoint | null {
  if (outer === null || inner === null) return inner ?? outer
  if (typeof inner.host !== 'string' || !loopback.test(inner.host)) return inner
  return { ...outer, ...inner, host: outer.host ?? null }
}

function adoptPrivilege(runAs: string | null, privilege: Effect['privilege']): Effect['privilege'] {
  if (runAs === null || (privilege?.run_as ?? null) !== null) return privilege
  return privilege === null
    ? { grantee: null, privileges: [], on: null, level: null, run_as: runAs }
    : { ...privilege, run_as: runAs }
}

/**
 * A constant count multiplies the limit; else what was proven of one turn proves nothing of all of
 * them. (A bounded effect without a number, a directory that can be rebuilt, is no smaller for being
 * done twice.)
 */
function repeated(repeat: number | null, effect: Effect): Partial<Effect> {
  const counted = effect.scope === 'single' || effect.scope === 'bounded'
  if (repeat === 1 || effect.action === 'none' || !counted) return {}
  if (repeat === null) return { scope: 'bulk', limit: null, why: 'repeated' }
  return effect.scope === 'bounded' && effect.limit === null
    ? { why: 'repeated' }
    : multiplied(repeat * (effect.limit ?? 1))
}

function multiplied(limit: number): Partial<Effect> {
  const isCount = Number.isSafeInteger(limit) && limit >= 0
  return isCount
    ? { scope: 'bounded', limit, why: 'repeated' }
    : { scope: 'bulk', limit: null, why: 'repeated' }
}
