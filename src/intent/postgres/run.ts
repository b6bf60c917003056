/** Reporting: effects and what was not seen, told in the mode of the text at hand. */
import { BudgetExceeded, limits } from '../analysis.ts'
import { effect } from '../intent.ts'
import type { Effect, EffectSeed, OpaqueCode, Resource } from '../intent.ts'
import type { Findings, Frame, Mode, Run } from './model.ts'

/** An effect's seed; the system is always PostgreSQL. */
export type Seed = Omit<EffectSeed, 'resource'> & {
  readonly resource: Pick<Resource, 'type' | 'name'> & Partial<Omit<Resource, 'system'>>
}

/** Name of what is only known at run time. */
export const unknownName = '*unknown*'

/** Reports an effect, as the mode has it. Throws `BudgetExceeded` when there are too many. */
export function emit(run: Run, seed: Seed): Effect {
  const { mode } = run
  const found = effect({
    reversible: seed.action === 'read' || seed.action === 'none' ? 'yes' : 'tx',
    ...seed,
    resource: { system: 'postgresql', ...seed.resource },
    via: [...mode.via, ...(seed.via ?? [])],
    span: spanOf(run, seed),
  })
  if (mode.deferred) found.deferred = true
  if (mode.conditional) found.conditional = true
  if (mode.template) asTemplate(found)
  if (run.session.changed !== null && found.confidence === 'exact') found.confidence = 'inferred'
  repeatEffect(found, mode.repeat)
  return keep(run.findings, found)
}

/**
 * The statement's place. Two effects alike in one statement are two: the second has no place, or
 * they would be taken for one effect that was reported twice.
 */
function spanOf(run: Run, { action, resource }: Seed): [number, number] | null {
  if (run.span === null) return null
  const { effects } = run.findings
  for (let index = effects.length - 1; index >= 0; index--) {
    const before = effects[index]
    if (before === undefined || (before.span !== null && before.span[0] !== run.span[0])) break
    if (before.action === action && before.resource.name === resource.name) return null
  }
  return [run.span[0], run.span[1]]
}

function asTemplate(found: Effect): void {
  if (found.confidence === 'exact') found.confidence = 'inferred'
  if (found.resource.name.includes(unknownName)) found.why = 'dynamic_identifier'
}

function keep(findings: Findings, found: Effect): Effect {
  if (findings.effects.length >= limits.effects) {
    throw new BudgetExceeded('node_limit', `more than ${limits.effects} effects`)
  }
  findings.effects.push(found)
  return found
}

/** Takes over an effect that another analysis found. */
export function adoptInto(run: Run, found: Effect): Effect {
  const { mode } = run
  const copy: Effect = {
    ...found,
    via: [...mode.via, ...found.via],
    span: spanOf(run, found),
    deferred: found.deferred || mode.deferred,
    conditional: found.conditional || mode.conditional,
  }
  repeatEffect(copy, mode.repeat)
  return keep(run.findings, copy)
}

/** Reports something unseen: about an effect, or (null) about the whole command. */
export function unseen(run: Run, code: OpaqueCode, about: Effect | null, detail: string): void {
  run.findings.unseen.push({ code, via: run.mode.via, effect: about, detail })
}

/** What was proven of one turn, told of `times` turns; null: any number of them. */
export function repeatEffect(found: Effect, times: number | null): void {
  if (times === 1 || found.action === 'none') return
  if (found.scope !== 'single' && found.scope !== 'bounded') return
  const limit = multiplied(found.scope === 'single' ? 1 : found.limit, times)
  found.scope = limit === null ? 'bulk' : 'bounded'
  found.limit = limit
  found.why = 'repeated'
}

function multiplied(once: number | null, times: number | null): number | null {
  if (once === null || times === null) return null
  const limit = once * times
  return limit >= 0 && Number.isSafeInteger(limit) ? limit : null
}

/** The run with another mode. */
export function inMode(run: Run, change: Partial<Mode>): Run {
  return { ...run, mode: { ...run.mode, ...change } }
}

/** How deep expressions and queries may nest: far above what people write, far below the stack's end. */
const deepest = 400

/** Enters one level of the tree. Throws `BudgetExceeded` where it is too deep. */
export function descend(run: Run): void {
  if (++run.findings.level > deepest) {
    throw new BudgetExceeded('depth_limit', `more than ${deepest} levels in a statement`)
  }
  run.ctx.spend(1)
}

/** Leaves the level. */
export function ascend(run: Run): void {
  run.findings.level--
}

/** A query about to be read. */
export function newFrame(run: Run, parent: Frame | null, ctes: Frame['ctes']): Frame {
  return {
    run,
    parent,
    ctes,
    sources: [],
    quals: [],
    clause: 'select',
    collected: [],
    met: { parameter: false, query: false, unknown: false, aggregate: false },
    aggregated: false,
    windowed: false,
    volatile: false,
    correlated: false,
    merged: false,
    full: false,
    multiplied: false,
    calls: [],
  }
}
