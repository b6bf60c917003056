import { hash } from 'node:crypto'
import * as fc from 'fast-check'
import type { Action, Caller } from '../../src/action/action.ts'
import { canonicalJson } from '../../src/action/canonical.ts'
import { actionTexts } from '../../src/action/texts.ts'
import type { Analysis } from '../../src/intent/analysis.ts'
import { effect } from '../../src/intent/intent.ts'
import { cutSecrets } from '../../src/intent/redact.ts'
import { commandSecrets } from '../../src/intent/secrets.ts'
import { verifyActor } from '../../src/policy/actor.ts'
import type { Claims } from '../../src/policy/actor.ts'
import type { BundleData } from '../../src/policy/bundle.ts'
import { policyInput } from '../../src/policy/input.ts'
import type { PolicyInput } from '../../src/policy/input.ts'
import { resolveTarget } from '../../src/policy/target.ts'

const data: BundleData = {
  targets: {
    'orders-db': {
      environment: 'production',
      system: 'postgresql',
      labels: { team: 'orders' },
      endpoints: ['orders'],
    },
    'dev-db': { environment: 'development', system: 'postgresql' },
  },
  environments: { development: { protected: false, default: 'allow' } },
}

const caller: Caller = { id: 'svc', issuer: 'https://issuer.example', scopes: ['outcome', 'decide'] }
const claims: Claims = {
  subject: 'svc',
  scopes: new Set(['decide']),
  actors: ['*'],
  actorTypes: null,
  actorRoles: ['reader'],
  targets: null,
}

const analysis: Analysis = {
  intent: {
    v: 1,
    language: 'sql',
    parse: { ok: true, parser: 'libpg-query', statements: 1, error: null },
    effects: [
      effect({
        action: 'delete',
        scope: 'all',
        resource: { system: 'postgresql', type: 'table', name: 'users' },
      }),
      effect({
        action: 'read',
        scope: 'all',
        resource: { system: 'postgresql', type: 'table', name: 'users' },
        endpoint: { host: 'orders' },
      }),
    ],
    opaque: false,
    opaque_reasons: [],
    summary: {
      risk: 'critical',
      categories: ['data_loss'],
      max_scope: 'all',
      reversible: 'tx',
      systems: ['postgresql'],
      destinations: [],
      languages: ['sql.postgresql'],
      dry_run: false,
    },
    budget: { bytes: 10, nodes: 5, depth: 1, micros: 100 },
  },
  lineage: null,
  secrets: [],
}

const action: Action = {
  actor: { id: 'agent:etl-7' },
  command: { language: 'sql', dialect: 'postgresql', text: 'DELETE FROM users' },
  target: { system: 'postgresql', id: 'orders-db', environment: 'production' },
}

const inputOf = (asked: Action): PolicyInput => {
  const texts = actionTexts(asked)
  return policyInput({
    action: asked,
    texts,
    recorded: cutSecrets(asked.command, commandSecrets(asked.command)),
    analysis,
    resolved: resolveTarget({ action: asked, data, claims, factsText: texts.facts }),
    actor: verifyActor(asked.actor, claims),
    caller,
    data,
    now: new Date('2026-11-21T03:00:00.123Z'),
    batch: [],
    grants: [],
  })
}

const document = (asked: Action): Record<string, Record<string, unknown>> =>
  JSON.parse(inputOf(asked).json) as Record<string, Record<string, unknown>>

test('is the whole document, in canonical JSON', () => {
  const { json, effects } = inputOf(action)
  expect(canonicalJson(JSON.parse(json))).toBe(json)
  expect(effects).toBe(2)
  expect(JSON.parse(json)).toEqual({
    actor: {
      id: 'agent:etl-7',
      type: 'agent',
      roles: [],
      groups: [],
      claimed: { roles: [], groups: [], attributes: {} },
    },
    batch: [],
    caller: { id: 'svc', issuer: 'https://issuer.example', scopes: ['decide', 'outcome'] },
    checks: [],
    command: { ...action.command, digest: `sha256:${hash('sha256', canonicalJson(action.command), 'hex')}` },
    context: {},
    grants: [],
    intent: analysis.intent,
    lineage: null,
    places: [
      { environment: 'production', protected: true, target: 'orders-db', why: 'target' },
      { environment: 'production', protected: true, target: 'orders-db', why: 'endpoint' },
    ],
    target: {
      environment: 'production',
      facts: { catalogue: false },
      id: 'orders-db',
      labels: { team: 'orders' },
      protected: true,
      registered: true,
      system: 'postgresql',
    },
    time: '2026-11-21T03:00:00.123Z',
  })
})

const withPassword = (password: string): Action => ({
  ...action,
  command: { language: 'sql', dialect: 'postgresql', text: `ALTER ROLE a PASSWORD '${password}'` },
})

test('a secret is in no member, and does not move the digest', () => {
  const one = inputOf(withPassword('tr0ub4dor'))
  expect(one.json).not.toContain('tr0ub4dor')
  expect(document(withPassword('tr0ub4dor'))['command']).toEqual(document(withPassword('c0rrect'))['command'])
})

test('a member named digest of an unknown language does not stand for the digest', () => {
  const command = { language: 'cobol', digest: 'sha256:mine' } as Action['command']
  expect(document({ ...action, command })['command']?.['digest']).toMatch(/^sha256:[0-9a-f]{64}$/)
})

test('the digest stands in its place, whatever members a command has', () => {
  const members = fc.dictionary(
    fc.constantFrom('a', 'argv', 'digest', 'dialect', 'digests', 'diges', 'z', 'é'),
    fc.string(),
  )
  fc.assert(
    fc.property(members, (free) => {
      const { json } = inputOf({ ...action, command: { ...free, language: 'cobol' } })
      expect(canonicalJson(JSON.parse(json))).toBe(json)
      const { digest, ...rest } = (JSON.parse(json) as { command: Record<string, unknown> }).command
      const { digest: _digest, ...asked } = free
      expect(rest).toEqual({ ...asked, language: 'cobol' })
      expect(digest).toMatch(/^sha256:/)
    }),
  )
})

/** Everything a caller may claim without anybody vouching for it. */
const anything = fc.string({ minLength: 1, maxLength: 6 })
const claimed = fc.record(
  {
    roles: fc.array(anything),
    groups: fc.array(anything),
    attributes: fc.dictionary(anything, anything),
    onBehalfOf: fc.record({ id: anything, roles: fc.array(anything) }),
  },
  { requiredKeys: [] },
)
const claimedTarget = fc.record(
  {
    environment: fc.constantFrom('production', 'development', 'test', 'constructor'),
    system: fc.constantFrom('postgresql', 'host'),
    labels: fc.dictionary(anything, anything),
    owner: anything,
    session: fc.constantFrom('fresh', 's-1'),
    schema: anything,
    cwd: anything,
    kubeContext: anything,
    cloudProfile: anything,
  },
  { requiredKeys: [] },
)
const context = fc.record(
  { session: anything, task: anything, ticket: anything, purpose: anything, sourceIp: anything },
  { requiredKeys: [] },
)

const verified = (asked: Action): unknown => {
  const { actor = {}, target = {}, context: _context, checks: _checks, ...rest } = document(asked)
  const { claimed: _actorClaims, onBehalfOf: _behalf, ...who } = actor
  const {
    claimed: _claims,
    cwd: _cwd,
    schema: _schema,
    kubeContext: _kube,
    cloudProfile: _cloud,
    ...where
  } = target
  return { who, where, rest }
}

test('whatever is claimed, what is verified stays: actor, target, places and intent', () => {
  fc.assert(
    fc.property(claimed, claimedTarget, context, (actor, target, asked) => {
      const roles = (actor.roles ?? []).filter((role) => role !== 'reader')
      const lying = {
        ...action,
        actor: { ...action.actor, ...actor, roles },
        target: { ...action.target, ...target },
        context: asked,
      }
      expect(verified(lying)).toEqual(verified(action))
    }),
    { numRuns: 500 },
  )
})

test('an unregistered target is protected, whatever it says of itself', () => {
  fc.assert(
    fc.property(claimedTarget, anything, (target, id) => {
      fc.pre(!Object.hasOwn(data.targets, id))
      const asked = { ...action, target: { ...action.target, ...target, id } }
      expect(document(asked)['target']).toMatchObject({ protected: true, registered: false, labels: {} })
      expect(document(asked)['places']).toMatchObject([{ protected: true }, { protected: true }])
    }),
  )
})
