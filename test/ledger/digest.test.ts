import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { saltedDigest } from '../../src/ledger/digest.ts'

const salt = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a salted digest is SHA-256 over domain, salt and the text as UTF-8', () => {
  fc.assert(
    fc.property(salt, fc.string({ unit: 'grapheme', maxLength: 2000 }), (bytes, text) => {
      const expected = createHash('sha256').update('countersign/x/v1\n').update(bytes).update(text, 'utf8')
      expect(saltedDigest('countersign/x/v1\n', bytes, text)).toBe(expected.digest('base64url'))
    }),
  )
})

test('a text larger than any kept buffer digests too', () => {
  const text = 'ü'.repeat(700_000)
  const expected = createHash('sha256').update('d\n').update(Buffer.alloc(32)).update(text, 'utf8')
  expect(saltedDigest('d\n', Buffer.alloc(32), text)).toBe(expected.digest('base64url'))
})
