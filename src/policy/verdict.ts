/** What policy says. */
import type { components } from '../contract/openapi.d.ts'

type Schemas = components['schemas']

export type VerdictKind = Schemas['VerdictKind']
export type Reason = Schemas['Reason']
export type Mask = Schemas['Mask']
export type Obligation = Schemas['Obligation']
/** Which bundle judged: its name, revision and digest. */
export type PolicyRef = Schemas['PolicyRef']

/** Allow, deny or mask, with the reasons. Sorted, so that the same question gives the same bytes. */
export interface Verdict {
  readonly verdict: VerdictKind
  readonly reasons: readonly Reason[]
  readonly masks: readonly Mask[]
  readonly obligations: readonly Obligation[]
}

/** What came out of the evaluator: whatever the policy said, or why it said nothing. */
export type RawVerdict =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly rule: 'policy.fault' | 'policy.timeout'; readonly detail: string }
