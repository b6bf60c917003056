/**
 * A program: makes sure that the Rego compiler is in the tool cache, and says what it does. Tests and
 * releases run it first, since a build takes minutes and happens once.
 */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findCompiler } from '../src/opa/compiler/toolchain.ts'

const { environment, progress } = {
  environment: process.env,
  progress: (line: string) => console.error(line),
}

try {
  const { path, source, digest } = await findCompiler({
    opaBin: environment['OPA_BIN'] ?? null,
    cacheDir: join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'countersign', 'tools'),
    moduleDir: fileURLToPath(new URL('compiler', import.meta.url)),
    environment,
    progress,
  })
  progress(`${path} (${source}, sha256:${digest})`)
} catch (error) {
  progress(error instanceof Error ? error.message : 'the compiler could not be had')
  process.exitCode = 1
}
