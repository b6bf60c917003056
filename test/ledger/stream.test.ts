import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { NO_BATCH, batchDigest, batchId, certificateBytes, headBytes } from '../../src/ledger/stream.ts'

const link = {
  stream: '7b1f6f2e-6c0a-4a57-8f55-0f2f6f0a1b2c',
  counter: 3,
  firstSeq: 258,
  previous: NO_BATCH,
  leafHashes: Buffer.alloc(64, 1),
}

test("a batch's digest covers stream, counter, first sequence, length, predecessor and leaves, in this order", () => {
  const leaves = createHash('sha256').update(link.leafHashes).digest()
  const expected = createHash('sha256')
    .update(`countersign/batch/v1\n${link.stream}`)
    .update(Buffer.from('0000000000000003000000000000010200000002', 'hex'))
    .update(link.previous)
    .update(leaves)
    .digest('hex')
  expect(batchDigest(link).toString('hex')).toBe(expected)
})

test('another batch has another digest and id', () => {
  const digest = batchDigest(link)
  const other = fc.oneof(
    fc.record({ counter: fc.integer({ min: 4, max: 2 ** 40 }) }),
    fc.record({ firstSeq: fc.integer({ min: 259, max: 2 ** 40 }) }),
    fc.record({ leafHashes: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
    fc.record({ previous: fc.uint8Array({ minLength: 32, maxLength: 32, min: 1 }) }),
  )
  fc.assert(
    fc.property(other, (change) => {
      const changed = batchDigest({ ...link, ...change })
      expect(changed.equals(digest)).toBe(false)
      expect(batchId(changed)).not.toBe(batchId(digest))
    }),
  )
})

test('a batch id is a UUIDv8 of its digest', () => {
  expect(batchId(Buffer.alloc(32, 0xff))).toBe('ffffffff-ffff-8fff-bfff-ffffffffffff')
})

test('certificate and head name the log and the stream', () => {
  expect(certificateBytes('log.example/a', link.stream, Buffer.alloc(32, 2)).toString('latin1')).toBe(
    `countersign/stream/v1\nlog.example/a${link.stream}${'\x02'.repeat(32)}`,
  )
  const head = headBytes('log.example/a', link.stream, 3, Buffer.alloc(32, 9)).toString('hex')
  const text = Buffer.from('countersign/head/v1\nlog.example/a').toString('hex')
  expect(head).toBe(`${text}${link.stream.replaceAll('-', '')}0000000000000003${'09'.repeat(32)}`)
})
