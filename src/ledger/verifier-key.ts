/** A log's verifier key as others configure it (c2sp.org/signed-note). */
import { hash } from 'node:crypto'

const ED25519 = 1

/** `name+hash+key`: the hash is eight hexadecimal digits, the key base64 of `0x01 ‖ public key`. */
export function verifierKey(origin: string, publicKey: Uint8Array): string {
  const key = Buffer.concat([Buffer.of(ED25519), publicKey])
  const id = hash('sha256', Buffer.concat([Buffer.from(`${origin}\n`), key]), 'hex').slice(0, 8)
  return `${origin}+${id}+${key.toString('base64')}`
}
