/** The pinned Rego compiler for tests: found where the service finds it. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { OpaCompiler } from '../../src/opa/compiler.ts'
import type { CompilerOptions } from '../../src/opa/compiler.ts'
import type { BundleFiles } from '../../src/policy/bundle.ts'

const root = new URL('../..', import.meta.url).pathname

export function compilerOptions(): CompilerOptions {
  return {
    opaBin: process.env['OPA_BIN'] ?? null,
    cacheDir: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'countersign', 'tools'),
    moduleDir: join(root, 'rego', 'compiler'),
    environment: process.env,
    progress: () => {},
    inputSchema: JSON.stringify({ type: 'object' }),
    waitingJobs: 100,
  }
}

export const testCompiler = new OpaCompiler(compilerOptions())

/** Compiles modules; fails with the findings. */
export async function compiled(files: BundleFiles): Promise<Uint8Array> {
  const result = await testCompiler.compile(files)
  if (result.compiled === null) throw new Error(JSON.stringify(result.findings, null, 2))
  return result.compiled.wasm
}

/** A decision module of one file. */
export function decision(body: string): BundleFiles {
  return { 'countersign/decision.rego': `package countersign\n\n${body}\n` }
}
