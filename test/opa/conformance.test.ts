/**
 * OPA's own conformance cases, run in our WebAssembly host for every builtin that it provides. They come
 * with OPA's Go module, which the compiler is built from.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { canonicalJson } from '../../src/action/canonical.ts'
import { allowedBuiltins, hostBuiltins } from '../../src/opa/builtins/table.ts'
import { PolicyEvaluator } from '../../src/opa/evaluator.ts'
import { unpackArchive } from '../../src/opa/tarball.ts'
import { compilerOptions, testCompiler } from '../support/rego.ts'

interface Case {
  readonly note: string
  readonly query: string
  readonly modules?: readonly string[]
  readonly data?: object
  readonly input?: unknown
  readonly input_term?: string
  readonly want_result?: readonly Readonly<Record<string, unknown>>[]
  readonly want_error_code?: string
  readonly strict_error?: boolean
}

/** What OPA answers and this host does not: each ends the evaluation, which is a denial, and never a wrong value. */
const refused: ReadonlySet<string> = new Set([
  // Numbers that no double holds exactly: they reach a host through JavaScript.
  'aggregates/bignum exact (>64-bit integers through sum and product)',
  'aggregates/sum integer fast-path overflow (elements fit int64, sum does not)',
  'arithmetic/abs, round, ceil and floor on integers and at the window edges',
  'arithmetic/bignum exact (>64-bit integers through plus, minus, multiply)',
  'arithmetic/int32 window edges (results crossing into wider integers)',
  'numbersrangestep/big int step',
  'sprintf/big_int',
  'sprintf/big_int/max_cert_serial_number',
  'strings/sprintf: float too big',
  // The compiled policy hands `.0` over as it is written, which is no JSON.
  'sprintf/float/zero_fraction',
])

const provided = Object.keys(hostBuiltins(() => ''))
const allowed = allowedBuiltins()
const run = promisify(execFile)

async function moduleFolder(): Promise<string> {
  const { moduleDir, environment } = compilerOptions()
  const args = ['mod', 'download', '-json', 'github.com/open-policy-agent/opa']
  const { stdout } = await run('go', args, { cwd: moduleDir, env: { ...environment, GOFLAGS: '' } })
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir
}

async function allCases(): Promise<readonly Case[]> {
  const folder = join(await moduleFolder(), 'v1', 'test', 'cases', 'testdata', 'v1')
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort()
  const documents = await Promise.all(
    files.map(async (name) => parseAllDocuments(await readFile(join(folder, name), 'utf8'))),
  )
  return documents.flat().flatMap((document) => {
    const content = document.toJS({ maxAliasCount: -1 }) as { readonly cases?: readonly Case[] } | null
    return content?.cases ?? []
  })
}

/** Every builtin that a case calls beyond those that are compiled natively must be one of ours. */
function isOurs(one: Case, all: readonly string[]): boolean {
  const text = [...(one.modules ?? []), one.query].join('\n')
  const called = all.filter((name) =>
    new RegExp(`(?<![\\w.])${name.replaceAll('.', '\\.')}(?![\\w.])`).test(text),
  )
  const foreign = called.filter((name) => !allowed.has(name))
  return (
    called.some((name) => provided.includes(name)) && foreign.length === 0 && !text.includes('test.sleep(')
  )
}

const query = /^data\.([A-Za-z_][\w.]*) = x$/

/** The case's packages moved below a name of its own, so that all cases compile into one policy. */
function moved(one: Case, at: number): readonly string[] {
  return (one.modules ?? []).map((module) => {
    const [, name = ''] = /^package (\S+)/m.exec(module) ?? []
    return module
      .replace(/^package \S+/m, `package case_${String(at)}.${name}`)
      .replaceAll(`data.${name}.`, `data.case_${String(at)}.${name}.`)
  })
}

async function compiledCases(cases: readonly Case[]): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-conformance-'))
  try {
    const decisions = cases.map((one, at) => {
      const path = query.exec(one.query)?.[1] ?? ''
      return `decision := {"x": data.case_${String(at)}.${path}} if input.case_number == ${String(at)}\n`
    })
    await mkdir(join(folder, 'bundle'))
    await writeFile(join(folder, 'bundle', 'decision.rego'), `package countersign\n\n${decisions.join('\n')}`)
    for (const [at, one] of cases.entries()) {
      for (const [part, module] of moved(one, at).entries()) {
        await writeFile(join(folder, 'bundle', `case_${String(at)}_${String(part)}.rego`), module)
      }
    }
    const { path } = await testCompiler.toolchain()
    const archive = join(folder, 'out.tar.gz')
    const build = ['build', '-t', 'wasm', '-e', 'countersign/decision', '-b', '.', '-o', archive]
    await run(path, build, { cwd: join(folder, 'bundle') }).catch((error: { readonly stdout?: string }) => {
      throw new Error(`the cases do not compile: ${error.stdout ?? ''}`, { cause: error })
    })
    return unpackArchive(await readFile(archive)).members.get('policy.wasm') ?? new Uint8Array()
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Outcome {
  readonly note: string
  readonly wanted: unknown
  readonly found: unknown
}

async function outcomes(): Promise<readonly Outcome[]> {
  const { path } = await testCompiler.toolchain()
  const { stdout } = await run(path, ['capabilities', '--current'], { maxBuffer: 16_777_216 })
  const { builtins } = JSON.parse(stdout) as { readonly builtins: readonly { readonly name: string }[] }
  const names = builtins
    .map(({ name }) => name)
    .filter((name) => name.includes('.') || provided.includes(name))
  const cases = (await allCases()).filter(
    (one) =>
      isOurs(one, names) &&
      query.test(one.query) &&
      one.input_term === undefined &&
      !(one.want_error_code ?? '').startsWith('rego_'),
  )
  const wasm = await compiledCases(cases)
  const found: Outcome[] = []
  for (const [at, one] of cases.entries()) {
    const evaluator = await PolicyEvaluator.load(wasm, JSON.stringify(one.data ?? {}), { timeoutMs: 5_000 })
    const input = { ...(one.input as object | undefined), case_number: at, time: '2026-11-21T03:00:00.123Z' }
    const [answer] = await evaluator.evaluate([{ json: JSON.stringify(input), effects: 0 }])
    found.push({
      note: one.note,
      wanted: wanted(one),
      found: answer?.ok === true ? answer.value : `fault: ${answer?.detail ?? ''}`,
    })
  }
  return found
}

/** What OPA calls an error of a builtin is undefined when it is not asked to be strict. */
function wanted(one: Case): unknown {
  const [row] = one.want_result ?? []
  return one.want_error_code !== undefined || row === undefined ? undefined : row
}

describe('the conformance cases', () => {
  let found: readonly Outcome[]

  beforeAll(async () => {
    found = await outcomes()
  }, 600_000)

  test('are there for the builtins that we provide', () => {
    expect(found.length).toBeGreaterThan(200)
    const notes = new Set(found.map(({ note }) => note))
    expect([...refused].filter((note) => !notes.has(note))).toEqual([])
  })

  test('get the answer that OPA gives', () => {
    const answered = found.filter(({ note }) => !refused.has(note))
    const wrong = answered.filter((one) => text(one.wanted) !== text(one.found))
    expect(wrong).toEqual([])
  })

  test('that can not be answered equally end the evaluation', () => {
    const given = found.filter(({ note }) => refused.has(note))
    expect(given.filter((one) => !String(one.found).startsWith('fault: '))).toEqual([])
  })
})

function text(value: unknown): string {
  return value === undefined ? 'undefined' : canonicalJson(value)
}
