/** Salted digests of canonical text, each under a domain of its own, so that none passes for another. */
import { hash } from 'node:crypto'

/** Bytes of every salt. */
export const SALT_BYTES = 32

/** Kept between calls: allocating per digest costs more than hashing. Larger preimages get a buffer of their own. */
const KEPT_BYTES = 1 << 20
let scratch = Buffer.allocUnsafe(1 << 14)

function room(bytes: number): Buffer {
  if (bytes <= scratch.length) return scratch
  const made = Buffer.allocUnsafe(bytes)
  if (bytes <= KEPT_BYTES) scratch = made
  return made
}

/** base64url of `SHA-256(domain ‖ salt ‖ text)`, the text as UTF-8. `domain` is ASCII and ends in a line feed. */
export function saltedDigest(domain: string, salt: Uint8Array, text: string): string {
  const buffer = room(domain.length + salt.length + text.length * 3)
  let end = buffer.write(domain, 0, 'latin1')
  buffer.set(salt, end)
  end += salt.length
  end += buffer.write(text, end, 'utf8')
  return hash('sha256', buffer.subarray(0, end), 'base64url')
}
