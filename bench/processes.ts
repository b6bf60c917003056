/** Starts the contenders, and reads what they cost from /proc (Linux). */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ticksPerSecond = 100

export interface Contender {
  readonly name: string
  readonly port: number
  readonly token: string | null
  readonly process: ChildProcess
  /** The service's own process, and the database's postmaster. */
  readonly databasePid: number | null
  readonly databaseUrl: string | null
  stop(): Promise<void>
}

function statOf(pid: number): { readonly parent: number; readonly ticks: number } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    const [parent, ...times] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]))
    return { parent: parent ?? 0, ticks: times.reduce((sum, time) => sum + time, 0) }
  } catch {
    return null
  }
}

/**
 * CPU seconds of a process and all its descendants, those that have ended and were waited for included.
 * @param without a process whose tree is not counted (the database below the service)
 */
export function cpuSeconds(root: number, without: number | null = null): number {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const stats = new Map(pids.map((pid) => [pid, statOf(pid)]))
  let ticks = 0
  for (const [pid, stat] of stats) {
    let at: number | undefined = pid
    while (at !== undefined && at > 1 && at !== root && at !== without) at = stats.get(at)?.parent
    if (at === root && stat !== null) ticks += stat.ticks
  }
  return ticks / ticksPerSecond
}

/** Resident memory of one process, in MB. */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024
}

/** Resolves once the process has ended. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

/** Polls `probe` until it answers, the process ends or 30 s have passed. */
export async function until<T>(what: string, probe: () => T | null, child: ChildProcess): Promise<T> {
  for (let turn = 0; turn < 600; turn++) {
    const value = probe()
    if (value !== null) return value
    if (child.exitCode !== null) throw new Error(`${what} ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${what} was not ready within 30 s`)
}

/** The bare echo. */
export async function startEcho(): Promise<Contender> {
  const child = spawn(process.execPath, ['--import', 'tsx', new URL('echo.ts', import.meta.url).pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const port = await until(
    'the echo',
    () => (/:(\d+)\n/.exec(output)?.[1] ? Number(/:(\d+)\n/.exec(output)?.[1]) : null),
    child,
  )
  return {
    name: 'echo',
    port,
    token: null,
    process: child,
    databasePid: null,
    databaseUrl: null,
    async stop() {
      child.kill('SIGTERM')
      await ended(child)
    },
  }
}

interface EvaluationFile {
  readonly url: string
  readonly pid: number
  readonly databaseUrl: string
  readonly tokens: { readonly service: string }
}

/** The service as `npm start` runs it, with a state folder of its own. */
export async function startService(environment: Readonly<Record<string, string>> = {}): Promise<Contender> {
  const state = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
  const main = new URL('../dist/main.js', import.meta.url).pathname
  const child = spawn(process.execPath, ['--max-semi-space-size=32', main], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LOG_LEVEL: 'warn', PORT: '0', ...environment, COUNTERSIGN_STATE_DIR: state },
  })
  const file = await until<EvaluationFile>(
    'the service',
    () => readJson(join(state, 'evaluation.json')),
    child,
  )
  return {
    name: 'countersign',
    port: Number(new URL(file.url).port),
    token: file.tokens.service,
    process: child,
    databasePid: postmasterPid(state),
    databaseUrl: file.databaseUrl,
    async stop() {
      child.kill('SIGTERM')
      await ended(child)
      rmSync(state, { recursive: true, force: true })
    },
  }
}

function readJson(path: string): EvaluationFile | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as EvaluationFile
  } catch {
    return null
  }
}

/** The first line of the cluster's postmaster.pid; null when it is not in this namespace. */
function postmasterPid(state: string): number | null {
  const cluster = readdirSync(state).find((name) => /^pg\d+$/.test(name))
  if (cluster === undefined) return null
  const line = readFileSync(join(state, cluster, 'postmaster.pid'), 'latin1').split('\n')[0]
  return line === undefined ? null : Number(line)
}
