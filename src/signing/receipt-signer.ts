/** The receipt key: signs receipts and certificates with the platform's own Ed25519. */
import { createPublicKey, hash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { ReceiptSigner } from '../ledger/keys.ts'

/** A signer for a private Ed25519 key. */
export function createReceiptSigner(key: KeyObject): ReceiptSigner {
  const x = publicCoordinate(key)
  return {
    kid: thumbprint(x),
    publicKey: Buffer.from(x, 'base64url'),
    sign: (bytes) => sign(null, bytes, key),
  }
}

/** base64url of a key's 32 public bytes. */
function publicCoordinate(key: KeyObject): string {
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  if (typeof x !== 'string') throw new TypeError('not an Ed25519 key')
  return x
}

/** RFC 7638 section 3, for the members of RFC 8037 section 2. */
function thumbprint(x: string): string {
  return hash('sha256', `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`, 'base64url')
}
