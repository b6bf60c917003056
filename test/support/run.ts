/**
 * `npm test`: every check and every test, one after the other; a failure does not hide the next one.
 * The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Outcome {
  readonly passed: number
  readonly failed: number
}

interface Ended {
  readonly code: number
  readonly output: string
}

interface Check {
  readonly name: string
  run(): Promise<Outcome>
}

const root = join(import.meta.dirname, '..', '..')
const bin = (name: string): string => join(root, 'node_modules', '.bin', name)
const node = process.execPath
const OK: Outcome = { passed: 1, failed: 0 }
const FAILED: Outcome = { passed: 0, failed: 1 }

/** What `npm run generate` writes. */
const GENERATED = ['src/contract/openapi.d.ts', 'src/contract/document.ts', 'rego/input.schema.json']

const checks: readonly Check[] = [
  command('build', node, ['deploy/build.mjs']),
  command('types', bin('tsc'), ['--noEmit']),
  command('lint', bin('oxlint'), ['--type-aware', '--deny-warnings']),
  command('format', bin('prettier'), ['--check', '.']),
  command('contract', bin('redocly'), ['lint', 'openapi.yaml']),
  { name: 'generated files are up to date', run: generatedFiles },
  command('dead code', bin('knip'), []),
  command(
    'Rego compiler (made or fetched once)',
    node,
    ['--import', 'tsx', 'rego/fetch-compiler.ts'],
    'inherit',
  ),
  { name: 'Rego format', run: regoFormat },
  { name: 'Rego check, tests and rebuild of the default bundle', run: regoRebuild },
  { name: 'tests', run: jestTests },
]

function command(
  name: string,
  file: string,
  args: readonly string[],
  output: 'pipe' | 'inherit' = 'pipe',
): Check {
  return {
    name,
    run: async () => {
      const ended = await ranWith(file, args, output)
      if (ended.code === 0) return OK
      process.stdout.write(ended.output)
      return FAILED
    },
  }
}

/** @param output `inherit` shows it at once; `pipe` keeps it for when it is needed */
async function ranWith(
  file: string,
  args: readonly string[],
  output: 'pipe' | 'inherit' = 'pipe',
): Promise<Ended> {
  const environment = {
    ...process.env,
    FORCE_COLOR: process.stdout.isTTY ? '1' : '0',
    REDOCLY_TELEMETRY: 'off',
  }
  const child = spawn(file, args, { cwd: root, env: environment, stdio: ['ignore', output, output] })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, output: `${error.message}\n` }))
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }))
  })
}

/** Generates them again and compares; what is committed is put back. */
async function generatedFiles(): Promise<Outcome> {
  const before = new Map(GENERATED.map((path) => [path, readFileSync(join(root, path))]))
  const ended = await ranWith('npm', ['run', '--silent', 'generate'])
  const changed = GENERATED.filter(
    (path) => before.get(path)?.equals(readFileSync(join(root, path))) !== true,
  )
  for (const path of changed) writeFileSync(join(root, path), before.get(path) ?? '')
  if (ended.code === 0 && changed.length === 0) return OK
  process.stdout.write(
    ended.code === 0 ? `run npm run generate: ${changed.join(', ')} changed\n` : ended.output,
  )
  return FAILED
}

async function regoFormat(): Promise<Outcome> {
  const found = await ranWith(node, ['--import', 'tsx', 'rego/fetch-compiler.ts'])
  const compiler = /^(\/.*) \(/m.exec(found.output)?.[1]
  const files = readdirSync(join(root, 'rego'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.rego'))
    .map((path) => join('rego', path))
  const ended =
    compiler === undefined ? found : await ranWith(compiler, ['fmt', '--list', '--fail', ...files])
  if (compiler !== undefined && ended.code === 0) return OK
  process.stdout.write(`${ended.output}not formatted as opa fmt does\n`)
  return FAILED
}

/** One for each Rego test, and one for the comparison. */
async function regoRebuild(): Promise<Outcome> {
  const ended = await ranWith(node, ['--import', 'tsx', 'rego/build-default.ts', '--check'])
  const passed = Number(/(\d+) (?:tests )?passed/.exec(ended.output)?.[1] ?? 0)
  const failed = Number(/(\d+) failed/.exec(ended.output)?.[1] ?? 0)
  if (ended.code !== 0) process.stdout.write(ended.output)
  return { passed: passed + (ended.code === 0 ? 1 : 0), failed: failed + (ended.code === 0 ? 0 : 1) }
}

async function jestTests(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-jest-'))
  const report = join(folder, 'report.json')
  try {
    const flags = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js']
    const ended = await ranWith(
      node,
      [...flags, '--json', `--outputFile=${report}`, ...process.argv.slice(2)],
      'inherit',
    )
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
      readFileSync(report, 'utf8'),
    ) as {
      readonly numPassedTests: number
      readonly numFailedTests: number
      readonly numRuntimeErrorTestSuites: number
    }
    const failed = numFailedTests + numRuntimeErrorTestSuites
    return { passed: numPassedTests, failed: ended.code === 0 ? failed : Math.max(failed, 1) }
  } catch {
    return FAILED
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

let total: Outcome = { passed: 0, failed: 0 }
for (const check of checks) {
  process.stdout.write(`\n── ${check.name}\n`)
  const begun = performance.now()
  const { passed, failed } = await check.run().catch((error: unknown) => {
    process.stdout.write(`${String(error)}\n`)
    return FAILED
  })
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  process.stdout.write(`   ${failed === 0 ? 'ok' : 'FAILED'} (${seconds} s)\n`)
  total = { passed: total.passed + passed, failed: total.failed + failed }
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 ? 0 : 1
