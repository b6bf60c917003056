/** Bundles in PostgreSQL: stored whole, one of them in force, replicas told when it changes. */
import type { Pool } from 'pg'
import { PdpError } from '../errors.ts'
import type { BundleFiles, BundleReport, BundleRow, BundleState } from '../policy/bundle.ts'
import type { BundleStore } from '../ports.ts'
import { unavailable } from './client.ts'
import type { Pools } from './client.ts'
import { Follower } from './follow.ts'
import type { Prisma, PrismaClient } from './generated/client.ts'

export interface BundleStoreOptions {
  readonly url: string
  readonly pools: Pools
  readonly logId: string
}

/** A bundle store that also knows which bundle is in force, and says when that changes. */
export interface PostgresBundleStore extends BundleStore {
  /** The bundle in force; undefined while the shipped one is. */
  active(): Promise<BundleRow | undefined>
  /**
   * Calls `onChange` with the bundle in force whenever it is another one than `known`; at once on a
   * notification, within a second without. A call that rejects is repeated. Ends when it is closed.
   */
  followActive(known: string | null, onChange: (row: BundleRow) => Promise<void>): Follower
  close(): Promise<void>
}

const CHANNEL = 'countersign_bundle'
const ATTEMPTS = 5
/** Two activations at once: the later one finds the earlier one's row. */
const RACED = /^(?:23505|40001|40P01)$/

/** The bundles of one log. */
export function createBundleStore({ url, pools, logId }: BundleStoreOptions): PostgresBundleStore {
  const log = BigInt(logId)
  const prisma = lazyPrisma(pools.writer)
  const current = (): Promise<string | null> => activeId(pools.writer, logId)
  const read = (id: string): Promise<BundleRow | undefined> =>
    orUnavailable(async () => find(await prisma.client(), log, id))
  return {
    insert: (row) =>
      orUnavailable(async () => {
        const client = await prisma.client()
        await client.bundle.create({ data: { logId: log, ...columns(row) } })
      }),
    update: (row) =>
      orUnavailable(async () => {
        const client = await prisma.client()
        await client.bundle.update({ where: { logId_id: { logId: log, id: row.id } }, data: columns(row) })
      }),
    read,
    list: (page) => orUnavailable(async () => list(await prisma.client(), log, page)),
    activate: (id) => orUnavailable(() => activate(pools.writer, logId, id)),
    active: async () => {
      const id = await orUnavailable(current)
      return id === null ? undefined : read(id)
    },
    followActive: (known, onChange) => {
      const change = async (id: string): Promise<void> => {
        const row = await read(id)
        if (row !== undefined) await onChange(row)
      }
      return new Follower({ url, channel: CHANNEL, known, current, onChange: change })
    },
    close: () => prisma.close(),
  }
}

async function activeId(pool: Pool, logId: string): Promise<string | null> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'active_bundle',
    text: "SELECT id FROM bundle WHERE log_id = $1 AND state = 'active'",
    values: [logId],
  })
  return rows[0]?.id ?? null
}

async function find(client: PrismaClient, logId: bigint, id: string): Promise<BundleRow | undefined> {
  const row = await client.bundle.findUnique({ where: { logId_id: { logId, id } } })
  return row === null ? undefined : bundleRow(row)
}

/**
 * Prisma's client, loaded by the first request about bundles: with its query compiler it takes 0.8 s and
 * 70 MB, which no decision needs.
 */
function lazyPrisma(pool: Pool): { client(): Promise<PrismaClient>; close(): Promise<void> } {
  let loading: Promise<PrismaClient> | undefined
  const load = async (): Promise<PrismaClient> => {
    const [{ PrismaClient }, { PrismaPg }] = await Promise.all([
      import('./generated/client.ts'),
      import('@prisma/adapter-pg'),
    ])
    return new PrismaClient({ adapter: new PrismaPg(pool) })
  }
  return {
    client: () => (loading ??= load()),
    close: async () => (await loading)?.$disconnect(),
  }
}

type Stored = Prisma.BundleGetPayload<object>
type Columns = Omit<Stored, 'logId'>

function columns(row: BundleRow): Columns {
  return {
    ...row,
    report: JSON.stringify(row.report),
    files: JSON.stringify(row.files),
    wasm: row.wasm === null ? null : Uint8Array.from(row.wasm),
    listed: [...row.listed],
  }
}

function bundleRow(stored: Stored): BundleRow {
  const { logId: _log, ...row } = stored
  return {
    ...row,
    extends: row.extends === 'default' ? 'default' : null,
    state: row.state as BundleState,
    report: JSON.parse(row.report) as BundleReport,
    files: JSON.parse(row.files) as BundleFiles,
  }
}

/** Newest first; `before` is the last id of the page before. */
async function list(
  client: PrismaClient,
  logId: bigint,
  page: { readonly limit: number; readonly before: string | null },
): Promise<readonly BundleRow[]> {
  const query: Prisma.BundleFindManyArgs = {
    where: { logId },
    orderBy: [{ postedAt: 'desc' }, { id: 'desc' }],
    take: page.limit,
  }
  if (page.before !== null)
    Object.assign(query, { cursor: { logId_id: { logId, id: page.before } }, skip: 1 })
  const rows = await client.bundle.findMany(query)
  return rows.map(bundleRow)
}

async function activate(pool: Pool, logId: string, id: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await activateOnce(pool, logId, id)
    } catch (error) {
      if (attempt === ATTEMPTS || !RACED.test(String((error as { code?: unknown }).code))) throw error
    }
  }
}

async function activateOnce(pool: Pool, logId: string, id: string): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(
      "UPDATE bundle SET state = 'retired' WHERE log_id = $1 AND state = 'active' AND id <> $2",
      [logId, id],
    )
    const { rowCount } = await client.query(
      `UPDATE bundle SET state = 'active', activated_at = now()
       WHERE log_id = $1 AND id = $2 AND state IN ('candidate', 'shadow', 'retired', 'active') AND wasm IS NOT NULL`,
      [logId, id],
    )
    if (rowCount !== 1)
      throw new PdpError('bundle.not_found', 'there is no such bundle that could be in force')
    await client.query('SELECT pg_notify($1, $2)', [CHANNEL, `${logId} ${id}`])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

async function orUnavailable<Result>(task: () => Promise<Result>): Promise<Result> {
  try {
    return await task()
  } catch (cause) {
    throw unavailable(cause)
  }
}
