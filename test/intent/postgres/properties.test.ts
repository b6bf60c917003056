import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { scanSync } from 'libpg-query'
import { BudgetExceeded } from '../../../src/intent/analysis.ts'
import type { Fragment } from '../../../src/intent/analysis.ts'
import { analysePostgres } from '../../../src/intent/postgres/analyse.ts'
import { hostileShapes } from '../../support/hostile-sql.ts'
import { shop } from './support/catalogue.ts'
import { compact } from './support/compact.ts'
import { analyseText, contextFor } from './support/context.ts'

const here = dirname(fileURLToPath(import.meta.url))
const corpus = readdirSync(here)
  .filter((name) => name.endsWith('.cases.json'))
  .flatMap((name) => JSON.parse(readFileSync(join(here, name), 'utf8')) as { sql: string }[])
  .map(({ sql }) => sql)

/** The analysis, or the limit that it met; anything else that is thrown fails the test. */
function analysed(text: string): Fragment | BudgetExceeded {
  try {
    return analyseText(text, { facts: shop })
  } catch (error) {
    if (error instanceof BudgetExceeded) return error
    throw error
  }
}

function expectSound(found: Fragment | BudgetExceeded): void {
  if (found instanceof BudgetExceeded) return
  expect(found.effects.length).toBeGreaterThan(0)
  if (!found.parse.ok) expect(found.unseen).toMatchObject([{ code: 'parse_error', effect: null }])
  for (const { effect } of found.unseen) if (effect !== null) expect(found.effects).toContain(effect)
  for (const { limit, scope } of found.effects) expect(limit === null).toBe(scope !== 'bounded')
}

const edit = fc.record({
  at: fc.nat(400),
  cut: fc.nat(6),
  put: fc.oneof(
    fc.constantFrom('', "'", '"', '$$', ')', '(', ';', ' ', '/*', '--', '$1', ' OR true ', '*'),
    fc.string(),
  ),
})

test('no change of a text makes the analysis throw, or find nothing', () => {
  const changed = fc
    .tuple(fc.constantFrom(...corpus), fc.array(edit, { maxLength: 4 }))
    .map(([sql, edits]) =>
      edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), sql),
    )
    .filter((text) => !text.includes('\0'))
  fc.assert(
    fc.property(changed, (text) => {
      expectSound(analysed(text))
    }),
    { numRuns: 3000 },
  )
})

test('two commands that are each understood are understood together', () => {
  fc.assert(
    fc.property(fc.constantFrom(...corpus), fc.constantFrom(...corpus), (first, second) => {
      expectSound(analysed(`${first};\n${second}`))
    }),
    { numRuns: 500 },
  )
})

const blank = fc.constantFrom(' ', '\n', '\t ', ' /* DROP TABLE x; */ ', ' -- it\n', '/* a /* b */ c */ ')

/** Words after which the parser looks one token ahead; libpg-query fails (closed) if that is a comment. */
const looksAhead = /^(?:format|not|nulls|with|without|to)$/i

/** The same tokens with other blanks and comments between them, and keywords in another case. */
function respelt(sql: string, blanks: readonly string[], upper: boolean): string {
  const bytes = Buffer.from(sql)
  let text = ''
  for (const [index, token] of scanSync(sql).tokens.entries()) {
    if (token.tokenName.endsWith('COMMENT')) continue
    const raw = bytes.subarray(token.start, token.end).toString()
    const isWord = token.keywordName !== 'NO_KEYWORD'
    const between = looksAhead.test(raw) ? '\n' : (blanks[index % blanks.length] ?? ' ')
    text += `${isWord ? (upper ? raw.toUpperCase() : raw.toLowerCase()) : raw}${between}`
  }
  return text
}

test('comments, blanks and the case of keywords change no effect', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...corpus.filter((sql) => sql.trim() !== ';')),
      fc.array(blank, { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (sql, blanks, upper) => {
        const other = respelt(sql, blanks, upper)
        const before = compact(analyseText(sql, { facts: shop }), sql)
        const after = compact(analyseText(other, { facts: shop }), other)
        expect(after).toEqual(before)
      },
    ),
    { numRuns: 1500 },
  )
})

test.each(hostileShapes(2000).map(([name, text]) => [name, text] as const))(
  'a statement of %s ends in an analysis or a limit',
  (_, text) => {
    expectSound(analysed(text))
  },
)

test.each<[string, (inner: object) => object, object]>([
  [
    'operators',
    (inner) => ({ A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '+' } }], lexpr: inner } }),
    { A_Const: {} },
  ],
  ['AND', (inner) => ({ BoolExpr: { boolop: 'AND_EXPR', args: [inner] } }), { A_Const: { boolval: {} } }],
  ['NOT', (inner) => ({ BoolExpr: { boolop: 'NOT_EXPR', args: [inner] } }), { A_Const: { boolval: {} } }],
  ['casts', (inner) => ({ TypeCast: { arg: inner } }), { A_Const: {} }],
  ['unknown nodes', (inner) => ({ Whatever: { arg: [inner] } }), { A_Const: {} }],
])('a condition of %s that is far too deep meets the limit of depth', (_, wrap, innermost) => {
  let whereClause = innermost
  for (let depth = 0; depth < 50_000; depth++) whereClause = wrap(whereClause)
  const stmt = { DeleteStmt: { relation: { relname: 'orders', inh: true }, whereClause } }
  const context = contextFor('', { facts: shop })
  const parsers = { ...context.parsers, postgres: () => ({ stmts: [{ stmt }] }) }
  expect(() => analysePostgres('', { ...context, parsers })).toThrow(BudgetExceeded)
})

test('a kind of statement that nobody knows is unknown, and says so', () => {
  const context = contextFor('', {})
  const parsers = { ...context.parsers, postgres: () => ({ stmts: [{ stmt: { BrandNewStmt: {} } }] }) }
  const { effects, unseen } = analysePostgres('', { ...context, parsers })
  expect(effects).toMatchObject([{ action: 'unknown', scope: 'unknown', confidence: 'opaque' }])
  expect(unseen).toMatchObject([{ code: 'unsupported_syntax', effect: effects[0] }])
})

test('WITH queries that double their columns at every step stay small', () => {
  const steps = Array.from({ length: 60 }, (_, step) => `c${step + 1} AS (SELECT x || x AS x FROM c${step})`)
  const found = analysed(`WITH c0 AS (SELECT email AS x FROM users), ${steps.join(', ')} SELECT x FROM c60`)
  expect(found).toMatchObject({ lineage: { columns: [{ sources: [{ column: 'email' }] }] } })
})

test('text that doubles at every step meets the limit of bytes', () => {
  const names = Array.from({ length: 40 }, (_, step) => `v${step + 1} text := v${step} || v${step};`)
  const text = `DO $$ DECLARE v0 text := 'x'; ${names.join(' ')} BEGIN EXECUTE v40; END $$`
  expect(analysed(text)).toBeInstanceOf(BudgetExceeded)
})

test('more effects than the limit are a limit, not a shorter list', () => {
  const text = `SELECT ${Array.from({ length: 300 }, (_, index) => `pg_notify('c${index}', '')`).join(', ')}`
  expect(analysed(text)).toMatchObject({ code: 'node_limit' })
})

test('more statements than the limit are a limit', () => {
  expect(analysed('SELECT 1;'.repeat(201))).toMatchObject({ code: 'node_limit' })
})

test('a parse error says where, and never what stands there', () => {
  const found = analysed("ALTER ROLE app PASSWORD 'hunter2' 'hunter3' oops")
  expect(found).toMatchObject({ parse: { ok: false } })
  expect(JSON.stringify(found)).not.toMatch(/hunter|oops/)
})

test('effects have their place in the text, counted in UTF-16', () => {
  const text = "SELECT 'ä€😀' AS x; DELETE FROM orders WHERE id = 1"
  const { effects } = analyseText(text, { facts: shop })
  expect(effects.map(({ span }) => text.slice(span?.[0], span?.[1]))).toEqual([
    "SELECT 'ä€😀' AS x",
    'DELETE FROM orders WHERE id = 1',
  ])
})

test('secrets are found behind characters of several bytes', () => {
  const text = "SELECT 'ä€😀'; ALTER ROLE app PASSWORD 'hunter2'"
  const { secrets } = analyseText(text)
  expect(secrets.map(({ end, start }) => text.slice(start, end))).toEqual(['hunter2'])
})

test('two equal changes in one statement stay two', () => {
  const text = 'WITH a AS (DELETE FROM orders WHERE id = 1), b AS (DELETE FROM orders WHERE id = 2) SELECT 1'
  const changes = analyseText(text, { facts: shop }).effects.filter(({ action }) => action === 'delete')
  expect(changes).toHaveLength(2)
  expect(changes.filter(({ span }) => span === null)).toHaveLength(1)
})

test('a claimed schema proves nothing', () => {
  const { effects } = analyseText('DELETE FROM orders WHERE id = 1', {
    facts: shop,
    schema: 'public',
    placeTrusted: false,
  })
  expect(effects).toMatchObject([{ scope: 'bulk', confidence: 'inferred' }])
})
