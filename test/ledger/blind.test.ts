import { createHmac, hkdfSync } from 'node:crypto'
import { blindIndex, quarterKey, quarterOf } from '../../src/ledger/blind.ts'

const auditKey = Buffer.alloc(32, 3)

test('a blind index is an HMAC under the key of tenant and quarter', () => {
  const info = 'countersign/blind-key/v1\ndefault\n2026Q4'
  const key = Buffer.from(hkdfSync('sha256', auditKey, '', info, 32))
  const expected = createHmac('sha256', key)
    .update('countersign/blind/v1\nactor\n"agent:\\"x\\""')
    .digest('base64url')
  expect(blindIndex(quarterKey(auditKey, 'default', '2026Q4'), 'actor', 'agent:"x"')).toBe(expected)
})

test('role, tenant and quarter each give another index', () => {
  const key = quarterKey(auditKey, 'default', '2026Q4')
  const indexes = [
    blindIndex(key, 'actor', 'a'),
    blindIndex(key, 'target', 'a'),
    blindIndex(quarterKey(auditKey, 'other', '2026Q4'), 'actor', 'a'),
    blindIndex(quarterKey(auditKey, 'default', '2027Q1'), 'actor', 'a'),
  ]
  expect(new Set(indexes).size).toBe(4)
})

test.each([
  ['2026-01-01T00:00:00.000Z', '2026Q1'],
  ['2026-03-31T23:59:59.999Z', '2026Q1'],
  ['2026-04-01T00:00:00.000Z', '2026Q2'],
  ['2026-12-31T23:59:59.999Z', '2026Q4'],
])('%s is in %s', (instant, quarter) => {
  expect(quarterOf(new Date(instant))).toBe(quarter)
})
