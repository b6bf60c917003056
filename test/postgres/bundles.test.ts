import { Client } from 'pg'
import type { BundleRow } from '../../src/policy/bundle.ts'
import { createBundleStore } from '../../src/postgres/bundles.ts'
import type { PostgresBundleStore } from '../../src/postgres/bundles.ts'
import { openPools } from '../../src/postgres/client.ts'
import type { Pools } from '../../src/postgres/client.ts'
import { testDatabase } from '../support/database.ts'
import type { TestDatabase } from '../support/database.ts'
import { LOG_ID } from '../support/ledger.ts'

let database: TestDatabase
let owner: Client
let pools: Pools
let store: PostgresBundleStore

beforeEach(async () => {
  database = await testDatabase()
  owner = new Client({ connectionString: database.url })
  await owner.connect()
  pools = openPools(database.serviceUrl)
  store = createBundleStore({ url: database.serviceUrl, pools, logId: LOG_ID })
})
afterEach(async () => {
  await store.close()
  await pools.close()
  await owner.end()
  await database.drop()
})

function bundle(number: number, change: Partial<BundleRow> = {}): BundleRow {
  return {
    id: `01a19467-e800-7000-8000-00000000000${number}`,
    name: 'guardrails',
    revision: `r${number}`,
    extends: 'default',
    state: 'candidate',
    digest: `sha256:${'c'.repeat(64)}`,
    postedAt: new Date(Date.UTC(2026, 10, 21, 3, 0, number)),
    postedBy: 'ci',
    activatedAt: null,
    report: { findings: [] } as unknown as BundleRow['report'],
    files: { 'policies/x.rego': 'package guardrails.x\n# NUL \0 and ü\n', 'data.json': '{"a": 1.50}' },
    wasm: Uint8Array.from([0, 97, 115, 109]),
    data: '{"a": 1.50}',
    listed: ['x.rule'],
    ...change,
  }
}

/** Resolves with the bundles that a follower was told, once there are `count`. */
function followed(count: number, known: string | null = null) {
  const seen: string[] = []
  let tell: (seen: readonly string[]) => void
  const done = new Promise<readonly string[]>((resolve) => {
    tell = resolve
  })
  const follower = store.followActive(known, async (row) => {
    seen.push(row.revision)
    if (seen.length === count) tell(seen)
  })
  return { done, close: () => follower.close() }
}

test('a bundle comes back as it was stored', async () => {
  await store.insert(bundle(1))
  expect(await store.read(bundle(1).id)).toEqual(bundle(1))
  const changed = bundle(1, { state: 'rejected', digest: null, wasm: null })
  await store.update(changed)
  expect(await store.read(bundle(1).id)).toEqual(changed)
  expect(await store.read(bundle(2).id)).toBeUndefined()
})

test('bundles are listed newest first, page by page', async () => {
  for (const number of [1, 2, 3, 4, 5]) await store.insert(bundle(number))
  const first = await store.list({ limit: 2, before: null })
  expect(first.map((row) => row.revision)).toEqual(['r5', 'r4'])
  const second = await store.list({ limit: 9, before: first[1]?.id ?? null })
  expect(second.map((row) => row.revision)).toEqual(['r3', 'r2', 'r1'])
})

test('activation puts one in force and retires the one before', async () => {
  await store.insert(bundle(1))
  await store.insert(bundle(2))
  expect(await store.active()).toBeUndefined()
  await store.activate(bundle(1).id)
  await store.activate(bundle(2).id)
  expect((await store.active())?.revision).toBe('r2')
  expect((await store.read(bundle(1).id))?.state).toBe('retired')
  expect((await store.read(bundle(2).id))?.activatedAt).toBeInstanceOf(Date)
})

test('what was rejected, never compiled or never posted cannot be put in force, and changes nothing', async () => {
  await store.insert(bundle(1))
  await store.insert(bundle(2, { state: 'rejected' }))
  await store.insert(bundle(3, { wasm: null }))
  await store.activate(bundle(1).id)
  for (const number of [2, 3, 4]) {
    await expect(store.activate(bundle(number).id)).rejects.toMatchObject({ code: 'bundle.not_found' })
  }
  expect((await store.active())?.revision).toBe('r1')
})

test('activations at the same time leave exactly one in force', async () => {
  const numbers = [1, 2, 3, 4, 5]
  for (const number of numbers) await store.insert(bundle(number))
  await Promise.all(numbers.map((number) => store.activate(bundle(number).id)))
  const { rows } = await owner.query("SELECT count(*)::int AS n FROM bundle WHERE state = 'active'")
  expect(rows).toEqual([{ n: 1 }])
})

test('a follower is told at once, and not of what it knows', async () => {
  await store.insert(bundle(1))
  await store.insert(bundle(2))
  await store.activate(bundle(1).id)
  const follower = followed(1, bundle(1).id)
  await store.activate(bundle(2).id)
  expect(await follower.done).toEqual(['r2'])
  await follower.close()
})

test('a follower whose connection was killed still follows within a second', async () => {
  await store.insert(bundle(1))
  await store.insert(bundle(2))
  await store.activate(bundle(1).id)
  const first = followed(1)
  await first.done
  await first.close()
  const follower = followed(1, bundle(1).id)
  await owner.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  )
  await owner.query("UPDATE bundle SET state = 'retired' WHERE id = $1", [bundle(1).id])
  await owner.query("UPDATE bundle SET state = 'active' WHERE id = $1", [bundle(2).id])
  const changed = performance.now()
  expect(await follower.done).toEqual(['r2'])
  expect(performance.now() - changed).toBeLessThan(2000)
  await follower.close()
})

test('a bundle that could not be used is offered again', async () => {
  await store.insert(bundle(1))
  await store.activate(bundle(1).id)
  let attempts = 0
  await new Promise<void>((resolve) => {
    const follower = store.followActive(null, async () => {
      attempts += 1
      if (attempts === 1) throw new Error('not now')
      await new Promise((later) => setImmediate(later))
      resolve(follower.close())
    })
  })
  expect(attempts).toBe(2)
})
