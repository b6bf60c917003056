/** What the service does, as the wire asks for it: the seam between handlers and verbs. */
import type { components } from '../contract/openapi.d.ts'
import type { decide } from '../decide.ts'
import type { explain } from '../explain.ts'
import type { BundleRow } from '../policy/bundle.ts'
import type { IdempotencyClaim, Ports, Principal } from '../ports.ts'
import type { readEvidence, searchEvidence } from '../search-evidence.ts'

export interface BundleQuestion {
  readonly principal: Principal
  /** JSON of files, or the bytes of an OPA bundle tarball. */
  readonly posted: components['schemas']['BundleRequest'] | Buffer
  readonly claim: IdempotencyClaim | null
  /** How long the caller waits for the final state; 0: not at all. */
  readonly waitSeconds: number
}

export interface Verbs {
  readonly decide: typeof decide
  readonly explain: typeof explain
  readonly searchEvidence: typeof searchEvidence
  readonly readEvidence: typeof readEvidence
  readonly admitBundle: (ports: Ports, question: BundleQuestion) => Promise<BundleRow>
}
