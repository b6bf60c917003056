/** What is proven of a statement's rows, held against what PostgreSQL does with it. */
import * as fc from 'fast-check'
import { Client } from 'pg'
import type { Facts } from '../../../src/action/action.ts'
import type { Effect } from '../../../src/intent/intent.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { analyseText } from './support/context.ts'

const facts: Facts = {
  tables: {
    t: {
      columns: ['id', 'a', 'b', 'n', 's'],
      uniqueKeys: [['id'], ['a', 'b']],
      notNull: ['id', 'a', 'b', 's'],
    },
    u: { columns: ['id', 'a', 'n'], uniqueKeys: [['id']], notNull: ['id'] },
  },
}

const rows = { t: 30, u: 12 }

const setup = `
  create table t (id int primary key, a int not null, b int not null, n int, s text not null, unique (a, b));
  insert into t select i, i / 6, i % 6, nullif(i % 4, 0), 's' || i % 5 from generate_series(1, ${rows.t}) i;
  create table u (id int primary key, a int, n int);
  insert into u select i, i % 5, nullif(i % 3, 0) from generate_series(1, ${rows.u}) i;
`

const small = fc.integer({ min: -1, max: 33 })
const column = fc.constantFrom('t.id', 't.a', 't.b', 't.n', 'id', 'b')
const operator = fc.constantFrom('=', '=', '=', '<', '>=', '<>', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM')
const list = fc.array(small, { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join(', '))
const limit = fc.constantFrom(
  ' LIMIT 1',
  ' LIMIT 3',
  ' LIMIT ALL',
  ' LIMIT 2 OFFSET 1',
  '',
  ' ORDER BY 1 LIMIT 2',
)
const inner = fc.constantFrom(
  'SELECT x.id FROM u x',
  'SELECT id FROM u',
  'SELECT u.id FROM u WHERE u.a = t.a',
  'SELECT t.id FROM u',
  'SELECT max(u.id) FROM u',
  'SELECT t2.id FROM t t2 WHERE t2.a = 2',
  'SELECT u.a FROM u',
  'SELECT generate_series(1, 9)',
  'SELECT v FROM (VALUES (1), (5), (NULL)) w (v)',
  'SELECT a FROM u GROUP BY a',
  'SELECT id FROM u WHERE id IN (2, 4)',
  'SELECT id FROM u WHERE id = 3 UNION ALL SELECT id FROM u WHERE id = 4',
  'SELECT id FROM t x WHERE x.id = 7',
  'SELECT x.id FROM u x LEFT JOIN t y ON false WHERE x.id = 3',
  'SELECT x.id FROM u x LEFT JOIN t y ON y.id = x.a WHERE x.id IN (3, 4)',
  'SELECT coalesce(v, w) FROM (VALUES (1)) x (v) FULL JOIN (VALUES (2)) y (w) ON v = w',
  'SELECT coalesce(x.id, y.id) FROM u x FULL JOIN t y ON x.id = y.id WHERE x.id = 3 OR y.id = 4',
  'SELECT x.id FROM u x RIGHT JOIN (VALUES (1), (2)) y (w) ON x.id = y.w',
  'SELECT x.v FROM (SELECT id AS v FROM t y) x, (VALUES (1), (2)) z (w) WHERE x.v = 4 OR x.v = w',
  'SELECT q.id FROM (SELECT * FROM t y) q WHERE q.a = 1 AND q.b IN (1, 2)',
  'SELECT count(*) FROM u GROUP BY ROLLUP (a)',
  'SELECT 5 WHERE false UNION ALL SELECT 6',
  'SELECT id FROM u EXCEPT SELECT 3',
)

const atom = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(column, operator, small).map(([left, op, right]) => `${left} ${op} ${right}`),
  },
  { weight: 1, arbitrary: fc.tuple(column, column).map(([left, right]) => `${left} = ${right}`) },
  { weight: 1, arbitrary: fc.tuple(column, column).map(([left, right]) => `NOT (${left} <> ${right})`) },
  { weight: 2, arbitrary: fc.tuple(column, list).map(([left, right]) => `${left} IN (${right})`) },
  { weight: 1, arbitrary: fc.tuple(column, list).map(([left, right]) => `${left} NOT IN (${right})`) },
  { weight: 1, arbitrary: fc.tuple(column, list).map(([left, right]) => `${left} = ANY (ARRAY[${right}])`) },
  { weight: 1, arbitrary: fc.tuple(column, list).map(([left, right]) => `${left} = ANY ('{${right}}')`) },
  { weight: 1, arbitrary: fc.tuple(column, list).map(([left, right]) => `${left} = ALL (ARRAY[${right}])`) },
  { weight: 1, arbitrary: fc.tuple(small, small).map(([a, b]) => `(t.a, t.b) = (${a}, ${b})`) },
  { weight: 1, arbitrary: fc.tuple(small, small).map(([a, b]) => `(t.a, t.b) IN ((${a}, ${b}), (1, 2))`) },
  { weight: 1, arbitrary: fc.tuple(small, small).map(([a, b]) => `t.a = ${a} AND t.b = ${b}`) },
  { weight: 2, arbitrary: fc.tuple(inner, limit).map(([query, rest]) => `t.id IN (${query}${rest})`) },
  {
    weight: 1,
    arbitrary: fc.tuple(inner, limit).map(([query, rest]) => `t.id = ANY (ARRAY(${query}${rest}))`),
  },
  { weight: 1, arbitrary: inner.map((query) => `t.id = (${query} LIMIT 1)`) },
  { weight: 1, arbitrary: inner.map((query) => `EXISTS (${query})`) },
  { weight: 1, arbitrary: column.map((name) => `${name} IS NOT NULL`) },
  { weight: 1, arbitrary: column.map((name) => `${name} IS NULL`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'true',
      'false',
      'NULL',
      '1 = 1',
      "'a' = 'b'",
      '2 > 3',
      'NULL = 1',
      "s LIKE '%'",
      't.id = NULL',
      '5 / 2 = 2',
      "'5'::int = 5",
      '1 IN (1, NULL)',
      '1 NOT IN (2, NULL)',
      'coalesce(NULL, true)',
      '(1 = 2) IS NOT TRUE',
      'random() < 0.5',
      "t.id::text = '5'",
      't.id + 0 = 5',
    ),
  },
)

const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    atom,
    fc.tuple(tie('condition'), tie('condition')).map(([left, right]) => `(${left}) AND (${right})`),
    fc.tuple(tie('condition'), tie('condition')).map(([left, right]) => `(${left}) OR (${right})`),
    tie('condition').map((one) => `NOT (${one})`),
  ),
}))

const batch = fc.tuple(inner, limit).map(([query, rest]) => `${query}${rest}`)

/** Statements that change t. */
const statement = fc.oneof(
  condition.map((where) => `DELETE FROM t WHERE ${where}`),
  condition.map((where) => `UPDATE t SET n = 0 WHERE ${where}`),
  condition.map(
    (where) =>
      `DELETE FROM t USING u x WHERE x.id = t.id AND (${where.replaceAll(/\b(id|b)\b(?<!\.\w+)/g, 't.$1')})`,
  ),
  condition.map(
    (where) =>
      `UPDATE t SET n = x.n FROM u x WHERE x.a = 1 AND (${where.replaceAll(/(?<![\w.])(id|b)\b/g, 't.$1')})`,
  ),
  batch.map(
    (query) =>
      `WITH k (id) AS (${query.replaceAll(/\bt\.(id|a)\b/g, '1')}) DELETE FROM t USING k WHERE t.id = k.id`,
  ),
  batch.map(
    (query) =>
      `WITH k (id) AS (${query.replaceAll(/\bt\.(id|a)\b/g, '1')}) DELETE FROM t WHERE id IN (SELECT id FROM k)`,
  ),
  batch.map(
    (query) =>
      `INSERT INTO t (id, a, b, s) SELECT 1000 + q.id, 1000 + q.id, 0, '' FROM (${query.replaceAll(/\bt\.(id|a)\b/g, '1')}) q (id) WHERE q.id IS NOT NULL ON CONFLICT DO NOTHING`,
  ),
  condition.map(
    (where) =>
      `MERGE INTO t USING u x ON x.id = t.id AND (${where.replaceAll(/(?<![\w.])(id|b)\b/g, 't.$1')}) WHEN MATCHED THEN DELETE`,
  ),
  condition.map(
    (where) => `MERGE INTO t USING (SELECT 1) x ON true WHEN MATCHED AND (${where}) THEN UPDATE SET n = 1`,
  ),
)

/** The bound that an analysis claims; null for none. */
function boundOf({ limit, scope }: Effect): number | null {
  if (scope === 'single') return 1
  return scope === 'bounded' ? limit : null
}

let database: TestDatabase
let client: Client

beforeAll(async () => {
  database = await testDatabase(null)
  client = new Client({ connectionString: database.url })
  await client.connect()
  await client.query(setup)
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

/** How many rows a statement touches; null if PostgreSQL refuses it. */
async function touched(text: string): Promise<number | null> {
  await client.query('begin')
  try {
    const { rowCount } = await client.query(text)
    return rowCount
  } catch {
    return null
  } finally {
    await client.query('rollback')
  }
}

function changesOf(text: string): readonly Effect[] {
  return analyseText(text, { facts }).effects.filter(({ action }) => action !== 'read' && action !== 'none')
}

test('no statement touches more rows than were proven', async () => {
  const seen = { ran: 0, bounded: 0, tautology: 0 }
  await fc.assert(
    fc.asyncProperty(statement, async (text) => {
      const [change] = changesOf(text)
      const count = await touched(text)
      if (count === null || change === undefined) return
      seen.ran++
      const bound = boundOf(change)
      if (bound !== null) {
        seen.bounded++
        expect({ text, within: count <= bound }).toEqual({ text, within: true })
      }
      if (change.why !== 'tautology' || /USING|FROM u/.test(text)) return
      seen.tautology++
      expect({ text, count }).toEqual({ text, count: rows.t })
    }),
    { numRuns: 1500 },
  )
  expect(seen.ran).toBeGreaterThan(800)
  expect(seen.bounded).toBeGreaterThan(150)
  expect(seen.tautology).toBeGreaterThan(10)
})

const projection = fc.constantFrom(
  'id',
  't.id, t.s',
  'a, b, n',
  "upper(s), 'x' || s, s::text, coalesce(n, 1), CASE WHEN n = 1 THEN s ELSE s END",
  'count(*), min(s), sum(n) + 1',
  '*',
  't.*, 1, now()::date, current_user, NULLIF(n, 1), ARRAY[n], EXISTS (SELECT 1), (SELECT max(u.id) FROM u)',
  'x.*',
  '(t).s, t, row_to_json(t), ROW(1, 2), -n, n IS NULL, NOT true, greatest(n, 1)',
  "extract(year FROM now()), now() AT TIME ZONE 'UTC', '2020-01-01'::date, 1::int8, true::text, xmlelement(name foo)",
)

test('result columns are named as PostgreSQL names them, in its order', async () => {
  const tables = fc.constantFrom(
    't JOIN u x ON x.id = t.id',
    't, u x',
    't CROSS JOIN (SELECT n, count(*) FROM u GROUP BY n) x',
    't LEFT JOIN (SELECT 1 AS one, u.a FROM u) x (eins) ON true',
    't, LATERAL (SELECT t.n AS m) x',
    't, generate_series(1, 2) x',
  )
  await fc.assert(
    fc.asyncProperty(projection, tables, fc.boolean(), async (columns, from, inWith) => {
      const query = `SELECT ${columns.replaceAll(/(?<![\w.'])(id|a|b|n|s)\b(?!\.)/g, 't.$1')} FROM ${from}`
      const text = inWith ? `WITH q AS (${query}) SELECT * FROM q` : query
      const { lineage } = analyseText(text, { facts })
      const result = await client.query({ text: `${text} LIMIT 0`, rowMode: 'array' }).catch(() => null)
      if (result === null || lineage?.complete !== true) return
      expect({ text, names: lineage.columns.map(({ name }) => name) }).toEqual({
        text,
        names: result.fields.map(({ name }) => name),
      })
    }),
    { numRuns: 150 },
  )
})
