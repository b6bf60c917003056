/**
 * Runs the Rego compiler on other people's bundles: an empty environment but for a private home and
 * temporary folder, its own process group, niced, with limits of time, memory and output. What
 * exceeds one is killed with everything it started.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import type { Readable } from 'node:stream'

export interface Containment {
  readonly timeoutMs: number
  /** Resident memory; Go's collector is told to stay below three quarters of it. */
  readonly memoryBytes: number
  /** Of standard output and standard error, each. */
  readonly outputBytes: number
}

export interface ContainedRun {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Home and temporary folder of the process; private to this run. */
  readonly home: string
  readonly limits: Containment
}

export interface RunResult {
  /** Null when it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The limit that it exceeded. */
  readonly exceeded: 'time' | 'memory' | 'output' | null
}

export const defaultContainment: Containment = {
  timeoutMs: 60_000,
  memoryBytes: 1024 * 1024 * 1024,
  outputBytes: 16 * 1024 * 1024,
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** Runs a program to its end. Rejects only when it can't be started. */
export function runContained(run: ContainedRun): Promise<RunResult> {
  const child = spawn(run.file, run.args, {
    cwd: run.cwd,
    env: environment(run),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  lowerPriority(child.pid)
  return new Promise((resolve, reject) => {
    const guard = new Guard(child, run.limits)
    const [stdout, stderr] = [guard.collect(child.stdout), guard.collect(child.stderr)]
    child.once('error', (error) => {
      guard.stop()
      reject(error)
    })
    child.once('close', (code) => {
      guard.stop()
      resolve({ code, stdout: stdout(), stderr: stderr(), exceeded: guard.exceeded })
    })
  })
}

function environment(run: ContainedRun): Record<string, string> {
  return {
    HOME: run.home,
    TMPDIR: run.home,
    GOMEMLIMIT: String(Math.floor(run.limits.memoryBytes * 0.75)),
  }
}

/** Decisions come first on the processor. A process that has ended already has no priority. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // Not allowed or gone: the other limits hold.
  }
}

/** Watches one process group, and kills it. */
class Guard {
  exceeded: RunResult['exceeded'] = null
  readonly #child: Child
  readonly #limits: Containment
  readonly #deadline: NodeJS.Timeout
  readonly #memoryWatch: NodeJS.Timeout

  constructor(child: Child, limits: Containment) {
    this.#child = child
    this.#limits = limits
    this.#deadline = setTimeout(() => this.#kill('time'), limits.timeoutMs)
    this.#memoryWatch = setInterval(() => this.#checkMemory(), 50)
  }

  stop(): void {
    clearTimeout(this.#deadline)
    clearInterval(this.#memoryWatch)
  }

  /** Gathers a stream up to the limit; the function gives its text. */
  collect(stream: Readable): () => string {
    const chunks: Buffer[] = []
    let length = 0
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= this.#limits.outputBytes) chunks.push(chunk)
      else this.#kill('output')
    })
    return () => Buffer.concat(chunks).toString()
  }

  #kill(why: RunResult['exceeded']): void {
    this.exceeded ??= why
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // The group has ended by itself.
    }
  }

  #checkMemory(): void {
    if (residentBytes(this.#child.pid) > this.#limits.memoryBytes) this.#kill('memory')
  }
}

/** Resident memory of a process, from Linux's `/proc`; 0 where there is none or the process has ended. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${String(pid)}/statm`, 'utf8').split(' ')[1] ?? '0') * 4096
  } catch {
    return 0
  }
}
