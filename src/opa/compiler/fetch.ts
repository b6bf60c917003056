/** Two ways to make the compiler where there is none. Each writes it to a file and names its origin. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { compilerPackage, compilerVersion, publishedDigest, releaseUrl } from './release.ts'

interface FetchOptions {
  readonly moduleDir: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly progress: (line: string) => void
}

const maxReleaseBytes = 256 * 1024 * 1024
const buildTimeoutMs = 15 * 60_000

/** What of the environment a Go build needs: where its caches and its proxy are. Never `GOFLAGS`. */
const goVariables = [
  'HOME',
  'PATH',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'GOPATH',
  'GOCACHE',
  'GOMODCACHE',
  'GOPROXY',
  'GOSUMDB',
  'GONOSUMDB',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]

/** Builds it with Go from the committed module; every source is checked against `go.sum`. */
export async function buildFromGo(file: string, options: FetchOptions): Promise<string> {
  options.progress(`building opa ${compilerVersion} with Go: two to three minutes, once`)
  const started = Date.now()
  const seconds = (): string => String(Math.round((Date.now() - started) / 1000))
  const ticker = setInterval(() => options.progress(`still building opa (${seconds()} s)`), 15_000)
  try {
    await go(['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-o', file, compilerPackage], options)
  } finally {
    clearInterval(ticker)
  }
  options.progress(`built opa in ${seconds()} s`)
  return 'rego/compiler/go.sum'
}

function go(args: readonly string[], options: FetchOptions): Promise<void> {
  const env: Record<string, string> = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' }
  for (const name of goVariables) {
    const value = options.environment[name]
    if (value !== undefined) env[name] = value
  }
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, { cwd: options.moduleDir, env, stdio: ['ignore', 'ignore', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), buildTimeoutMs)
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-500)
    })
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(new Error(`no Go toolchain (${error.message})`))
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve()
      else reject(new Error(`go build failed: ${errors.trim()}`))
    })
  })
}

/** Downloads the official release over HTTPS and compares it with its published SHA-256. */
export async function downloadRelease(file: string, options: FetchOptions): Promise<string> {
  const url = releaseUrl(process.platform, process.arch)
  if (url === undefined) throw new Error(`no release for ${process.platform} ${process.arch}`)
  options.progress(`downloading ${url}`)
  const expected = publishedDigest(new TextDecoder().decode(await download(`${url}.sha256`, 4096)))
  if (expected === undefined) throw new Error('no published digest')
  const bytes = await download(url, maxReleaseBytes)
  if (createHash('sha256').update(bytes).digest('hex') !== expected) {
    throw new Error('what was downloaded is not what was published')
  }
  await writeFile(file, bytes, { mode: 0o700 })
  return `${url} sha256:${expected}`
}

async function download(url: string, maxBytes: number): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5 * 60_000) })
  if (!response.ok || response.body === null) throw new Error(`${url} answers ${String(response.status)}`)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`${url} is too large`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
