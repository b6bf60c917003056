/**
 * Evaluation mode: everything that production is given is made on the spot (keys, tokens, database),
 * so that one command brings the whole service up. Never for production, and it says so.
 */
import type { KeyObject } from 'node:crypto'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Pool } from 'pg'
import type { EvaluationConfig } from './config.ts'
import { PdpError } from './errors.ts'
import type { Step } from './evaluation/banner.ts'
import { banner } from './evaluation/banner.ts'
import type { EvaluationFile, EvaluationState } from './evaluation/state.ts'
import {
  ensureState,
  readEvaluationFile,
  removeEvaluationFile,
  writeEvaluationFile,
} from './evaluation/state.ts'
import { AUDIENCE, TOKEN_LIFE_SECONDS, evaluationTokens, publicJwk } from './evaluation/tokens.ts'
import { verifierKey } from './ledger/verifier-key.ts'
import { startEmbedded } from './postgres/embedded.ts'
import { holdFolder } from './postgres/embedded/folder-lock.ts'
import { migrate } from './postgres/migrate.ts'
import { asLogin, letServe } from './postgres/service-login.ts'
import { databaseMode } from './postgres/settings.ts'
import { createReceiptSigner } from './signing/receipt-signer.ts'

const SERVICE_LOGIN = 'countersign_service'
const WARN_EVERY_MS = 60_000
const RENEW_EVERY_MS = (TOKEN_LIFE_SECONDS * 1000) / 2

/** What production reads from its configuration, made on the spot. */
export interface Evaluation {
  /** What the service's pools connect with. */
  readonly serviceUrl: string
  readonly origin: string
  readonly logVerifierKey: string
  readonly keys: {
    readonly receipt: KeyObject
    readonly log: KeyObject
    /** 32 bytes each. */
    readonly audit: Buffer
    readonly payload: Buffer
  }
  /** Whose tokens are accepted. */
  readonly tokens: {
    readonly issuer: string
    readonly audience: string
    readonly algorithms: readonly string[]
    readonly jwks: { readonly keys: readonly object[] }
  }
  /** For the banner: something else that was done on the way up. */
  noteStep(what: string, millis: number): void
  /** The service is ready: writes evaluation.json, prints the banner, warns for as long as it is exposed. */
  announce(listening: { readonly host: string; readonly port: number }): void
  /** Takes evaluation.json away, before the service stops accepting. */
  withdraw(): void
  /** Stops the private PostgreSQL and lets go of the folder; last of all. */
  stop(): Promise<void>
}

interface Database {
  readonly ownerUrl: string
  readonly serviceUrl: string
  stop(): Promise<void>
}

/**
 * Makes what is missing, starts the private PostgreSQL (unless a URL is given) and migrates it.
 *
 * Throws `config.invalid` when another process holds the state folder, or when the database says that
 * it is a production one.
 */
export async function startEvaluation(
  config: EvaluationConfig,
  log: (message: string) => void,
): Promise<Evaluation> {
  const release = hold(config.stateDir)
  const steps: Step[] = []
  try {
    removeEvaluationFile(config.stateDir)
    const state = ensureState(config.stateDir)
    const database = await openDatabase(config, steps, log)
    return evaluation({ config, state, database, steps, release, log })
  } catch (error) {
    release()
    throw error
  }
}

function hold(folder: string): () => void {
  try {
    return holdFolder(folder, 'service.lock')
  } catch (error) {
    const running = readEvaluationFile(folder)
    if (!(error instanceof PdpError) || running === undefined) throw error
    throw new PdpError('config.invalid', `${error.message} (it listens on ${running.url})`, { cause: error })
  }
}

async function openDatabase(
  config: EvaluationConfig,
  steps: Step[],
  log: (message: string) => void,
): Promise<Database> {
  if (config.databaseUrl !== null) return openGiven(config.databaseUrl, steps)
  const begun = performance.now()
  const server = await startEmbedded({ dir: config.stateDir, log })
  steps.push({ what: `${server.how} ${server.description}`, millis: performance.now() - begun })
  try {
    await migrateWith(server.url, steps)
    const login = { name: SERVICE_LOGIN, password: randomBytes(24).toString('base64url') }
    await letServe(server.url, { ...login, resetPassword: true })
    return { ownerUrl: server.url, serviceUrl: asLogin(server.socketUrl, login), stop: () => server.stop() }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function openGiven(url: string, steps: Step[]): Promise<Database> {
  if (await isProduction(url)) {
    throw new PdpError(
      'config.invalid',
      'the database at DATABASE_URL is a production one: evaluation mode, with keys made on the spot, would spoil its ledger',
    )
  }
  await migrateWith(url, steps)
  await letServe(url, { name: decodeURIComponent(new URL(url).username), password: null })
  return { ownerUrl: url, serviceUrl: url, stop: () => Promise.resolve() }
}

async function isProduction(url: string): Promise<boolean> {
  const pool = new Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 10_000 })
  try {
    const table = await pool.query("select where to_regclass('ledger_setting') is not null")
    return table.rowCount === 1 && (await databaseMode(pool)) === 'production'
  } finally {
    await pool.end()
  }
}

async function migrateWith(url: string, steps: Step[]): Promise<void> {
  const begun = performance.now()
  const { applied } = await migrate(url)
  const what =
    applied.length === 0 ? 'migrations: nothing to do' : `migrations: applied ${applied.join(', ')}`
  steps.push({ what, millis: performance.now() - begun })
}

interface Parts {
  readonly config: EvaluationConfig
  readonly state: EvaluationState
  readonly database: Database
  readonly steps: Step[]
  readonly release: () => void
  readonly log: (message: string) => void
}

function evaluation(parts: Parts): Evaluation {
  const { state, database, steps, release } = parts
  const logVerifierKey = verifierKey(state.origin, createReceiptSigner(state.logKey).publicKey)
  const announcement = announcementOf(parts, logVerifierKey)
  return {
    serviceUrl: database.serviceUrl,
    origin: state.origin,
    logVerifierKey,
    keys: { receipt: state.receiptKey, log: state.logKey, audit: state.auditKey, payload: state.payloadKey },
    tokens: {
      issuer: state.issuer,
      audience: AUDIENCE,
      algorithms: ['EdDSA'],
      jwks: { keys: [publicJwk(state.tokenKey)] },
    },
    noteStep: (what, millis) => steps.push({ what, millis }),
    ...announcement,
    stop: async () => {
      announcement.withdraw()
      await database.stop()
      release()
    },
  }
}

/** evaluation.json, while the service is ready and no longer; its tokens are renewed before they end. */
function announcementOf(parts: Parts, logVerifierKey: string): Pick<Evaluation, 'announce' | 'withdraw'> {
  const { config, state, database, steps, log } = parts
  const timers: NodeJS.Timeout[] = []
  const write = (url: string): EvaluationFile => {
    const content = {
      url,
      pid: process.pid,
      databaseUrl: database.ownerUrl,
      logVerifierKey,
      tokens: evaluationTokens({ key: state.tokenKey, issuer: state.issuer }, new Date()),
      tokenKeyFile: state.tokenKeyFile,
    }
    writeEvaluationFile(config.stateDir, content)
    return content
  }
  return {
    announce: ({ host, port }) => {
      const file = write(urlOf(host, port))
      process.stdout.write(`${banner(file, join(config.stateDir, 'evaluation.json'), steps)}\n`)
      timers.push(setInterval(write, RENEW_EVERY_MS, file.url).unref())
      if (!isLoopback(host)) timers.push(warnOften(host, log))
    },
    withdraw: () => {
      for (const timer of timers.splice(0)) clearInterval(timer)
      removeEvaluationFile(config.stateDir)
    },
  }
}

function warnOften(host: string, log: (message: string) => void): NodeJS.Timeout {
  const warn = () =>
    log(
      `evaluation mode is reachable from other machines (HOST=${host}): whoever gets a token of evaluation.json may do everything`,
    )
  warn()
  return setInterval(warn, WARN_EVERY_MS).unref()
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Where a program on this machine reaches the service. */
function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
