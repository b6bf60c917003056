/** Reads what the compiler prints: errors and test results as findings with file and line. */
import { bundleFolders } from '../../policy/bundle.ts'
import type { BundleFinding, BundleModule, BundleReport } from '../../policy/bundle.ts'
import type { RunResult } from './contained.ts'

type Step = BundleFinding['step']

interface Location {
  readonly file?: string
  readonly row?: number
}

interface CompilerError {
  readonly message?: string
  readonly code?: string
  readonly location?: Location
}

interface TestResult {
  readonly location?: Location
  readonly name?: string
  readonly package?: string
  readonly fail?: unknown
  readonly skip?: boolean
  readonly error?: { readonly message?: string; readonly code?: string }
}

const maxFindings = 100
const maxMessage = 1000

/** What a failed step of the compiler says; empty when it succeeded. */
export function stepFindings(step: Step, run: RunResult): readonly BundleFinding[] {
  if (run.exceeded !== null) return [{ step, message: limitMessage(run.exceeded) }]
  if (run.code === 0) return []
  const errors = compilerErrors(run.stdout) ?? compilerErrors(run.stderr)
  if (errors === undefined || errors.length === 0) return [{ step, ...fromText(run.stderr || run.stdout) }]
  return errors.slice(0, maxFindings).map((error) => ({
    step,
    ...place(error.location),
    message: cut(`${error.message ?? 'error'}${error.code === undefined ? '' : ` (${error.code})`}`),
  }))
}

/** Results of `opa test --format json`, or of its failure to run at all. */
export function testFindings(run: RunResult): {
  readonly findings: readonly BundleFinding[]
  readonly tests: BundleReport['tests']
} {
  const results = parsed(run.stdout)
  if (run.exceeded !== null || !Array.isArray(results)) {
    const findings = stepFindings('test', run)
    const silent: BundleFinding = { step: 'test', message: 'the tests gave no result' }
    return { findings: findings.length > 0 ? findings : [silent], tests: { passed: 0, failed: 0 } }
  }
  const ran = (results as readonly TestResult[]).filter((result) => result.skip !== true)
  const failed = ran.filter((result) => result.fail !== undefined || result.error !== undefined)
  return {
    findings: failed.slice(0, maxFindings).map(testFinding),
    tests: { passed: ran.length - failed.length, failed: failed.length },
  }
}

function testFinding(result: TestResult): BundleFinding {
  const file = result.location?.file ?? ''
  return {
    step: file.startsWith(bundleFolders.invariants) ? 'invariants' : 'test',
    ...place(result.location),
    test: `${(result.package ?? '').replace(/^data\./, '')}.${result.name ?? ''}`,
    message: cut(result.error?.message ?? 'the test does not hold'),
  }
}

interface Inspection {
  readonly namespaces?: Readonly<Record<string, readonly string[]>>
  readonly annotations?: readonly {
    readonly annotations?: { readonly custom?: { readonly rule?: unknown; readonly controls?: unknown } }
  }[]
}

/** Packages of each module, and what its METADATA lists, from `opa inspect -a --format json`. */
export function inspected(run: RunResult): {
  readonly modules: readonly BundleModule[]
  readonly listed: readonly string[]
} {
  const inspection = (parsed(run.stdout) ?? {}) as Inspection
  const modules = Object.entries(inspection.namespaces ?? {}).flatMap(([name, files]) =>
    files.filter((file) => file.endsWith('.rego')).map((file) => ({ file, package: packagePath(name) })),
  )
  const words = (inspection.annotations ?? []).flatMap(({ annotations }) => [
    ...strings(annotations?.custom?.rule, /^[a-z0-9_.:-]{1,64}$/),
    ...strings(annotations?.custom?.controls, /^[A-Za-z0-9_.:-]{1,64}$/),
  ])
  return { modules, listed: [...new Set(words)].sort() }
}

/** `data.guardrails["default"].x` -> guardrails, default, x. What is written in another way is no path: empty. */
function packagePath(reference: string): readonly string[] {
  if (!/^data(?:\.[A-Za-z_]\w*|\["(?:[^"\\]|\\.)*"\])+$/.test(reference)) return []
  const names = reference.matchAll(/\.([A-Za-z_]\w*)|\[("(?:[^"\\]|\\.)*")\]/g)
  return [...names].map(([, name, quoted]) => name ?? String(parsed(quoted ?? '')))
}

function strings(value: unknown, shape: RegExp): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((one): one is string => typeof one === 'string' && shape.test(one))
}

function compilerErrors(text: string): readonly CompilerError[] | undefined {
  const errors = (parsed(text) as { readonly errors?: unknown } | undefined)?.errors
  return Array.isArray(errors) ? (errors as readonly CompilerError[]) : undefined
}

/** `<file>:<line>: <message>`, as the compiler writes to a person. */
function fromText(text: string): Pick<BundleFinding, 'file' | 'line' | 'message'> {
  const match = /(?:^|\s)([^\s:]+\.(?:rego|json)):(\d+): ([^]+)$/.exec(text.trim())
  if (match === null) return { message: cut(text.trim() || 'the compiler failed without a message') }
  return { ...place({ file: match[1] ?? '', row: Number(match[2]) }), message: cut(match[3] ?? '') }
}

/** The person who posted a file knows it without the folder that it was put in. */
function place(location: Location | undefined): Pick<BundleFinding, 'file' | 'line'> {
  const { file, row } = location ?? {}
  return {
    ...(file === undefined || file === '' ? {} : { file: file.replace(bundleFolders.posted, '') }),
    ...(row === undefined || row < 1 ? {} : { line: row }),
  }
}

function limitMessage(exceeded: NonNullable<RunResult['exceeded']>): string {
  const limits = { time: 'took too long', memory: 'needed too much memory', output: 'printed too much' }
  return `the compiler ${limits[exceeded]} and was stopped`
}

function cut(message: string): string {
  return message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
