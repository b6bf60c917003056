/** The canonical texts of an action, each made once: the whole for the receipt, its parts for policy and payload. */
import { canonicalJson, canonicalObject } from './canonical.ts'
import type { CanonicalJson } from './canonical.ts'
import type { Action } from './action.ts'

/** RFC 8785 texts of an action and of its members, exactly as they were asked. */
export interface ActionTexts {
  readonly action: CanonicalJson
  readonly command: CanonicalJson
  /** Null when the action has none. */
  readonly context: CanonicalJson | null
  /** The facts of the request; null when it has none. */
  readonly facts: CanonicalJson | null
}

/** Serialises an action once, member by member. */
export function actionTexts(action: Action): ActionTexts {
  const command = canonicalJson(action.command)
  const context = action.context === undefined ? null : canonicalJson(action.context)
  const facts = action.target.facts === undefined ? null : canonicalJson(action.target.facts)
  const whole = canonicalObject([
    ['actor', canonicalJson(action.actor)],
    ['command', command],
    ['context', context],
    ['target', targetText(action.target, facts)],
  ])
  return { action: whole, command, context, facts }
}

function targetText(target: Action['target'], facts: CanonicalJson | null): CanonicalJson {
  if (facts === null) return canonicalJson(target)
  const members = Object.entries(target)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return canonicalObject(
    members.map(([name, value]) => [name, name === 'facts' ? facts : canonicalJson(value)] as const),
  )
}
