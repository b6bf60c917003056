/** What a posted bundle may be: its layout, its packages, its data, and what its data makes weaker. */
import { canonicalJson } from '../action/canonical.ts'
import { bundleFolders } from './bundle.ts'
import type { BundleData, BundleFiles, BundleFinding, BundleModule } from './bundle.ts'

const limits = { files: 1000, bytes: 8 * 1024 * 1024, pathLength: 255 } as const

/** Names that other tools and people use for what stays out of a policy. */
const step = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/

/** Findings about the files of a bundle as it was posted: only modules, and one `data.json` at the root. */
export function layoutFindings(files: BundleFiles): readonly BundleFinding[] {
  const paths = Object.keys(files)
  const findings = paths.flatMap((path) => pathFinding(path) ?? [])
  if (paths.length > limits.files) findings.push(layout(`more than ${String(limits.files)} files`))
  const length = Object.values(files).reduce((sum, text) => sum + text.length, 0)
  if (length > limits.bytes) findings.push(layout('more than 8 MiB of files'))
  return findings
}

function pathFinding(path: string): BundleFinding | undefined {
  const isPath = path.length <= limits.pathLength && path.split('/').every((name) => step.test(name))
  if (!isPath) return layout('is no path inside a bundle', path)
  if (path === 'data.json' || path.endsWith('.rego')) return undefined
  if (path.endsWith('/data.json')) return layout('data is read from one data.json at the root', path)
  return layout('is neither a module (.rego) nor data.json', path)
}

function layout(message: string, file?: string): BundleFinding {
  return { step: 'layout', ...(file === undefined ? {} : { file: file.slice(0, 300) }), message }
}

/**
 * Findings about the packages that posted modules declare: below `guardrails.<own>`, where the shipped
 * bundle has no package of that name. Whoever could declare another one could answer in its place.
 *
 * @param taken names below `guardrails` that are in use already
 */
export function packageFindings(
  modules: readonly BundleModule[],
  taken: ReadonlySet<string>,
): readonly BundleFinding[] {
  return modules
    .filter(({ file }) => file.startsWith(bundleFolders.posted))
    .flatMap(({ file, package: path }) => {
      const [root, own] = path
      const name = file.slice(bundleFolders.posted.length)
      if (root !== 'guardrails' || own === undefined) {
        return [
          layout(
            `declares package ${path.join('.')}; a bundle's packages are below guardrails.<own name>`,
            name,
          ),
        ]
      }
      return taken.has(own) ? [layout(`declares package ${path.join('.')}, which is reserved`, name)] : []
    })
}

/** The data that a bundle results in: its own top-level keys replace those of the shipped one, whole. */
export function resultingData(shipped: BundleData | null, posted: BundleData): BundleData {
  return { ...shipped, ...posted }
}

type Fields = Readonly<Record<string, unknown>>

/**
 * What the resulting data makes weaker than the shipped data, as sentences for whoever activates it.
 * Keys whose meaning is not known here are named when they differ.
 */
export function weakerThan(shipped: BundleData, data: BundleData): readonly string[] {
  const keys = [...new Set([...Object.keys(shipped), ...Object.keys(data)])].sort()
  return keys
    .filter((key) => canonicalJson(shipped[key] ?? null) !== canonicalJson(data[key] ?? null))
    .flatMap((key) => (weakenings[key] ?? replaced(key))(shipped[key], data[key]))
}

type Weakening = (shipped: unknown, data: unknown) => readonly string[]

const weakenings: Readonly<Record<string, Weakening>> = {
  environments: (shipped, data) =>
    rows(data)
      .filter(([name, row]) => isOpen(row) && !isOpen(fields(shipped)[name]))
      .map(([name]) => `environment ${name} is not protected`),
  thresholds: (shipped, data) => raisedNumbers('thresholds', shipped, data),
  waivers: (shipped, data) => added('waiver', shipped, data),
  exceptions: (shipped, data) => added('exception', shipped, data),
  standing: (shipped, data) =>
    grantedWords('standing', shipped, data).map((path) => `standing privilege is added: ${path}`),
  runners: (shipped, data) =>
    grantedWords('runners', shipped, data).map((path) => `a runner is trusted: ${path}`),
  destinations: (shipped, data) =>
    grantedWords('destinations', shipped, data).map((path) => `a destination counts as internal: ${path}`),
  unprotected: (shipped, data) =>
    grantedWords('unprotected', data, shipped).map(
      (path) => `no longer enforced where it is unprotected: ${path}`,
    ),
  targets: (_shipped, data) =>
    rows(data).flatMap(([id, row]) =>
      fields(row)['facts'] === undefined ? [] : [`facts of target ${id} are believed`],
    ),
}

function replaced(key: string): Weakening {
  return (shipped, data) => {
    const lost = grantedWords(key, data, shipped)
    return lost.length === 0 ? [`${key} is replaced`] : lost.map((path) => `is gone: ${path}`)
  }
}

function isOpen(row: unknown): boolean {
  return fields(row)['protected'] === false || fields(row)['default'] === 'allow'
}

function raisedNumbers(path: string, shipped: unknown, data: unknown): readonly string[] {
  if (typeof data === 'number') {
    return typeof shipped === 'number' && data <= shipped
      ? []
      : [`${path} is ${String(data)} instead of ${JSON.stringify(shipped ?? null)}`]
  }
  const lost = rows(shipped)
    .filter(([name]) => !Object.hasOwn(fields(data), name))
    .map(([name]) => `${path}.${name} is gone`)
  return [
    ...lost,
    ...rows(data).flatMap(([name, value]) => raisedNumbers(`${path}.${name}`, fields(shipped)[name], value)),
  ]
}

function added(what: string, shipped: unknown, data: unknown): readonly string[] {
  const known = new Set(list(shipped).map((row) => canonicalJson(row)))
  return list(data)
    .filter((row) => !known.has(canonicalJson(row)))
    .map((row) => `${what} is added: ${canonicalJson(row).slice(0, 300)}`)
}

/** Paths of the leaves that `data` has and `shipped` has not. */
function grantedWords(path: string, shipped: unknown, data: unknown): readonly string[] {
  const known = new Set(leaves(path, shipped))
  return leaves(path, data).filter((leaf) => !known.has(leaf))
}

function leaves(path: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => leaves(path, item))
  if (typeof value === 'object' && value !== null)
    return rows(value).flatMap(([name, item]) => leaves(`${path}.${name}`, item))
  return value === undefined ? [] : [`${path}: ${JSON.stringify(value)}`]
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function rows(value: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(fields(value))
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** What was posted, read into one shape whatever its wire form was. */
export interface PostedBundle {
  readonly name: string
  readonly revision: string | null
  readonly extends: 'default' | null
  readonly files: BundleFiles
  readonly activate: boolean
  /** What is wrong with the archive that it came in. */
  readonly findings: readonly BundleFinding[]
}

/** `data.json` of a posted bundle; a finding when it is no JSON object. A bundle without one changes no data. */
export function postedData(
  files: BundleFiles,
): { readonly data: BundleData } | { readonly finding: BundleFinding } {
  const finding: BundleFinding = { step: 'data', file: 'data.json', message: 'is not a JSON object' }
  try {
    const data: unknown = JSON.parse(files['data.json'] ?? '{}')
    return typeof data === 'object' && data !== null && !Array.isArray(data)
      ? { data: data as BundleData }
      : { finding }
  } catch {
    return { finding }
  }
}

/** The files that a posted bundle is compiled from, each kind in its folder. */
export function assembledFiles(
  parts: { readonly own: BundleFiles; readonly modules: BundleFiles; readonly invariants: BundleFiles },
  post: Pick<PostedBundle, 'files' | 'extends'>,
  data: BundleData,
): BundleFiles {
  const posted = Object.entries(post.files)
    .filter(([path]) => path.endsWith('.rego'))
    .map(([path, text]) => [`${bundleFolders.posted}${path}`, text] as const)
  return {
    ...parts.own,
    ...(post.extends === 'default' ? parts.modules : {}),
    ...parts.invariants,
    ...Object.fromEntries(posted),
    'data.json': canonicalJson(data),
  }
}
