/**
 * Data keys: each encrypts the payloads of one class, period and subject, and is itself stored
 * encrypted under the payload key, which is a file. Destroying the stored key erases the payloads.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  randomUUID,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { derivedKey } from '../ledger/blind.ts'
import { Recent } from '../ledger/recent.ts'
import type { DataKey, DataKeyScope, PayloadKeys, WrappedDataKey } from '../ledger/keys.ts'

const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const POOL_BYTES = IV_BYTES * 512
const VERSION = Buffer.from([1])
const REMEMBERED = 10_000

/** The data keys of one log. `payloadKey`: 32 bytes from a file. */
export function createPayloadKeys(payloadKey: Uint8Array, logId: string): PayloadKeys {
  const wrappingKey = createSecretKey(derivedKey(payloadKey, 'countersign/data-key-wrap/v1'))
  const subjectKey = derivedKey(payloadKey, 'countersign/data-key-subject/v1')
  const inUse = new Recent<string, DataKey>(REMEMBERED)
  const stored = new Recent<string, WrappedDataKey>(REMEMBERED)
  const opened = new Recent<string, KeyObject>(REMEMBERED)

  const unwrap = (row: WrappedDataKey): KeyObject => {
    const known = opened.get(row.id)
    if (known !== undefined) return known
    if (row.wrapped === null) throw new RangeError('the data key was destroyed')
    const key = createSecretKey(decrypted(wrappingKey, row.wrapped, wrapAad(logId, row)))
    opened.set(row.id, key)
    return key
  }

  const make = (scope: DataKeyScope, subject: Buffer): DataKey => {
    const bytes = randomBytes(KEY_BYTES)
    const named = { id: randomUUID(), class: scope.class, period: scope.period, subject }
    const row = { ...named, wrapped: encrypted(wrappingKey, bytes, wrapAad(logId, named)) }
    return dataKey(row, createSecretKey(bytes), false)
  }

  return {
    keyFor(scope) {
      const name = `${scope.class}\n${scope.period}\n${scope.subject}`
      const known = inUse.get(name)
      if (known !== undefined) return known
      const subject = subjectOf(subjectKey, scope.subject)
      const row = stored.get(storedName(scope.class, scope.period, subject))
      const key = row === undefined ? make(scope, subject) : dataKey(row, unwrap(row), true)
      inUse.set(name, key)
      return key
    },
    adopt(rows) {
      for (const row of rows) {
        if (row.wrapped !== null) stored.set(storedName(row.class, row.period, row.subject), row)
      }
    },
    decrypt: (row, ciphertext, aad) => decrypted(unwrap(row), ciphertext, aad),
  }
}

function dataKey(row: WrappedDataKey, key: KeyObject, stored: boolean): DataKey {
  return { row, stored, encrypt: (plaintext, aad) => encrypted(key, plaintext, aad) }
}

function subjectOf(key: Uint8Array, subject: string): Buffer {
  if (subject === '') return Buffer.alloc(0)
  return createHmac('sha256', key).update(subject).digest()
}

function storedName(cls: string, period: string, subject: Uint8Array): string {
  return `${cls}\n${period}\n${Buffer.from(subject).toString('base64url')}`
}

/** Binds a wrapped key to its row: a row that was moved or renamed does not open. */
function wrapAad(logId: string, row: Pick<WrappedDataKey, 'id' | 'class' | 'period' | 'subject'>): Buffer {
  const name = `countersign/data-key/v1\n${logId}\n${row.id}\n${row.class}\n${row.period}\n`
  return Buffer.concat([Buffer.from(name), row.subject])
}

let ivs = Buffer.alloc(0)
let ivAt = 0

/** Random initialisation vectors, drawn many at a time: a system call each costs a quarter of the encryption. */
function nextIv(): Buffer {
  if (ivAt >= ivs.length) {
    ivs = randomBytes(POOL_BYTES)
    ivAt = 0
  }
  ivAt += IV_BYTES
  return ivs.subarray(ivAt - IV_BYTES, ivAt)
}

function encrypted(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const iv = nextIv()
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  const body = cipher.update(plaintext)
  cipher.final()
  return Buffer.concat([VERSION, iv, body, cipher.getAuthTag()], 1 + IV_BYTES + body.length + TAG_BYTES)
}

function decrypted(key: KeyObject, sealed: Uint8Array, aad: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const body = bytes.length - TAG_BYTES
  if (bytes[0] !== VERSION[0] || body < 1 + IV_BYTES) throw new RangeError('not a ciphertext of version 1')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + IV_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(aad)
  decipher.setAuthTag(bytes.subarray(body))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(1 + IV_BYTES, body)), decipher.final()])
  } catch (cause) {
    throw new RangeError('the ciphertext is not authentic', { cause })
  }
}
