import * as fc from 'fast-check'
import { claimCovers, globMatches } from '../../src/action/patterns.ts'

test('a claim covers exact names and prefixes that end in a star', () => {
  expect(claimCovers(['agent:x'], 'agent:x')).toBe(true)
  expect(claimCovers(['agent:x'], 'agent:xy')).toBe(false)
  expect(claimCovers(['agent:x*'], 'agent:xy')).toBe(true)
  expect(claimCovers(['a*b'], 'axb')).toBe(false)
  expect(claimCovers(['*'], 'anything')).toBe(true)
  expect(claimCovers([], '')).toBe(false)
})

test('a claim compares by code point: no case folding, no normalisation', () => {
  expect(claimCovers(['agent:X'], 'agent:x')).toBe(false)
  expect(claimCovers(['user:\u00e9'], 'user:e\u0301')).toBe(false)
})

test('a glob agrees with the regular expression that it stands for', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
  fc.assert(
    fc.property(part, fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 }), (pattern, text) => {
      const expression = pattern
        .split('*')
        .map((literal) => literal.replaceAll('.', '\\.'))
        .join('.*')
      expect(globMatches(pattern, text)).toBe(new RegExp(`^${expression}$`, 'su').test(text))
    }),
    { numRuns: 2000 },
  )
})

test('many stars cost no more than pattern times text', () => {
  const start = process.hrtime.bigint()
  expect(globMatches(`${'*a'.repeat(500)}b`, 'a'.repeat(5000))).toBe(false)
  expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(1000)
})
