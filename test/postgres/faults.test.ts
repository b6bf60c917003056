import { Client } from 'pg'
import { createEvidenceStore } from '../../src/postgres/evidence.ts'
import type { LedgerHandle } from '../../src/postgres/ledger.ts'
import type { AppendOutcome } from '../../src/ports.ts'
import { testDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { LOG_ID, ORIGIN, ledgerKit, unitOf } from '../support/ledger.ts'
import type { LedgerKit } from '../support/ledger.ts'
import { proxyTo } from '../support/proxy.ts'
import type { Proxy } from '../support/proxy.ts'

let database: TestDatabase
let owner: Client
let proxy: Proxy
let kit: LedgerKit
let ledger: LedgerHandle

beforeEach(async () => {
  database = await testDatabase()
  owner = new Client({ connectionString: database.url })
  await owner.connect()
  proxy = await proxyTo(database.serviceUrl)
  kit = ledgerKit(proxy.url)
  ledger = await kit.open()
})
afterEach(async () => {
  proxy.restore()
  await kit.close()
  await proxy.close()
  await owner.end()
  await database.drop()
})

async function committedIds(): Promise<ReadonlySet<string>> {
  const { rows } = await owner.query<{ id: string }>('SELECT id FROM ledger_entry')
  return new Set(rows.map((row) => row.id))
}

/** Dense counters and sequence numbers: nothing was doubled, nothing left out. */
async function expectDense(): Promise<void> {
  const { rows } = await owner.query<{ counter: string; first_seq: string; n: number }>(
    'SELECT counter, first_seq, n FROM ledger_batch ORDER BY stream, counter',
  )
  let seq = 0
  rows.forEach((row, counter) => {
    expect([Number(row.counter), Number(row.first_seq)]).toEqual([counter, seq])
    seq += row.n
  })
  const { rows: entries } = await owner.query<{ n: number }>('SELECT count(*)::int AS n FROM ledger_entry')
  expect(entries[0]?.n).toBe(seq)
}

function idsOf(outcome: AppendOutcome): readonly string[] {
  return outcome.status === 'committed' ? outcome.sealed.map((record) => record.id) : []
}

async function killBackends(): Promise<void> {
  await owner.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  )
}

/** Tries until it succeeds; each try is one decision of a caller who asks again. */
async function appendAgain(): Promise<AppendOutcome> {
  for (;;) {
    try {
      return await ledger.append(unitOf())
    } catch (error) {
      expect(error).toMatchObject({ code: 'ledger.unavailable' })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

test('an answer that was lost on the way is asked for again: committed once, answered once', async () => {
  proxy.loseNextAnswer()
  const outcome = await ledger.append(unitOf())
  const [id] = idsOf(outcome)
  expect((await committedIds()).has(id ?? '')).toBe(true)
  await expectDense()
  const { rows } = await owner.query<{ n: number }>('SELECT count(*)::int AS n FROM ledger_entry')
  expect(rows[0]?.n).toBe(4)
})

test('killed backends lose nothing that was acknowledged, and double nothing', async () => {
  const caller = { running: true }
  const acknowledged: string[] = []
  const callers = Array.from({ length: 16 }, async () => {
    while (caller.running) {
      acknowledged.push(...idsOf(await ledger.append(unitOf()).catch(() => ({ status: 'claimed' }) as never)))
    }
  })
  for (let round = 0; round < 10; round++) {
    await killBackends()
    const before = acknowledged.length
    while (acknowledged.length < before + 30) await new Promise((resolve) => setImmediate(resolve))
  }
  caller.running = false
  await Promise.all(callers)
  const committed = await committedIds()
  expect(acknowledged.length).toBeGreaterThan(300)
  expect(acknowledged.filter((id) => !committed.has(id))).toEqual([])
  await expectDense()
})

test('with the database gone, everybody is refused within two seconds, and it recovers by itself', async () => {
  await ledger.append(unitOf())
  proxy.cut()
  const started = performance.now()
  const refusals = await Promise.allSettled(Array.from({ length: 8 }, () => ledger.append(unitOf())))
  expect(performance.now() - started).toBeLessThan(2000)
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'ledger.unavailable' } })
  }
  expect(ledger.fault()).toBeDefined()
  const again = performance.now()
  await expect(ledger.append(unitOf())).rejects.toMatchObject({ code: 'ledger.unavailable' })
  expect(performance.now() - again).toBeLessThan(100)
  proxy.restore()
  expect((await appendAgain()).status).toBe('committed')
  expect(ledger.fault()).toBeUndefined()
  await expectDense()
})

test('a batch that was in flight when the database went stays in the stream, and is not doubled', async () => {
  proxy.loseNextAnswer()
  const lost = ledger.append(unitOf())
  proxy.cut()
  await expect(lost).rejects.toMatchObject({ code: 'ledger.unavailable' })
  proxy.restore()
  expect((await appendAgain()).status).toBe('committed')
  await expectDense()
})

test('a stream that ends with a batch of unknown fate is named by the next one, with that fate', async () => {
  proxy.refuse()
  proxy.loseNextAnswer()
  await expect(ledger.append(unitOf())).rejects.toMatchObject({ code: 'ledger.unavailable' })
  await ledger.close()
  proxy.restore()
  const { rows } = await owner.query<{ stream: string; digest: Buffer }>(
    'SELECT stream, digest FROM ledger_batch ORDER BY counter',
  )
  const [known, lost] = rows.map((row) => row.digest.toString('hex'))
  await kit.open()
  const { options } = kit
  const reader = { pool: kit.pools.reader, logId: LOG_ID, origin: ORIGIN, keys: options.keys.payloads }
  const opened = await createEvidenceStore({ reader, clock: options.clock }).search({
    filters: { kind: 'stream.opened' },
    from: null,
    to: null,
    q: null,
    order: 'desc',
    limit: 1,
    cursor: null,
    readers: null,
    callerKey: 'auditor',
  })
  expect(opened.items[0]?.body?.['previous']).toEqual({
    stream: rows[0]?.stream,
    lastKnown: { counter: 0, digest: known },
    unresolved: { counter: 1, digest: lost, committed: true },
  })
})

test('a full disk is a refusal, not a lost record', async () => {
  await owner.query(
    `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'no space left on device'; END $$`,
  )
  await owner.query(
    'CREATE TRIGGER full_disk BEFORE INSERT ON ledger_batch FOR EACH ROW EXECUTE FUNCTION full_disk()',
  )
  const started = performance.now()
  await expect(ledger.append(unitOf())).rejects.toMatchObject({ code: 'ledger.unavailable' })
  expect(performance.now() - started).toBeLessThan(2000)
  await owner.query('DROP TRIGGER full_disk ON ledger_batch')
  expect((await appendAgain()).status).toBe('committed')
  await expectDense()
})

test('another batch in the place of ours ends the stream: nothing is answered any more', async () => {
  await owner.query(
    `INSERT INTO ledger_batch SELECT log_id, gen_random_uuid(), stream, counter + 1, first_seq + n, 1, digest,
       substring(leaf_hashes FROM 1 FOR 32) FROM ledger_batch`,
  )
  await expect(ledger.append(unitOf())).rejects.toMatchObject({ code: 'ledger.unavailable' })
  await expect(ledger.append(unitOf())).rejects.toMatchObject({ code: 'ledger.unavailable' })
  expect(ledger.fault()).toContain('another batch')
})

test('a record that cannot be sealed fails alone, and takes no place in the stream', async () => {
  const event = {
    kind: 'query',
    ref: 'x'.repeat(600),
    body: '{}',
    search: unitOf().records[0]?.search,
  } as never
  const [bad, good] = await Promise.allSettled([
    ledger.append({ records: [event], claim: null, callerKey: 'x' }),
    ledger.append(unitOf()),
  ])
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
  expect(good).toMatchObject({ status: 'fulfilled', value: { status: 'committed' } })
  await expectDense()
})

test('a hostile reason text is stored all the same', async () => {
  const outcome = await ledger.append(unitOf({ reason: 'NUL \0, half a pair \ud800, quote " and { } \\' }))
  expect(outcome.status).toBe('committed')
})

test('no caller takes more than a quarter of the queue, and the queue is bounded', async () => {
  const small = await kit.open({ limits: { records: 40, bytes: 1 << 30 } })
  const append = (callerKey: string) => small.append(unitOf({}, { callerKey }))
  const outcomes = await Promise.allSettled([
    ...Array.from({ length: 12 }, () => append('greedy')),
    ...['a', 'b', 'c'].flatMap((caller) => Array.from({ length: 10 }, () => append(caller))),
    append('late'),
  ])
  const codes = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as { code: string }).code,
  )
  expect(codes.filter((code) => code === 'caller.limit')).toHaveLength(2)
  expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'ok'))
  expect(codes.at(-1)).toBe('ledger.busy')
  expect((await append('late')).status).toBe('committed')
})
