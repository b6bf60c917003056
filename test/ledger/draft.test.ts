import type { Action } from '../../src/action/action.ts'
import { canonicalJson } from '../../src/action/canonical.ts'
import { actionTexts } from '../../src/action/texts.ts'
import type { Analysis } from '../../src/intent/analysis.ts'
import { effect } from '../../src/intent/intent.ts'
import { cutSecrets } from '../../src/intent/redact.ts'
import { commandSecrets } from '../../src/intent/secrets.ts'
import { decisionRecord, resultColumns } from '../../src/ledger/draft.ts'
import type { DecisionRecord } from '../../src/ledger/record.ts'
import { verifyActor } from '../../src/policy/actor.ts'
import { policyInput } from '../../src/policy/input.ts'
import type { Judged } from '../../src/policy/input.ts'
import { resolveTarget } from '../../src/policy/target.ts'
import type { Reason, Verdict } from '../../src/policy/verdict.ts'

const data = { targets: {}, environments: {} }
const secret = 'tr0ub4dor3'

const action: Action = {
  actor: { id: 'agent:etl-7' },
  command: { language: 'sql', dialect: 'postgresql', text: `ALTER ROLE app PASSWORD '${secret}'` },
  target: { system: 'postgresql', id: 'orders-db', environment: 'production' },
  context: { session: 's-17', ticket: 'OPS-4412' },
}

const analysis: Analysis = {
  intent: {
    v: 1,
    language: 'sql',
    parse: { ok: true, parser: 'libpg-query', statements: 1, error: null },
    effects: [
      effect({
        action: 'alter',
        scope: 'single',
        resource: { system: 'postgresql', type: 'role', name: 'app' },
      }),
    ],
    opaque: false,
    opaque_reasons: [],
    summary: {
      risk: 'high',
      categories: ['privilege'],
      max_scope: 'single',
      reversible: 'tx',
      systems: ['postgresql'],
      destinations: [],
      languages: ['sql.postgresql'],
      dry_run: false,
    },
    budget: { bytes: 10, nodes: 5, depth: 1, micros: 100 },
  },
  lineage: {
    complete: true,
    maskable: true,
    columns: [
      { index: 0, name: 'id', kind: 'plain', sources: [] },
      { index: 1, name: 'email', kind: 'plain', sources: [] },
    ],
    inference: [],
  },
  secrets: [],
}

const claims = {
  subject: 'svc',
  scopes: new Set(['decide']),
  actors: ['*'],
  actorTypes: null,
  actorRoles: null,
  targets: null,
}

const judged: Judged = {
  action,
  texts: actionTexts(action),
  recorded: cutSecrets(action.command, commandSecrets(action.command)),
  analysis,
  resolved: resolveTarget({ action, data, claims }),
  actor: verifyActor(action.actor, claims),
  caller: { id: 'svc', issuer: 'i', scopes: ['decide'] },
  data,
  now: new Date('2026-11-21T03:00:00.123Z'),
  batch: [],
  grants: [],
}

const reason = (rule: string, controls: string[] = []): Reason => ({
  rule,
  severity: 'high',
  effect: 0,
  message: `about ${rule}`,
  controls,
})

const record = (verdict: Partial<Verdict>, listed: string[] = []): DecisionRecord =>
  decisionRecord({
    judged,
    input: policyInput(judged),
    verdict: { verdict: 'deny', reasons: [], masks: [], obligations: [], ...verdict },
    policy: { bundle: 'default', revision: '1', digest: `sha256:${'0'.repeat(64)}` },
    listed: new Set(listed),
    lifeSeconds: 60,
  })

const members = (text: string | null): string[] => {
  const value = JSON.parse(text ?? '{}') as Record<string, unknown>
  expect(canonicalJson(value)).toBe(text)
  return Object.keys(value)
}

test('each part is canonical JSON, with the members that the ledger names', () => {
  const { parts } = record({})
  expect(members(parts.context)).toEqual(['actor', 'caller', 'context', 'target'])
  expect(members(parts.input)).toEqual(['command', 'facts', 'intent', 'lineage', 'time'])
  expect(members(parts.output)).toEqual(['columns', 'masks', 'obligations', 'reasons', 'rewrite', 'verdict'])
  expect(members(parts.secret)).toEqual(['values'])
})

test('a secret is in its own part and in the text that the receipt hashes, and nowhere else', () => {
  const made = record({ reasons: [reason('sql.role')] })
  expect(JSON.parse(made.parts.secret ?? '')).toEqual({ values: [secret] })
  expect(made.receipt.action).toBe(canonicalJson(action))
  const rest = { ...made, receipt: { ...made.receipt, action: '' }, parts: { ...made.parts, secret: null } }
  expect(JSON.stringify(rest)).not.toContain(secret)
})

test('rules and controls that the bundle does not declare are unlisted', () => {
  const reasons = [
    reason('sql.role', ['soc2:CC6.1', 'my secret']),
    reason('rm -rf'),
    reason('target.mismatch'),
    reason('sql.role', ['soc2:CC6.1']),
  ]
  const listed = ['sql.role', 'soc2:CC6.1', 'rm -rf']
  expect(record({ reasons }, listed)).toMatchObject({
    rules: ['sql.role', 'target.mismatch', 'unlisted'],
    controls: ['soc2:CC6.1', 'unlisted'],
  })
})

test('the receipt binds masks of a mask verdict and obligations where there are any', () => {
  const mask = { rule: 'r', index: 1, field: 'email', source: 'users.email', method: 'redact' } as const
  const plain = record({ verdict: 'allow' }).receipt
  expect(plain).toMatchObject({
    azp: 'svc',
    sub: 'agent:etl-7',
    masks: null,
    obligations: null,
    lifeSeconds: 60,
  })
  const obligations = [{ id: 'o', type: 'log', properties: {} }]
  const masked = record({ verdict: 'mask', masks: [mask], obligations }).receipt
  expect(JSON.parse(masked.masks ?? '')).toEqual({ columns: ['id', 'email'], masks: [mask], rewrite: null })
  expect(JSON.parse(masked.obligations ?? '')).toEqual(obligations)
})

test('search terms are of what was judged', () => {
  expect(record({ reasons: [reason('a'), reason('b')] }).search).toEqual({
    actor: 'agent:etl-7',
    actorType: 'agent',
    target: 'orders-db',
    system: 'postgresql',
    environment: 'production',
    language: 'sql',
    session: 's-17',
    task: null,
    ticket: 'OPS-4412',
    text: 'about a\nabout b',
  })
})

test('columns are named only where all of them are known', () => {
  expect(resultColumns({ analysis })).toEqual(['id', 'email'])
  const { lineage } = analysis
  expect(
    resultColumns({ analysis: { ...analysis, lineage: lineage && { ...lineage, complete: false } } }),
  ).toBeNull()
  expect(resultColumns({ analysis: { ...analysis, lineage: null } })).toBeNull()
})
