import { Client } from 'pg'
import type { EvidenceQuery } from '../../src/evidence/query.ts'
import { leafHash } from '../../src/ledger/merkle.ts'
import type { EvidenceStore } from '../../src/ports.ts'
import { createEvidenceStore } from '../../src/postgres/evidence.ts'
import type { LedgerHandle } from '../../src/postgres/ledger.ts'
import { testDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { LOG_ID, ORIGIN, decision, ledgerKit } from '../support/ledger.ts'
import type { DecisionChange, LedgerKit } from '../support/ledger.ts'

let database: TestDatabase
let owner: Client
let kit: LedgerKit
let ledger: LedgerHandle
let store: EvidenceStore
let later: EvidenceStore

const COUNT = 40

beforeAll(async () => {
  database = await testDatabase()
  owner = new Client({ connectionString: database.url })
  await owner.connect()
  kit = ledgerKit(database.serviceUrl)
  ledger = await kit.open()
  for (let i = 0; i < COUNT; i++)
    await append({ actor: `agent:a${i % 4}`, reason: `reason number${i} about customers` })
  await append({
    actor: 'agent:odd',
    target: 'odd-db',
    reason: 'something ODD happened to public.odd_table, 100%',
  })
  store = storeAt(() => new Date())
  later = storeAt(() => new Date(Date.now() + 60_000))
})
afterAll(async () => {
  await kit.close()
  await owner.end()
  await database.drop()
})

async function append(change: DecisionChange): Promise<string> {
  const outcome = await ledger.append({ records: [decision(change)], claim: null, callerKey: 'c' })
  return outcome.status === 'committed' ? (outcome.sealed[0]?.id ?? '') : ''
}

function storeAt(now: () => Date): EvidenceStore {
  const reader = { pool: kit.pools.reader, logId: LOG_ID, origin: ORIGIN, keys: kit.options.keys.payloads }
  return createEvidenceStore({ reader, clock: { now }, onAlarm: (message) => kit.alarms.push(message) })
}

function asked(change: Partial<EvidenceQuery> = {}): EvidenceQuery {
  return {
    filters: {},
    from: null,
    to: null,
    q: null,
    order: 'desc',
    limit: 50,
    cursor: null,
    readers: null,
    callerKey: 'auditor',
    ...change,
  }
}

async function all(query: EvidenceQuery): Promise<readonly string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const page = await later.search({ ...query, cursor })
    expect(page.items.length).toBeLessThanOrEqual(query.limit)
    ids.push(...page.items.map((item) => item.id))
    cursor = page.nextCursor
  } while (cursor !== null)
  return ids
}

const hour = { from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 3_600_000) }

test.each([
  [{ actor: 'agent:odd' }, 1],
  [{ actor: 'agent:a1' }, COUNT / 4],
  [{ actorType: 'agent' }, COUNT + 1],
  [{ target: 'odd-db' }, 1],
  [{ system: 'postgresql' }, COUNT + 1],
  [{ environment: 'production' }, COUNT + 1],
  [{ verdict: 'deny' }, COUNT + 1],
  [{ verdict: 'allow' }, 0],
  [{ rule: 'sql.bulk_delete' }, COUNT + 1],
  [{ category: 'destruction' }, COUNT + 1],
  [{ control: 'nist:AC-3' }, COUNT + 1],
  [{ language: 'sql' }, COUNT + 1],
  [{ policy: `sha256:${'b'.repeat(64)}` }, COUNT + 1],
  [{ kind: 'decision' }, COUNT + 1],
  [{ kind: 'stream.opened' }, 1],
  [{ session: 's-17' }, COUNT + 1],
  [{ task: 'nightly' }, COUNT + 1],
  [{ ticket: 'OPS-4412' }, COUNT + 1],
  [{ ticket: 'OPS-4412', actor: 'agent:odd' }, 1],
  [{ ticket: 'OPS-4412', actor: 'agent:nobody' }, 0],
] as const)('filters by %j', async (filters, count) => {
  const page = await store.search(asked({ filters: filters as EvidenceQuery['filters'] }))
  expect(page.items).toHaveLength(count)
  expect(page.nextCursor).toBeNull()
})

test('pages show each record once, in the order of ids, both ways', async () => {
  const filters = { kind: 'decision' }
  const down = await all(asked({ filters, limit: 7 }))
  const up = await all(asked({ filters, limit: 7, order: 'asc' }))
  expect(down).toHaveLength(COUNT + 1)
  expect([...down].sort().reverse()).toEqual(down)
  expect(up).toEqual([...down].reverse())
  expect(await all(asked({ limit: 11 }))).toHaveLength(COUNT + 4)
})

test('an ascending page stops five seconds ago, a descending one does not', async () => {
  const id = await append({})
  const up = await store.search(asked({ order: 'asc', limit: 500 }))
  const down = await store.search(asked({ limit: 500 }))
  expect(up.items.map((item) => item.id)).not.toContain(id)
  expect(down.items[0]?.id).toBe(id)
  await owner.query('DELETE FROM ledger_search WHERE id = $1', [id])
})

test('from is inclusive, to exclusive', async () => {
  const [newest, older] = (await store.search(asked({ limit: 2 }))).items
  const from = new Date(older?.recordedAt ?? '')
  const to = new Date(newest?.recordedAt ?? '')
  const page = await store.search(asked({ from, to }))
  expect(
    page.items.every((item) => item.recordedAt >= from.toISOString() && item.recordedAt < to.toISOString()),
  ).toBe(true)
  expect(page.items.map((item) => item.id)).toContain(older?.id)
})

test('words are found in the reasons, whatever their case, within a time range', async () => {
  expect((await store.search(asked({ ...hour, q: 'odd happened' }))).items).toHaveLength(1)
  expect((await store.search(asked({ ...hour, q: 'number7' }))).items).toHaveLength(1)
  for (const q of ['odd_table', 'public.odd_table', 'table, public!', 'ODD <b> 100%']) {
    expect((await store.search(asked({ ...hour, q }))).items).toHaveLength(1)
  }
  for (const q of ['%', '___', 'dd', '\\']) {
    expect((await store.search(asked({ ...hour, q }))).items).toHaveLength(0)
  }
  expect((await store.search(asked({ ...hour, q: 'number7 missing' }))).items).toHaveLength(0)
  await expect(store.search(asked({ q: 'odd' }))).rejects.toMatchObject({ code: 'evidence.invalid_query' })
})

test('a cursor is good for its own question only', async () => {
  const { nextCursor } = await store.search(asked({ limit: 3 }))
  const other = asked({ limit: 3, cursor: nextCursor, filters: { verdict: 'deny' } })
  await expect(store.search(other)).rejects.toMatchObject({ code: 'evidence.invalid_query' })
  for (const cursor of ['x', 'AAAA', 'A'.repeat(500)]) {
    await expect(store.search(asked({ cursor }))).rejects.toMatchObject({ code: 'evidence.invalid_query' })
  }
})

test('a reader sees the actors of its patterns only, in searches and by id', async () => {
  const narrowed = await store.search(asked({ readers: ['agent:a1', 'agent:o*'], limit: 500 }))
  expect(new Set(narrowed.items.map((item) => item.actor?.id))).toEqual(new Set(['agent:a1', 'agent:odd']))
  const none = await store.search(asked({ readers: ['agent:%', 'agent:_*', 'agent'] }))
  expect(none.items).toEqual([])
  const [item] = narrowed.items
  expect(await store.read(item?.id ?? '', { readers: ['agent:zzz'] })).toBeUndefined()
  expect(await store.read(item?.id ?? '', { readers: ['agent:*'] })).toBeDefined()
})

test('one record has its exact leaf, and salts that prove each opened part', async () => {
  const id = await append({ actor: 'agent:whole', secret: 'hunter2' })
  const record = await store.read(id, { readers: null })
  const leaf = Buffer.from(record?.leaf ?? '', 'base64url')
  expect(leafHash(leaf).toString('base64url')).toBe(record?.leafHash)
  expect(record).toMatchObject({
    id,
    decisionId: id,
    kind: 'decision',
    verdict: 'deny',
    actor: { id: 'agent:whole' },
    caller: { id: 'gateway' },
    command: { language: 'sql' },
    proof: null,
    index: null,
  })
  expect(Object.keys(record?.commitments ?? {}).sort()).toEqual(['context', 'input', 'output', 'secret'])
  expect(record?.commitments['secret']).toEqual({ commitment: expect.any(String) })
  expect(JSON.stringify(record)).not.toContain('hunter2')
  expect(await store.read('01a19467-e800-7000-8000-000000000000', { readers: null })).toBeUndefined()
  expect(await store.read('no id', { readers: null })).toBeUndefined()
})

test('a search row that lies is not answered', async () => {
  const id = await append({ actor: 'agent:honest' })
  const row = await owner.query<{ terms: number[] }>(
    "SELECT terms FROM ledger_search WHERE actor = 'agent:odd'",
  )
  await owner.query('UPDATE ledger_search SET terms = $2 WHERE id = $1', [id, row.rows[0]?.terms])
  const page = await store.search(asked({ filters: { actor: 'agent:odd' } }))
  expect(page.items).toHaveLength(1)
})

test('a payload that was exchanged is not answered, and an operator is told', async () => {
  const [good, bad] = [await append({ actor: 'agent:x' }), await append({ actor: 'agent:x' })]
  await owner.query(
    'UPDATE ledger_payload p SET body = q.body FROM ledger_payload q WHERE p.id = $1 AND q.id = $2',
    [bad, good],
  )
  const page = await store.search(asked({ filters: { actor: 'agent:x' } }))
  expect(page.items.map((item) => item.id)).toEqual([good])
  expect(kit.alarms).toContain(`record ${bad} does not match its leaf`)
  await expect(store.read(bad, { readers: null })).rejects.toMatchObject({ code: 'internal' })
})

test('of an erased record, the leaf is left', async () => {
  const id = await append({ actor: 'agent:gone' })
  await owner.query(
    'UPDATE ledger_data_key SET wrapped = NULL WHERE key_id = (SELECT key_id FROM ledger_payload WHERE id = $1)',
    [id],
  )
  const record = await storeAt(() => new Date()).read(id, { readers: null })
  expect(record).toMatchObject({ id, erased: true, verdict: 'deny' })
  expect(record?.actor).toBeUndefined()
})

test('a third search of one caller at a time is refused, another caller is served', async () => {
  const outcomes = await Promise.allSettled([
    ...[1, 2, 3].map(() => store.search(asked())),
    store.search(asked({ callerKey: 'other' })),
  ])
  const codes = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as { code: string }).code,
  )
  expect(codes).toEqual(['ok', 'ok', 'caller.limit', 'ok'])
  await expect(store.search(asked())).resolves.toBeDefined()
})

test('a search that takes too long is given up', async () => {
  await owner.query('BEGIN')
  await owner.query('LOCK TABLE ledger_search IN ACCESS EXCLUSIVE MODE')
  try {
    const started = performance.now()
    await expect(store.search(asked())).rejects.toMatchObject({ code: 'evidence.timeout' })
    expect(performance.now() - started).toBeLessThan(3000)
  } finally {
    await owner.query('ROLLBACK')
  }
})

test('rare values far back are found through the index, and pages go on behind them', async () => {
  await owner.query(
    `INSERT INTO ledger_search (log_id, id, actor, terms, reason)
     SELECT $1, rpad(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + 10), 12, '0') || '7000' || lpad(to_hex(n), 4, '0'), 32, '0')::uuid,
       'agent:filler', '{1}', '' FROM generate_series(1, 9000) n`,
    [LOG_ID],
  )
  expect(await all(asked({ filters: { actor: 'agent:a2' }, limit: 4 }))).toHaveLength(COUNT / 4)
  expect(await all(asked({ filters: { actor: 'agent:a2' }, limit: 4, order: 'asc' }))).toHaveLength(COUNT / 4)
  const narrow = { filters: { kind: 'decision' }, ...hour }
  expect(await all(asked({ ...narrow, readers: ['agent:a2', 'agent:o*'] }))).toHaveLength(COUNT / 4 + 1)
  expect(await all(asked({ ...narrow, q: 'number7' }))).toHaveLength(1)
})
