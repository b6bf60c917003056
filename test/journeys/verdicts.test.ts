/** From a question to a verdict with its receipt, and from there to the evidence. */
import { createHash } from 'node:crypto'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { canonicalJson } from '../../src/action/canonical.ts'
import { deployment, replica, testService, type Deployment, type TestService } from '../support/service.ts'

const ordersDb = { system: 'postgresql', id: 'orders-db', environment: 'production' }
const host = { system: 'host', id: 'app-1', environment: 'production', cwd: '/srv/app' }
const worker = { id: 'service:orders-worker', type: 'service' }

function sql(text: string, over: object = {}): object {
  return {
    actor: worker,
    command: { language: 'sql', dialect: 'postgresql', text },
    target: ordersDb,
    ...over,
  }
}

function shell(text: string): object {
  return { actor: worker, command: { language: 'shell', dialect: 'bash', text }, target: host }
}

let running: TestService
beforeAll(async () => {
  running = await testService()
})
afterAll(() => running.close())

const decide = (body: object, options = {}) => running.post('/v1/decide', body, options)

test.each([
  ['denies emptying a table', sql('DELETE FROM customers'), 'deny', 'sql.bulk_delete'],
  ['allows reading one row', sql('SELECT id, status FROM orders WHERE id = 42'), 'allow', undefined],
  ['denies removing a data folder', shell('rm -rf /srv/data'), 'deny', undefined],
  ['allows listing a folder', shell('ls -la'), 'allow', undefined],
  ['denies what does not parse', sql('DELETE FORM customers'), 'deny', 'command.malformed'],
  [
    'denies a language it does not read',
    { ...sql(''), command: { language: 'cobol', x: 1 } },
    'deny',
    undefined,
  ],
])('%s', async (_name, body, verdict, rule) => {
  const { status, body: answer } = await decide(body)
  expect(status).toBe(200)
  expect(answer['verdict']).toBe(verdict)
  const rules = (answer['reasons'] as unknown as { rule: string }[]).map((reason) => reason.rule)
  if (rule !== undefined) expect(rules).toContain(rule)
})

test('a denial names rule, finding, control and remedy, and the policy that judged', async () => {
  const { body } = await decide(sql('DELETE FROM customers'))
  const [reason] = body['reasons'] as unknown as Record<string, unknown>[]
  expect(reason).toMatchObject({
    rule: 'sql.bulk_delete',
    severity: 'critical',
    effect: 0,
    message: expect.stringContaining('customers') as unknown,
    controls: expect.arrayContaining(['soc2:CC6.1']) as unknown,
    remedy: { hint: expect.any(String) as unknown },
  })
  expect(body['policy']).toMatchObject({
    bundle: 'default',
    digest: expect.stringMatching(/^sha256:/) as unknown,
  })
})

test('the receipt verifies under the published keys and binds the whole action', async () => {
  const action = sql('SELECT id FROM orders WHERE id = $1', {
    command: {
      language: 'sql',
      dialect: 'postgresql',
      text: 'SELECT id FROM orders WHERE id = $1',
      parameters: [42],
    },
  })
  const { body } = await decide(action)
  const keys = (await running.get('/.well-known/jwks.json')).body as unknown as JSONWebKeySet
  const { payload, protectedHeader } = await compactVerify(String(body['receipt']), createLocalJWKSet(keys))
  const claims = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>
  expect(protectedHeader.typ).toBe('countersign-receipt+jwt')
  expect(claims).toMatchObject({
    jti: body['decisionId'],
    sub: worker.id,
    verdict: 'allow',
    stream: expect.any(String) as unknown,
  })
  const salt = Buffer.from(String(body['receiptSalt']), 'base64url')
  const act = (asked: object): string =>
    createHash('sha256')
      .update('countersign/action/v1\n')
      .update(salt)
      .update(canonicalJson(asked))
      .digest('base64url')
  expect(claims['act']).toBe(act(action))
  expect(claims['act']).not.toBe(
    act(
      sql('SELECT id FROM orders WHERE id = $1', {
        command: {
          language: 'sql',
          dialect: 'postgresql',
          text: 'SELECT id FROM orders WHERE id = $1',
          parameters: [1000],
        },
      }),
    ),
  )
  expect(claims['exp']).toBe(Math.floor(Date.parse(String(body['expiresAt'])) / 1000))
})

test('masks a sensitive column by its alias and names all result columns', async () => {
  const facts = {
    tables: {
      people: {
        columns: ['id', 'name', 'email'],
        uniqueKeys: [['id']],
        notNull: ['id'],
        sensitive: ['email'],
      },
    },
  }
  const { body } = await decide(
    sql('SELECT name, email AS contact FROM people WHERE id = 7', { target: { ...ordersDb, facts } }),
  )
  expect(body['verdict']).toBe('mask')
  expect(body['columns']).toEqual(['name', 'contact'])
  expect(body['masks']).toMatchObject([
    { index: 1, field: 'contact', source: expect.stringContaining('email') as unknown },
  ])
})

test('evidence finds a denial by verdict, ticket and words, and shows the whole record', async () => {
  const ticket = 'OPS-99417'
  const { body } = await decide(sql('DROP TABLE invoices', { context: { ticket } }))
  const found = await running.get(`/v1/evidence?verdict=deny&ticket=${ticket}`)
  const items = found.body['items'] as unknown as Record<string, unknown>[]
  expect(items.map((item) => item['id'])).toEqual([body['decisionId']])
  const record = (await running.get(`/v1/evidence/${String(body['decisionId'])}`)).body
  expect(record).toMatchObject({
    kind: 'decision',
    verdict: 'deny',
    actor: { id: worker.id },
    receipt: body['receipt'],
    intent: body['intent'],
    reasons: body['reasons'],
    proof: null,
  })
  const leaf = Buffer.from(String(record['leaf']), 'base64url')
  const hash = createHash('sha256')
    .update(Buffer.from([0]))
    .update(leaf)
    .digest('base64url')
  expect(record['leafHash']).toBe(hash)
  const minute = 60_000
  const range = `from=${new Date(Date.now() - minute).toISOString()}&to=${new Date(Date.now() + minute).toISOString()}`
  const words = await running.get(`/v1/evidence?q=invoices&${range}`)
  expect((words.body['items'] as unknown as { id: string }[]).map(({ id }) => id)).toContain(
    body['decisionId'],
  )
})

test('explain shows intent and rules, leaves a query in the ledger and gives no receipt', async () => {
  const { body } = await running.post('/v1/explain', sql('TRUNCATE orders'))
  expect(body['verdict']).toBe('deny')
  expect(body).not.toHaveProperty('receipt')
  const record = (await running.get(`/v1/evidence/${String(body['queryId'])}`)).body
  expect(record['kind']).toBe('query')
})

test('the same idempotency key and body give the same decision; another body is refused', async () => {
  const headers = { 'idempotency-key': 'order-7' }
  const first = await decide(sql('DELETE FROM sessions WHERE id = 7'), { headers })
  const again = await decide(sql('DELETE FROM sessions WHERE id = 7'), { headers })
  expect(again.body).toEqual(first.body)
  expect(again.headers['idempotent-replayed']).toBe('true')
  expect((await decide(sql('DELETE FROM sessions WHERE id = 8'), { headers })).status).toBe(409)
})

test("a batch answers in order, and a fault in one action is that item's problem", async () => {
  const actions = [sql('SELECT 1'), { actor: {} }, sql('DROP TABLE orders')]
  const { status, body } = await running.post('/v1/decide/batch', { actions })
  const decisions = body['decisions'] as unknown as Record<string, unknown>[]
  expect(status).toBe(200)
  expect(decisions.map((one) => one['verdict'] ?? 'problem')).toEqual(['allow', 'problem', 'deny'])
})

function keys(from: number): string {
  return Array.from({ length: 60 }, (_, n) => from + n).join(', ')
}

test('small deletes in one batch count together against the threshold', async () => {
  const facts = { tables: { jobs: { uniqueKeys: [['id']] } } }
  const action = (from: number) =>
    sql(`DELETE FROM jobs WHERE id IN (${keys(from)})`, { target: { ...ordersDb, facts } })
  const alone = await decide(action(0))
  const { body } = await running.post('/v1/decide/batch', { actions: [action(0), action(100)] })
  const verdicts = (body['decisions'] as unknown as { verdict: string }[]).map(({ verdict }) => verdict)
  expect(alone.body['verdict']).toBe('allow')
  expect(verdicts).toEqual(['deny', 'deny'])
})

describe('across a restart', () => {
  let shared: Deployment
  beforeAll(async () => {
    shared = await deployment()
  })
  afterAll(() => shared.drop())

  test('everything is still there, and old receipts still verify', async () => {
    const before = await replica(shared)
    const { body } = await before.post('/v1/decide', sql('DELETE FROM customers'))
    await before.close()
    const after = await replica(shared)
    try {
      const record = (await after.get(`/v1/evidence/${String(body['decisionId'])}`)).body
      const keys = (await after.get('/.well-known/jwks.json')).body as unknown as JSONWebKeySet
      await expect(compactVerify(String(record['receipt']), createLocalJWKSet(keys))).resolves.toBeDefined()
    } finally {
      await after.close()
    }
  })
})
