/** Reading a record back: what is opened is first shown to be what the leaf commits to. */
import type { Pool } from 'pg'
import { parseLeaf } from '../ledger/entry.ts'
import type { Commitments, Leaf } from '../ledger/entry.ts'
import type { PayloadKeys } from '../ledger/keys.ts'
import { HASH_BYTES, leafHash } from '../ledger/merkle.ts'
import { openPayload, payloadAad } from '../ledger/payload.ts'
import type { OpenedPayload } from '../ledger/payload.ts'

/** A record whose leaf is the one its batch commits to. */
export interface OpenedRecord {
  readonly id: string
  readonly leaf: Leaf
  readonly leafBytes: Buffer
  readonly leafHash: Buffer
  /** Null when the payload or its key was erased. */
  readonly payload: OpenedPayload | null
}

interface Row {
  readonly id: string
  readonly leaf: Buffer
  readonly slot: Buffer | null
  readonly body: Buffer | null
  readonly key_id: string | null
  readonly class: string | null
  readonly period: string | null
  readonly subject: Buffer | null
  readonly wrapped: Buffer | null
}

const READ = {
  name: 'read_records',
  text: `SELECT e.id, e.leaf, substring(b.leaf_hashes FROM e.pos * ${HASH_BYTES} + 1 FOR ${HASH_BYTES}) AS slot,
      p.body, p.key_id, k.class, to_char(k.period, 'YYYY-MM-DD') AS period, k.subject, k.wrapped
    FROM ledger_entry e
    LEFT JOIN ledger_batch b ON b.log_id = e.log_id AND b.batch_id = e.batch_id
    LEFT JOIN ledger_payload p ON p.log_id = e.log_id AND p.id = e.id
    LEFT JOIN ledger_data_key k ON k.log_id = p.log_id AND k.key_id = p.key_id
    WHERE e.log_id = $1 AND e.id = ANY ($2::uuid[])`,
}

/** Opens the records of a log. */
export interface RecordReader {
  readonly pool: Pool
  readonly logId: string
  readonly origin: string
  readonly keys: PayloadKeys
}

/**
 * The records of these ids, by id; an id without a row is missing. A record that does not match its
 * leaf is an Error in its place: it is never answered.
 */
export async function openRecords(
  reader: RecordReader,
  ids: readonly string[],
): Promise<ReadonlyMap<string, OpenedRecord | Error>> {
  if (ids.length === 0) return new Map()
  const { rows } = await reader.pool.query<Row>({ ...READ, values: [reader.logId, ids] })
  return new Map(rows.map((row) => [row.id, openRow(reader, row)]))
}

function openRow(reader: RecordReader, row: Row): OpenedRecord | Error {
  try {
    const hash = leafHash(row.leaf)
    if (row.slot === null || !hash.equals(row.slot))
      throw new RangeError('the leaf is not the one in its batch')
    const leaf = parseLeaf(row.leaf)
    if (leaf.id !== row.id || leaf.origin !== reader.origin)
      throw new RangeError('the leaf is of another record')
    const payload = decryptRow(reader, row, hash)
    if (payload !== null) checkCommitments(leaf.commitments, payload)
    return { id: row.id, leaf, leafBytes: row.leaf, leafHash: hash, payload }
  } catch (cause) {
    return new Error(`record ${row.id} does not match its leaf`, { cause })
  }
}

function decryptRow(reader: RecordReader, row: Row, hash: Buffer): OpenedPayload | null {
  const { body, key_id: id, class: cls, period, subject, wrapped } = row
  if (body === null || id === null || wrapped === null) return null
  if (cls === null || period === null || subject === null) throw new RangeError('a payload without its key')
  const key = { id, class: cls, period, subject, wrapped }
  return openPayload(reader.keys.decrypt(key, body, payloadAad(reader.logId, hash)))
}

/** Each commitment of the leaf is that of an opened part, and the other way round; `secret` stays closed. */
function checkCommitments(commitments: Commitments, payload: OpenedPayload): void {
  const roles = Object.keys(commitments).filter((role) => role !== 'secret')
  const matching = roles.filter(
    (role) => payload.parts.get(role)?.commitment === commitments[role as keyof Commitments],
  )
  if (matching.length !== roles.length || payload.parts.size !== roles.length) {
    throw new RangeError('the payload is not what the leaf commits to')
  }
}
