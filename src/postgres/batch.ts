/** A batch: units that become durable in one transaction, and the parameters of `ledger_flush`. */
import { PdpError } from '../errors.ts'
import type { WrappedDataKey } from '../ledger/keys.ts'
import type { SealedRecord } from '../ledger/record.ts'
import { batchDigest, batchId } from '../ledger/stream.ts'
import { uuidBytes } from '../ledger/uuid7.ts'
import type { LedgerUnit } from '../ports.ts'
import { byteaArray, intArray, textArray, uuidArray } from './arrays.ts'
import type { ClaimDigests } from './idempotency.ts'
import type { SealedEntry } from './sealer.ts'

/** A unit on its way: sealed when it enters a batch, answered once. */
export interface PendingUnit {
  readonly unit: LedgerUnit
  readonly claim: ClaimDigests | null
  readonly bytes: number
  /** When it came, by `performance.now()`. */
  readonly since: number
  entries: readonly SealedEntry[]
  /** Null after it was answered: what becomes of its records is nobody's concern any more. */
  answer: ((outcome: UnitOutcome) => void) | null
}

/** What became of a unit. */
export type UnitOutcome =
  | { readonly status: 'committed'; readonly sealed: readonly SealedRecord[] }
  /** Somebody else's unit holds the claim. `body` is the HMAC of theirs. */
  | { readonly status: 'claimed'; readonly ids: readonly string[]; readonly body: Buffer }
  | { readonly status: 'failed'; readonly error: PdpError }

/** Where a stream's chain ends. */
export interface ChainEnd {
  readonly counter: number
  readonly digest: Uint8Array
}

/** A batch that can be sent, any number of times: the same bytes under the same id. */
export interface Batch {
  readonly units: readonly PendingUnit[]
  readonly records: number
  readonly firstSeq: number
  readonly counter: number
  readonly digest: Buffer
  readonly id: string
  readonly parameters: readonly unknown[]
  /** Whether an attempt may have been committed without our knowing. */
  uncertain: boolean
}

/** Builds the batch after `previous`. */
export function makeBatch(
  log: { readonly logId: string; readonly stream: string },
  previous: ChainEnd,
  units: readonly PendingUnit[],
): Batch {
  const entries = units.flatMap((unit) => unit.entries)
  const [first] = entries
  if (first === undefined) throw new PdpError('internal', 'a batch has at least one record')
  const leafHashes = Buffer.concat(entries.map((entry) => entry.leafHash))
  const counter = previous.counter + 1
  const firstSeq = first.sealed.seq
  const digest = batchDigest({ stream: log.stream, counter, firstSeq, previous: previous.digest, leafHashes })
  const id = batchId(digest)
  const head = [log.logId, id, log.stream, counter, firstSeq, entries.length, digest, leafHashes]
  return {
    units,
    records: entries.length,
    firstSeq,
    counter,
    digest,
    id,
    parameters: [...head, ...entryColumns(entries), ...keyColumns(entries), ...claimColumns(units)],
    uncertain: false,
  }
}

function entryColumns(entries: readonly SealedEntry[]): unknown[] {
  const secrets = entries.some((entry) => entry.secret !== null)
  const terms = entries.flatMap((entry) => entry.terms)
  const [from, to] = ranges(entries.map((entry) => entry.terms.length))
  return [
    uuidArray(entries.map((entry) => entry.idBytes)),
    byteaArray(entries.map((entry) => entry.leaf)),
    uuidArray(entries.map((entry) => entry.key.idBytes)),
    byteaArray(entries.map((entry) => entry.body)),
    secrets ? uuidArray(entries.map((entry) => entry.secretKey?.idBytes ?? null)) : null,
    secrets ? byteaArray(entries.map((entry) => entry.secret)) : null,
    textArray(entries.map((entry) => entry.record.search.actor)),
    textArray(entries.map((entry) => entry.record.search.text)),
    intArray(terms),
    from,
    to,
  ]
}

/** Rows of the data keys that are not durable yet: they commit with the first payload that needs them, or before. */
function keyColumns(entries: readonly SealedEntry[]): unknown[] {
  const fresh = new Map<string, WrappedDataKey>()
  for (const { key, secretKey } of entries) {
    if (!key.stored) fresh.set(key.row.id, key.row)
    if (secretKey !== null && !secretKey.stored) fresh.set(secretKey.row.id, secretKey.row)
  }
  if (fresh.size === 0) return [null, null, null, null, null]
  const rows = [...fresh.values()]
  return [
    uuidArray(rows.map((row) => uuidBytes(row.id))),
    textArray(rows.map((row) => row.class)),
    textArray(rows.map((row) => row.period)),
    byteaArray(rows.map((row) => row.subject)),
    byteaArray(rows.map((row) => row.wrapped)),
  ]
}

/** Claims sorted by their bytes, or two replicas wait for each other; each with the positions of its unit's ids. */
function claimColumns(units: readonly PendingUnit[]): unknown[] {
  const claims: { digests: ClaimDigests; first: number; last: number }[] = []
  let at = 1
  for (const { claim, entries } of units) {
    if (claim !== null) claims.push({ digests: claim, first: at, last: at + entries.length - 1 })
    at += entries.length
  }
  if (claims.length === 0) return [null, null, null, null]
  claims.sort((a, b) => Buffer.compare(a.digests.claim, b.digests.claim))
  return [
    byteaArray(claims.map(({ digests }) => digests.claim)),
    byteaArray(claims.map(({ digests }) => digests.body)),
    intArray(claims.map(({ first }) => first)),
    intArray(claims.map(({ last }) => last)),
  ]
}

/** First and last position of each run, from 1, in one list of all members. */
function ranges(lengths: readonly number[]): [Buffer, Buffer] {
  const from: number[] = []
  const to: number[] = []
  let at = 0
  for (const length of lengths) {
    from.push(at + 1)
    at += length
    to.push(at)
  }
  return [intArray(from), intArray(to)]
}
