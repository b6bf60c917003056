import * as fc from 'fast-check'
import { canonicalJson } from '../../src/action/canonical.ts'
import { LeafTexts, MAX_LEAF_BYTES, parseLeaf } from '../../src/ledger/entry.ts'
import { decision } from '../support/ledger.ts'

const source = { origin: 'log.example/a', stream: '5f3c', tenant: 'default', engine: 'countersign/1.0.0' }
const place = { id: '01a19467-e800-7000-8000-000000000000', seq: 7, time: '2026-11-21T03:00:00.123Z' }
const indexes = { actorIx: 'AAAA', targetIx: 'BBBB' }
const texts = new LeafTexts(source)
const name = fc.string({ unit: 'binary', maxLength: 300 })
const list = fc.array(name, { maxLength: 200 })

test('a decision is the RFC 8785 text of exactly these members', () => {
  const commitments = canonicalJson({ context: 'c', input: 'i', output: 'o', secret: 's' })
  const leaf = texts.decision(decision(), place, commitments, indexes)
  expect(JSON.parse(leaf)).toEqual({
    v: 1,
    ...source,
    ...place,
    ...indexes,
    kind: 'decision',
    verdict: 'deny',
    categories: ['destruction'],
    rules: ['sql.bulk_delete'],
    controls: ['nist:AC-3'],
    cut: [],
    policy: { bundle: 'default', revision: '1', digest: `sha256:${'b'.repeat(64)}` },
    facts: `sha256:${'a'.repeat(64)}`,
    commitments: { context: 'c', input: 'i', output: 'o', secret: 's' },
  })
  expect(leaf).toBe(canonicalJson(JSON.parse(leaf)))
})

test('an event is the RFC 8785 text of exactly these members', () => {
  const record = {
    kind: 'key.added',
    ref: 'kid "1"',
    body: canonicalJson({}),
    search: decision().search,
  } as const
  const leaf = texts.event(record, place, canonicalJson({ body: 'b' }))
  expect(JSON.parse(leaf)).toEqual({
    v: 1,
    ...source,
    ...place,
    kind: 'key.added',
    ref: 'kid "1"',
    commitments: { body: 'b' },
  })
  expect(leaf).toBe(canonicalJson(JSON.parse(leaf)))
})

test('whatever the lists hold, the leaf is canonical, short enough, and names what was cut', () => {
  fc.assert(
    fc.property(list, list, list, (categories, rules, controls) => {
      const record = decision({ record: { categories, rules, controls } })
      const leaf = texts.decision(record, place, '{}', indexes)
      expect(Buffer.byteLength(leaf)).toBeLessThanOrEqual(MAX_LEAF_BYTES)
      const read = parseLeaf(Buffer.from(leaf))
      expect(leaf).toBe(canonicalJson(read))
      for (const key of ['categories', 'rules', 'controls'] as const) {
        const whole = record[key]
        const kept = read[key] ?? []
        expect(kept.length).toBeLessThanOrEqual(64)
        expect(read.cut?.includes(key)).toBe(kept.length < whole.length)
        for (const member of kept) expect(Buffer.byteLength(member)).toBeLessThanOrEqual(128)
      }
    }),
  )
})

test('refuses an event whose reference is too long', () => {
  const record = {
    kind: 'query',
    ref: 'x'.repeat(600),
    body: canonicalJson({}),
    search: decision().search,
  } as const
  expect(() => texts.event(record, place, '{}')).toThrow(RangeError)
})

test('refuses to read a leaf of another version', () => {
  expect(() => parseLeaf(Buffer.from(`{"v":2,"id":"${place.id}","commitments":{}}`))).toThrow(RangeError)
})
