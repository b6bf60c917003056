/** An intent at a glance: for people, for search and for the leaf. Policies judge the effects themselves. */
import { canonicalJson } from '../action/canonical.ts'
import type { Fragment } from './analysis.ts'
import { categoriesOf } from './categories.ts'
import type { Destination, Effect, Intent, OpaqueReason, RiskCategory, Scope } from './intent.ts'

type Summary = Intent['summary']
type Risk = Summary['risk']
type Reversible = Effect['reversible']

const scopes: Readonly<Record<Scope, number>> = { single: 0, bounded: 1, bulk: 2, all: 3, unknown: 4 }
const reversibility: Readonly<Record<Reversible, number>> = {
  yes: 0,
  tx: 1,
  recoverable: 2,
  unknown: 3,
  no: 4,
}
const risks: Readonly<Record<Risk, number>> = { none: 0, low: 1, medium: 2, high: 3, critical: 4 }

interface Found {
  readonly effects: readonly Effect[]
  readonly reasons: readonly OpaqueReason[]
  readonly fragment: Pick<Fragment, 'languages' | 'dryRun'>
}

/** Sums up. Lists are without repetitions, in the order of the effects; categories are sorted. */
export function summarise({ effects, reasons, fragment }: Found): Summary {
  let scope: Summary['max_scope'] = 'none'
  let reversible: Reversible = 'yes'
  let risk: Risk = reasons.length > 0 ? 'high' : 'none'
  const categories = new Set<RiskCategory>()
  const systems = new Set<string>()
  for (const effect of effects) {
    const own = categoriesOf(effect)
    for (const category of own) categories.add(category)
    systems.add(effect.resource.system)
    risk = worse(risks, risk, riskOf(effect, own))
    if (effect.action === 'none') continue
    scope = scope === 'none' ? effect.scope : worse(scopes, scope, effect.scope)
    if (effect.action !== 'read') reversible = worse(reversibility, reversible, effect.reversible)
  }
  if (reasons.some(({ code }) => code === 'remote_code')) categories.add('remote_code')
  return {
    risk: categories.has('remote_code') ? 'critical' : risk,
    categories: [...categories].sort(),
    max_scope: scope,
    reversible,
    systems: [...systems],
    destinations: destinationsOf(effects),
    languages: [...new Set(fragment.languages)],
    dry_run: fragment.dryRun,
  }
}

function worse<K extends string>(order: Readonly<Record<K, number>>, a: K, b: K): K {
  return order[b] > order[a] ? b : a
}

function destinationsOf(effects: readonly Effect[]): Destination[] {
  const distinct = new Map<string, Destination>()
  for (const { destination } of effects) {
    if (destination !== null) distinct.set(canonicalJson(destination), destination)
  }
  return [...distinct.values()]
}

const critical = new Set<RiskCategory>(['audit_tamper', 'remote_code'])
const high = new Set<RiskCategory>([
  'exfiltration',
  'privilege',
  'secret_read',
  'history_rewrite',
  'persistence',
])
const medium = new Set<RiskCategory>([
  'schema_change',
  'config_change',
  'availability',
  'code_execution',
  'sensitive_read',
  'data_loss',
])

function riskOf(effect: Effect, categories: readonly RiskCategory[]): Risk {
  if (effect.action === 'none') return 'none'
  const has = (set: ReadonlySet<RiskCategory>): boolean => categories.some((category) => set.has(category))
  if (has(critical) || isIrrecoverable(effect, categories)) return 'critical'
  if (effect.action === 'unknown' || has(high) || (isWide(effect) && has(destructive))) return 'high'
  return has(medium) ? 'medium' : 'low'
}

const destructive = new Set<RiskCategory>(['data_loss', 'bulk_write'])
const isWide = ({ scope }: Effect): boolean => scope !== 'single' && scope !== 'bounded'

/** Everything of something goes, or everything sensitive leaves. */
function isIrrecoverable(effect: Effect, categories: readonly RiskCategory[]): boolean {
  if (categories.includes('exfiltration'))
    return effect.sensitivity === 'sensitive' || effect.sensitivity === 'secret'
  return effect.scope === 'all' && categories.includes('data_loss')
}
