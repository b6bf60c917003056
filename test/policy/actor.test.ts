import { PdpError } from '../../src/errors.ts'
import { verifyActor } from '../../src/policy/actor.ts'
import type { Claims } from '../../src/policy/actor.ts'

const claims = (members: Partial<Claims> = {}): Claims => ({
  subject: 'svc',
  scopes: new Set(['decide']),
  actors: ['*'],
  actorTypes: null,
  actorRoles: null,
  targets: null,
  ...members,
})

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof PdpError) return error.code
    throw error
  }
  return 'allowed'
}

test.each([
  ['user:ana', 'human'],
  ['service:etl', 'service'],
  ['pipeline:ci', 'pipeline'],
  ['agent:x', 'agent'],
  ['root', 'agent'],
  ['USER:ana', 'agent'],
])('%s is a %s by its prefix', (id, type) => {
  expect(verifyActor({ id }, claims()).type).toBe(type)
})

test('a stated type may not contradict the prefix, unless the token allows it', () => {
  expect(code(() => verifyActor({ id: 'agent:x', type: 'human' }, claims()))).toBe('actor.forbidden')
  expect(code(() => verifyActor({ id: 'agent:x', type: 'agent' }, claims()))).toBe('allowed')
  const all = claims({ actorTypes: ['*'] })
  expect(verifyActor({ id: 'agent:x', type: 'human' }, all)).toMatchObject({
    type: 'human',
    claimed: { type: 'human' },
  })
  expect(verifyActor({ id: 'user:x' }, all).type).toBe('human')
})

test('actor_types bind: another type is refused, none stated is the allowed one with the least trust', () => {
  const agents = claims({ actorTypes: ['agent'] })
  expect(verifyActor({ id: 'user:ana' }, agents).type).toBe('agent')
  expect(code(() => verifyActor({ id: 'user:ana', type: 'human' }, agents))).toBe('actor.forbidden')
  expect(verifyActor({ id: 'x' }, claims({ actorTypes: ['human', 'service'] })).type).toBe('service')
  expect(code(() => verifyActor({ id: 'x' }, claims({ actorTypes: [] })))).toBe('actor.forbidden')
})

test('a token speaks for the actors it names; without the claim for its own subject only', () => {
  const own = claims({ actors: null })
  expect(code(() => verifyActor({ id: 'svc' }, own))).toBe('allowed')
  expect(code(() => verifyActor({ id: 'svc2' }, own))).toBe('actor.forbidden')
  const some = claims({ actors: ['agent:x', 'user:a*'] })
  expect(code(() => verifyActor({ id: 'agent:xy' }, some))).toBe('actor.forbidden')
  expect(code(() => verifyActor({ id: 'user:ana' }, some))).toBe('allowed')
})

test('whom the actor acts for must be covered too, at any depth, and is not verified', () => {
  const some = claims({ actors: ['agent:*', 'user:ana'] })
  const chain = { id: 'agent:a', onBehalfOf: { id: 'user:ana', roles: ['dba'] } }
  expect(verifyActor(chain, some).onBehalfOf).toEqual({
    id: 'user:ana',
    type: 'human',
    verified: false,
    claimed: { roles: ['dba'], groups: [], attributes: {} },
  })
  const foreign = { id: 'agent:a', onBehalfOf: { id: 'agent:b', onBehalfOf: { id: 'user:bob' } } }
  expect(code(() => verifyActor(foreign, some))).toBe('actor.forbidden')
})

test('at most five stand behind an actor', () => {
  const chain = (length: number): { id: string } =>
    length === 0 ? { id: 'agent:a' } : ({ id: 'agent:a', onBehalfOf: chain(length - 1) } as { id: string })
  expect(code(() => verifyActor(chain(5), claims()))).toBe('allowed')
  expect(code(() => verifyActor(chain(6), claims()))).toBe('actor.forbidden')
})

test('roles are verified by the token only; groups by nothing', () => {
  const actor = { id: 'agent:a', roles: ['reader', 'dba', 'reader'], groups: ['g'] }
  expect(verifyActor(actor, claims())).toMatchObject({
    roles: [],
    groups: [],
    claimed: { roles: ['dba', 'reader'] },
  })
  expect(verifyActor(actor, claims({ actorRoles: ['read*'] }))).toMatchObject({
    roles: ['reader'],
    groups: [],
    claimed: { roles: ['dba'], groups: ['g'] },
  })
  expect(verifyActor(actor, claims({ actorRoles: ['*'] })).roles).toEqual(['dba', 'reader'])
})
