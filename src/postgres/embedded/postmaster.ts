import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { processExists } from './folder-lock.ts'

/** What a running server says of itself in `postmaster.pid` (PostgreSQL's `pidfile.h`). */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly socketFolder: string
  readonly ready: boolean
}

/** How the superuser of a private cluster connects. */
export interface Credentials {
  readonly user: string
  readonly password: string
}

const POLL_MS = 10
const FAST_SHUTDOWN_MS = 30_000
const IMMEDIATE_SHUTDOWN_MS = 5_000

/** Reads `postmaster.pid`; undefined when there is none, or it is still being written. */
export function readPostmaster(dataFolder: string): Postmaster | undefined {
  let lines: readonly string[]
  try {
    lines = readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return {
    pid,
    port: Number(lines[3] ?? 0),
    socketFolder: lines[4] ?? '',
    ready: (lines[7] ?? '').trim() === 'ready',
  }
}

/** Whether the process in the pid file is a server of this cluster, and not a later one with its number. */
export function serves(postmaster: Postmaster, dataFolder: string): boolean {
  if (!processExists(postmaster.pid)) return false
  if (process.platform !== 'linux') return commandOf(postmaster.pid).includes('postgres')
  try {
    // A server makes its data folder its working directory.
    return readlinkSync(`/proc/${postmaster.pid}/cwd`) === realpathSync(dataFolder)
  } catch {
    return commandOf(postmaster.pid).includes('postgres')
  }
}

function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** Forgets a pid file whose server is gone; left to itself a server refuses when the number is in use again. */
export function forget(dataFolder: string): void {
  rmSync(join(dataFolder, 'postmaster.pid'), { force: true })
}

/** Whether the server answers, with our password, for this cluster. */
export async function answersFor(
  dataFolder: string,
  port: number,
  credentials: Credentials,
): Promise<boolean> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    ...credentials,
    database: 'postgres',
    connectionTimeoutMillis: 2000,
    query_timeout: 2000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const answer = await client.query<{ folder: string }>(
      "select current_setting('data_directory') as folder",
    )
    return realpathSync(answer.rows[0]?.folder ?? '/') === realpathSync(dataFolder)
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Fast shutdown, then an immediate one: committed transactions survive both. */
export async function shutDown(pid: number): Promise<void> {
  signal(pid, 'SIGINT')
  if (await isGone(pid, FAST_SHUTDOWN_MS)) return
  signal(pid, 'SIGQUIT')
  if (await isGone(pid, IMMEDIATE_SHUTDOWN_MS)) return
  signal(pid, 'SIGKILL')
  await isGone(pid, IMMEDIATE_SHUTDOWN_MS)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has just gone, which is what was wanted.
  }
}

async function isGone(pid: number, withinMs: number): Promise<boolean> {
  return waitFor(() => !processExists(pid), withinMs)
}

/** Polls until a condition holds; false when it does not within the time. */
export async function waitFor(condition: () => boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > end) return false
    await sleep(POLL_MS)
  }
  return true
}
