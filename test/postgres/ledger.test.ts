import { createPublicKey, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compactVerify, importJWK } from 'jose'
import { Client } from 'pg'
import { canonicalJson } from '../../src/action/canonical.ts'
import { parseLeaf } from '../../src/ledger/entry.ts'
import type { Leaf } from '../../src/ledger/entry.ts'
import { leafHash } from '../../src/ledger/merkle.ts'
import { logIdOf } from '../../src/ledger/origin.ts'
import { NO_BATCH, batchDigest, certificateBytes, headBytes } from '../../src/ledger/stream.ts'
import type { AppendOutcome } from '../../src/ports.ts'
import { createPublicKeys } from '../../src/postgres/receipt-keys.ts'
import { databaseMode } from '../../src/postgres/settings.ts'
import { testDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { LOG_ID, ORIGIN, ledgerKit, unitOf } from '../support/ledger.ts'
import type { LedgerKit } from '../support/ledger.ts'

let database: TestDatabase
let owner: Client
let kit: LedgerKit

beforeEach(async () => {
  database = await testDatabase()
  owner = new Client({ connectionString: database.url })
  await owner.connect()
  kit = ledgerKit(database.serviceUrl)
})
afterEach(async () => {
  await kit.close()
  await owner.end()
  await database.drop()
})

async function leaves(): Promise<readonly Leaf[]> {
  const { rows } = await owner.query<{ leaf: Buffer }>('SELECT leaf FROM ledger_entry ORDER BY id')
  return rows.map((row) => parseLeaf(row.leaf))
}

function sealed(outcome: AppendOutcome) {
  if (outcome.status !== 'committed') throw new Error(`expected a commit, found ${outcome.status}`)
  const [record] = outcome.sealed
  if (record === undefined) throw new Error('expected a record')
  return record
}

function ed25519(raw: Uint8Array) {
  const x = Buffer.from(raw).toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
}

test('what was acknowledged is in the database, under the hash that the receipt names', async () => {
  const ledger = await kit.open()
  const record = sealed(await ledger.append(unitOf()))
  const { rows } = await owner.query<{ leaf: Buffer }>('SELECT leaf FROM ledger_entry WHERE id = $1', [
    record.id,
  ])
  expect(leafHash(rows[0]?.leaf ?? Buffer.alloc(0)).equals(record.leafHash)).toBe(true)
  const keys = createPublicKeys(
    {
      pool: kit.pools.writer,
      logId: LOG_ID,
      auditKey: kit.options.keys.auditKey,
      signer: kit.options.keys.signer,
    },
    ORIGIN,
    'vkey',
  )
  const [jwk] = (await keys.jwks()).keys
  const { payload } = await compactVerify(record.receipt, await importJWK(jwk ?? {}, 'EdDSA'))
  const claims = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>
  expect(claims).toMatchObject({
    iss: ORIGIN,
    jti: record.id,
    leaf: Buffer.from(record.leafHash).toString('base64url'),
    stream: record.stream,
    seq: record.seq,
    verdict: 'deny',
  })
})

test('a stream opens with its certificate, announces key and settings once, and closes with a signed head', async () => {
  const first = await kit.open()
  await first.append(unitOf())
  await first.close()
  const second = await kit.open()
  await second.close()
  const third = await kit.open({ settings: canonicalJson({ observe: true }) })
  await third.close()
  expect((await leaves()).map((leaf) => leaf.kind)).toEqual([
    'stream.opened',
    'key.added',
    'ledger.settings',
    'decision',
    'stream.closed',
    'stream.opened',
    'stream.closed',
    'stream.opened',
    'ledger.settings',
    'stream.closed',
  ])
  const { rows } = await owner.query<Record<string, Buffer & string>>('SELECT * FROM ledger_stream')
  expect(rows).toHaveLength(3)
  for (const row of rows) {
    const { stream = '', public_key: key, certificate, head_counter: counter, head_digest: digest } = row
    const vouched = certificateBytes(ORIGIN, stream, key ?? NO_BATCH)
    expect(verify(null, vouched, ed25519(kit.options.keys.signer.publicKey), certificate ?? NO_BATCH)).toBe(
      true,
    )
    const head = headBytes(ORIGIN, stream, Number(counter), digest ?? NO_BATCH)
    expect(verify(null, head, ed25519(key ?? NO_BATCH), row['head_signature'] ?? NO_BATCH)).toBe(true)
    const last = await owner.query('SELECT max(counter) AS last FROM ledger_batch WHERE stream = $1', [
      stream,
    ])
    expect((last.rows[0] as { last: string }).last).toBe(String(counter))
  }
})

test('batches chain: dense counters and sequence numbers, each digest over the one before', async () => {
  const ledger = await kit.open()
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => ledger.append(unitOf({ actor: `agent:${i}` }))))
  }
  await ledger.close()
  const { rows } = await owner.query<{
    stream: string
    counter: string
    first_seq: string
    n: number
    digest: Buffer
    leaf_hashes: Buffer
  }>('SELECT * FROM ledger_batch ORDER BY counter')
  let previous: Uint8Array = NO_BATCH
  let seq = 0
  rows.forEach((row, counter) => {
    expect([Number(row.counter), Number(row.first_seq)]).toEqual([counter, seq])
    const leafHashes = row.leaf_hashes
    const digest = batchDigest({ stream: row.stream, counter, firstSeq: seq, previous, leafHashes })
    expect(row.digest.equals(digest)).toBe(true)
    previous = digest
    seq += row.n
  })
  expect(seq).toBe(3 + 100 + 1)
  expect(rows.length).toBeLessThan(30)
  const all = await leaves()
  expect(all.map((leaf) => leaf.seq).sort((a, b) => a - b)).toEqual(Array.from({ length: seq }, (_, i) => i))
})

test('a unit is one place in the stream: its records follow one another', async () => {
  const ledger = await kit.open()
  const [first, second] = [unitOf({ actor: 'agent:a' }), unitOf({ actor: 'agent:b' })]
  const outcome = await ledger.append({ ...first, records: [...first.records, ...second.records] })
  if (outcome.status !== 'committed') throw new Error('not committed')
  const [a, b] = outcome.sealed
  expect(b?.seq).toBe((a?.seq ?? 0) + 1)
})

test('time and ids never go back within a stream, whatever the clock does', async () => {
  const ledger = await kit.open()
  const start = Date.now() + 60_000
  const records = []
  for (const back of [0, 5000, 10_000, -1]) {
    records.push(sealed(await ledger.append(unitOf({ decidedAt: new Date(start - back) }))))
  }
  const times = records.map((record) => record.time.getTime() - start)
  expect(times).toEqual([0, 0, 0, 1])
  const ids = records.map((record) => record.id)
  expect([...ids].sort()).toEqual(ids)
  expect(records.map((record) => record.expiresAt?.getTime() ?? 0)).toEqual(
    records.map((record) => (Math.floor(record.time.getTime() / 1000) + 60) * 1000),
  )
})

test('a secret is nowhere in the clear, and its ciphertext has a key of its own', async () => {
  const ledger = await kit.open()
  await ledger.append(unitOf({ text: 'ALTER USER x PASSWORD ‹secret:1›', secret: 'hunter2-hunter2' }))
  await ledger.close()
  const { rows } = await owner.query<{ class: string; n: string }>(
    `SELECT k.class, count(*) AS n FROM ledger_payload p JOIN ledger_data_key k ON k.key_id = p.secret_key_id GROUP BY 1`,
  )
  expect(rows).toEqual([{ class: 'secret', n: '1' }])
  for (const table of [
    'ledger_entry',
    'ledger_payload',
    'ledger_search',
    'ledger_data_key',
    'ledger_batch',
  ]) {
    const found = await owner.query(
      `SELECT FROM ${table} t WHERE t::text LIKE '%hunter2%' OR t::text LIKE '%' || encode('hunter2', 'hex') || '%'`,
    )
    expect(found.rowCount).toBe(0)
  }
})

test('nothing in a leaf says who acted on what', async () => {
  const ledger = await kit.open()
  const record = sealed(await ledger.append(unitOf({ actor: 'agent:very-secret', target: 'db-hidden' })))
  const { rows } = await owner.query<{ leaf: Buffer }>('SELECT leaf FROM ledger_entry WHERE id = $1', [
    record.id,
  ])
  const text = rows[0]?.leaf.toString() ?? ''
  expect(text).not.toMatch(/very-secret|db-hidden|customers|OPS-4412/)
})

test('a data key is stored with the first payload that needs it, and a restart goes on with it', async () => {
  const first = await kit.open()
  await first.append(unitOf({ actor: 'agent:a' }))
  await first.append(unitOf({ actor: 'agent:a' }))
  await first.close()
  const second = await kit.open()
  await second.append(unitOf({ actor: 'agent:a' }))
  const { rows } = await owner.query(
    `SELECT count(*)::int AS payloads, count(DISTINCT k.key_id)::int AS keys FROM ledger_payload p
     LEFT JOIN ledger_data_key k USING (log_id, key_id) JOIN ledger_search s USING (log_id, id) WHERE s.actor = 'agent:a'`,
  )
  expect(rows).toEqual([{ payloads: 3, keys: 1 }])
})

test('after a restart, stream.opened names the stream before and where it ended', async () => {
  const first = await kit.open()
  const record = sealed(await first.append(unitOf()))
  await first.close()
  const state = JSON.parse(readFileSync(join(kit.options.stateDir, 'stream-state.json'), 'utf8')) as {
    stream: string
    last: { counter: number; digest: string }
  }
  expect(state.stream).toBe(record.stream)
  const { rows } = await owner.query<{ digest: Buffer }>(
    'SELECT digest FROM ledger_batch WHERE stream = $1 AND counter = $2',
    [state.stream, state.last.counter],
  )
  expect(rows[0]?.digest.toString('hex')).toBe(state.last.digest)
  await expect(kit.open().then((ledger) => ledger.fault())).resolves.toBeUndefined()
})

test('refuses a database that lacks what this replica has answered for', async () => {
  const first = await kit.open()
  await first.close()
  const path = join(kit.options.stateDir, 'stream-state.json')
  const state = JSON.parse(readFileSync(path, 'utf8')) as { last: { counter: number } }
  state.last.counter += 1
  writeFileSync(path, JSON.stringify(state))
  await expect(kit.open()).rejects.toMatchObject({
    code: 'ledger.unavailable',
    message: expect.stringContaining('stream-state.json'),
  })
})

test('an evaluation start is refused on a database that was used in production', async () => {
  const production = await kit.open({ mode: 'production' })
  await production.close()
  expect(await databaseMode(kit.pools.writer)).toBe('production')
  await expect(kit.open({ mode: 'evaluation' })).rejects.toMatchObject({ code: 'config.invalid' })
  const origin = 'evaluation.invalid/other'
  const other = kit.open({ mode: 'evaluation', origin, logId: logIdOf(origin) })
  await expect(other).rejects.toMatchObject({ code: 'config.invalid' })
})

test('a key that only a row claims is not served', async () => {
  const ledger = await kit.open()
  await ledger.close()
  await owner.query(
    `INSERT INTO ledger_key SELECT log_id, 'forged', use, algorithm, $1, added_at, certificate FROM ledger_key`,
    [Buffer.alloc(32, 1)],
  )
  const { signer, auditKey } = kit.options.keys
  const keys = createPublicKeys({ pool: kit.pools.writer, logId: LOG_ID, auditKey, signer }, ORIGIN, 'vkey')
  expect((await keys.jwks()).keys.map((key) => key['kid'])).toEqual([signer.kid])
})

test('after it is closed it takes nothing more', async () => {
  const ledger = await kit.open()
  await ledger.close()
  await expect(ledger.append(unitOf())).rejects.toMatchObject({ code: 'ledger.unavailable' })
  expect(ledger.fault()).toBeDefined()
})
