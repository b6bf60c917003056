/** What the ledger asks of its keys. The keys themselves are files; `signing/` holds them. */

/** Signs receipts, and vouches for streams and keys. */
export interface ReceiptSigner {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Ed25519 signature (RFC 8032), 64 bytes. */
  sign(bytes: Uint8Array): Buffer
}

/** What a data key is for. Destroying all keys of a class and period, or of a subject, erases what they encrypt. */
export interface DataKeyScope {
  /** `payload`, or `secret` for the strings that were cut out of commands. */
  readonly class: 'payload' | 'secret'
  /** First day: of the month for payloads, the day itself for secrets; `2026-11-01`. */
  readonly period: string
  /** The actor whose records it encrypts; empty for records without one. */
  readonly subject: string
}

/** A data key as it is stored: itself encrypted under the key from a file. */
export interface WrappedDataKey {
  /** UUID. */
  readonly id: string
  readonly class: string
  readonly period: string
  /** HMAC of the subject. */
  readonly subject: Uint8Array
  /** Null once it was destroyed. */
  readonly wrapped: Uint8Array | null
}

/** A data key in use. */
export interface DataKey {
  readonly row: WrappedDataKey
  /** The sixteen bytes of the row's id. */
  readonly idBytes: Uint8Array
  /** Whether the row is durable; as long as it is not, it goes with every batch that uses it. */
  stored: boolean
  /** `0x01 ‖ iv (12 bytes) ‖ AES-256-GCM ciphertext ‖ tag (16 bytes)`. */
  encrypt(plaintext: Uint8Array, aad: Uint8Array): Buffer
}

/** The data keys of a log. */
export interface PayloadKeys {
  /** The key for new payloads of a scope; made when there is none. */
  keyFor(scope: DataKeyScope): DataKey
  /** Takes over stored keys, so that a restart does not make new ones for the same subjects. */
  adopt(rows: readonly WrappedDataKey[]): void
  /** Decrypts. Throws RangeError when the key was destroyed or the bytes are not authentic. */
  decrypt(key: WrappedDataKey, ciphertext: Uint8Array, aad: Uint8Array): Buffer
}
