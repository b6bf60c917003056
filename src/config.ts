/** The environment, read once: a frozen Config, or every fault of it at the same time, with its remedy. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  bundleFault,
  databaseUrlFault,
  folderFault,
  guardFault,
  isRamBacked,
  isTemporary,
  jwksFault,
  keyFault,
  logEndpointsFault,
  logLevelFault,
  originFault,
  pathFault,
  portFault,
  tenantFault,
} from './config/faults.ts'
import { PdpError } from './errors.ts'
import type { Fault } from './errors.ts'
import { readSecretKey, readSigningKey } from './signing/key-files.ts'
import { asymmetricAlgorithms } from './signing/token-verifier.ts'

/** What every mode has. */
interface CommonConfig {
  readonly host: string
  /** 0 means any free port. */
  readonly port: number
  readonly logLevel: string
  /** Absolute. Held by one process. */
  readonly stateDir: string
  readonly compiler: {
    readonly opaBin: string | null
    readonly cacheDir: string
    /** For the compiler's own search of programs and proxies. */
    readonly environment: Readonly<Record<string, string | undefined>>
  }
  /** What works, and should not stay as it is. */
  readonly warnings: readonly string[]
}

/** Everything is made on the spot; never for production. */
export interface EvaluationConfig extends CommonConfig {
  readonly mode: 'evaluation'
  /** Null: a private PostgreSQL is started. */
  readonly databaseUrl: string | null
}

/** Everything is given. */
export interface ProductionConfig extends CommonConfig {
  readonly mode: 'production'
  readonly databaseUrl: string
  readonly tenant: string
  /** File path or https URL of the issuer's key set. */
  readonly jwks: string
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly string[]
  readonly origin: string
  readonly keyFiles: {
    readonly log: string
    readonly receipt: string
    readonly audit: string
    readonly payload: string
  }
  /** Folder or tarball; `default` for the shipped one. */
  readonly bundle: string
  readonly bundleKeys: string | null
  readonly guard: string | null
  readonly logEndpoints: 'private' | 'public'
}

export type Config = EvaluationConfig | ProductionConfig

/** Environment variables; empty ones count as absent. */
type Environment = Readonly<Record<string, string | undefined>>

/** Any of these means that production is meant. */
const PRODUCTION_SETTINGS = [
  'COUNTERSIGN_MIGRATE_DATABASE_URL',
  'COUNTERSIGN_JWKS',
  'COUNTERSIGN_ISSUER',
  'COUNTERSIGN_AUDIENCE',
  'COUNTERSIGN_ALGORITHMS',
  'COUNTERSIGN_ORIGIN',
  'COUNTERSIGN_LOG_KEY_FILE',
  'COUNTERSIGN_RECEIPT_KEY_FILE',
  'COUNTERSIGN_AUDIT_KEY_FILE',
  'COUNTERSIGN_PAYLOAD_KEY_FILE',
  'COUNTERSIGN_TENANT',
  'COUNTERSIGN_BUNDLE',
  'COUNTERSIGN_BUNDLE_KEYS',
  'COUNTERSIGN_GUARD',
  'COUNTERSIGN_LOG_ENDPOINTS',
] as const

type Setting =
  | (typeof PRODUCTION_SETTINGS)[number]
  | 'COUNTERSIGN_STATE_DIR'
  | 'DATABASE_URL'
  | 'HOST'
  | 'PORT'
  | 'LOG_LEVEL'
  | 'OPA_BIN'
  | 'XDG_CACHE_HOME'

/** Read by programs that ask this service, which may share a shell with it. */
const FOREIGN = /^COUNTERSIGN_(URL|TOKEN|TEST_|BENCH_)/

/** What public issuers sign with. */
const DEFAULT_ALGORITHMS = 'EdDSA ES256 PS256 RS256'

/**
 * Reads the configuration. Without any production setting and outside `NODE_ENV=production` it is that
 * of evaluation mode.
 *
 * Throws `config.invalid` with one fault per setting that is missing, malformed or unsafe; `pointer` is
 * the variable's name.
 */
export function loadConfig(environment: Environment = process.env): Config {
  const reader = new Reader(environment)
  const reasons = productionReasons(reader)
  reportUnknown(reader)
  const common = commonConfig(reader)
  const config = reasons.length > 0 ? productionConfig(reader, common) : evaluationConfig(reader, common)
  if (reader.faults.length === 0) return Object.freeze(config)
  throw reader.failure(
    reasons.length > 0 ? [`(evaluation mode is off because of ${reasons.join(', ')})`] : [],
  )
}

/** Whom to migrate as, and who shall serve when that is another login. */
export interface MigrationTarget {
  readonly url: string
  readonly service: { readonly name: string; readonly password: string | null } | null
}

/** The owner's URL if there is one, else the service's own. Throws `config.invalid` when there is neither. */
export function migrationTarget(environment: Environment = process.env): MigrationTarget {
  const reader = new Reader(environment)
  const serviceUrl = reader.optional('DATABASE_URL', databaseUrlFault)
  const url = reader.optional('COUNTERSIGN_MIGRATE_DATABASE_URL', databaseUrlFault) ?? serviceUrl
  if (url === undefined) {
    const what = 'is missing: the URL of a login that may create tables and roles (else DATABASE_URL is used)'
    reader.fault('COUNTERSIGN_MIGRATE_DATABASE_URL', what)
  }
  if (url === undefined || reader.faults.length > 0) throw reader.failure([])
  const service = serviceUrl === undefined ? null : loginOf(serviceUrl)
  return { url, service: service?.name === loginOf(url)?.name ? null : service }
}

function loginOf(url: string): MigrationTarget['service'] {
  const { username, password } = new URL(url)
  if (username === '') return null
  return {
    name: decodeURIComponent(username),
    password: password === '' ? null : decodeURIComponent(password),
  }
}

/** Where the state folder is, for programs that only look for evaluation.json. */
export function stateFolder(environment: Environment = process.env): string {
  return resolve(environment['COUNTERSIGN_STATE_DIR'] || '.countersign')
}

/** Reads settings, and gathers what is wrong with them. */
class Reader {
  readonly faults: Fault[] = []
  readonly warnings: string[] = []
  readonly environment: Environment

  constructor(environment: Environment) {
    this.environment = environment
  }

  value(name: Setting): string | undefined {
    const value = this.environment[name]?.trim()
    return value === '' ? undefined : value
  }

  fault(name: string, detail: string): void {
    this.faults.push({ pointer: name, detail })
  }

  /** All that was found, one line each. No value is repeated: some are secrets. */
  failure(notes: readonly string[]): PdpError {
    const lines = [...this.faults.map(({ pointer, detail }) => `${pointer} ${detail}`), ...notes]
    const message = `the configuration can't be used:\n${lines.map((line) => `  ${line}`).join('\n')}`
    return new PdpError('config.invalid', message, { faults: this.faults })
  }

  /** The value, checked; an empty text in place of one that is missing, and a fault. */
  required(name: Setting, what: string, check?: (value: string) => string | undefined): string {
    const value = this.value(name)
    if (value === undefined) this.fault(name, `is missing: ${what}`)
    return this.checked(name, value, check) ?? ''
  }

  optional(name: Setting, check?: (value: string) => string | undefined): string | undefined {
    return this.checked(name, this.value(name), check)
  }

  private checked(name: Setting, value: string | undefined, check?: (value: string) => string | undefined) {
    const wrong = value === undefined ? undefined : check?.(value)
    if (wrong !== undefined) this.fault(name, wrong)
    return value
  }
}

function productionReasons(reader: Reader): readonly string[] {
  const present = PRODUCTION_SETTINGS.filter((name) => reader.value(name) !== undefined)
  return reader.environment['NODE_ENV'] === 'production' ? ['NODE_ENV=production', ...present] : present
}

/** A misspelt name would silently leave a setting at its default. */
function reportUnknown(reader: Reader): void {
  const known: readonly string[] = [...PRODUCTION_SETTINGS, 'COUNTERSIGN_STATE_DIR']
  for (const [name, value] of Object.entries(reader.environment)) {
    if (!name.startsWith('COUNTERSIGN_') || FOREIGN.test(name) || known.includes(name) || value === '')
      continue
    reader.fault(name, 'is not a setting of this service: correct its name, or unset it')
  }
}

function commonConfig(reader: Reader): CommonConfig {
  const stateDir = stateFolder(reader.environment)
  const wrong = folderFault(stateDir)
  if (wrong !== undefined) reader.fault('COUNTERSIGN_STATE_DIR', wrong)
  const cache = reader.value('XDG_CACHE_HOME') ?? join(homedir(), '.cache')
  return {
    host: reader.value('HOST') ?? '127.0.0.1',
    port: Number(reader.optional('PORT', portFault) ?? 8080),
    logLevel: reader.optional('LOG_LEVEL', logLevelFault) ?? 'info',
    stateDir,
    compiler: {
      opaBin: reader.value('OPA_BIN') ?? null,
      cacheDir: join(cache, 'countersign', 'tools'),
      environment: reader.environment,
    },
    warnings: reader.warnings,
  }
}

function evaluationConfig(reader: Reader, common: CommonConfig): EvaluationConfig {
  return {
    ...common,
    mode: 'evaluation',
    databaseUrl: reader.optional('DATABASE_URL', databaseUrlFault) ?? null,
  }
}

function productionConfig(reader: Reader, common: CommonConfig): ProductionConfig {
  checkStateFolder(reader, common.stateDir)
  const databaseUrl = reader.required(
    'DATABASE_URL',
    'postgresql://<login>@<host>/<database>',
    databaseUrlFault,
  )
  if (databaseUrl === reader.value('COUNTERSIGN_MIGRATE_DATABASE_URL')) {
    reader.warnings.push('DATABASE_URL is the owner that migrates: give the service a login of its own')
  }
  return {
    ...common,
    mode: 'production',
    databaseUrl,
    tenant: reader.optional('COUNTERSIGN_TENANT', tenantFault) ?? 'default',
    jwks: reader.required('COUNTERSIGN_JWKS', "file or https URL of your issuer's key set", jwksFault),
    issuer: reader.required('COUNTERSIGN_ISSUER', 'the `iss` of the tokens to accept'),
    audience: reader.required('COUNTERSIGN_AUDIENCE', 'the `aud` that tokens for this service name'),
    algorithms: algorithmsOf(reader),
    origin: reader.required(
      'COUNTERSIGN_ORIGIN',
      'the name of your log, like log.example.com/countersign',
      originFault,
    ),
    keyFiles: keyFilesOf(reader),
    bundle: reader.required(
      'COUNTERSIGN_BUNDLE',
      'folder or tarball of policies, or `default` for those that are shipped',
      bundleFault,
    ),
    bundleKeys: reader.optional('COUNTERSIGN_BUNDLE_KEYS', pathFault) ?? null,
    guard: reader.optional('COUNTERSIGN_GUARD', guardFault) ?? null,
    logEndpoints:
      reader.optional('COUNTERSIGN_LOG_ENDPOINTS', logEndpointsFault) === 'public' ? 'public' : 'private',
  }
}

function keyFilesOf(reader: Reader): ProductionConfig['keyFiles'] {
  const signing = 'file with a private Ed25519 JWK, mode 0600'
  const secret = 'file with 32 random bytes in base64url, mode 0600'
  return {
    log: reader.required('COUNTERSIGN_LOG_KEY_FILE', signing, keyFault(readSigningKey)),
    receipt: reader.required('COUNTERSIGN_RECEIPT_KEY_FILE', signing, keyFault(readSigningKey)),
    audit: reader.required('COUNTERSIGN_AUDIT_KEY_FILE', secret, keyFault(readSecretKey)),
    payload: reader.required('COUNTERSIGN_PAYLOAD_KEY_FILE', secret, keyFault(readSecretKey)),
  }
}

function algorithmsOf(reader: Reader): readonly string[] {
  const names = (reader.value('COUNTERSIGN_ALGORITHMS') ?? DEFAULT_ALGORITHMS).split(/[\s,]+/)
  const refused = names.filter((name) => !asymmetricAlgorithms.includes(name))
  if (refused.length > 0) {
    reader.fault(
      'COUNTERSIGN_ALGORITHMS',
      `holds ${refused.join(', ')}: only asymmetric algorithms are accepted (${asymmetricAlgorithms.join(', ')})`,
    )
  }
  return names
}

/** The folder says which records this replica has already answered for: it must last. */
function checkStateFolder(reader: Reader, folder: string): void {
  if (isRamBacked(folder)) {
    reader.fault('COUNTERSIGN_STATE_DIR', `${folder} lies in memory: choose a folder that survives restarts`)
  } else if (isTemporary(folder)) {
    reader.warnings.push(
      `COUNTERSIGN_STATE_DIR ${folder} is temporary: choose a folder that survives restarts`,
    )
  }
}
