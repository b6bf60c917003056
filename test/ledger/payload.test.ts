import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { PayloadWriter, openPayload, payloadAad } from '../../src/ledger/payload.ts'

const salt = fc.uint8Array({ minLength: 32, maxLength: 32 })
const text = fc.string({ unit: 'grapheme', maxLength: 5000 })

test('what was written is what is opened, and the commitments are those of ledger.md', () => {
  const writer = new PayloadWriter()
  fc.assert(
    fc.property(salt, text, text, (bytes, context, jws) => {
      writer.start()
      const commitment = writer.part('context', bytes, context)
      writer.receipt(bytes, jws)
      const expected = createHash('sha256')
        .update('countersign/commit/v1\ncontext\n')
        .update(bytes)
        .update(context, 'utf8')
      expect(commitment).toBe(expected.digest('base64url'))
      const opened = openPayload(Buffer.from(writer.bytes()))
      expect(opened.receipt).toEqual({ jws, salt: Buffer.from(bytes) })
      expect([...opened.parts]).toEqual([
        ['context', { salt: Buffer.from(bytes), text: context, commitment }],
      ])
    }),
  )
})

test('a changed byte never opens to the same commitments', () => {
  const writer = new PayloadWriter()
  writer.start()
  const input = writer.part('input', Buffer.alloc(32, 7), '{"command":"DROP TABLE users"}')
  const output = writer.part('output', Buffer.alloc(32, 8), '{"verdict":"deny"}')
  const bytes = Buffer.from(writer.bytes())
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ flip
      let same = false
      try {
        const { parts } = openPayload(changed)
        same = parts.get('input')?.commitment === input && parts.get('output')?.commitment === output
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
      expect(same).toBe(false)
    }),
  )
})

test('any bytes are opened or refused with a RangeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const framed = Buffer.concat([Buffer.from('countersign/payload/v1\n'), bytes])
      try {
        openPayload(framed)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }),
  )
})

test('encryption is bound to the log and the leaf', () => {
  const aad = payloadAad('258', Buffer.alloc(32, 9))
  expect(aad.toString('hex')).toBe(`0000000000000102${'09'.repeat(32)}`)
})
