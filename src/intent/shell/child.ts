/** What another language found inside a shell command, taken over. */
import type { Fragment } from '../analysis.ts'
import type { Effect } from '../intent.ts'
import type { Frame } from './work.ts'

/** Takes over the effects and reasons of a child; `change` may make its effects less sure. */
export function merge(
  frame: Frame,
  found: Fragment,
  change: (effect: Effect) => Effect = (effect) => effect,
): void {
  const { work } = frame
  const changed = new Map<Effect, Effect>()
  for (const effect of found.effects) {
    const mine = change({
      ...effect,
      deferred: effect.deferred || frame.deferred,
      span: frame.span === null ? null : [...frame.span],
    })
    changed.set(effect, mine)
    work.effects.push(mine)
  }
  for (const one of found.unseen)
    work.unseen.push({ ...one, effect: one.effect === null ? null : (changed.get(one.effect) ?? null) })
  for (const language of found.languages) work.languages.add(language)
}
