/** A lock between processes of one machine, so that two of them don't make the same thing at once. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

const pauseMs = 500
const longestWaitMs = 20 * 60_000

/** Does `work` while no other process holds the lock file. A lock whose process is gone is taken over. */
export async function withLock<T>(
  file: string,
  progress: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (let waited = 0; !(await taken(file)); waited += pauseMs) {
    if (waited === 0) progress(`another process is making the compiler (${file})`)
    if (waited > longestWaitMs) throw new Error(`${file} is held by another process`)
    await pause(pauseMs)
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function taken(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const owner = Number(await readFile(file, 'utf8').catch(() => '0'))
    // An empty file is one that is being written right now.
    if (owner !== 0 && !isAlive(owner)) await rm(file, { force: true })
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
