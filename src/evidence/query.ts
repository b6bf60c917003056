/** What may be asked of the evidence, and the shape of what comes back. */
import type { components, operations } from '../contract/openapi.d.ts'

type Schemas = components['schemas']

export type EvidenceItem = Schemas['EvidenceItem']
export type EvidencePage = Schemas['EvidencePage']
export type EvidenceRecord = Schemas['EvidenceRecord']

/** The contract's query parameters, all optional. */
export type EvidenceParameters = NonNullable<operations['searchEvidence']['parameters']['query']>

/** The filters of the contract, with the defaults filled in, and who reads. */
export interface EvidenceQuery {
  readonly filters: Omit<EvidenceParameters, 'from' | 'to' | 'q' | 'order' | 'limit' | 'cursor' | 'proof'>
  readonly from: Date | null
  readonly to: Date | null
  readonly q: string | null
  readonly order: 'asc' | 'desc'
  readonly limit: number
  readonly cursor: string | null
  /** Actor patterns of the reader's token that narrow what may be read; null: all. */
  readonly readers: readonly string[] | null
  /** Fairness: whose share of the evidence pool is used. */
  readonly callerKey: string
}
