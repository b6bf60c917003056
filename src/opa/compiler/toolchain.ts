/**
 * Finds the Rego compiler, or makes it: an explicit path, the tool cache, `PATH`, a Go toolchain, the
 * official release. Whatever it is, its digest is known from then on and compared before every run.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { PdpError } from '../../errors.ts'
import { defaultContainment, runContained } from './contained.ts'
import { buildFromGo, downloadRelease } from './fetch.ts'
import { withLock } from './lock.ts'
import { compilerVersion } from './release.ts'

export interface ToolchainOptions {
  /** `OPA_BIN`: an explicit compiler, which is then the only one. */
  readonly opaBin: string | null
  /** The project's own tool cache, `${XDG_CACHE_HOME or ~/.cache}/countersign/tools`. */
  readonly cacheDir: string
  /** The committed Go module that pins the compiler. */
  readonly moduleDir: string
  /** Of the process, for `PATH` and for Go's proxy and caches. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** A line for whoever waits. */
  readonly progress: (line: string) => void
}

export interface Toolchain {
  readonly path: string
  /** SHA-256 of the binary, in hexadecimal. */
  readonly digest: string
  readonly source: 'OPA_BIN' | 'cache' | 'PATH' | 'go' | 'release'
  /** Where the cached binary came from; an origin that no committed digest vouches for belongs in the ledger. */
  readonly origin: string
}

/**
 * The compiler, found or made. Rejects with `bundle.compiler_unavailable`, and the message names all
 * the ways and why each failed.
 */
export async function findCompiler(options: ToolchainOptions): Promise<Toolchain> {
  if (options.opaBin !== null) return explicitCompiler(options.opaBin, options)
  const found = (await cachedCompiler(options)) ?? (await compilerOnPath(options))
  return found ?? makeCompiler(options)
}

/** Rejects when the binary is no longer the one that was found. */
export async function verifyToolchain(toolchain: Toolchain): Promise<void> {
  if ((await fileDigest(toolchain.path)) === toolchain.digest) return
  throw new PdpError('bundle.compiler_unavailable', 'the compiler has changed on disk since it was found')
}

async function explicitCompiler(path: string, options: ToolchainOptions): Promise<Toolchain> {
  const version = await versionOf(path, options).catch(() => 'no version at all')
  if (version !== compilerVersion) {
    throw new PdpError(
      'bundle.compiler_unavailable',
      `OPA_BIN must be opa ${compilerVersion}, and says ${version}`,
    )
  }
  return { path, digest: await fileDigest(path), source: 'OPA_BIN', origin: 'OPA_BIN' }
}

interface CacheRecord {
  readonly sha256: string
  readonly origin: string
}

function cachePlace(options: ToolchainOptions): {
  readonly folder: string
  readonly binary: string
  readonly record: string
} {
  const folder = join(options.cacheDir, `opa-${compilerVersion}`)
  return { folder, binary: join(folder, 'opa'), record: join(folder, 'opa.json') }
}

/** Undefined when there is none, others may write to it, or it is not what was put there. */
async function cachedCompiler(options: ToolchainOptions): Promise<Toolchain | undefined> {
  const { folder, binary, record } = cachePlace(options)
  try {
    const { sha256, origin } = JSON.parse(await readFile(record, 'utf8')) as CacheRecord
    const { mode, uid } = await stat(folder)
    const isPrivate = (mode & 0o022) === 0 && (process.getuid === undefined || uid === process.getuid())
    if (!isPrivate || (await fileDigest(binary)) !== sha256) return undefined
    return { path: binary, digest: sha256, source: 'cache', origin }
  } catch {
    return undefined
  }
}

async function compilerOnPath(options: ToolchainOptions): Promise<Toolchain | undefined> {
  for (const folder of (options.environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'opa')
    if (folder === '' || !(await isExecutable(path))) continue
    const version = await versionOf(path, options).catch(() => undefined)
    if (version === compilerVersion) {
      return { path, digest: await fileDigest(path), source: 'PATH', origin: `PATH ${path}` }
    }
  }
  return undefined
}

async function makeCompiler(options: ToolchainOptions): Promise<Toolchain> {
  const { folder } = cachePlace(options)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  return withLock(join(folder, 'lock'), options.progress, async () => {
    const made = await cachedCompiler(options)
    return made ?? (await fetchInto(folder, options))
  })
}

async function fetchInto(folder: string, options: ToolchainOptions): Promise<Toolchain> {
  const draft = join(folder, `opa.${String(process.pid)}`)
  const failures: string[] = []
  for (const [source, fetch] of [
    ['go', buildFromGo],
    ['release', downloadRelease],
  ] as const) {
    try {
      const origin = await fetch(draft, options)
      await chmod(draft, 0o700)
      const version = await versionOf(draft, options)
      if (version !== compilerVersion) throw new Error(`it says that it is ${version}`)
      return await keep(draft, { source, origin, options })
    } catch (error) {
      await rm(draft, { force: true })
      failures.push(`${source}: ${error instanceof Error ? error.message : 'failed'}`)
    }
  }
  throw new PdpError('bundle.compiler_unavailable', allWays(failures))
}

async function keep(
  draft: string,
  made: { readonly source: 'go' | 'release'; readonly origin: string; readonly options: ToolchainOptions },
): Promise<Toolchain> {
  const { binary, record } = cachePlace(made.options)
  const digest = await fileDigest(draft)
  await rename(draft, binary)
  await writeFile(record, JSON.stringify({ sha256: digest, origin: made.origin } satisfies CacheRecord), {
    mode: 0o600,
  })
  return { path: binary, digest, source: made.source, origin: made.origin }
}

function allWays(failures: readonly string[]): string {
  return [
    `the Rego compiler (opa ${compilerVersion}) is not here and could not be had.`,
    'Set OPA_BIN to it, or put it on PATH, or install Go 1.24 or newer, or let this machine reach github.com.',
    `Tried: ${failures.join('; ')}`,
  ].join(' ')
}

async function versionOf(path: string, options: ToolchainOptions): Promise<string> {
  const run = await runContained({
    file: path,
    args: ['version'],
    cwd: '/',
    home: options.cacheDir,
    limits: { ...defaultContainment, timeoutMs: 20_000 },
  })
  return /^Version: (\S+)$/m.exec(run.stdout)?.[1] ?? 'no version at all'
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer)
  return hash.digest('hex')
}
