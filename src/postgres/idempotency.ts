/** Idempotency keys: claimed in the commit, kept as HMACs, so that a row that somebody inserts says nothing. */
import { createHmac } from 'node:crypto'
import type { Pool } from 'pg'
import { canonicalJson } from '../action/canonical.ts'
import { derivedKey } from '../ledger/blind.ts'
import type { IdempotencyClaim } from '../ports.ts'
import { unavailable } from './client.ts'

/** HMACs of a claim and of the body it came with. */
export interface ClaimDigests {
  readonly claim: Buffer
  readonly body: Buffer
  /** The claim in hexadecimal. */
  readonly name: string
}

/** Who holds a claim. */
export interface ClaimHolder {
  readonly ids: readonly string[]
  /** Whether it was claimed with the same body. */
  readonly matches: boolean
}

/** A function that makes claims' digests under a key derived from the audit key. */
export function claimDigester(auditKey: Uint8Array): (claim: IdempotencyClaim) => ClaimDigests {
  const key = derivedKey(auditKey, 'countersign/idempotency/v1')
  return ({ issuer, subject, operation, key: name, body }) => {
    const claim = createHmac('sha256', key)
      .update(`countersign/claim/v1\n${canonicalJson([issuer, subject, operation, name])}`)
      .digest()
    const bodyDigest = createHmac('sha256', key).update(`countersign/body/v1\n${body}`).digest()
    return { claim, body: bodyDigest, name: claim.toString('hex') }
  }
}

/** Who holds a claim in the database, if anybody. Rejects with `ledger.unavailable`. */
export async function findHolder(
  pool: Pool,
  logId: string,
  digests: ClaimDigests,
): Promise<ClaimHolder | null> {
  try {
    const { rows } = await pool.query<{ body: Buffer; ids: string[] }>({
      name: 'find_claim',
      text: 'SELECT body, ids::text[] AS ids FROM ledger_idempotency WHERE log_id = $1 AND claim = $2',
      values: [logId, digests.claim],
    })
    const [row] = rows
    return row === undefined ? null : { ids: row.ids, matches: row.body.equals(digests.body) }
  } catch (cause) {
    throw unavailable(cause)
  }
}
