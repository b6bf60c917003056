/**
 * The whole service, put together: what a mode gives (keys, database, whose tokens) -> ports -> app.
 * Opens what it needs and closes it in the order in which nothing that was accepted is lost.
 */
import type { KeyObject } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { bundleAdmission } from './admit-bundle.ts'
import { canonicalJson } from './action/canonical.ts'
import { createApp, drain } from './app.ts'
import type { Config } from './config.ts'
import { configuredBundle } from './configured-bundle.ts'
import { decide } from './decide.ts'
import { explain } from './explain.ts'
import { logIdOf } from './ledger/origin.ts'
import { OpaCompiler } from './opa/compiler.ts'
import { OpaPolicyHost } from './opa/host.ts'
import { inputSchema, shippedPolicies } from './opa/shipped.ts'
import { tarballs } from './opa/tarball.ts'
import { createAnalyser } from './parsers/analyser.ts'
import type { Clock, Ports } from './ports.ts'
import { createBundleStore, type PostgresBundleStore } from './postgres/bundles.ts'
import { openPools, type Pools } from './postgres/client.ts'
import { createEvidenceStore } from './postgres/evidence.ts'
import { createLedger, type LedgerHandle } from './postgres/ledger.ts'
import { createPublicKeys } from './postgres/receipt-keys.ts'
import { readEvidence, searchEvidence } from './search-evidence.ts'
import { createPayloadKeys } from './signing/data-keys.ts'
import { createReceiptSigner } from './signing/receipt-signer.ts'
import { createTokenVerifier, type TokenRules } from './signing/token-verifier.ts'
import type { OpenLog } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'
import { version } from './version.ts'

/** What one mode or the other gives. */
export interface ServiceSettings {
  readonly mode: Config['mode']
  /** Of the service's login. */
  readonly databaseUrl: string
  readonly origin: string
  readonly tenant: string
  readonly logVerifierKey: string
  readonly keys: { readonly receipt: KeyObject; readonly audit: Buffer; readonly payload: Buffer }
  readonly tokens: TokenRules & { readonly load: () => Promise<unknown> }
  readonly stateDir: string
  readonly compiler: Config['compiler']
  /** `default`, or the path of a folder or tarball. */
  readonly bundle: string
  /** Posted bundles must be signed. */
  readonly signatureRequired: boolean
  readonly log: OpenLog
}

/** A service that is ready to listen. */
export interface Service {
  readonly app: FastifyInstance
  readonly ports: Ports
  /** Stops accepting, drains, commits what waits, closes the stream, lets go of the rest. */
  close(): Promise<void>
}

const graceMs = 10_000
const regoFolder = fileURLToPath(new URL('../rego', import.meta.url))

/** Closes in the reverse order of opening, and closes what was opened when a later step fails. */
class Closing {
  private readonly steps: (() => Promise<void> | void)[] = []

  add(step: () => Promise<void> | void): void {
    this.steps.push(step)
  }

  async run(): Promise<void> {
    for (const step of this.steps.splice(0).toReversed()) await step()
  }
}

/** Throws what its parts throw: a database that can't be used, a bundle that does not load. */
export async function createService(settings: ServiceSettings): Promise<Service> {
  const closing = new Closing()
  try {
    return await opened(settings, closing)
  } catch (error) {
    await closing.run()
    throw error
  }
}

async function opened(settings: ServiceSettings, closing: Closing): Promise<Service> {
  const { log } = settings
  const metrics = new Metrics(version)
  closing.add(() => metrics.close())
  const host = new OpaPolicyHost((micros) => metrics.stage('evaluate', micros))
  const analyser = await createAnalyser({ telemetry: metrics })
  closing.add(() => analyser.close())
  const stores = await openStores(settings, metrics, closing)
  const tokens = createTokenVerifier(settings.tokens.load, settings.tokens)
  closing.add(() => tokens.close())
  // A key set that can't be had now may be there later; until then no token verifies.
  await tokens.refresh().catch((error: unknown) => settings.log.log.error({ err: error }, 'no key set'))
  const ports: Ports = {
    ...stores,
    clock,
    analyser,
    policy: host,
    loader: host,
    compiler: compilerOf(settings),
    archives: tarballs,
    shipped: shippedPolicies(regoFolder),
    tokens,
    telemetry: metrics,
  }
  await putInForce(settings, { ports, host, bundles: stores.bundles }, closing)
  const app = createApp(ports, { version, mode: settings.mode, verbs: verbsOf(settings), log, metrics })
  closing.add(() => drain(app, graceMs))
  return { app, ports, close: () => closing.run() }
}

interface Stores {
  readonly ledger: LedgerHandle
  readonly evidence: Ports['evidence']
  readonly bundles: PostgresBundleStore
  readonly keys: Ports['keys']
}

async function openStores(settings: ServiceSettings, metrics: Metrics, closing: Closing): Promise<Stores> {
  const { databaseUrl: url, origin, log } = settings
  const logId = logIdOf(origin)
  const pools = openPools(url)
  closing.add(() => pools.close())
  followPools(metrics, pools)
  const { audit: auditKey } = settings.keys
  const signer = createReceiptSigner(settings.keys.receipt)
  const payloads = createPayloadKeys(settings.keys.payload, logId)
  const onAlarm = (message: string): void => log.log.error({ alarm: message }, 'alarm')
  const bundles = createBundleStore({ url, pools, logId })
  closing.add(() => bundles.close())
  const ledger = await createLedger({
    url,
    pools,
    logId,
    origin,
    clock,
    onAlarm,
    telemetry: metrics,
    tenant: settings.tenant,
    engine: `countersign/${version}`,
    mode: settings.mode,
    keys: { signer, payloads, auditKey },
    settings: ledgerSettings(settings),
    stateDir: settings.stateDir,
  })
  closing.add(() => ledger.close())
  return {
    ledger,
    bundles,
    evidence: createEvidenceStore({
      reader: recordReader(pools, logId, { origin, keys: payloads }),
      clock,
      onAlarm,
    }),
    keys: createPublicKeys({ pool: pools.writer, logId, auditKey, signer }, origin, settings.logVerifierKey),
  }
}

function followPools(metrics: Metrics, pools: Pools): void {
  for (const name of ['writer', 'reader'] as const) {
    metrics.pool.follow([name, 'idle'], () => pools[name].idleCount)
    metrics.pool.follow([name, 'total'], () => pools[name].totalCount)
    metrics.pool.follow([name, 'waiting'], () => pools[name].waitingCount)
  }
}

function recordReader<Rest extends object>(
  pools: Pools,
  logId: string,
  rest: Rest,
): Rest & { pool: Pools['reader']; logId: string } {
  return { ...rest, pool: pools.reader, logId }
}

/** What an auditor should know of how this log was run; a leaf says so whenever it changes. */
function ledgerSettings({
  mode,
  tenant,
  signatureRequired,
  compiler,
}: ServiceSettings): ReturnType<typeof canonicalJson> {
  return canonicalJson({
    bundleSignatures: signatureRequired ? 'required' : 'not required',
    compiler: compiler.opaBin === null ? 'pinned' : 'explicit (OPA_BIN)',
    mode,
    tenant,
    version,
  })
}

function compilerOf({ compiler, log }: ServiceSettings): OpaCompiler {
  return new OpaCompiler({
    ...compiler,
    moduleDir: `${regoFolder}/compiler`,
    inputSchema: inputSchema(regoFolder),
    waitingJobs: 4,
    progress: (line) => log.log.info({ compiler: line }, 'compiler'),
  })
}

/** The bundle that was activated last, else the configured one; and from then on whatever is activated. */
async function putInForce(
  settings: ServiceSettings,
  parts: { readonly ports: Ports; readonly host: OpaPolicyHost; readonly bundles: PostgresBundleStore },
  closing: Closing,
): Promise<void> {
  const { ports, host, bundles } = parts
  const active = settings.signatureRequired ? undefined : await bundles.active()
  await host.swap(active ?? (await configuredBundle(ports, settings.bundle, regoFolder)))
  if (settings.signatureRequired) return
  const follower = bundles.followActive(active?.id ?? null, async (row) => {
    await host.swap(row)
    settings.log.log.info({ bundle: row.name, revision: row.revision, digest: row.digest }, 'bundle in force')
  })
  closing.add(() => follower.close())
}

function verbsOf({ signatureRequired }: ServiceSettings): Parameters<typeof createApp>[1]['verbs'] {
  return {
    decide,
    explain,
    searchEvidence,
    readEvidence,
    admitBundle: bundleAdmission({ signatureRequired }),
  }
}

let lastMillis = 0

/** Wall clock that never goes back while the process lives. */
const clock: Clock = {
  now() {
    lastMillis = Math.max(lastMillis, Date.now())
    return new Date(lastMillis)
  },
}
