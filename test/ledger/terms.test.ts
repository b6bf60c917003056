import * as fc from 'fast-check'
import { searchTerm, termsOf } from '../../src/ledger/terms.ts'
import { decision } from '../support/ledger.ts'

test('a record is found by each of its values', () => {
  const terms = termsOf(decision())
  const expected = [
    searchTerm('kind', 'decision'),
    searchTerm('actor', 'agent:etl-7'),
    searchTerm('actorType', 'agent'),
    searchTerm('target', 'orders-db'),
    searchTerm('system', 'postgresql'),
    searchTerm('environment', 'production'),
    searchTerm('language', 'sql'),
    searchTerm('session', 's-17'),
    searchTerm('task', 'nightly'),
    searchTerm('ticket', 'OPS-4412'),
    searchTerm('verdict', 'deny'),
    searchTerm('policy', `sha256:${'b'.repeat(64)}`),
    searchTerm('rule', 'sql.bulk_delete'),
    searchTerm('category', 'destruction'),
    searchTerm('control', 'nist:AC-3'),
  ]
  expect(new Set(terms)).toEqual(new Set(expected))
  expect(terms).toHaveLength(expected.length)
})

test('terms fit PostgreSQL integers, and fields keep them apart', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const term = searchTerm('actor', value)
      expect(Number.isInteger(term) && term >= -(2 ** 31) && term < 2 ** 31).toBe(true)
      expect(searchTerm('target', value)).not.toBe(term)
    }),
  )
})

test('a hundred thousand values share few terms', () => {
  const terms = new Set<number>()
  for (let i = 0; i < 100_000; i++) terms.add(searchTerm('session', `session-${i}`))
  expect(100_000 - terms.size).toBeLessThan(10)
})
