import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { createPayloadKeys } from '../../src/signing/data-keys.ts'

const fileKey = randomBytes(32)
const scope = { class: 'payload', period: '2026-11-01', subject: 'agent:a' } as const
const aad = Buffer.from('log and leaf')

test('another process with the same file key opens what was encrypted', () => {
  const key = createPayloadKeys(fileKey, '7').keyFor(scope)
  const reader = createPayloadKeys(fileKey, '7')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), (plaintext) => {
      const opened = reader.decrypt(key.row, key.encrypt(plaintext, aad), aad)
      expect(opened.equals(plaintext)).toBe(true)
    }),
  )
})

test('no byte of a ciphertext, its binding or its key row can be changed', () => {
  const keys = createPayloadKeys(fileKey, '7')
  const key = keys.keyFor(scope)
  const { row } = key
  const sealed = key.encrypt(Buffer.from('plain'), aad)
  const fresh = (): ReturnType<typeof createPayloadKeys> => createPayloadKeys(fileKey, '7')
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => keys.decrypt(row, changed, aad)).toThrow(RangeError)
  }
  expect(() => keys.decrypt(row, sealed, Buffer.from('another leaf'))).toThrow(RangeError)
  expect(() => fresh().decrypt({ ...row, period: '2026-12-01' }, sealed, aad)).toThrow(RangeError)
  expect(() => fresh().decrypt({ ...row, subject: Buffer.from('b') }, sealed, aad)).toThrow(RangeError)
  expect(() => createPayloadKeys(fileKey, '8').decrypt(row, sealed, aad)).toThrow(RangeError)
  expect(() => createPayloadKeys(randomBytes(32), '7').decrypt(row, sealed, aad)).toThrow(RangeError)
})

test('each class, period and subject has a key of its own, and keeps it', () => {
  const keys = createPayloadKeys(fileKey, '7')
  expect(keys.keyFor(scope)).toBe(keys.keyFor(scope))
  const ids = [
    keys.keyFor(scope),
    keys.keyFor({ ...scope, subject: 'agent:b' }),
    keys.keyFor({ ...scope, period: '2026-12-01' }),
    keys.keyFor({ ...scope, class: 'secret' }),
  ].map(({ row }) => row.id)
  expect(new Set(ids).size).toBe(4)
})

test('a restart goes on with the stored key, and does not name the subject in its row', () => {
  const { row } = createPayloadKeys(fileKey, '7').keyFor(scope)
  const later = createPayloadKeys(fileKey, '7')
  later.adopt([row])
  const key = later.keyFor(scope)
  expect(key.row.id).toBe(row.id)
  expect(key.stored).toBe(true)
  expect(Buffer.from(row.subject).toString('latin1')).not.toContain('agent:a')
})

test('a destroyed key opens nothing', () => {
  const key = createPayloadKeys(fileKey, '7').keyFor(scope)
  const sealed = key.encrypt(Buffer.from('plain'), aad)
  const reader = createPayloadKeys(fileKey, '7')
  expect(() => reader.decrypt({ ...key.row, wrapped: null }, sealed, aad)).toThrow(RangeError)
})
