import * as fc from 'fast-check'
import { action, testApp, type TestApp } from '../support/app.ts'

/** Every answer below is checked against the contract, and for leaks of stack, path and SQL, by `ask`. */
let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

const full = action({
  actor: {
    id: 'agent:etl-7',
    type: 'agent',
    roles: ['analyst'],
    onBehalfOf: { id: 'user:ana', type: 'human' },
  },
  context: { session: 's-17', ticket: 'OPS-4412', attributes: { n: 1, deep: { a: [true, null] } } },
})

/** Deterministic, so that a failure can be repeated. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
}

test('10,000 random byte strings are refused, and nothing else happens', async () => {
  const random = seeded(7)
  for (let n = 0; n < 10_000; n++) {
    const bytes = Buffer.from(Array.from({ length: random(64) }, () => random(256)))
    const answer = await t.post('/v1/decide', bytes)
    expect(answer.status).toBe(400)
  }
}, 120_000)

test('10,000 mutated bodies are answered 200 or 400, and at least a fifth of them fits', async () => {
  const random = seeded(11)
  const text = JSON.stringify(full)
  const pieces = ['"', '{', '}', ',', ':', '\\', '\\u0000', '0', 'null', 'é', '\ud83d\ude00', ' ']
  let fits = 0
  for (let n = 0; n < 10_000; n++) {
    const at = random(text.length)
    const kind = random(4)
    const piece = kind === 0 ? String.fromCharCode(97 + random(26)) : (pieces[random(pieces.length)] ?? '')
    const changed = text.slice(0, at) + (kind === 3 ? '' : piece) + text.slice(at + (kind === 2 ? 0 : 1))
    const { status } = await t.post('/v1/decide', changed)
    expect([200, 400]).toContain(status)
    if (status === 200) fits++
  }
  expect(fits).toBeGreaterThan(2_000)
}, 120_000)

test('any JSON in the place of any member is answered 200 or 400', async () => {
  const places: readonly (readonly string[])[] = [
    [],
    ['actor'],
    ['actor', 'id'],
    ['command'],
    ['command', 'language'],
    ['command', 'text'],
    ['target'],
    ['target', 'facts'],
    ['context', 'attributes'],
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 4 }), async (place, value) => {
      const { status } = await t.post('/v1/decide', replaced(full, place, value))
      expect([200, 400]).toContain(status)
    }),
    { numRuns: 1_000 },
  )
}, 60_000)

test('any path and query is answered, and never with a fault of ours', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/v1/evidence?', '/v1/evidence/', '/v1/bundles/', '/', '/v1/evidence?actor='),
      fc.string({ unit: 'binary', maxLength: 40 }),
      async (start, rest) => {
        const url =
          start + encodeURIComponent(rest.replaceAll(/[\ud800-\udfff]/gu, '')).replaceAll('%25', '%')
        const { status } = await t.ask({ url })
        expect(status).toBeLessThan(500)
      },
    ),
    { numRuns: 1_000 },
  )
}, 60_000)

test('any header value is answered, and never with a fault of ours', async () => {
  const names = [
    'authorization',
    'content-type',
    'content-encoding',
    'idempotency-key',
    'x-request-id',
    'traceparent',
    'prefer',
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.string({ maxLength: 60 }), async (name, value) => {
      const { status } = await t.post('/v1/decide', full, { [name]: value.replaceAll(/[^\t\x20-\x7e]/g, '') })
      expect(status).toBeLessThan(500)
    }),
    { numRuns: 500 },
  )
}, 60_000)

function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by
  const object = value as Readonly<Record<string, unknown>>
  return { ...object, [first]: replaced(object[first], rest, by) }
}
