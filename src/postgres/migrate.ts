import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import type { SchemaEngine } from '@prisma/schema-engine-wasm'
import { Client } from 'pg'
import { PdpError } from '../errors.ts'

/** The same folder seen from `src/postgres` and from `dist/postgres`. */
const SHIPPED = fileURLToPath(new URL('../../prisma/migrations/', import.meta.url))

/** Serialises migrating processes; which number is of no consequence, only that it is always this one. */
const LOCK = 7_266_351_994

interface Migration {
  readonly name: string
  readonly sql: string
  /** SHA-256 of the script, in hexadecimal, as `_prisma_migrations` holds it. */
  readonly checksum: string
}

interface Row {
  readonly name: string
  readonly checksum: string
  readonly finished: boolean
}

/** What a database lacks, and what it has that is not known here. */
interface History {
  readonly pending: readonly Migration[]
  /** Begun and not finished: their changes were rolled back with their transaction. */
  readonly broken: readonly string[]
  /** Applied by a later version of the service. */
  readonly unknown: readonly string[]
}

/** What {@link migrate} did. */
export interface Migrated {
  readonly applied: readonly string[]
  /** Migrations that the database has and this version does not know: a later version was here. */
  readonly unknown: readonly string[]
}

/**
 * Applies the migrations that a database lacks, in order. Safe when several processes start at once.
 * When nothing is pending, that costs one query.
 *
 * Throws `config.invalid` when a migration that was applied has been changed since, and `internal`,
 * naming the migration and the database's message, when one fails. What failed is rolled back, and is
 * tried again the next time.
 *
 * @param url a login that may create tables and roles
 */
export async function migrate(url: string, folder: string = SHIPPED): Promise<Migrated> {
  const migrations = await readMigrations(folder)
  return withClient(url, async (client) => {
    const seen = await historyOf(client, migrations)
    if (seen.pending.length === 0) return { applied: [], unknown: seen.unknown }
    await client.query('select pg_advisory_lock($1)', [LOCK])
    const { pending, broken, unknown } = await historyOf(client, migrations)
    if (pending.length > 0) await apply({ url, folder, migrations, broken })
    return { applied: pending.map(({ name }) => name), unknown }
  })
}

/**
 * Names of the migrations that a database lacks, asked with the service's own login.
 * Throws as {@link migrate} does when an applied migration has been changed.
 */
export async function pendingMigrations(url: string, folder: string = SHIPPED): Promise<readonly string[]> {
  const migrations = await readMigrations(folder)
  return withClient(url, async (client) => {
    const { pending } = await historyOf(client, migrations)
    return pending.map(({ name }) => name)
  })
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function historyOf(client: Client, migrations: readonly Migration[]): Promise<History> {
  const rows = await readRows(client)
  const known = new Map(migrations.map((migration) => [migration.name, migration]))
  const applied = new Set<string>()
  for (const row of rows.filter(({ finished }) => finished)) {
    const migration = known.get(row.name)
    if (migration !== undefined && migration.checksum !== row.checksum) {
      throw new PdpError(
        'config.invalid',
        `the migration ${row.name} has been changed since it was applied to this database: restore the file, and put changes in a new migration`,
      )
    }
    applied.add(row.name)
  }
  return {
    pending: migrations.filter(({ name }) => !applied.has(name)),
    broken: rows.filter(({ name, finished }) => !finished && !applied.has(name)).map(({ name }) => name),
    unknown: [...applied].filter((name) => !known.has(name)),
  }
}

async function readRows(client: Client): Promise<readonly Row[]> {
  const table = await client.query<{ there: boolean; readable: boolean }>(
    `select oid is not null as there, has_table_privilege(oid, 'select') as readable
       from (select to_regclass('_prisma_migrations')::oid as oid) as found`,
  )
  if (table.rows[0]?.there !== true) return []
  // The service's login inherits nothing: it reads in the role of a reader.
  if (!table.rows[0].readable) await client.query('set role countersign_reader')
  const { rows } = await client.query<Row>(
    `select migration_name as name, checksum, finished_at is not null as finished
       from _prisma_migrations where rolled_back_at is null`,
  )
  return rows
}

interface Application {
  readonly url: string
  readonly folder: string
  readonly migrations: readonly Migration[]
  readonly broken: readonly string[]
}

async function apply({ url, folder, migrations, broken }: Application): Promise<void> {
  const connection = new ScriptConnection(url)
  try {
    const engine = await schemaEngine(connection)
    // PostgreSQL runs a script in one transaction, so that one that failed has left nothing behind.
    for (const migrationName of broken) await engine.markMigrationRolledBack({ migrationName })
    await engine.applyMigrations({
      migrationsList: {
        baseDir: folder,
        lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
        shadowDbInitScript: '',
        migrationDirectories: migrations.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
        })),
      },
      filters: { externalTables: [], externalEnums: [] },
    })
  } catch (error) {
    const { failure } = connection
    const culprit = migrations.find(({ sql }) => sql === failure?.script)
    throw culprit === undefined
      ? new PdpError('internal', `migrating failed: ${messageOf(error)}`, { cause: error })
      : new PdpError('internal', explained(culprit, failure?.error), { cause: failure?.error })
  } finally {
    await connection.close()
  }
}

function explained({ name, sql }: Migration, error: unknown): string {
  const { code, position } = error as { readonly code?: string; readonly position?: string }
  const line = position === undefined ? '' : `, line ${sql.slice(0, Number(position)).split('\n').length}`
  return `migration ${name} failed and was rolled back: ${messageOf(error)} (${code ?? 'no code'}${line})`
}

/**
 * Connections for the engine. Prisma's adapter cuts scripts at every semicolon, also inside function
 * bodies; here a script goes to the server whole, which runs it as one transaction.
 */
class ScriptConnection implements SqlMigrationAwareDriverAdapterFactory {
  readonly provider = 'postgres'
  readonly adapterName: string
  /** What a script met; the engine's own account of it says less. */
  failure: { readonly script: string; readonly error: unknown } | undefined
  private readonly prisma: PrismaPg
  private readonly open: { dispose(): Promise<void> }[] = []

  constructor(connectionString: string) {
    this.prisma = new PrismaPg({ connectionString, max: 2 })
    this.adapterName = this.prisma.adapterName
  }

  async connect(): Promise<SqlDriverAdapter> {
    const adapter = await this.prisma.connect()
    this.open.push(adapter)
    const executeScript = async (script: string): Promise<void> => {
      try {
        await adapter.underlyingDriver().query(script)
      } catch (error) {
        this.failure = { script, error }
        throw error
      }
    }
    return Object.assign(adapter, { executeScript })
  }

  connectToShadowDb(): Promise<SqlDriverAdapter> {
    return this.prisma.connectToShadowDb()
  }

  async close(): Promise<void> {
    await Promise.all(this.open.map((adapter) => adapter.dispose()))
  }
}

type Glue = typeof import('@prisma/schema-engine-wasm/schema_engine_bg')

let loading: Promise<Glue> | undefined

/** Prisma's schema engine as WebAssembly. */
async function schemaEngine(factory: SqlMigrationAwareDriverAdapterFactory): Promise<SchemaEngine> {
  const glue = await (loading ??= loadEngine())
  const bound = bindMigrationAwareSqlAdapterFactory(factory)
  return glue.SchemaEngine.new({ datamodels: undefined }, () => undefined, bound)
}

/**
 * 5 MB of code, so only when something is pending. Once in a process: the glue is one module with
 * one memory, and a second instance would be handed the pointers of the first.
 */
async function loadEngine(): Promise<Glue> {
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const bytes = await readFile(join(dirname(entry), 'schema_engine_bg.wasm'))
  // The engine reports its panics to a global of this name.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: () => undefined } })
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': withFreeTimers(glue) })
  glue['__wbg_set_wasm'](instance.exports)
  instance.exports['__wbindgen_start']?.()
  return glue
}

function withFreeTimers(glue: Glue): object {
  const names = Object.keys(glue).filter((name) => name.startsWith('__wbg_setTimeout_'))
  return { ...glue, ...Object.fromEntries(names.map((name) => [name, startTimer])) }
}

/** The engine leaves the timers of its timeouts behind; they must not keep a process that is done alive. */
function startTimer(callback: () => void, delayMs: number): NodeJS.Timeout {
  return setTimeout(callback, delayMs).unref()
}

/** What is used of WebAssembly's interface; Node's types leave it to the browser's. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Readonly<Record<string, object>>,
  ): Promise<{ readonly instance: { readonly exports: Readonly<Record<string, () => void>> } }>
}

function messageOf(error: unknown): string {
  const { message } = error as { readonly message?: string }
  return (message ?? String(error)).trim().split('\n')[0] ?? ''
}
