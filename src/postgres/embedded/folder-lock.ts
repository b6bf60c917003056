import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PdpError } from '../../errors.ts'

interface Holder {
  readonly pid: number
  /** When the kernel started that process, so that a reused pid is not mistaken for the holder. */
  readonly born: string
  readonly since: string
}

/**
 * Holds a folder for this process alone, through a file that names it. A holder that died (also by
 * `kill -9`) holds nothing. Throws `config.invalid`, naming the holder, while another process lives.
 *
 * @returns lets go of the folder; may be called twice
 */
export function holdFolder(folder: string, fileName: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, fileName)
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const text = JSON.stringify({
    pid: process.pid,
    born: bornAt(process.pid),
    since: new Date().toISOString(),
  })
  writeFileSync(own, text, { mode: 0o600 })
  try {
    // Hard links appear whole or not at all: nobody ever reads half a lock file.
    while (!linked(own, path)) setAsideIfDead(folder, path)
  } finally {
    rmSync(own, { force: true })
  }
  return () => {
    if (contentOf(path) === text) rmSync(path, { force: true })
  }
}

function linked(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function setAsideIfDead(folder: string, path: string): void {
  const seen = contentOf(path)
  if (seen === undefined) return
  const holder = holderIn(seen)
  if (holder !== undefined && isAlive(holder)) {
    throw new PdpError(
      'config.invalid',
      `the folder ${folder} is held by process ${holder.pid} since ${holder.since}: stop that process, or choose another folder with COUNTERSIGN_STATE_DIR`,
    )
  }
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  // Between reading and renaming somebody else may have taken over from the same dead holder.
  if (contentOf(aside) !== seen) linked(aside, path)
  rmSync(aside, { force: true })
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function holderIn(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, born, since } = value as Partial<Holder>
    return typeof pid === 'number' && typeof born === 'string' && typeof since === 'string'
      ? { pid, born, since }
      : undefined
  } catch {
    return undefined
  }
}

function isAlive(holder: Holder): boolean {
  return processExists(holder.pid) && bornAt(holder.pid) === holder.born
}

/** Whether a process of this number lives, whoever it belongs to; one that waits to be reaped does not. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false
  }
  return statusFields(pid)[0] !== 'Z'
}

/** Clock ticks since boot at which a process started; empty where there is no /proc. */
function bornAt(pid: number): string {
  return statusFields(pid)[19] ?? ''
}

/** The fields of proc(5)'s `stat` from the third, the state, on. The second may hold blanks and brackets. */
function statusFields(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

/** The `code` of a system error. */
export function codeOf(error: unknown): string | undefined {
  // No `instanceof`: an error of Node's own may come from another realm than this code.
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
