/** Two replicas on one database. */
import { Client } from 'pg'
import { deployment, replica, type Deployment, type TestService } from '../support/service.ts'

let shared: Deployment
let replicas: readonly [TestService, TestService]
beforeAll(async () => {
  shared = await deployment()
  replicas = [await replica(shared), await replica(shared)]
})
afterAll(async () => {
  await Promise.all(replicas.map((one) => one.close()))
  await shared.drop()
})

function question(n: number): object {
  return {
    actor: { id: 'service:x', type: 'service' },
    command: { language: 'sql', dialect: 'postgresql', text: `DELETE FROM sessions WHERE id = ${n}` },
    target: { system: 'postgresql', id: 'orders-db', environment: 'production' },
  }
}

async function query<Row extends object>(text: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: shared.database.url })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

test('10,000 requests race for 2,500 idempotency keys: one decision per key, dense streams', async () => {
  const [requests, keys] = [10_000, 2_500]
  const decisions = new Map<number, Set<string>>()
  for (let turn = 0; turn < requests; turn += 100) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, at) => {
        const key = (turn * 7 + at * 3) % keys
        const answer = await replicas[at % 2 === 0 ? 0 : 1].post('/v1/decide', question(key), {
          headers: { 'idempotency-key': `race-${key}` },
        })
        expect(answer.status).toBe(200)
        decisions.set(key, (decisions.get(key) ?? new Set()).add(String(answer.body['decisionId'])))
      }),
    )
  }
  expect([...decisions.values()].filter((ids) => ids.size !== 1)).toEqual([])
  const [count] = await query<{ n: number }>(
    "SELECT count(*)::int AS n FROM ledger_entry WHERE convert_from(leaf, 'UTF8')::json ->> 'kind' = 'decision'",
  )
  expect(count?.n).toBe(decisions.size)
  const sparse = await query(
    'SELECT stream FROM ledger_batch GROUP BY stream HAVING count(*) <> max(counter) - min(counter) + 1 OR sum(n) <> max(first_seq + n) - min(first_seq)',
  )
  expect(sparse).toEqual([])
}, 240_000)

test('a bundle that is activated on one replica is in force on the other too', async () => {
  const [one, other] = replicas
  const files = {
    'policies/freeze.rego': [
      'package guardrails.freeze',
      '',
      '# METADATA',
      '# title: Nothing is deleted during the freeze',
      '# custom:',
      '#   rule: freeze.no_delete',
      '#   severity: high',
      '#   controls: ["soc2:CC8.1"]',
      'deny contains reason if {',
      '\tsome i, effect in input.intent.effects',
      '\teffect.action == "delete"',
      '\treason := {"rule": "freeze.no_delete", "message": "The freeze is on.", "severity": "high", "effect": i, "controls": ["soc2:CC8.1"]}',
      '}',
      '',
    ].join('\n'),
  }
  const headers = { prefer: 'wait=60' }
  const posted = await one.post(
    '/v1/bundles',
    { name: 'freeze', files, activate: true },
    { token: shared.tokens.ci, headers },
  )
  expect(posted.body).toMatchObject({ state: 'active', report: { findings: [] } })
  const until = Date.now() + 15_000
  let rules: readonly string[] = []
  while (Date.now() < until && !rules.includes('freeze.no_delete')) {
    const { body } = await other.post('/v1/decide', question(1))
    rules = (body['reasons'] as unknown as { rule: string }[]).map(({ rule }) => rule)
  }
  expect(rules).toContain('freeze.no_delete')
}, 120_000)

test('a bad bundle changes nothing and its report names the file and line', async () => {
  const [one] = replicas
  const before = (await one.get('/.well-known/countersign')).body['policy']
  const files = {
    'policies/x.rego':
      'package guardrails.x\n\ndeny contains reason if {\n\treason := input.nonsense.field\n}\n',
  }
  const posted = await one.post(
    '/v1/bundles',
    { name: 'bad', files, activate: true },
    { token: shared.tokens.ci, headers: { prefer: 'wait=60' } },
  )
  expect(posted.status).toBe(422)
  const { findings } = posted.body['report'] as unknown as { findings: object[] }
  expect(findings).toContainEqual(
    expect.objectContaining({ file: expect.stringContaining('x.rego') as unknown, line: 4 }),
  )
  expect((await one.get('/.well-known/countersign')).body['policy']).toEqual(before)
}, 120_000)
