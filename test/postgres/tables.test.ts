import { Client } from 'pg'
import { connectWriter, openPools } from '../../src/postgres/client.ts'
import { testDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { ledgerKit, unitOf } from '../support/ledger.ts'
import type { LedgerKit } from '../support/ledger.ts'

let database: TestDatabase
let owner: Client
let kit: LedgerKit

beforeAll(async () => {
  database = await testDatabase()
  owner = new Client({ connectionString: database.url })
  await owner.connect()
  kit = ledgerKit(database.serviceUrl)
  const ledger = await kit.open()
  await ledger.append(unitOf())
  // A month that nobody has made a partition for.
  await ledger.append(unitOf({ decidedAt: new Date('2099-01-01T00:00:00.000Z') }))
})
afterAll(async () => {
  await kit.close()
  await owner.end()
  await database.drop()
})

const refused = { code: '23000', message: expect.stringContaining('append-only') }

async function partitions(parent: string): Promise<readonly string[]> {
  const { rows } = await owner.query<{ name: string }>(
    'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass',
    [parent],
  )
  return rows.map((row) => row.name)
}

test('entries can be neither changed nor deleted, through the parent or a partition, also by the owner', async () => {
  const tables = ['ledger_entry', ...(await partitions('ledger_entry'))]
  expect(tables.length).toBeGreaterThan(4)
  let guarded = 0
  for (const table of tables) {
    const { rowCount } = await owner.query(`SELECT FROM ${table}`)
    if (rowCount === 0) continue
    guarded += 1
    await expect(owner.query(`UPDATE ${table} SET pos = 7`)).rejects.toMatchObject(refused)
    await expect(owner.query(`DELETE FROM ${table}`)).rejects.toMatchObject(refused)
  }
  expect(guarded).toBe(3)
})

test.each(['ledger_entry', 'ledger_payload', 'ledger_search'])(
  '%s and each of its partitions refuses TRUNCATE',
  async (parent) => {
    for (const table of [parent, ...(await partitions(parent))]) {
      await expect(owner.query(`TRUNCATE ${table}`)).rejects.toMatchObject(refused)
    }
  },
)

test.each(['ledger_batch', 'ledger_key', 'ledger_log', 'ledger_stream'])(
  '%s refuses DELETE and TRUNCATE',
  async (table) => {
    await expect(owner.query(`DELETE FROM ${table}`)).rejects.toMatchObject(refused)
    await expect(owner.query(`TRUNCATE ${table}`)).rejects.toMatchObject(refused)
  },
)

test('of a stream, only the head changes, and it never goes back', async () => {
  await expect(owner.query("UPDATE ledger_stream SET kid = 'x'")).rejects.toMatchObject({ code: '23000' })
  await owner.query('UPDATE ledger_stream SET head_counter = 100')
  await expect(owner.query('UPDATE ledger_stream SET head_counter = 99')).rejects.toMatchObject({
    code: '23000',
  })
})

test('a record of a month without a partition is kept in the default one, and told', async () => {
  const { rowCount } = await owner.query('SELECT FROM ledger_entry_default')
  expect(rowCount).toBe(1)
  const { rows } = await owner.query<{ alarm: string }>('SELECT ledger_ensure_partitions() AS alarm')
  expect(rows.map((row) => row.alarm)).toContain('ledger_entry_default holds rows')
})

test('partitions are made two months ahead, once, also by two at a time', async () => {
  const others = await Promise.all([1, 2].map(() => connectWriter(database.serviceUrl, 5000)))
  const before = await partitions('ledger_entry')
  await owner.query('BEGIN')
  await owner.query("SELECT ledger_add_partition('ledger_entry', '2031-05-01')")
  await owner.query('ROLLBACK')
  await Promise.all(others.map((client) => client.query('SELECT ledger_ensure_partitions()')))
  expect(await partitions('ledger_entry')).toEqual(before)
  const month = new Date()
  month.setUTCDate(1)
  month.setUTCMonth(month.getUTCMonth() + 2)
  const name = `ledger_entry_y${month.getUTCFullYear()}m${String(month.getUTCMonth() + 1).padStart(2, '0')}`
  expect(before).toContain(name)
  await Promise.all(others.map((client) => client.end()))
})

test.each([
  ['countersign_writer', 'UPDATE ledger_entry SET pos = 1'],
  ['countersign_writer', 'DELETE FROM ledger_payload'],
  ['countersign_writer', 'DELETE FROM ledger_idempotency'],
  ['countersign_writer', 'UPDATE ledger_idempotency SET ids = ids'],
  ['countersign_writer', 'UPDATE ledger_stream SET public_key = public_key'],
  ['countersign_writer', 'TRUNCATE ledger_pending'],
  ['countersign_writer', 'DROP TABLE ledger_entry'],
  ['countersign_reader', 'INSERT INTO ledger_log VALUES (1, $$x$$)'],
  ['countersign_reader', 'SELECT * FROM ledger_idempotency'],
  ['countersign_reader', 'SELECT ledger_ensure_partitions()'],
  ['countersign_sequencer', 'SELECT * FROM ledger_payload'],
  ['countersign_signer', 'SELECT * FROM ledger_payload'],
])('%s may not: %s', async (role, statement) => {
  const client = new Client({ connectionString: database.serviceUrl })
  await client.connect()
  await client.query(`SET ROLE ${role}`)
  await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' })
  await client.end()
})

test('claims are forgotten after 24 hours, not before', async () => {
  await owner.query(
    `INSERT INTO ledger_idempotency (log_id, claim, body, ids, created_at) VALUES
     (1, 'old', '', '{}', now() - interval '24 hours 1 second'), (1, 'new', '', '{}', now() - interval '23 hours')`,
  )
  await kit.pools.writer.query('SELECT ledger_forget_claims()')
  const { rows } = await owner.query<{ claim: Buffer }>(
    'SELECT claim FROM ledger_idempotency WHERE log_id = 1',
  )
  expect(rows.map((row) => row.claim.toString())).toEqual(['new'])
})

test('a server on which a commit is no promise is refused', async () => {
  const name = new URL(database.serviceUrl).pathname.slice(1)
  await owner.query(`ALTER DATABASE ${name} SET synchronous_commit = off`)
  await expect(connectWriter(database.serviceUrl, 1000)).rejects.toMatchObject({
    code: 'ledger.unavailable',
    message: expect.stringContaining('synchronous_commit is off'),
  })
  const pools = openPools(database.serviceUrl)
  await expect(pools.reader.query('SELECT 1')).rejects.toMatchObject({ code: 'ledger.unavailable' })
  await pools.close()
  await owner.query(`ALTER DATABASE ${name} RESET synchronous_commit`)
  const client = await connectWriter(database.serviceUrl, 1000)
  await client.end()
})
