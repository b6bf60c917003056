/**
 * Compiles the default bundle and commits to it: `rego/default.policy.wasm` and `rego/default.manifest.json`.
 * With `--check` nothing is written: it fails unless a rebuild gives the same bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OpaCompiler } from '../src/opa/compiler.ts'
import { defaultSources, inputSchema } from '../src/opa/shipped.ts'
import type { DefaultManifest } from '../src/opa/shipped.ts'
import { bundleDigest } from '../src/policy/bundle.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const files = defaultSources(folder)
const compiler = new OpaCompiler({
  opaBin: process.env['OPA_BIN'] ?? null,
  cacheDir: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'countersign', 'tools'),
  moduleDir: join(folder, 'compiler'),
  environment: process.env,
  progress: (line) => console.error(line),
  inputSchema: inputSchema(folder),
  waitingJobs: 0,
})

const { findings, tests, compiled } = await compiler.compile(files)
for (const { step, file = '', line = '', test = '', message } of findings) {
  console.error(`${step}: ${file}:${String(line)} ${test} ${message}`)
}
if (compiled === null) process.exit(1)

const digest = bundleDigest({
  wasm: compiled.wasm,
  data: JSON.parse(files['data.json'] ?? '{}') as unknown,
  listed: compiled.listed,
})
const manifest: DefaultManifest = {
  name: 'default',
  revision: digest.slice('sha256:'.length, 'sha256:'.length + 12),
  digest,
  listed: compiled.listed,
}
const manifestText = `${JSON.stringify(manifest, null, 2)}\n`
const places = { wasm: join(folder, 'default.policy.wasm'), manifest: join(folder, 'default.manifest.json') }

if (process.argv.includes('--check')) {
  const same =
    Buffer.compare(readFileSync(places.wasm), compiled.wasm) === 0 &&
    readFileSync(places.manifest, 'utf8') === manifestText
  if (!same) console.error('rego/default is not what is committed compiled: run npm run generate:policy')
  process.exit(same ? 0 : 1)
}
writeFileSync(places.wasm, compiled.wasm)
writeFileSync(places.manifest, manifestText)
console.error(`${digest}: ${String(tests.passed)} tests passed`)
