/** What is said of a command that could not be seen into: one `unknown` effect and its code. Never nothing. */
import type { Fragment } from './analysis.ts'
import { effect } from './intent.ts'
import type { Effect, OpaqueCode } from './intent.ts'

/** The effect of something unseen on a system. */
export function unknownEffect(system: string, why: string): Effect {
  return effect({
    action: 'unknown',
    scope: 'unknown',
    why,
    confidence: 'opaque',
    resource: { system, type: 'query', name: '*unknown*' },
  })
}

interface Unread {
  readonly system: string
  readonly code: OpaqueCode
  readonly detail: string
  /** True: the reason is about the whole command, which nothing can waive; false: about this effect. */
  readonly whole: boolean
}

/** A fragment of one unknown effect. Malformed (`parse.ok` false) only where the text itself is at fault. */
export function opaqueFragment(unread: Unread): Fragment {
  const { code, detail } = unread
  const unseen = unknownEffect(unread.system, code)
  const malformed = code === 'parse_error' || code === 'malformed_bytes'
  return {
    effects: [unseen],
    unseen: [{ code, via: [], effect: unread.whole ? null : unseen, detail }],
    lineage: null,
    secrets: [],
    parse: { ok: !malformed, parser: 'none', statements: 0, error: malformed ? detail : null },
    languages: [],
    dryRun: false,
  }
}
