import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PdpError } from '../../errors.ts'
import type { Binaries } from './binaries.ts'
import type { Credentials, Postmaster } from './postmaster.ts'
import { answersFor, forget, readPostmaster, serves, shutDown, waitFor } from './postmaster.ts'
import type { ServerUser } from './server-user.ts'

const run = promisify(execFile)

const SUPERUSER = 'countersign'
const START_MS = 60_000
const ADOPT_MS = 10_000
/** `sun_path` holds 108 bytes with its final zero; the server adds `/.s.PGSQL.<port>`. */
const LONGEST_SOCKET_FOLDER = 107 - '/.s.PGSQL.65535'.length
const LARGEST_LOG_BYTES = 8 * 1024 * 1024

/** One cluster on disk and the programs that serve it. */
export interface Cluster {
  readonly folder: string
  readonly logFile: string
  readonly binaries: Binaries
  readonly user: ServerUser
}

/** A cluster that answers. */
export interface RunningCluster {
  readonly how: 'started' | 'adopted'
  readonly pid: number
  readonly port: number
  /** Empty when no short folder for a socket could be had. */
  readonly socketFolder: string
}

/** Makes a cluster: whole, flushed to disk and under its final name, or not at all. */
export async function createCluster(cluster: Cluster): Promise<void> {
  const { user, binaries, folder } = cluster
  for (const name of readdirSync(user.home)) {
    if (/^pg\d+\.new$/.test(name)) rmSync(join(user.home, name), { recursive: true, force: true })
  }
  const draft = `${folder}.new`
  mkdirSync(draft, { mode: 0o700 })
  user.own(draft)
  const passwordFile = join(user.home, 'initdb.password')
  const password = randomBytes(24).toString('base64url')
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  user.own(passwordFile)
  try {
    const { file, args, options } = user.command(join(binaries.bin, 'initdb'), [
      '--pgdata',
      draft,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--data-checksums',
      '--no-instructions',
    ])
    await run(file, args, options)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw new PdpError('internal', `initdb failed in ${draft}: ${lastLines(stderrOf(error))}`, {
      cause: error,
    })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  const secret = join(draft, 'countersign.json')
  writeFileSync(secret, JSON.stringify({ password }), { mode: 0o600, flush: true })
  user.own(secret)
  renameSync(draft, folder)
  flushFolder(user.home)
}

/** How to connect to a cluster that {@link createCluster} made. */
export function credentialsOf(cluster: Cluster): Credentials {
  const path = join(cluster.folder, 'countersign.json')
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (
    typeof value === 'object' &&
    value !== null &&
    'password' in value &&
    typeof value.password === 'string'
  ) {
    return { user: SUPERUSER, password: value.password }
  }
  throw new PdpError('config.invalid', `${path} holds no password: the cluster was not made by this service`)
}

/** Takes over the server that an earlier crash left behind, or starts one. */
export async function serveCluster(
  cluster: Cluster,
  log: (message: string) => void,
): Promise<RunningCluster> {
  const orphan = readPostmaster(cluster.folder)
  if (orphan !== undefined && serves(orphan, cluster.folder)) {
    const adopted = await adopt(cluster, orphan)
    if (adopted !== undefined) return adopted
    log(`the PostgreSQL that an earlier run left behind (process ${orphan.pid}) does not answer: stopping it`)
    await shutDown(orphan.pid)
  }
  return launch(cluster, { port: 0, socketFolder: '' })
}

async function adopt(cluster: Cluster, orphan: Postmaster): Promise<RunningCluster | undefined> {
  const credentials = credentialsOf(cluster)
  const end = performance.now() + ADOPT_MS
  for (;;) {
    const { pid, port, socketFolder, ready } = readPostmaster(cluster.folder) ?? orphan
    if (ready && (await answersFor(cluster.folder, port, credentials))) {
      return { how: 'adopted', pid, port, socketFolder }
    }
    if (performance.now() > end || !serves(orphan, cluster.folder)) return undefined
    await sleep(50)
  }
}

/**
 * Starts the server and waits until it answers.
 *
 * @param place port 0 means any free one, an empty folder a fresh one
 */
export async function launch(
  cluster: Cluster,
  place: { readonly port: number; readonly socketFolder: string },
): Promise<RunningCluster> {
  const socketFolder = usableSocketFolder(cluster.user, place.socketFolder)
  const end = performance.now() + START_MS
  for (;;) {
    const port = place.port === 0 ? await freePort() : place.port
    const pid = await attempt(cluster, port, socketFolder)
    if (pid !== undefined) return { how: 'started', pid, port, socketFolder }
    const why = lastLines(readFileSync(cluster.logFile, 'utf8'))
    // A port taken in between, or backends that have not yet noticed that their postmaster died.
    const passes = /Address already in use|still in use|lock file/.test(why)
    if (!passes || performance.now() > end) {
      if (socketFolder !== '') rmSync(socketFolder, { recursive: true, force: true })
      throw new PdpError('internal', `PostgreSQL did not start (log: ${cluster.logFile}): ${why}`)
    }
    await sleep(200)
  }
}

async function attempt(cluster: Cluster, port: number, socketFolder: string): Promise<number | undefined> {
  const stale = readPostmaster(cluster.folder)
  if (stale !== undefined && !serves(stale, cluster.folder)) forget(cluster.folder)
  const { file, args, options } = cluster.user.command(join(cluster.binaries.bin, 'postgres'), [
    '-D',
    cluster.folder,
    ...serverSettings(port, socketFolder).flatMap((setting) => ['-c', setting]),
  ])
  const log = openSync(cluster.logFile, logFlags(cluster.logFile), 0o600)
  // A session of its own: Ctrl-C in our terminal is for us, and we stop the server when we are done.
  const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  child.unref()
  let gone = false
  child.once('exit', () => (gone = true))
  child.once('error', () => (gone = true))
  const isReady = () => {
    const state = readPostmaster(cluster.folder)
    return state?.ready === true && state.pid === child.pid
  }
  await waitFor(() => gone || isReady(), START_MS)
  if (gone || child.pid === undefined) return undefined
  if (isReady()) return child.pid
  await shutDown(child.pid)
  return undefined
}

function serverSettings(port: number, socketFolder: string): readonly string[] {
  return [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${socketFolder}`,
    'unix_socket_permissions=0700',
    'fsync=on',
    'full_page_writes=on',
    'synchronous_commit=on',
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    // Short statements only: compiling them costs more than it saves.
    'jit=off',
    // A failed statement may hold a command, and commands hold secrets.
    'log_min_error_statement=panic',
    'logging_collector=off',
  ]
}

function logFlags(path: string): 'a' | 'w' {
  return existsSync(path) && statSync(path).size < LARGEST_LOG_BYTES ? 'a' : 'w'
}

/** An empty text stands for none: the server then listens on the loopback interface only. */
function usableSocketFolder(user: ServerUser, wanted: string): string {
  if (wanted !== '') {
    mkdirSync(wanted, { recursive: true, mode: 0o700 })
    user.own(wanted)
    return wanted
  }
  for (const root of [tmpdir(), '/tmp']) {
    if (Buffer.byteLength(join(root, 'countersign-XXXXXX')) > LONGEST_SOCKET_FOLDER) continue
    try {
      const folder = mkdtempSync(join(root, 'countersign-'))
      user.own(folder)
      return folder
    } catch {
      // Not writable: the next one, or none.
    }
  }
  return ''
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function flushFolder(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function stderrOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'stderr' in error
    ? String(error.stderr)
    : String(error)
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-6).join('\n')
}
