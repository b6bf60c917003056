/**
 * The verb with the real compiler, policy host and shipped policies. Ledger and store are in memory, to
 * see what reached them and to make them fail; the real ones are in the journeys.
 */
import { bundleAdmission } from '../src/admit-bundle.ts'
import type { BundlePost } from '../src/admit-bundle.ts'
import { PdpError } from '../src/errors.ts'
import type { LedgerRecord } from '../src/ledger/record.ts'
import { OpaCompiler } from '../src/opa/compiler.ts'
import { OpaPolicyHost } from '../src/opa/host.ts'
import { defaultBundle, inputSchema, shippedPolicies } from '../src/opa/shipped.ts'
import { tarballs } from '../src/opa/tarball.ts'
import type { BundleRow } from '../src/policy/bundle.ts'
import type { AppendOutcome, BundleStore, Ledger, LedgerUnit } from '../src/ports.ts'
import { compilerOptions } from './support/rego.ts'

const rego = new URL('../rego/', import.meta.url).pathname
const shipped = shippedPolicies(rego)
const compiler = new OpaCompiler({ ...compilerOptions(), inputSchema: inputSchema(rego) })
const admit = bundleAdmission({ signatureRequired: false })

class World {
  readonly rows = new Map<string, BundleRow>()
  readonly records: LedgerRecord[] = []
  readonly claims = new Map<string, { id: string; body: string }>()
  readonly host = new OpaPolicyHost()
  failing: 'activate' | null = null
  #ids = 0

  readonly bundles: BundleStore = {
    insert: async (row) => void this.rows.set(row.id, row),
    update: async (row) => void this.rows.set(row.id, row),
    read: async (id) => this.rows.get(id),
    list: async () => [...this.rows.values()],
    activate: async (id) => {
      if (this.failing === 'activate') throw new PdpError('ledger.unavailable', 'the database is gone')
      const row = this.rows.get(id)
      if (row !== undefined) this.rows.set(id, { ...row, state: 'active', activatedAt: new Date() })
    },
  }

  readonly ledger = { append: (unit: LedgerUnit) => this.#append(unit) } as Ledger

  async start(): Promise<this> {
    await this.host.swap(defaultBundle(rego, new Date()))
    return this
  }

  async #append({ records, claim }: LedgerUnit): Promise<AppendOutcome> {
    const held = claim === null ? undefined : this.claims.get(claim.key)
    if (held !== undefined) return { status: 'claimed', ids: [held.id], matches: held.body === claim?.body }
    this.#ids += 1
    const id = `00000000-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`
    if (claim !== null) this.claims.set(claim.key, { id, body: claim.body })
    this.records.push(...records)
    const sealed = {
      id,
      time: new Date(),
      stream: 's',
      seq: 1,
      leafHash: new Uint8Array(32),
      receipt: '',
      receiptSalt: '',
      expiresAt: null,
    }
    return { status: 'committed', sealed: [sealed] }
  }

  post(
    posted: BundlePost['posted'],
    options: Partial<BundlePost> & { scopes?: string[] } = {},
  ): Promise<BundleRow> {
    const { scopes = ['bundle:write', 'bundle:activate'], ...rest } = options
    const nobody = { actors: null, actorTypes: null, actorRoles: null, targets: null, evidence: null }
    const principal = { caller: { issuer: 'i', id: 'ci', scopes }, scopes: new Set(scopes), ...nobody }
    const { bundles, ledger, host } = this
    const clock = { now: () => new Date('2026-01-01T00:00:00Z') }
    const ports = {
      archives: tarballs,
      bundles,
      clock,
      compiler,
      ledger,
      loader: host,
      policy: host,
      shipped,
    }
    return admit(ports, { principal, posted, claim: null, waitSeconds: 60, ...rest })
  }

  get kinds(): readonly string[] {
    return this.records.map(({ kind }) => kind)
  }
}

type Posted = Exclude<BundlePost['posted'], Uint8Array>

const rule = `package guardrails.own

# METADATA
# title: No work on the first of April
# custom:
#   rule: own.april
#   controls: ["soc2:CC8.1"]
deny contains reason if {
  startswith(input.time, "2026-04-01")
  reason := {"rule": "own.april", "severity": "low", "effect": null, "message": sprintf("Not today, %s.", [input.actor.id]), "controls": []}
}
`
const ruleTest = `package guardrails.own_test

test_april if count(data.guardrails.own.deny) == 1 with input as {"time": "2026-04-01T00:00:00.000Z", "actor": {"id": "agent:x"}}
`
const good: Posted = {
  name: 'own',
  extends: 'default',
  activate: false,
  files: { 'policies/own.rego': rule, 'policies/own_test.rego': ruleTest },
}

beforeAll(() => compiler.toolchain(), 900_000)

test('a good bundle becomes a candidate, and changes nothing yet', async () => {
  const world = await new World().start()
  const row = await world.post(good)
  expect(row).toMatchObject({ state: 'candidate', name: 'own', extends: 'default', postedBy: 'ci' })
  expect(row.report.findings).toEqual([])
  expect(row.report.tests.failed).toBe(0)
  expect(row.report.tests.passed).toBeGreaterThan(1)
  expect(row.report.evaluationMicros).toBeGreaterThan(0)
  expect(row.digest).toMatch(/^sha256:/)
  expect(row.listed).toEqual(expect.arrayContaining(['own.april', 'soc2:CC8.1', 'sql.bulk_delete']))
  expect(world.rows.get(row.id)).toEqual(row)
  expect(world.kinds).toEqual(['bundle.posted'])
  expect(world.host.inForce()?.ref.bundle).toBe('default')
}, 60_000)

test('with activate it is in force, and the leaf of it comes with that of the one it retires', async () => {
  const world = await new World().start()
  const row = await world.post({ ...good, activate: true })
  expect(row.state).toBe('active')
  expect(world.host.inForce()?.ref).toEqual({ bundle: 'own', revision: row.revision, digest: row.digest })
  expect(world.kinds).toEqual(['bundle.posted', 'bundle.activated', 'bundle.retired'])
}, 60_000)

const own = (text: string): Posted => ({
  ...good,
  files: { 'own.rego': `package guardrails.own\n\n${text}\n` },
})

test.each<[string, Posted, object]>([
  ['does not parse', own('deny contains }'), { step: 'check', file: 'own.rego', line: 3 }],
  [
    'misspells a field',
    own('deny contains 1 if input.intent.effect'),
    { step: 'check', file: 'own.rego', line: 3 },
  ],
  [
    'calls the network',
    own('deny contains 1 if http.send({})'),
    { step: 'check', file: 'own.rego', line: 3 },
  ],
  [
    'fails its own test',
    { ...good, files: { ...good.files, 'x_test.rego': 'package guardrails.x_test\n\ntest_no if false\n' } },
    { step: 'test', file: 'x_test.rego', line: 3, test: 'guardrails.x_test.test_no' },
  ],
  [
    'allows everything',
    own(
      'allow contains {"rule": "own.all", "severity": "info", "effect": i, "message": "x", "controls": []} if some i, _ in input.intent.effects',
    ),
    { step: 'invariants' },
  ],
  [
    'answers for the service',
    { ...good, files: { 'x.rego': 'package countersign\n\nx := 1\n' } },
    { step: 'layout', file: 'x.rego' },
  ],
  [
    'replaces a shipped package',
    { ...good, files: { 'x.rego': 'package standard.masking\n\nx := 1\n' } },
    { step: 'layout', file: 'x.rego' },
  ],
  [
    'has data that nobody reads',
    { ...good, files: { 'data.json': { thresolds: {} } } },
    { step: 'data', file: 'data.json' },
  ],
  [
    'leads out of its folder',
    { ...good, files: { '../x.rego': rule } },
    { step: 'layout', file: '../x.rego' },
  ],
])(
  'a bundle that %s is rejected, and changes nothing',
  async (_name, posted, finding) => {
    const world = await new World().start()
    const row = await world.post({ ...posted, activate: true })
    expect(row.state).toBe('rejected')
    expect(row.report.findings).toContainEqual(expect.objectContaining(finding))
    expect(world.rows.get(row.id)?.state).toBe('rejected')
    expect(world.kinds).toEqual(['bundle.posted', 'bundle.rejected'])
    expect(world.host.inForce()?.ref.bundle).toBe('default')
  },
  60_000,
)

test('one that replaces the shipped rules still has the decision of the service', async () => {
  const world = await new World().start()
  const row = await world.post({
    ...good,
    extends: null,
    files: { ...good.files, 'data.json': { ...shipped.data } },
  })
  expect(row.report.findings).toEqual([])
  expect(row.listed).toContain('own.april')
  expect(row.listed).not.toContain('sql.bulk_delete')
  expect(row.listed).toContain('command.malformed')
}, 60_000)

test('an archive is read as one', async () => {
  const row = await (await new World().start()).post(Buffer.from('no archive'))
  expect(row).toMatchObject({ name: 'bundle', state: 'rejected', report: { findings: [{ step: 'unpack' }] } })
})

test('activation needs its scope, before anything is recorded', async () => {
  const world = await new World().start()
  const posting = world.post({ ...good, activate: true }, { scopes: ['bundle:write'] })
  await expect(posting).rejects.toMatchObject({ code: 'auth.scope' })
  expect(world.records).toEqual([])
})

test('where signatures are demanded, nothing is taken', async () => {
  const world = await new World().start()
  const strict = bundleAdmission({ signatureRequired: true })
  const question = { posted: good } as unknown as BundlePost
  await expect(strict({} as never, question)).rejects.toMatchObject({ code: 'bundle.signature_required' })
  expect(world.records).toEqual([])
})

describe('with an idempotency key', () => {
  const claim = { issuer: 'i', subject: 'ci', operation: 'postBundle', key: 'k', body: 'b' }

  test('the same body is the same bundle, another one a conflict', async () => {
    const world = await new World().start()
    const first = await world.post(good, { claim })
    expect(await world.post(good, { claim })).toEqual(first)
    expect(world.rows.size).toBe(1)
    await expect(world.post(good, { claim: { ...claim, body: 'other' } })).rejects.toMatchObject({
      code: 'idempotency.conflict',
    })
  }, 60_000)

  test('a bundle that was recorded and then lost is made from the same body', async () => {
    const world = await new World().start()
    const first = await world.post(good, { claim })
    world.rows.clear()
    expect(await world.post(good, { claim })).toMatchObject({
      id: first.id,
      state: 'candidate',
      digest: first.digest,
    })
  }, 60_000)
})

test('whoever does not wait gets the received bundle, and finds the final one later', async () => {
  const world = await new World().start()
  const row = await world.post(good, { waitSeconds: 0 })
  expect(row.state).toBe('received')
  // The compiler takes one job at a time: the next one ends after it.
  await world.post(own('deny contains }'))
  expect(world.rows.get(row.id)?.state).toBe('candidate')
}, 60_000)

test('an activation that fails is a fault and a leaf, and the bundle before stays in force', async () => {
  const world = await new World().start()
  world.failing = 'activate'
  await expect(world.post({ ...good, activate: true })).rejects.toMatchObject({ code: 'ledger.unavailable' })
  expect(world.kinds).toEqual(['bundle.posted', 'bundle.activated', 'bundle.retired', 'bundle.rejected'])
  expect(world.host.inForce()?.ref.bundle).toBe('default')
}, 60_000)
