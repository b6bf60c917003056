/** One language's fragment -> the effects and reasons of an intent: without repetitions, bounded, never empty. */
import { canonicalJson } from '../action/canonical.ts'
import { limits } from './analysis.ts'
import type { Fragment, Unseen } from './analysis.ts'
import type { Effect, OpaqueReason } from './intent.ts'
import { unknownEffect } from './opaque.ts'

/** What an intent says of its command, before it is summed up. */
export interface Merged {
  readonly effects: Effect[]
  readonly reasons: OpaqueReason[]
}

/** @param system the target's, for the effect of a fragment that found nothing at all */
export function merge(fragment: Fragment, system: string): Merged {
  const kept: Effect[] = []
  const indexes = new Map<Effect, number>()
  const seen = new Map<string, number[]>()
  for (const effect of fragment.effects) {
    if (indexes.has(effect)) continue
    const twin = fragment.effects.length === 1 ? undefined : twinOf(effect, kept, seen)
    const index = twin ?? kept.length
    if (twin === undefined && kept.length < limits.effects) kept.push(effect)
    if (index < kept.length) indexes.set(effect, index)
  }
  const dropped = indexes.size < new Set(fragment.effects).size
  const unseen = dropped ? [...fragment.unseen, tooMany] : fragment.unseen
  if (kept.length === 0) kept.push(unknownEffect(system, 'not_analyzed'))
  return { effects: kept, reasons: withUnexplained(kept, reasonsOf(unseen, indexes)) }
}

const tooMany: Unseen = {
  code: 'node_limit',
  via: [],
  effect: null,
  detail: `more than ${limits.effects} effects`,
}

/**
 * Where an equal effect was kept. Two counted effects are one only at the same place of the text:
 * thresholds compare the sum of the limits, and whoever deletes ten rows twice deletes twenty.
 */
function twinOf(effect: Effect, kept: readonly Effect[], seen: Map<string, number[]>): number | undefined {
  const { resource, span } = effect
  const counted = effect.scope === 'single' || effect.scope === 'bounded'
  if (counted && span === null && effect.action !== 'none') return undefined
  const key = `${effect.action} ${effect.scope} ${resource.system} ${resource.type} ${resource.name}`
  const candidates = seen.get(key)
  if (candidates === undefined) seen.set(key, [kept.length])
  else {
    const text = canonicalJson(effect)
    const twin = candidates.find((index) => canonicalJson(kept[index] ?? null) === text)
    if (twin !== undefined) return twin
    candidates.push(kept.length)
  }
  return undefined
}

function reasonsOf(unseen: readonly Unseen[], indexes: ReadonlyMap<Effect, number>): OpaqueReason[] {
  const reasons: OpaqueReason[] = []
  const seen = new Set<string>()
  for (const { code, via, effect, detail } of unseen) {
    const reason = {
      code,
      via: [...via],
      effect: effect === null ? null : (indexes.get(effect) ?? null),
      detail: detail.slice(0, detailLength),
    }
    const key = unseen.length === 1 ? '' : canonicalJson(reason)
    if (seen.has(key)) continue
    seen.add(key)
    reasons.push(reason)
  }
  // Beyond the cap the first ones stand; any of them, and the last in any case, makes it opaque.
  return reasons.length <= limits.effects
    ? reasons
    : [...reasons.slice(0, limits.effects - 1), tooManyReasons]
}

const detailLength = 512

const tooManyReasons: OpaqueReason = {
  code: 'node_limit',
  via: [],
  effect: null,
  detail: `more than ${limits.effects} reasons`,
}

/** An unknown effect that nobody has explained is opaque all the same. */
function withUnexplained(effects: readonly Effect[], reasons: OpaqueReason[]): OpaqueReason[] {
  effects.forEach((effect, index) => {
    if (effect.confidence !== 'opaque' && effect.action !== 'unknown') return
    if (reasons.some((reason) => reason.effect === index || reason.effect === null)) return
    reasons.push({ code: 'not_analyzed', via: effect.via, effect: index, detail: effect.why })
  })
  return reasons
}
