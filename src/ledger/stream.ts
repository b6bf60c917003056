/**
 * A stream: the batches of one replica incarnation, chained by digests. Its key is vouched for by the
 * receipt key, and signs the head of the chain. All numbers are big-endian.
 */
import { hash } from 'node:crypto'
import { HASH_BYTES } from './merkle.ts'
import { uuidBytes, uuidText } from './uuid7.ts'

/** What a batch's digest covers. */
export interface BatchLink {
  /** Text of the stream's UUID. */
  readonly stream: string
  /** Dense, from 0. */
  readonly counter: number
  readonly firstSeq: number
  /** Digest of the batch before; 32 zero bytes for the first. */
  readonly previous: Uint8Array
  /** The leaf hashes one after the other, 32 bytes each. */
  readonly leafHashes: Uint8Array
}

/** Digest before the first batch of a stream. */
export const NO_BATCH: Uint8Array = new Uint8Array(HASH_BYTES)

/** What the receipt key signs to vouch for a stream's key: `countersign/stream/v1\n ‖ origin ‖ stream ‖ public key`. */
export function certificateBytes(origin: string, stream: string, publicKey: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`countersign/stream/v1\n${origin}${stream}`), publicKey])
}

/**
 * `SHA-256("countersign/batch/v1\n" ‖ stream ‖ counter ‖ first sequence ‖ n ‖ previous ‖ SHA-256(leaf hashes))`;
 * stream 36 ASCII bytes, counter and first sequence uint64, n uint32.
 */
export function batchDigest(link: BatchLink): Buffer {
  const numbers = Buffer.allocUnsafe(20)
  numbers.writeBigUInt64BE(BigInt(link.counter), 0)
  numbers.writeBigUInt64BE(BigInt(link.firstSeq), 8)
  numbers.writeUInt32BE(link.leafHashes.length / HASH_BYTES, 16)
  const leaves = hash('sha256', link.leafHashes, 'buffer')
  const head = Buffer.from(`countersign/batch/v1\n${link.stream}`, 'latin1')
  return hash('sha256', Buffer.concat([head, numbers, link.previous, leaves]), 'buffer')
}

/** A batch's id: the first sixteen bytes of its digest as a UUIDv8, so the same batch has the same id wherever it is sent. */
export function batchId(digest: Uint8Array): string {
  const id = Buffer.from(digest.subarray(0, 16))
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x80
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80
  return uuidText(id)
}

/** What a stream's key signs: `countersign/head/v1\n ‖ origin ‖ stream (16 bytes) ‖ counter (uint64) ‖ digest`. */
export function headBytes(origin: string, stream: string, counter: number, digest: Uint8Array): Buffer {
  const number = Buffer.allocUnsafe(8)
  number.writeBigUInt64BE(BigInt(counter))
  return Buffer.concat([Buffer.from(`countersign/head/v1\n${origin}`), uuidBytes(stream), number, digest])
}
