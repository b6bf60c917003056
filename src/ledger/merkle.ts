/** Hashes of the log's Merkle tree (RFC 6962 section 2.1): a leaf can't be mistaken for an inner node. */
import { hash } from 'node:crypto'

/** Bytes of a SHA-256 digest. */
export const HASH_BYTES = 32

/** `SHA-256(0x00 ‖ leaf)`. */
export function leafHash(leaf: Uint8Array): Buffer {
  const preimage = Buffer.allocUnsafe(leaf.length + 1)
  preimage[0] = 0
  preimage.set(leaf, 1)
  return hash('sha256', preimage, 'buffer')
}
