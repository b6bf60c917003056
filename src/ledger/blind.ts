/**
 * Blind indexes: whoever has a quarter's key can find all leaves of an actor or target in it, and
 * show that none is missing; nobody else can guess who they are about.
 */
import { createHmac, hkdfSync } from 'node:crypto'
import { canonicalJson } from '../action/canonical.ts'

/** Year and quarter of an instant in UTC, as in `2026Q4`. */
export function quarterOf(instant: Date): string {
  return `${instant.getUTCFullYear()}Q${Math.floor(instant.getUTCMonth() / 3) + 1}`
}

/** HKDF-SHA-256 of the audit key, no salt, info `countersign/blind-key/v1\n ‖ tenant ‖ "\n" ‖ quarter`, 32 bytes. */
export function quarterKey(auditKey: Uint8Array, tenant: string, quarter: string): Uint8Array {
  return derivedKey(auditKey, `countersign/blind-key/v1\n${tenant}\n${quarter}`)
}

/** A key for one purpose out of a file's key: HKDF-SHA-256 without salt, 32 bytes. */
export function derivedKey(key: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), info, 32))
}

/** base64url of `HMAC-SHA-256(key, "countersign/blind/v1\n" ‖ role ‖ "\n" ‖ JCS(value))`. */
export function blindIndex(key: Uint8Array, role: 'actor' | 'target', value: string): string {
  return createHmac('sha256', key)
    .update(`countersign/blind/v1\n${role}\n${canonicalJson(value)}`)
    .digest('base64url')
}
