import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { canonicalJson, canonicalObject } from '../../src/action/canonical.ts'

const vectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/jcs/${name}.json`, import.meta.url), 'utf8'))

const { numbers } = vectors('numbers') as { numbers: readonly [string, string | null][] }
const { structures } = vectors('structures') as {
  structures: readonly { name: string; input: string; canonicalHex?: string; values?: string[] }[]
}

/** JSON values whose strings are well-formed: what validation lets through. */
const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' })

test.each(numbers)('writes the number with bits %s as RFC 8785 appendix B does', (bits, expected) => {
  const number = Buffer.from(bits, 'hex').readDoubleBE()
  if (expected === null) expect(() => canonicalJson(number)).toThrow(TypeError)
  else expect(canonicalJson(number)).toBe(expected)
})

test.each(structures)('canonicalises the example of $name', ({ input, canonicalHex, values }) => {
  const text = canonicalJson(JSON.parse(input))
  if (canonicalHex !== undefined) expect(Buffer.from(text).toString('hex')).toBe(canonicalHex)
  // Not by parsing the text: JavaScript would move the name "1" to the front by itself.
  if (values !== undefined) {
    const places = values.map((value) => text.indexOf(`:"${value}"`))
    expect(places.every((place, index) => place > (places[index - 1] ?? 0))).toBe(true)
  }
})

test('the text parses back to the value', () => {
  fc.assert(
    fc.property(json, (value) => {
      // Through JSON once: -0 and prototype-named members are not JSON's to keep.
      const plain: unknown = JSON.parse(JSON.stringify(value))
      expect(JSON.parse(canonicalJson(plain))).toEqual(plain)
    }),
  )
})

test('canonical text is its own canonical form, whatever order the members came in', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), (value) => {
      const text = canonicalJson(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(JSON.parse(text))).toBe(text)
      expect(canonicalJson(Object.fromEntries(Object.entries(JSON.parse(text)).toReversed()))).toBe(text)
    }),
  )
})

test('writes strings as the platform does, escapes and all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      expect(canonicalJson(value)).toBe(JSON.stringify(value))
    }),
  )
})

test('leaves undefined members out and refuses what JSON has no word for', () => {
  expect(canonicalJson({ b: 1, a: undefined })).toBe('{"b":1}')
  for (const value of [undefined, Number.NaN, Infinity, 1n, () => 1, [undefined]]) {
    expect(() => canonicalJson(value)).toThrow(TypeError)
  }
})

test('writes a value nested a thousand deep', () => {
  const deep = `${'{"a":['.repeat(1000)}1${']}'.repeat(1000)}`
  expect(canonicalJson(JSON.parse(deep))).toBe(deep)
})

test('assembles an object from texts, without the absent ones', () => {
  expect(
    canonicalObject([
      ['a', canonicalJson({ z: 1 })],
      ['b', null],
      ['c', canonicalJson('x')],
    ]),
  ).toBe('{"a":{"z":1},"c":"x"}')
  expect(canonicalObject([['a', null]])).toBe('{}')
})
