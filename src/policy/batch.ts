/**
 * What the actions of a batch would do together: thresholds hold for the sum over an actor's actions,
 * or a bulk change would pass as a hundred small ones.
 */
import type { Action } from '../action/action.ts'
import type { Analysis } from '../intent/analysis.ts'
import type { Effect } from '../intent/intent.ts'

/** Proven rows of one kind of effect on one resource, summed over the actor's other actions in the batch. */
export interface BatchTotal {
  readonly action: string
  readonly system: string
  readonly name: string
  readonly rows: number
}

/**
 * For each action, what the others of the same actor add to its own effects; empty where nothing is
 * added. What is not proven to be bounded is denied where it stands, and adds nothing here.
 */
export function batchTotals(
  asked: readonly { readonly action: Action }[],
  analyses: readonly Analysis[],
): readonly (readonly BatchTotal[])[] {
  if (asked.length < 2) return asked.map(() => [])
  const own = analyses.map(provenRows)
  const byActor = new Map<string, Map<string, number>>()
  own.forEach((rows, at) => {
    const actor = asked[at]?.action.actor.id ?? ''
    const sums = byActor.get(actor) ?? new Map<string, number>()
    byActor.set(actor, sums)
    for (const [key, n] of rows) sums.set(key, (sums.get(key) ?? 0) + n)
  })
  return own.map((rows, at) => added(rows, byActor.get(asked[at]?.action.actor.id ?? '')))
}

function provenRows({ intent }: Analysis): ReadonlyMap<string, number> {
  const rows = new Map<string, number>()
  for (const effect of intent.effects) {
    if (effect.action === 'none') continue
    const key = JSON.stringify([effect.action, effect.resource.system, effect.resource.name])
    rows.set(key, (rows.get(key) ?? 0) + rowsOf(effect))
  }
  return rows
}

function rowsOf({ scope, limit }: Effect): number {
  return scope === 'single' ? 1 : scope === 'bounded' ? (limit ?? 0) : 0
}

function added(
  own: ReadonlyMap<string, number>,
  sums: ReadonlyMap<string, number> | undefined,
): readonly BatchTotal[] {
  const totals: BatchTotal[] = []
  for (const [key, n] of own) {
    const rows = (sums?.get(key) ?? n) - n
    const [action = '', system = '', name = ''] = JSON.parse(key) as readonly string[]
    if (rows > 0) totals.push({ action, system, name, rows })
  }
  return totals
}
