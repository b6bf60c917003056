import * as fc from 'fast-check'
import { isUuid7, uuid7, uuidBytes, uuidFloor, uuidInstant, uuidText } from '../../src/ledger/uuid7.ts'

const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const count = fc.integer({ min: 0, max: 4095 })
const random = fc.uint8Array({ minLength: 8, maxLength: 8 })

test('makes the example of RFC 9562, appendix A.6', () => {
  const id = uuid7(0x017f22e279b0, 0xcc3, Buffer.from('18c4dc0c0c07398f', 'hex'))
  expect(uuidText(id)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
})

test('sorts by time, then by count, whatever the randomness', () => {
  fc.assert(
    fc.property(fc.tuple(ms, count, random), fc.tuple(ms, count, random), (a, b) => {
      const order = Math.sign(a[0] - b[0]) || Math.sign(a[1] - b[1])
      if (order !== 0) expect(Math.sign(Buffer.compare(uuid7(...a), uuid7(...b)))).toBe(order)
    }),
  )
})

test('text and bytes say the same, and the instant comes back', () => {
  fc.assert(
    fc.property(ms, count, random, (time, at, bytes) => {
      const id = uuid7(time, at, bytes)
      const text = uuidText(id)
      expect(isUuid7(text)).toBe(true)
      expect(uuidBytes(text).equals(id)).toBe(true)
      expect(uuidInstant(text).getTime()).toBe(time)
      expect(uuidFloor(new Date(Math.min(time, 8.64e15))) <= text).toBe(true)
    }),
  )
})
