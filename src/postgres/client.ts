/** Connections to PostgreSQL: a pool per role, and the checks without which nothing is durable. */
import { Client, Pool } from 'pg'
import type { ClientBase, ClientConfig } from 'pg'
import { PdpError } from '../errors.ts'

/** The roles that the migrations make. */
export type DatabaseRole = 'countersign_writer' | 'countersign_reader'

/** Pools of one database, by role. */
export interface Pools {
  /** Small statements of the service itself; the ledger's commits have a connection of their own. */
  readonly writer: Pool
  /** Evidence: reads only, each statement two seconds at most. */
  readonly reader: Pool
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 1500
const WRITER_CONNECTIONS = 3
const READER_CONNECTIONS = 4
const READER_STATEMENT_MS = 2000
const WRITER_STATEMENT_MS = 5000
const LOCK_MS = 1000

/**
 * Evidence is read along indexes, in their order. Left to itself the planner takes a fresh partition for
 * almost empty, and sorts all of it (measured: 400 ms instead of 2 for a page of 400,000 rows).
 */
const IN_ORDER = ['seqscan', 'bitmapscan', 'sort', 'hashjoin', 'mergejoin']
  .map((way) => `SET enable_${way} = off;`)
  .concat('SET jit = off')
  .join('')

/** What a server must say; else an acknowledged decision can be lost. */
const DURABLE: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_apply'],
  server_encoding: ['UTF8'],
}

/** Opens the pools. Nothing is connected before it is needed; the checks run on each connection. */
export function openPools(url: string): Pools {
  const writer = pool(url, 'countersign_writer', {
    max: WRITER_CONNECTIONS,
    statementMs: WRITER_STATEMENT_MS,
  })
  const reader = pool(url, 'countersign_reader', {
    max: READER_CONNECTIONS,
    statementMs: READER_STATEMENT_MS,
    planning: IN_ORDER,
  })
  return {
    writer,
    reader,
    close: async () => {
      await Promise.all([writer.end(), reader.end()])
    },
  }
}

/** One connection as writer, checked. Rejects with `ledger.unavailable`. */
export async function connectWriter(url: string, statementMs: number): Promise<Client> {
  const client = new Client(settings(url, statementMs))
  client.on('error', () => undefined)
  try {
    await client.connect()
    await prepare(client, 'countersign_writer')
    return client
  } catch (cause) {
    client.end().catch(() => undefined)
    throw unavailable(cause)
  }
}

/** A failure to reach or use the database, as callers meet it. */
export function unavailable(cause: unknown): PdpError {
  if (cause instanceof PdpError) return cause
  return new PdpError('ledger.unavailable', 'the database cannot be used', { cause, retryAfterSeconds: 1 })
}

interface PoolLimits {
  readonly max: number
  readonly statementMs: number
  /** Settings of the planner. */
  readonly planning?: string
}

function pool(url: string, role: DatabaseRole, limits: PoolLimits): Pool {
  const config = {
    ...settings(url, limits.statementMs),
    max: limits.max,
    idleTimeoutMillis: 60_000,
    allowExitOnIdle: true,
  }
  // The pool waits for the promise, and hands the connection out only if it resolves.
  const onConnect = async (client: ClientBase): Promise<void> => {
    await prepare(client, role)
    if (limits.planning !== undefined) await client.query(limits.planning)
  }
  const made = new Pool(Object.assign(config, { onConnect }))
  // An idle connection that breaks is replaced; the next statement that fails says so itself.
  made.on('error', () => undefined)
  return made
}

function settings(url: string, statementMs: number): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementMs,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    application_name: 'countersign',
  }
}

/** Takes the role, and refuses a server on which a commit is no promise. */
async function prepare(client: ClientBase, role: DatabaseRole): Promise<void> {
  await client.query(`SET ROLE ${role}`)
  const names = Object.keys(DURABLE)
  const { rows } = await client.query<{ name: string; value: string }>(
    'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name',
    [names],
  )
  for (const { name, value } of rows) {
    const accepted = DURABLE[name] ?? []
    if (!accepted.includes(value)) {
      throw new PdpError('ledger.unavailable', `${name} is ${value}: it must be ${accepted.join(' or ')}`)
    }
  }
}
