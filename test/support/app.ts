/** The whole HTTP side over ports that a test holds in its hand. Every answer is checked against the contract. */
import type { FastifyInstance, InjectOptions } from 'fastify'
import { createApp, type AppOptions } from '../../src/app.ts'
import { PdpError } from '../../src/errors.ts'
import type { Verbs } from '../../src/http/verbs.ts'
import type { BundleRow } from '../../src/policy/bundle.ts'
import type { PolicyInForce, Ports, Principal } from '../../src/ports.ts'
import { openLog } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { contractFaults } from './contract.ts'

export const allScopes = ['decide', 'evidence:read', 'bundle:write', 'bundle:activate', 'target:facts']

/** @param scopes of the token; all of them by default */
export function principal(id = 'svc', scopes: readonly string[] = allScopes): Principal {
  return {
    caller: { issuer: 'https://issuer.example', id, scopes: [...scopes].sort() },
    scopes: new Set(scopes),
    actors: ['*'],
    actorTypes: null,
    actorRoles: null,
    targets: null,
    evidence: null,
  }
}

/** A decide body that fits the contract. */
export function action(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    actor: { id: 'agent:etl-7', type: 'agent' },
    command: { language: 'sql', dialect: 'postgresql', text: 'SELECT 1' },
    target: { system: 'postgresql', id: 'orders-db', environment: 'production' },
    ...over,
  }
}

const uuid = '0199aaaa-0000-7000-8000-000000000001'
const instant = '2026-11-21T03:00:00.123Z'
const digest = `sha256:${'0'.repeat(64)}`
const policy = { bundle: 'default', revision: '1', digest }

const intent = {
  v: 1,
  language: 'sql.postgresql',
  parse: { ok: true, parser: 'pg', statements: 1, error: null },
  effects: [],
  opaque: false,
  opaque_reasons: [],
  summary: {
    risk: 'none',
    categories: [],
    max_scope: 'none',
    reversible: 'yes',
    systems: [],
    destinations: [],
    languages: [],
    dry_run: false,
  },
  budget: { bytes: 8, nodes: 1, depth: 1, micros: 1 },
}

const verdict = { verdict: 'allow', reasons: [], masks: [], obligations: [], intent, policy }

/** A `DecideResponse`, as text. */
export const decisionJson = JSON.stringify({
  decisionId: uuid,
  ...verdict,
  rewrite: null,
  columns: null,
  decidedAt: instant,
  expiresAt: instant,
  receipt: 'a.b.c',
  receiptSalt: 'AAAA',
})

export const bundleRow: BundleRow = {
  id: uuid,
  name: 'mine',
  revision: '1',
  extends: 'default',
  state: 'candidate',
  digest,
  postedAt: new Date(instant),
  postedBy: 'svc',
  activatedAt: null,
  report: { findings: [], weaker: [], tests: { passed: 1, failed: 0 } },
  files: {},
  wasm: null,
  data: '{}',
  listed: [],
}

/** Verbs that answer, whatever they are asked. */
export const verbs: Verbs = {
  decide: (_, { actions }) =>
    Promise.resolve(
      actions.map(() => ({ json: decisionJson, decisionId: uuid, verdict: 'allow', replayed: false })),
    ),
  explain: () =>
    Promise.resolve(JSON.stringify({ queryId: uuid, ...verdict, lineage: null, recordedAt: instant })),
  searchEvidence: () =>
    Promise.resolve({
      items: [{ id: uuid, kind: 'query', index: null, recordedAt: instant }],
      nextCursor: null,
    }),
  readEvidence: (_ports, _principal, id) =>
    id === uuid
      ? Promise.resolve({
          id,
          kind: 'query',
          index: null,
          recordedAt: instant,
          leaf: 'AAAA',
          leafHash: 'AAAA',
          commitments: {},
          proof: null,
        })
      : Promise.reject(new PdpError('evidence.not_found', 'there is no such record')),
  admitBundle: () => Promise.resolve(bundleRow),
}

export interface TestApp {
  readonly app: FastifyInstance
  /** Lines of the log, parsed. */
  readonly lines: Record<string, unknown>[]
  /** What the ports say; a test changes it. */
  readonly world: World
  /** Asks with the service's token unless `headers` say otherwise (empty: none); fails when the contract is broken. */
  ask(options: InjectOptions): Promise<Answer>
  /** POST with a JSON body. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  json(): Record<string, unknown> & {
    readonly code?: string
    readonly errors?: readonly { pointer: string; detail: string }[]
  }
}

interface World {
  ledgerFault: string | undefined
  bundleLoaded: boolean
  readonly principals: Map<string, Principal | PdpError>
  rows: readonly BundleRow[]
}

function ports(world: World, metrics: Metrics): Ports {
  const fake = {
    policy: { inForce: () => (world.bundleLoaded ? ({ ref: policy } as PolicyInForce) : null) },
    ledger: { fault: () => world.ledgerFault },
    bundles: {
      read: (id: string) => Promise.resolve(world.rows.find((row) => row.id === id)),
      list: ({ limit }: { readonly limit: number }) => Promise.resolve(world.rows.slice(0, limit)),
    },
    tokens: {
      verify(token: string) {
        const known =
          world.principals.get(token) ?? new PdpError('auth.invalid', 'the signature does not verify')
        if (known instanceof PdpError) throw known
        return known
      },
    },
    keys: {
      jwks: () =>
        Promise.resolve({
          keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'k1', use: 'sig', alg: 'EdDSA' }],
        }),
      logVerifierKey: 'log+00000000+AAAA',
      origin: 'evaluation.invalid/test',
    },
    telemetry: metrics,
  }
  // What the stub verbs never touch is not there.
  return fake as unknown as Ports
}

/** An app with stub verbs, where the test says nothing else. */
export async function testApp(options: Partial<AppOptions> = {}): Promise<TestApp> {
  const lines: Record<string, unknown>[] = []
  const log = openLog('info', {
    write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  })
  const metrics = new Metrics('test')
  const world: World = {
    ledgerFault: undefined,
    bundleLoaded: true,
    principals: new Map<string, Principal | PdpError>([['service', principal()]]),
    rows: [bundleRow],
  }
  const app = createApp(ports(world, metrics), {
    version: '0.0.0',
    mode: 'evaluation',
    verbs,
    log,
    metrics,
    ...options,
  })
  await app.ready()
  const ask = (asked: InjectOptions): Promise<Answer> => checked(app, asked)
  return {
    app,
    lines,
    world,
    ask,
    post: (path, body, headers = {}) =>
      ask({
        method: 'POST',
        url: path,
        payload: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body),
        headers: { authorization: 'Bearer service', 'content-type': 'application/json', ...headers },
      }),
    async close() {
      await app.close()
      metrics.close()
    },
  }
}

async function checked(app: FastifyInstance, options: InjectOptions): Promise<Answer> {
  const headers: InjectOptions['headers'] = { authorization: 'Bearer service', ...options.headers }
  if (headers.authorization === '') delete headers.authorization
  const response = await app.inject({ ...options, headers })
  const seen = {
    method: options.method ?? 'GET',
    path: typeof options.url === 'string' ? options.url : '/',
    status: response.statusCode,
    headers: response.headers,
    body: response.body,
  }
  const faults = contractFaults(seen)
  if (faults.length > 0) {
    throw new Error(
      `${seen.method} ${seen.path} -> ${seen.status}: ${faults.join('; ')}\n${seen.body.slice(0, 500)}`,
    )
  }
  return { ...seen, json: () => JSON.parse(response.body) as ReturnType<Answer['json']> }
}
