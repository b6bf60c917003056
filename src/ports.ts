/** All that the service asks of the world, in one file of interfaces. `main.ts` plugs them in. */
import type { Caller } from './action/action.ts'
import type { Analysis, AnalysisRequest } from './intent/analysis.ts'
import type { LedgerRecord, SealedRecord } from './ledger/record.ts'
import type {
  BundleData,
  BundleFiles,
  BundleFinding,
  BundleModule,
  BundleReport,
  BundleRow,
} from './policy/bundle.ts'
import type { PolicyRef, RawVerdict } from './policy/verdict.ts'
import type { EvidenceQuery, EvidencePage, EvidenceRecord } from './evidence/query.ts'

/** Wall clock that never goes back while the process lives. */
export interface Clock {
  now(): Date
}

/** Analyses commands; small ones inline, large ones in a worker. Never rejects for a hostile command. */
export interface Analyser {
  /** @param callerKey fairness: whose share of the workers is used */
  analyse(requests: readonly AnalysisRequest[], callerKey: string): Promise<readonly Analysis[]>
}

/** One bundle, loaded: a snapshot, so that the bundle that judged is the bundle that is recorded. */
export interface PolicyInForce {
  readonly ref: PolicyRef
  readonly data: BundleData
  /** Rule ids and controls that the bundle's METADATA declares; what else a policy says is `unlisted` in a leaf. */
  readonly listed: ReadonlySet<string>
  /** @param inputs canonical JSON texts of policy inputs, with the number of effects in each */
  evaluate(
    inputs: readonly { readonly json: string; readonly effects: number }[],
  ): Promise<readonly RawVerdict[]>
}

export interface PolicyHost {
  /** Null while no bundle is loaded. */
  inForce(): PolicyInForce | null
}

/** A claim to an idempotency key: belongs to the caller (issuer and subject) and the operation. */
export interface IdempotencyClaim {
  readonly issuer: string
  readonly subject: string
  readonly operation: string
  readonly key: string
  /** RFC 8785 text of the body. */
  readonly body: string
}

/** Records that become durable together or not at all. */
export interface LedgerUnit {
  readonly records: readonly LedgerRecord[]
  readonly claim: IdempotencyClaim | null
  /** Fairness: whose share of the queue is used. */
  readonly callerKey: string
}

export type AppendOutcome =
  | { readonly status: 'committed'; readonly sealed: readonly SealedRecord[] }
  /** Somebody else's unit holds the claim; `matches` says whether with the same body. */
  | { readonly status: 'claimed'; readonly ids: readonly string[]; readonly matches: boolean }

/** What is replayed for an idempotency key, after leaf, commitments and receipt verified. */
export interface ReplayedRecord {
  readonly id: string
  readonly time: Date
  readonly expiresAt: Date
  readonly policy: PolicyRef
  readonly receipt: string
  readonly receiptSalt: string
  /** The opened `input` and `output` parts. */
  readonly input: Readonly<Record<string, unknown>>
  readonly output: Readonly<Record<string, unknown>>
}

export interface Ledger {
  /**
   * Makes a unit durable, then resolves. Rejects with `ledger.busy` or `caller.limit` when a queue is
   * full, and `ledger.unavailable` when it can't be made durable or its fate is not known in time.
   */
  append(unit: LedgerUnit): Promise<AppendOutcome>
  /** Who holds a claim by now, if anybody. */
  findClaim(
    claim: IdempotencyClaim,
  ): Promise<{ readonly ids: readonly string[]; readonly matches: boolean } | null>
  replay(ids: readonly string[]): Promise<readonly ReplayedRecord[]>
  /** Undefined when it can write; else why it can't. */
  fault(): string | undefined
}

export interface EvidenceStore {
  search(query: EvidenceQuery): Promise<EvidencePage>
  /** Undefined when there is no such record, or the caller may not see it. */
  read(id: string, query: Pick<EvidenceQuery, 'readers'>): Promise<EvidenceRecord | undefined>
}

export interface BundleStore {
  insert(row: BundleRow): Promise<void>
  update(row: BundleRow): Promise<void>
  read(id: string): Promise<BundleRow | undefined>
  list(page: { readonly limit: number; readonly before: string | null }): Promise<readonly BundleRow[]>
  /** Puts a candidate in force and retires the one before, atomically; replicas are notified. */
  activate(id: string): Promise<void>
}

/** What the contained compiler made of a bundle. */
export interface Compiled {
  readonly wasm: Uint8Array
  /** Rule ids and controls found in METADATA. */
  readonly listed: readonly string[]
}

export interface Compiler {
  /**
   * Check, test and build, in this order, with nothing but the files given. One job runs at a time;
   * rejects with `caller.limit` when too many wait, and with `bundle.compiler_unavailable`.
   *
   * @param layout findings about the modules' packages, which are known once everything was parsed
   */
  compile(
    files: BundleFiles,
    layout?: (modules: readonly BundleModule[]) => readonly BundleFinding[],
  ): Promise<{
    readonly findings: readonly BundleFinding[]
    readonly tests: BundleReport['tests']
    readonly compiled: Compiled | null
  }>
}

/** Reads an archive of a bundle as `opa build` makes it. */
export interface BundleArchives {
  /** Everything in memory and under limits; what is wrong with the archive is a finding, never a throw. */
  unpack(archive: Uint8Array): {
    readonly files: BundleFiles
    readonly revision: string | null
    readonly findings: readonly BundleFinding[]
  }
}

/** The policies that come with the service, as files (see `bundleFolders`) and data. */
export interface ShippedPolicies {
  /** The decision and the words that policies share: part of every bundle. */
  readonly own: BundleFiles
  /** The modules of the default bundle. */
  readonly modules: BundleFiles
  /** The tests that every bundle must pass with its modules and data. */
  readonly invariants: BundleFiles
  readonly data: BundleData
  /** Names below `guardrails` that the default bundle uses. */
  readonly guardrails: ReadonlySet<string>
  /** What is wrong with a bundle's data, by its closed schema. */
  checkData(data: unknown): readonly BundleFinding[]
}

/** Loads a compiled bundle beside the one in force, and swaps. */
export interface PolicyLoader {
  /** Instantiates and qualifies; rejects with `bundle.invalid` when it does not load. */
  load(row: BundleRow): Promise<{ readonly evaluationMicros: number }>
  /** Puts what was loaded in force in this process. */
  swap(row: BundleRow): Promise<void>
}

/** Claims of a verified bearer token. */
export interface Principal {
  readonly caller: Caller
  readonly scopes: ReadonlySet<string>
  /** Patterns (exact, or a prefix that ends in `*`); null when the claim is absent. */
  readonly actors: readonly string[] | null
  readonly actorTypes: readonly string[] | null
  readonly actorRoles: readonly string[] | null
  readonly targets: readonly string[] | null
  readonly evidence: readonly string[] | null
}

export interface TokenVerifier {
  /** Rejects with `auth.invalid`, or `auth.unavailable` when no key set could be had. */
  verify(token: string): Principal | Promise<Principal>
}

/** Public keys as this deployment shows them. */
export interface PublicKeys {
  /** Certified receipt keys whose receipts may still be checked. */
  jwks(): Promise<{ readonly keys: readonly Readonly<Record<string, string>>[] }>
  readonly logVerifierKey: string
  readonly origin: string
}

/** Stage timings and counts; `telemetry/metrics.ts` has the names. */
export interface Telemetry {
  stage(
    stage: 'parse' | 'analyse' | 'evaluate' | 'encode' | 'encrypt' | 'commit' | 'sign',
    micros: number,
  ): void
  verdict(verdict: string, language: string): void
}

export interface Ports {
  readonly clock: Clock
  readonly analyser: Analyser
  readonly policy: PolicyHost
  readonly ledger: Ledger
  readonly evidence: EvidenceStore
  readonly bundles: BundleStore
  readonly compiler: Compiler
  readonly archives: BundleArchives
  readonly shipped: ShippedPolicies
  readonly loader: PolicyLoader
  readonly tokens: TokenVerifier
  readonly keys: PublicKeys
  readonly telemetry: Telemetry
}
