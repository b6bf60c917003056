/**
 * The law: changing anything that a caller merely claims never turns a denial of the default bundle into
 * an allow or a mask.
 */
import * as fc from 'fast-check'
import type { Action } from '../../src/action/action.ts'
import { testService, type TestService } from '../support/service.ts'
import { deniedActions } from './denied-actions.ts'

let running: TestService
let claiming: string
beforeAll(async () => {
  running = await testService()
  // Speaks for any actor of any type, but vouches for no role and may send no facts: all the rest is claims.
  claiming = running.deployment.token({ sub: 'gateway', scope: 'decide', actors: ['*'] })
})
afterAll(() => running.close())

const word = fc.constantFrom(
  'admin',
  'dba',
  'superuser',
  'sre',
  'break-glass',
  'owner',
  'fresh',
  'development',
  'test',
  'sandbox',
  '*',
  'root',
)
const words = fc.array(word, { maxLength: 3 })
const free = fc.dictionary(word, fc.oneof(word, fc.boolean(), fc.integer()), { maxKeys: 3 })

/** What a caller may say of actor, context and target without anybody vouching for it. */
const claims = fc.record(
  {
    roles: words,
    groups: words,
    attributes: free,
    onBehalfOf: fc.record({ id: fc.constantFrom('user:root', 'service:dba', 'agent:x') }),
    context: fc.record(
      { session: word, task: word, ticket: word, purpose: word, attributes: free },
      { requiredKeys: [] },
    ),
    labels: free,
    owner: word,
    session: word,
    schema: fc.constantFrom('public', 'scratch', 'pg_temp'),
    cwd: fc.constantFrom('/', '/tmp', '/srv/app', '/srv/app/node_modules'),
    environment: fc.constantFrom('production', 'staging', 'development', 'test', 'sandbox'),
  },
  { requiredKeys: [] },
)

function present(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function claimed(
  action: Action,
  said: typeof claims extends fc.Arbitrary<infer Said> ? Said : never,
): object {
  const { context, labels, owner, session, schema, cwd, environment, ...actor } = said
  const target = { labels, owner, session, schema, cwd, environment }
  return {
    ...action,
    actor: { ...action.actor, ...present(actor) },
    target: { ...action.target, ...present(target) },
    ...(context === undefined ? {} : { context }),
  }
}

test('every action of the corpus is denied without claims', async () => {
  const { body } = await running.post('/v1/decide/batch', { actions: deniedActions }, { token: claiming })
  const verdicts = (body['decisions'] as unknown as { verdict: string }[]).map(({ verdict }) => verdict)
  const open = deniedActions.filter((_, at) => verdicts[at] !== 'deny').map(({ command }) => command)
  expect(open).toEqual([])
})

test('no claim turns a denial into an allow or a mask', async () => {
  let tried = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...deniedActions), claims), { minLength: 50, maxLength: 50 }),
      async (pairs) => {
        const actions = pairs.map(([action, said]) => claimed(action, said))
        const { body } = await running.post('/v1/decide/batch', { actions }, { token: claiming })
        const decisions = body['decisions'] as unknown as { verdict?: string }[]
        tried += decisions.length
        decisions.forEach((decision, at) => {
          if (decision.verdict === 'deny') return
          throw new Error(`${JSON.stringify(actions[at])} -> ${JSON.stringify(decision).slice(0, 300)}`)
        })
      },
    ),
    { numRuns: 200, endOnFailure: true },
  )
  expect(tried).toBeGreaterThanOrEqual(10_000)
}, 120_000)
