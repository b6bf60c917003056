/** What a bundle is: its files, its data, its report and its place in the lifecycle. */
import { createHash } from 'node:crypto'
import type { components } from '../contract/openapi.d.ts'
import type { Facts } from '../action/action.ts'
import { canonicalJson } from '../action/canonical.ts'

type Schemas = components['schemas']

export type BundleState = Schemas['BundleState']
export type BundleReport = Schemas['BundleReport']
export type BundleFinding = Schemas['BundleFinding']

/** Path inside the bundle -> text (`.rego`) or JSON text (`data.json`). Paths are relative, without `..`. */
export type BundleFiles = Readonly<Record<string, string>>

/** A bundle as it is stored. */
export interface BundleRow {
  readonly id: string
  readonly name: string
  readonly revision: string
  readonly extends: 'default' | null
  readonly state: BundleState
  /** `sha256:` over the compiled policy and its resulting data; null until it is compiled. */
  readonly digest: string | null
  readonly postedAt: Date
  /** Subject of the token that posted it. */
  readonly postedBy: string
  readonly activatedAt: Date | null
  readonly report: BundleReport
  /** As posted. */
  readonly files: BundleFiles
  readonly wasm: Uint8Array | null
  /** The resulting `data.json`, as text. */
  readonly data: string
  readonly listed: readonly string[]
}

/** A pinned target: what a request may not say otherwise. */
export interface PinnedTarget {
  readonly environment?: string
  readonly system?: string
  readonly dialects?: readonly string[]
  readonly schema?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly owner?: string
  /** Host, context, profile or account patterns (exact, or with `*`) that resolve to this target. */
  readonly endpoints?: readonly string[]
  readonly facts?: Facts
}

/** The members of a bundle's `data.json` that the service itself reads; policies read the rest. */
export interface BundleData {
  readonly targets: Readonly<Record<string, PinnedTarget>>
  readonly environments: Readonly<
    Record<string, { readonly protected: boolean; readonly default: 'deny' | 'allow' }>
  >
  readonly [key: string]: unknown
}

/**
 * Where each kind of file is when a bundle is put together: the service's own modules, those of the
 * shipped bundle, the tests that every bundle must pass, and what was posted.
 */
export const bundleFolders = {
  own: 'countersign/',
  shipped: 'default/',
  invariants: 'invariants/',
  posted: 'bundle/',
} as const

/** Whether a file holds tests: they are run, and never compiled. */
export function isTestFile(path: string): boolean {
  return path.endsWith('_test.rego') || path.startsWith(bundleFolders.invariants)
}

/** A Rego module of a bundle: its file, and the names of its package without `data`. */
export interface BundleModule {
  readonly file: string
  readonly package: readonly string[]
}

/**
 * What a bundle is called by: `sha256:` over the canonical JSON of `{data, listed, wasm}`, where data
 * and wasm are the digests of the canonical data and of the compiled policy. Two bundles with the same
 * digest give the same verdicts and the same leaves.
 */
export function bundleDigest(bundle: {
  readonly wasm: Uint8Array
  readonly data: unknown
  readonly listed: readonly string[]
}): string {
  return sha256(
    canonicalJson({
      data: sha256(canonicalJson(bundle.data)),
      listed: [...new Set(bundle.listed)].sort(),
      wasm: sha256(bundle.wasm),
    }),
  )
}

/** `sha256:` over what was posted: the same files and base have the same digest. */
export function postedDigest(files: BundleFiles, base: 'default' | null): string {
  return sha256(canonicalJson({ extends: base, files }))
}

function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
