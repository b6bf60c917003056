/** The whole service in this process, on a real PostgreSQL: real keys, real tokens, real policies. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AUDIENCE, evaluationTokens, lifetime, publicJwk, signedToken } from '../../src/evaluation/tokens.ts'
import { verifierKey } from '../../src/ledger/verifier-key.ts'
import { createService, type Service, type ServiceSettings } from '../../src/service.ts'
import { createReceiptSigner } from '../../src/signing/receipt-signer.ts'
import { openLog } from '../../src/telemetry/log.ts'
import { contractFaults } from './contract.ts'
import { testDatabase, type TestDatabase } from './database.ts'

type Json = Readonly<Record<string, unknown>>

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly body: Record<string, never> & Record<string, unknown>
}

/** Keys and tokens of one deployment; several replicas may share them. */
export interface Deployment {
  readonly database: TestDatabase
  readonly settings: Omit<ServiceSettings, 'stateDir' | 'log'>
  readonly tokens: ReturnType<typeof evaluationTokens>
  /** A token of the deployment's issuer with other claims. */
  token(claims: Json): string
  drop(): Promise<void>
}

export interface TestService {
  readonly service: Service
  readonly tokens: Deployment['tokens']
  readonly deployment: Deployment
  /** Every line that was logged. */
  readonly lines: readonly string[]
  post(
    path: string,
    body: unknown,
    options?: { token?: string; headers?: Record<string, string> },
  ): Promise<Answered>
  get(path: string, token?: string): Promise<Answered>
  close(): Promise<void>
}

/** A deployment without a running replica. */
export async function deployment(): Promise<Deployment> {
  const database = await testDatabase()
  const issuer = 'https://issuer.example'
  const key = generateKeyPairSync('ed25519').privateKey
  const log = createReceiptSigner(generateKeyPairSync('ed25519').privateKey)
  const origin = `log.example/${database.name}`
  return {
    database,
    tokens: evaluationTokens({ key, issuer }, new Date()),
    token: (claims) =>
      signedToken(key, { iss: issuer, aud: AUDIENCE, ...lifetime(new Date(), 3600), ...claims }),
    settings: {
      mode: 'evaluation',
      databaseUrl: database.serviceUrl,
      origin,
      tenant: 'default',
      logVerifierKey: verifierKey(origin, log.publicKey),
      keys: {
        receipt: generateKeyPairSync('ed25519').privateKey,
        audit: randomBytes(32),
        payload: randomBytes(32),
      },
      tokens: {
        issuer,
        audience: AUDIENCE,
        algorithms: ['EdDSA'],
        load: () => Promise.resolve({ keys: [publicJwk(key)] }),
      },
      compiler: {
        opaBin: null,
        cacheDir: join(
          process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? '/root', '.cache'),
          'countersign',
          'tools',
        ),
        environment: process.env,
      },
      bundle: 'default',
      signatureRequired: false,
    },
    drop: () => database.drop(),
  }
}

/** One replica of a deployment; closes without dropping the database. */
export async function replica(of: Deployment): Promise<TestService> {
  const stateDir = mkdtempSync(join(tmpdir(), 'countersign-replica-'))
  const lines: string[] = []
  const log = openLog('trace', { write: (line) => lines.push(line) })
  const service = await createService({ ...of.settings, stateDir, log })
  const asked = async (
    method: 'GET' | 'POST',
    url: string,
    options: { payload?: string; headers: Record<string, string> },
  ): Promise<Answered> => {
    const response = await service.app.inject({ method, url, ...options })
    const faults = contractFaults({
      method,
      path: url,
      status: response.statusCode,
      headers: response.headers,
      body: response.body,
    })
    if (faults.length > 0) throw new Error(`${method} ${url} -> ${response.statusCode}: ${faults.join('; ')}`)
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      body: JSON.parse(response.body.startsWith('{') ? response.body : '{}') as Answered['body'],
    }
  }
  return {
    service,
    deployment: of,
    tokens: of.tokens,
    lines,
    post: (path, body, { token = of.tokens.service, headers = {} } = {}) =>
      asked('POST', path, {
        payload: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      }),
    get: (path, token = of.tokens.auditor) =>
      asked('GET', path, { headers: { authorization: `Bearer ${token}` } }),
    async close() {
      await service.close()
      log.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

/** One replica of a deployment of its own. */
export async function testService(): Promise<TestService> {
  const own = await deployment()
  const started = await replica(own)
  return {
    ...started,
    async close() {
      await started.close()
      await own.drop()
    },
  }
}
