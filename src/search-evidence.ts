/** VERB: an auditor's question -> a page of records, or one whole record. */
import { PdpError } from './errors.ts'
import type { EvidencePage, EvidenceParameters, EvidenceQuery, EvidenceRecord } from './evidence/query.ts'
import { callerKey } from './judge.ts'
import type { Ports, Principal } from './ports.ts'

/** Throws `evidence.invalid_query` for a question that can't be answered, with the parameter at fault. */
export function searchEvidence(
  ports: Ports,
  principal: Principal,
  parameters: EvidenceParameters,
): Promise<EvidencePage> {
  return ports.evidence.search(evidenceQuery(principal, parameters))
}

/** Throws `evidence.not_found` also for a record that this reader may not see. */
export async function readEvidence(ports: Ports, principal: Principal, id: string): Promise<EvidenceRecord> {
  const record = await ports.evidence.read(id, { readers: principal.evidence })
  if (record === undefined) throw new PdpError('evidence.not_found', 'there is no such record')
  return record
}

function evidenceQuery(principal: Principal, parameters: EvidenceParameters): EvidenceQuery {
  // Proofs come with signed trees; until a record is in one, its proof is null whether or not it was asked for.
  const {
    from,
    to,
    q = null,
    order = 'desc',
    limit = 50,
    cursor = null,
    proof: _proof,
    ...filters
  } = parameters
  const range = timeRange(from, to)
  if (q !== null && (range.from === null || range.to === null)) {
    throw invalid('/q', 'needs both from and to: full text is searched within a time range only')
  }
  const readers = principal.evidence
  return { filters, ...range, q, order, limit, cursor, readers, callerKey: callerKey(principal) }
}

function timeRange(from: string | undefined, to: string | undefined): Pick<EvidenceQuery, 'from' | 'to'> {
  const range = {
    from: from === undefined ? null : new Date(from),
    to: to === undefined ? null : new Date(to),
  }
  if (range.from !== null && range.to !== null && range.from >= range.to) {
    throw invalid('/to', 'must be after from')
  }
  return range
}

function invalid(pointer: string, detail: string): PdpError {
  return new PdpError('evidence.invalid_query', 'the question cannot be answered', {
    faults: [{ pointer, detail }],
  })
}
