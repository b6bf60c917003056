import { mergeFacts, usedFacts } from '../../src/policy/facts.ts'

const bundle = {
  tables: {
    users: { columns: ['id', 'email'], sensitive: ['email'] },
    orders: { uniqueKeys: [['id']] },
  },
  internal: ['*.internal'],
  tools: { query: { arguments: { sql: 'sql.postgresql' } } },
  routes: [{ method: 'DELETE', path: '/v1/users', effects: ['delete'] }],
}

const merged = (request: Parameters<typeof mergeFacts>[1], schema?: string): ReturnType<typeof mergeFacts> =>
  mergeFacts({ facts: bundle, schema }, request)

test('the bundle wins where it speaks, and the request fills gaps', () => {
  const facts = merged({ internal: ['*'], workspace: '/srv/app', tables: { trash: { uniqueKeys: [['k']] } } })
  expect(facts.internal).toEqual(['*.internal'])
  expect(facts.workspace).toBe('/srv/app')
  expect(facts.tables?.['trash']).toEqual({ uniqueKeys: [['k']] })
  expect(facts.tables?.['orders']).toEqual({ uniqueKeys: [['id']] })
})

test('keys, nullness and types of a listed table are the bundle’s alone', () => {
  const claimed = { uniqueKeys: [['email']], notNull: ['email'], types: { email: 'text' }, columns: ['x'] }
  expect(merged({ tables: { users: claimed } }).tables?.['users']).toEqual(bundle.tables.users)
  expect(merged({ tables: { orders: { columns: ['id'] } } }).tables?.['orders']).toEqual({
    uniqueKeys: [['id']],
    columns: ['id'],
  })
})

test('one table under two spellings is one table', () => {
  const claimed = { tables: { 'public.users': { uniqueKeys: [['email']], sensitive: ['id'] } } }
  expect(Object.keys(merged(claimed).tables ?? {})).toEqual(['users', 'orders'])
  expect(merged(claimed).tables?.['users']).toEqual({ columns: ['id', 'email'], sensitive: ['email', 'id'] })
  expect(Object.keys(merged({ tables: { 'app.users': {} } }, 'app').tables ?? {})).toEqual([
    'users',
    'orders',
  ])
  expect(Object.keys(merged({ tables: { 'app.users': {} } }).tables ?? {})).toContain('app.users')
})

test('what is sensitive adds up', () => {
  expect(merged({ tables: { users: { sensitive: true } } }).tables?.['users']?.sensitive).toBe(true)
  expect(merged({ tables: { users: { sensitive: false } } }).tables?.['users']?.sensitive).toEqual(['email'])
  expect(merged({ tables: { orders: { sensitive: ['total'] } } }).tables?.['orders']?.sensitive).toEqual([
    'total',
  ])
})

test('tools and routes of the bundle can not be redefined', () => {
  const facts = merged({
    tools: { query: { effects: ['none'] }, other: { effects: ['read'] } },
    routes: [
      { method: 'delete', path: '/v1/users', effects: ['none'] },
      { method: 'GET', path: '/v1/users', effects: ['read'] },
    ],
  })
  expect(facts.tools?.['query']).toEqual(bundle.tools.query)
  expect(facts.tools?.['other']).toEqual({ effects: ['read'] })
  expect(facts.routes?.map(({ effects }) => effects)).toEqual([['delete'], ['read']])
})

test('the digest commits to facts and source', () => {
  const none = usedFacts({}, undefined)
  expect(none).toMatchObject({
    facts: {},
    source: 'none',
    digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  })
  const ours = usedFacts({ facts: bundle }, undefined)
  const theirs = usedFacts({}, bundle)
  const both = usedFacts({ facts: bundle }, {})
  expect([ours.source, theirs.source, both.source]).toEqual(['bundle', 'request', 'bundle+request'])
  expect(new Set([none, ours, theirs, both].map(({ digest }) => digest)).size).toBe(4)
  expect(usedFacts({ facts: bundle }, undefined)).toBe(ours)
  const reordered = Object.fromEntries(Object.entries(bundle).toReversed()) as typeof bundle
  expect(usedFacts({}, reordered).digest).toBe(theirs.digest)
})
