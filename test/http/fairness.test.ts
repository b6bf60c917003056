import { defaultShares, Fairness } from '../../src/http/fairness.ts'
import { action, principal, testApp, verbs } from '../support/app.ts'

const groups = {
  decide: { running: 2, waiting: 0 },
  evidence: { running: 1, waiting: 1 },
  bundle: { running: 1, waiting: 0 },
}
const limit = expect.objectContaining({ code: 'caller.limit' }) as Error

describe('a rate', () => {
  test('allows a burst of two seconds, then what flows back', () => {
    let now = 0
    const fairness = new Fairness({ requestsPerSecond: 5, groups }, () => now)
    for (let n = 0; n < 10; n++) fairness.count(principal('a'))
    expect(() => fairness.count(principal('a'))).toThrow(limit)
    now += 200
    fairness.count(principal('a'))
    expect(() => fairness.count(principal('a'))).toThrow(limit)
  })

  test("is each caller's own, and a caller is issuer and subject", () => {
    const fairness = new Fairness({ requestsPerSecond: 1, groups }, () => 0)
    const [a, b] = [principal('a'), principal('b')]
    const foreign = { ...a, caller: { ...a.caller, issuer: 'https://other.example' } }
    for (const each of [a, b, foreign]) for (let n = 0; n < 2; n++) fairness.count(each)
    expect(() => fairness.count(a)).toThrow(limit)
  })

  test('says when to come back', () => {
    const fairness = new Fairness({ requestsPerSecond: 0.1, groups }, () => 0)
    expect(() => fairness.count(principal())).toThrow(expect.objectContaining({ retryAfterSeconds: 8 }))
  })

  test('is off when there is none', () => {
    const fairness = new Fairness()
    expect(() => {
      for (let n = 0; n < 10_000; n++) fairness.count(principal())
    }).not.toThrow()
  })

  test('forgets idle callers, so that their number has no price', () => {
    let now = 0
    const fairness = new Fairness({ requestsPerSecond: 1, groups }, () => now)
    for (let n = 0; n < 10_000; n++) fairness.count(principal(`c${n}`))
    now += 3_000
    fairness.count(principal('new'))
    expect(Reflect.get(fairness, 'callers')).toHaveProperty('size', 1)
  })
})

describe('a share', () => {
  test('is full when so many are under way, and open again when one leaves', () => {
    const fairness = new Fairness({ requestsPerSecond: null, groups })
    const a = principal('a')
    expect([fairness.enter(a, 'decide'), fairness.enter(a, 'decide')]).toEqual([null, null])
    expect(() => fairness.enter(a, 'decide')).toThrow(limit)
    expect(fairness.enter(principal('b'), 'decide')).toBeNull()
    fairness.leave(a, 'decide')
    expect(fairness.enter(a, 'decide')).toBeNull()
  })

  test('has a queue, served in order', async () => {
    const fairness = new Fairness({ requestsPerSecond: null, groups })
    const a = principal('a')
    expect(fairness.enter(a, 'evidence')).toBeNull()
    const turn = fairness.enter(a, 'evidence')
    expect(turn).toBeInstanceOf(Promise)
    expect(() => fairness.enter(a, 'evidence')).toThrow(limit)
    fairness.leave(a, 'evidence')
    await turn
    expect(fairness.enter(a, 'evidence')).toBeInstanceOf(Promise)
  })

  test('of evidence is two queries', () => {
    expect(defaultShares.groups.evidence.running).toBe(2)
    expect(defaultShares.groups.bundle.running).toBe(1)
  })
})

test('a caller over its rate is told 429 and when to come back, another one is served', async () => {
  const t = await testApp({ shares: { requestsPerSecond: 0.5, groups } })
  t.world.principals.set('other', principal('other'))
  expect((await t.post('/v1/decide', action())).status).toBe(200)
  const refused = await t.post('/v1/decide', action())
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '2'])
  expect((await t.post('/v1/decide', action(), { authorization: 'Bearer other' })).status).toBe(200)
  await t.close()
})

test('shares are given back by answers, problems and faults alike', async () => {
  const ends = [
    () => Promise.reject(new Error('x')),
    () => {
      throw new Error('y')
    },
  ]
  const t = await testApp({
    shares: { requestsPerSecond: null, groups },
    verbs: { ...verbs, decide: (ports, question) => (ends.shift() ?? verbs.decide)(ports, question) },
  })
  const statuses: number[] = []
  for (let n = 0; n < 6; n++) statuses.push((await t.post('/v1/decide', action())).status)
  await t.close()
  expect(statuses).toEqual([500, 500, 200, 200, 200, 200])
})

test('bundle jobs of one caller do not pile up', async () => {
  const finish: (() => void)[] = []
  const gate = new Promise<void>((resolve) => finish.push(resolve))
  const t = await testApp({
    verbs: {
      ...verbs,
      admitBundle: (ports, question) => gate.then(() => verbs.admitBundle(ports, question)),
    },
  })
  const first = t.post('/v1/bundles', { name: 'mine', files: { 'a.rego': '' } })
  const second = await t.post('/v1/bundles', { name: 'mine', files: { 'a.rego': '' } })
  for (const each of finish) each()
  expect([second.status, (await first).status]).toEqual([429, 201])
  await t.close()
})
