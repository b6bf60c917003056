import { Client } from 'pg'
import { canonicalJson } from '../../src/action/canonical.ts'
import type { AppendOutcome, IdempotencyClaim } from '../../src/ports.ts'
import type { LedgerHandle } from '../../src/postgres/ledger.ts'
import { testDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { decision, ledgerKit, unitOf } from '../support/ledger.ts'
import type { LedgerKit } from '../support/ledger.ts'

let database: TestDatabase
let owner: Client
let kit: LedgerKit
let ledger: LedgerHandle

beforeAll(async () => {
  database = await testDatabase()
  owner = new Client({ connectionString: database.url })
  await owner.connect()
  kit = ledgerKit(database.serviceUrl)
  ledger = await kit.open()
})
afterAll(async () => {
  await kit.close()
  await owner.end()
  await database.drop()
})

function claimOf(key: string, body = '{}', subject = 'gateway'): IdempotencyClaim {
  return { issuer: 'issuer', subject, operation: 'decide', key, body }
}

function idsOf(outcome: AppendOutcome): readonly string[] {
  return outcome.status === 'committed' ? outcome.sealed.map((record) => record.id) : outcome.ids
}

test('the same key finds the same decision, another body is told apart, another caller is nobody', async () => {
  const first = await ledger.append(unitOf({}, { claim: claimOf('k1') }))
  const again = await ledger.append(unitOf({}, { claim: claimOf('k1') }))
  const other = await ledger.append(unitOf({}, { claim: claimOf('k1', '{"x":1}') }))
  const stranger = await ledger.append(unitOf({}, { claim: claimOf('k1', '{}', 'stranger') }))
  expect(again).toEqual({ status: 'claimed', ids: idsOf(first), matches: true })
  expect(other).toEqual({ status: 'claimed', ids: idsOf(first), matches: false })
  expect(stranger.status).toBe('committed')
  expect(await ledger.findClaim(claimOf('k1'))).toEqual({ ids: idsOf(first), matches: true })
  expect(await ledger.findClaim(claimOf('unknown'))).toBeNull()
})

test('equal keys in flight here are one decision', async () => {
  const outcomes = await Promise.all([
    ledger.append(unitOf({}, { claim: claimOf('k2') })),
    ledger.append(unitOf({}, { claim: claimOf('k2') })),
    ledger.append(unitOf({}, { claim: claimOf('k2', '{"x":1}') })),
  ])
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['committed', 'claimed', 'claimed'])
  expect(new Set(outcomes.flatMap(idsOf)).size).toBe(1)
  expect(outcomes.slice(1).map((outcome) => outcome.status === 'claimed' && outcome.matches)).toEqual([
    true,
    false,
  ])
})

test('neither key nor body is in the database', async () => {
  await ledger.append(unitOf({}, { claim: claimOf('visible-key', '{"visible":"body"}') }))
  const { rowCount } = await owner.query(
    "SELECT FROM ledger_idempotency t WHERE encode(claim, 'escape') || encode(body, 'escape') LIKE '%visible%'",
  )
  expect(rowCount).toBe(0)
})

test('two replicas that race on overlapping keys make one decision per key, without gaps or deadlocks', async () => {
  const replica = await kit.openReplica()
  const keys = Array.from({ length: 300 }, (_, i) => `race-${i}`)
  const answers = new Map<string, Set<string>>()
  let losers = 0
  const run = async (writer: LedgerHandle, order: readonly string[]): Promise<void> => {
    await Promise.all(
      order.map(async (key) => {
        const outcome = await writer.append(unitOf({ actor: `agent:${key}` }, { claim: claimOf(key) }))
        if (outcome.status === 'claimed') losers += 1
        for (const id of idsOf(outcome)) answers.set(key, (answers.get(key) ?? new Set()).add(id))
      }),
    )
  }
  const before = await deadlocks()
  for (let at = 0; at < keys.length; at += 50) {
    const some = keys.slice(at, at + 50)
    await Promise.all([run(ledger, some), run(replica, some.toReversed())])
  }
  expect(losers).toBe(300)
  expect([...answers.values()].every((ids) => ids.size === 1)).toBe(true)
  const { rows } = await owner.query<{ actor: string; n: string }>(
    "SELECT actor, count(*) AS n FROM ledger_search WHERE actor LIKE 'agent:race-%' GROUP BY actor HAVING count(*) <> 1",
  )
  expect(rows).toEqual([])
  const { rows: streams } = await owner.query<{ ok: boolean }>(
    `SELECT max(first_seq + n) = sum(n) AND count(*) = max(counter) + 1 AS ok FROM ledger_batch GROUP BY stream`,
  )
  expect(streams).toEqual([{ ok: true }, { ok: true }])
  expect(await deadlocks()).toBe(before)
  await replica.close()
})

async function deadlocks(): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(
    'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
  )
  return rows[0]?.n ?? -1
}

test('a unit of several records replays whole, in its order, with receipts and opened parts', async () => {
  const records = ['agent:a', 'agent:b'].map((actor) => decision({ actor }))
  const outcome = await ledger.append({ records, claim: claimOf('k3'), callerKey: 'c' })
  if (outcome.status !== 'committed') throw new Error('not committed')
  const replayed = await ledger.replay(idsOf(outcome))
  outcome.sealed.forEach((sealed, at) => {
    expect(replayed[at]).toMatchObject({
      id: sealed.id,
      time: sealed.time,
      expiresAt: sealed.expiresAt,
      receipt: sealed.receipt,
      receiptSalt: sealed.receiptSalt,
      policy: records[at]?.policy,
    })
    expect(canonicalJson(replayed[at]?.input)).toBe(records[at]?.parts.input)
    expect(canonicalJson(replayed[at]?.output)).toBe(records[at]?.parts.output)
  })
})

test('a row of claims that somebody inserts conjures no decision', async () => {
  await expect(ledger.replay(['01a19467-e800-7000-8000-000000000000'])).rejects.toMatchObject({
    code: 'internal',
  })
  const { rows } = await owner.query<{ id: string }>(
    "SELECT id FROM ledger_entry WHERE convert_from(leaf, 'UTF8') LIKE '%stream.opened%' LIMIT 1",
  )
  await expect(ledger.replay([rows[0]?.id ?? ''])).rejects.toMatchObject({ code: 'internal' })
})

test('a payload that was exchanged, or an entry that is not the one in its batch, is not replayed', async () => {
  const [first] = idsOf(await ledger.append(unitOf()))
  const [second] = idsOf(await ledger.append(unitOf()))
  await owner.query(
    'UPDATE ledger_payload SET body = (SELECT body FROM ledger_payload WHERE id = $1) WHERE id = $2',
    [first, second],
  )
  await expect(ledger.replay([second ?? ''])).rejects.toMatchObject({ code: 'internal' })
  await owner.query('ALTER TABLE ledger_entry DISABLE TRIGGER USER')
  await owner.query(
    `UPDATE ledger_entry SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '"deny"', '"allow"'), 'UTF8')
     WHERE id = $1`,
    [first],
  )
  await expect(ledger.replay([first ?? ''])).rejects.toMatchObject({ code: 'internal' })
})

test('an erased payload is expired, not replayed', async () => {
  const [id] = idsOf(await ledger.append(unitOf({ actor: 'agent:erased' })))
  await owner.query(
    `UPDATE ledger_data_key SET wrapped = NULL
     WHERE key_id = (SELECT key_id FROM ledger_payload WHERE id = $1)`,
    [id],
  )
  await expect(ledger.replay([id ?? ''])).rejects.toMatchObject({ code: 'decision.expired' })
})
