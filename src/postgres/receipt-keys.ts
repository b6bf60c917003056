/** Receipt keys: certified under the audit key, announced by a leaf, served as a JWK set. */
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Pool } from 'pg'
import { canonicalJson } from '../action/canonical.ts'
import { derivedKey } from '../ledger/blind.ts'
import type { ReceiptSigner } from '../ledger/keys.ts'
import { parseReceipt } from '../ledger/receipt.ts'
import type { ReceiptClaims } from '../ledger/receipt.ts'
import type { PublicKeys } from '../ports.ts'

/** Where certified keys are. */
export interface KeyRegistry {
  readonly pool: Pool
  readonly logId: string
  /** 32 bytes from a file. */
  readonly auditKey: Uint8Array
  readonly signer: ReceiptSigner
}

interface KeyRow {
  readonly kid: string
  readonly public_key: Buffer
  readonly certificate: Buffer
}

const REFRESH_MS = 60_000

/** HMAC under the audit key over what a key row says: a row that the database's owner inserts has none. */
export function keyCertificate(
  auditKey: Uint8Array,
  key: { readonly logId: string; readonly kid: string; readonly publicKey: Uint8Array },
): Buffer {
  const named = [key.logId, key.kid, 'receipt', Buffer.from(key.publicKey).toString('base64url')]
  return createHmac('sha256', derivedKey(auditKey, 'countersign/key-row/v1'))
    .update(`countersign/key/v1\n${canonicalJson(named)}`)
    .digest()
}

/** The certified receipt keys of a log: kid to raw public key. Always with our own. */
export async function certifiedKeys(registry: KeyRegistry): Promise<ReadonlyMap<string, Uint8Array>> {
  const { pool, logId, auditKey, signer } = registry
  const { rows } = await pool.query<KeyRow>(
    "SELECT kid, public_key, certificate FROM ledger_key WHERE log_id = $1 AND use = 'receipt'",
    [logId],
  )
  const keys = new Map<string, Uint8Array>([[signer.kid, signer.publicKey]])
  for (const row of rows) {
    const expected = keyCertificate(auditKey, { logId, kid: row.kid, publicKey: row.public_key })
    const certified = row.certificate.length === expected.length && timingSafeEqual(row.certificate, expected)
    if (certified) keys.set(row.kid, row.public_key)
  }
  return keys
}

/** The public keys as the service shows them. Stays with what it knew while the database is away. */
export function createPublicKeys(registry: KeyRegistry, origin: string, logVerifierKey: string): PublicKeys {
  let known: ReadonlyMap<string, Uint8Array> = new Map([[registry.signer.kid, registry.signer.publicKey]])
  let readAt = -Infinity
  return {
    origin,
    logVerifierKey,
    async jwks() {
      if (performance.now() - readAt > REFRESH_MS) {
        readAt = performance.now()
        known = await certifiedKeys(registry).catch(() => known)
      }
      return { keys: [...known].map(([kid, key]) => jwk(kid, key)) }
    },
  }
}

/** Claims of a receipt that verifies under a certified key. Throws RangeError or SyntaxError. */
export function verifiedReceipt(jws: string, keys: ReadonlyMap<string, Uint8Array>): ReceiptClaims {
  const { kid, claims, signingInput, signature } = parseReceipt(jws)
  const key = keys.get(kid)
  if (key === undefined || !verify(null, signingInput, keyObject(key), signature)) {
    throw new RangeError('the receipt does not verify')
  }
  return claims
}

function keyObject(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
}

function jwk(kid: string, publicKey: Uint8Array): Readonly<Record<string, string>> {
  const x = Buffer.from(publicKey).toString('base64url')
  return { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' }
}
