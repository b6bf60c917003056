/** The policies that come with the service, read from `rego/`. The compiled default needs no compiler. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../action/canonical.ts'
import { PdpError } from '../errors.ts'
import { bundleDigest, bundleFolders, isTestFile } from '../policy/bundle.ts'
import type { BundleData, BundleFiles, BundleRow } from '../policy/bundle.ts'
import type { ShippedPolicies } from '../ports.ts'
import { dataChecker } from './data-schema.ts'

/** Beside the compiled default bundle: what it is, committed and compared. */
export interface DefaultManifest {
  readonly name: string
  readonly revision: string
  readonly digest: string
  readonly listed: readonly string[]
}

/** @param folder of the committed `rego/` */
export function shippedPolicies(folder: string): ShippedPolicies {
  const modules = regoFiles(folder, 'default', bundleFolders.shipped)
  return {
    own: withoutTests(regoFiles(folder, 'countersign', bundleFolders.own)),
    modules: withoutTests(modules),
    invariants: regoFiles(folder, 'invariants', bundleFolders.invariants),
    data: shippedData(folder),
    guardrails: guardrailNames(Object.values(modules)),
    checkData: dataChecker(JSON.parse(text(folder, 'data.schema.json')) as object),
  }
}

/** All that the default bundle is compiled from and tested with. */
export function defaultSources(folder: string): BundleFiles {
  return {
    ...regoFiles(folder, 'countersign', bundleFolders.own),
    ...regoFiles(folder, 'default', bundleFolders.shipped),
    ...regoFiles(folder, 'invariants', bundleFolders.invariants),
    'data.json': canonicalJson(shippedData(folder)),
  }
}

/** JSON Schema of the policies' input. */
export function inputSchema(folder: string): string {
  return text(folder, 'input.schema.json')
}

/** The id of the default bundle: it is in no table, and the same everywhere. */
const defaultBundleId = '00000000-0000-7000-8000-000000000000'

/**
 * The default bundle, compiled. Throws `bundle.invalid` when what is on disk is not what was committed:
 * the digest covers the compiled policy, its data and the ids that its rules may name.
 */
export function defaultBundle(folder: string, loadedAt: Date): BundleRow {
  const manifest = JSON.parse(text(folder, 'default.manifest.json')) as DefaultManifest
  const wasm = readFileSync(join(folder, 'default.policy.wasm'))
  const data = shippedData(folder)
  const digest = bundleDigest({ wasm, data, listed: manifest.listed })
  if (digest !== manifest.digest) {
    throw new PdpError('bundle.invalid', `rego/default: ${digest} is not the committed ${manifest.digest}`)
  }
  return {
    id: defaultBundleId,
    name: manifest.name,
    revision: manifest.revision,
    extends: null,
    state: 'active',
    digest,
    postedAt: loadedAt,
    postedBy: 'countersign',
    activatedAt: loadedAt,
    report: { findings: [], weaker: [], tests: { passed: 0, failed: 0 } },
    files: {},
    wasm,
    data: canonicalJson(data),
    listed: manifest.listed,
  }
}

function shippedData(folder: string): BundleData {
  return JSON.parse(text(folder, 'default/data.json')) as BundleData
}

function regoFiles(root: string, name: string, prefix: string): BundleFiles {
  const names = readdirSync(join(root, name))
    .filter((file) => file.endsWith('.rego'))
    .sort()
  return Object.fromEntries(names.map((file) => [`${prefix}${file}`, text(root, `${name}/${file}`)]))
}

function withoutTests(files: BundleFiles): BundleFiles {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !isTestFile(path)))
}

/** Our own modules write their packages on one line, as `opa fmt` does. */
function guardrailNames(modules: readonly string[]): ReadonlySet<string> {
  const names = modules.map((module) => /^package guardrails(?:\.(\w+)|\["([^"]+)"\])/m.exec(module))
  return new Set(names.flatMap((match) => match?.[1] ?? match?.[2] ?? []))
}

function text(folder: string, path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}
