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
import { uuidBytes } from '../ledger/uuid7.ts'
import type { DataKey, DataKeyScope, PayloadKeys, WrappedDataKey } from '../ledger/keys.ts'

const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const POOL_BYTES = IV_BYTES * 512
const VERSION = Buffer.from([1])
const REMEMBERED = 10_000

/** Keys in use of one class: time goes on, so one period at a time is enough. */
interface KeysOfPeriod {
  readonly period: string
  readonly bySubject: Recent<string, DataKey>
}

/** The data keys of one log. `payloadKey`: 32 bytes from a file. */
export function createPayloadKeys(payloadKey: Uint8Array, logId: string): PayloadKeys {
  return new DataKeys(payloadKey, logId)
}

class DataKeys implements PayloadKeys {
  private readonly logId: string
  private readonly wrappingKey: KeyObject
  private readonly subjectKey: Uint8Array
  private readonly stored = new Recent<string, WrappedDataKey>(REMEMBERED)
  private readonly opened = new Recent<string, KeyObject>(REMEMBERED)
  private readonly inUse: Record<DataKeyScope['class'], KeysOfPeriod> = {
    payload: { period: '', bySubject: new Recent(REMEMBERED) },
    secret: { period: '', bySubject: new Recent(REMEMBERED) },
  }

  constructor(payloadKey: Uint8Array, logId: string) {
    this.logId = logId
    this.wrappingKey = createSecretKey(derivedKey(payloadKey, 'countersign/data-key-wrap/v1'))
    this.subjectKey = derivedKey(payloadKey, 'countersign/data-key-subject/v1')
  }

  keyFor(scope: DataKeyScope): DataKey {
    if (this.inUse[scope.class].period !== scope.period) {
      this.inUse[scope.class] = { period: scope.period, bySubject: new Recent(REMEMBERED) }
    }
    const { bySubject } = this.inUse[scope.class]
    const known = bySubject.get(scope.subject)
    if (known !== undefined) return known
    const subject = subjectOf(this.subjectKey, scope.subject)
    const row = this.stored.get(storedName(scope.class, scope.period, subject))
    const key = row === undefined ? this.make(scope, subject) : dataKey(row, this.unwrap(row), true)
    bySubject.set(scope.subject, key)
    return key
  }

  adopt(rows: readonly WrappedDataKey[]): void {
    for (const row of rows) {
      if (row.wrapped !== null) this.stored.set(storedName(row.class, row.period, row.subject), row)
    }
  }

  decrypt(row: WrappedDataKey, ciphertext: Uint8Array, aad: Uint8Array): Buffer {
    return decrypted(this.unwrap(row), ciphertext, aad)
  }

  private make(scope: DataKeyScope, subject: Buffer): DataKey {
    const bytes = randomBytes(KEY_BYTES)
    const named = { id: randomUUID(), class: scope.class, period: scope.period, subject }
    const row = { ...named, wrapped: encrypted(this.wrappingKey, bytes, wrapAad(this.logId, named)) }
    return dataKey(row, createSecretKey(bytes), false)
  }

  private unwrap(row: WrappedDataKey): KeyObject {
    const known = this.opened.get(row.id)
    if (known !== undefined) return known
    if (row.wrapped === null) throw new RangeError('the data key was destroyed')
    const key = createSecretKey(decrypted(this.wrappingKey, row.wrapped, wrapAad(this.logId, row)))
    this.opened.set(row.id, key)
    return key
  }
}

function dataKey(row: WrappedDataKey, key: KeyObject, stored: boolean): DataKey {
  const idBytes = uuidBytes(row.id)
  return { row, idBytes, stored, encrypt: (plaintext, aad) => encrypted(key, plaintext, aad) }
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
