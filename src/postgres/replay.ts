/** Replays decisions: rebuilt from leaf and payload after hash, commitments and receipt verified. */
import { PdpError } from '../errors.ts'
import type { OpenedPayload } from '../ledger/payload.ts'
import type { ReplayedRecord } from '../ports.ts'
import { unavailable } from './client.ts'
import { openRecords } from './open-record.ts'
import type { OpenedRecord, RecordReader } from './open-record.ts'
import { certifiedKeys, verifiedReceipt } from './receipt-keys.ts'
import type { KeyRegistry } from './receipt-keys.ts'

/**
 * The decisions of these ids, in this order. Throws `internal` when one is missing or does not verify
 * (a row of claims that names it conjures nothing), `decision.expired` when its payload was erased.
 */
export async function replayRecords(
  reader: RecordReader,
  registry: KeyRegistry,
  ids: readonly string[],
): Promise<readonly ReplayedRecord[]> {
  try {
    const [records, keys] = await Promise.all([openRecords(reader, ids), certifiedKeys(registry)])
    return ids.map((id) => replayed(records.get(id), keys))
  } catch (cause) {
    throw unavailable(cause)
  }
}

function replayed(
  record: OpenedRecord | Error | undefined,
  keys: ReadonlyMap<string, Uint8Array>,
): ReplayedRecord {
  if (record === undefined || record instanceof Error) {
    throw new PdpError('internal', 'a claimed decision does not verify', { cause: record })
  }
  if (record.payload === null)
    throw new PdpError('decision.expired', 'the payload of the decision was erased')
  try {
    return rebuilt(record, record.payload, keys)
  } catch (cause) {
    throw new PdpError('internal', 'a claimed decision does not verify', { cause })
  }
}

function rebuilt(
  { id, leaf, leafHash }: OpenedRecord,
  { parts, receipt }: OpenedPayload,
  keys: ReadonlyMap<string, Uint8Array>,
): ReplayedRecord {
  if (receipt === null || leaf.policy === undefined) throw new RangeError('not a decision')
  const claims = verifiedReceipt(receipt.jws, keys)
  const binds =
    claims.jti === id && claims.leaf === leafHash.toString('base64url') && claims.verdict === leaf.verdict
  if (!binds) throw new RangeError('the receipt is of another record')
  return {
    id,
    time: new Date(leaf.time),
    expiresAt: new Date(claims.exp * 1000),
    policy: leaf.policy,
    receipt: receipt.jws,
    receiptSalt: receipt.salt.toString('base64url'),
    input: object(parts.get('input')?.text),
    output: object(parts.get('output')?.text),
  }
}

function object(text: string | undefined): Readonly<Record<string, unknown>> {
  return JSON.parse(text ?? '{}') as Record<string, unknown>
}
