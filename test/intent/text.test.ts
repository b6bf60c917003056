import * as fc from 'fast-check'
import { canonicalJson } from '../../src/action/canonical.ts'
import type { Intent, Lineage } from '../../src/intent/intent.ts'
import { intentText, lineageText } from '../../src/intent/text.ts'

const text = fc.string({ unit: 'binary', maxLength: 8 })
/** Members of closed sets: the serialiser does not escape them. */
const word = fc.constantFrom('a', 'key_set', 'unknown')
const texts = fc.array(text, { maxLength: 2 })
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null })
const destination = fc.record(
  { kind: word, trust: word, host: text, bucket: text, path: text },
  { requiredKeys: ['kind', 'trust'] },
)
const endpoint = fc.record(
  {
    host: orNull(text),
    port: orNull(text),
    database: orNull(text),
    context: orNull(text),
    profile: orNull(text),
    account: orNull(text),
    namespace: orNull(text),
  },
  { requiredKeys: [] },
)

// Every member of the contract: one that the serialiser forgets is missing in its text.
const effect = fc.record({
  action: word,
  resource: fc.record({ system: text, type: text, name: text, schema: orNull(text), columns: texts }),
  scope: word,
  why: text,
  limit: orNull(fc.nat()),
  predicate: orNull(fc.record({ kind: word, columns: texts, dynamic: fc.boolean() })),
  reversible: word,
  destination: orNull(destination),
  privilege: orNull(
    fc.record({
      grantee: orNull(text),
      privileges: texts,
      on: orNull(text),
      level: orNull(text),
      run_as: orNull(text),
    }),
  ),
  sensitivity: word,
  cascade: orNull(fc.boolean()),
  deferred: fc.boolean(),
  conditional: fc.boolean(),
  confidence: word,
  via: texts,
  span: orNull(fc.tuple(fc.nat(), fc.nat())),
  endpoint: orNull(endpoint),
})
const intent = fc.record({
  v: fc.constant(1),
  language: text,
  parse: fc.record({ ok: fc.boolean(), parser: text, statements: fc.nat(), error: orNull(text) }),
  effects: fc.array(effect, { maxLength: 2 }),
  opaque: fc.boolean(),
  opaque_reasons: fc.array(fc.record({ code: word, via: texts, effect: orNull(fc.nat()), detail: text })),
  summary: fc.record({
    risk: word,
    categories: texts,
    max_scope: word,
    reversible: word,
    systems: texts,
    destinations: fc.array(destination, { maxLength: 2 }),
    languages: texts,
    dry_run: fc.boolean(),
  }),
  budget: fc.record({ bytes: fc.nat(), nodes: fc.nat(), depth: fc.nat(), micros: fc.nat() }),
})

test('the hand-ordered text of an intent is its canonical JSON', () => {
  fc.assert(
    fc.property(intent, (value) => {
      expect(intentText(value as unknown as Intent)).toBe(canonicalJson(value))
    }),
  )
})

test('and that of a lineage, or of none', () => {
  const lineage = fc.record({
    complete: fc.boolean(),
    maskable: fc.boolean(),
    columns: fc.array(
      fc.record({
        index: fc.nat(),
        name: text,
        kind: word,
        sources: fc.array(fc.record({ table: text, column: text, sensitivity: word })),
      }),
    ),
    inference: fc.array(fc.record({ table: text, column: text, place: word, proof: word })),
  })
  fc.assert(
    fc.property(orNull(lineage), (value) => {
      expect(lineageText(value as unknown as Lineage | null)).toBe(canonicalJson(value))
    }),
  )
})
