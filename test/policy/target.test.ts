import type { Action } from '../../src/action/action.ts'
import { PdpError } from '../../src/errors.ts'
import type { BundleData } from '../../src/policy/bundle.ts'
import { fitsSystem } from '../../src/policy/dialects.ts'
import { resolveTarget } from '../../src/policy/target.ts'
import type { ResolvedTarget } from '../../src/policy/target.ts'

const data: BundleData = {
  targets: {
    'orders-db': {
      environment: 'production',
      system: 'postgresql',
      dialects: ['postgresql'],
      schema: 'app',
      labels: { team: 'orders' },
      owner: 'dba',
      facts: { tables: { users: {} }, sandboxed: true },
    },
    'dev-db': { environment: 'development', system: 'postgresql' },
    unspoken: { system: 'postgresql' },
  },
  environments: { development: { protected: false, default: 'allow' } },
}

const sql: Action['command'] = { language: 'sql', dialect: 'postgresql', text: 'SELECT 1' }

const resolve = (
  target: Partial<Action['target']>,
  { scopes = [] as string[], targets = null as string[] | null, command = sql } = {},
): ResolvedTarget =>
  resolveTarget({
    action: {
      actor: { id: 'agent:x' },
      command,
      target: { system: 'postgresql', id: 'orders-db', environment: 'production', ...target },
    },
    data,
    claims: { scopes: new Set(scopes), targets },
  })

const document = (resolved: ResolvedTarget): Record<string, unknown> =>
  JSON.parse(resolved.text) as Record<string, unknown>

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof PdpError) return error.code
    throw error
  }
  return 'allowed'
}

test('what the bundle pins holds', () => {
  const resolved = resolve({ environment: 'production' })
  expect(resolved.checks).toEqual([])
  expect(document(resolved)).toEqual({
    environment: 'production',
    facts: { catalogue: true, sandboxed: true },
    id: 'orders-db',
    labels: { team: 'orders' },
    owner: 'dba',
    protected: true,
    registered: true,
    schema: 'app',
    system: 'postgresql',
  })
  expect(resolved.analysis).toMatchObject({ system: 'postgresql', schema: 'app', placeTrusted: true })
})

test.each([
  ['environment', { environment: 'development' }],
  ['system', { system: 'mysql' }],
  ['schema', { schema: 'public' }],
  ['owner', { owner: 'me' }],
  ['labels.team', { labels: { team: 'mine' } }],
])('a request that says another %s is a recorded deny, and its claim stays', (member, claim) => {
  const resolved = resolve(claim, { scopes: ['target:facts'] })
  expect(resolved.checks).toMatchObject([
    { rule: 'target.mismatch', message: expect.stringContaining(member) },
  ])
  expect(resolved.place).toMatchObject({ environment: 'production', protected: true, system: 'postgresql' })
  if (member !== 'labels.team') expect(document(resolved)['claimed']).toEqual(claim)
})

test('a dialect that is not pinned is a mismatch', () => {
  const command = { ...sql, dialect: 'psql' }
  expect(resolve({}, { command }).checks).toMatchObject([{ rule: 'target.mismatch' }])
})

test('an unregistered target is protected unless the token may tell facts', () => {
  const claim = { id: 'new-db', environment: 'development' }
  expect(resolve(claim).place.protected).toBe(true)
  expect(document(resolve(claim))).toMatchObject({
    registered: false,
    protected: true,
    environment: 'development',
  })
  expect(resolve(claim, { scopes: ['target:facts'] }).place.protected).toBe(false)
  expect(resolve({ ...claim, environment: 'staging' }, { scopes: ['target:facts'] }).place.protected).toBe(
    true,
  )
})

test('a registered target without a pinned environment does not choose one', () => {
  expect(resolve({ id: 'unspoken', environment: 'development' }).place.protected).toBe(true)
  expect(resolve({ id: 'dev-db', environment: 'development' }).place.protected).toBe(false)
})

test('an id that only looks like a member of every object is unregistered', () => {
  for (const id of ['constructor', '__proto__', 'toString']) {
    expect(document(resolve({ id }))).toMatchObject({ registered: false, protected: true })
  }
})

test('labels, owner and session that nobody vouches for are claims', () => {
  const claim = {
    id: 'dev-db',
    environment: 'development',
    labels: { a: 'b' },
    owner: 'me',
    session: 'fresh',
  }
  const alone = document(resolve(claim))
  expect(alone).toMatchObject({ labels: {}, claimed: { labels: { a: 'b' }, owner: 'me', session: 'fresh' } })
  expect(alone).not.toHaveProperty('owner')
  expect(alone).not.toHaveProperty('session')
  const vouched = document(resolve(claim, { scopes: ['target:facts'] }))
  expect(vouched).toMatchObject({ labels: { a: 'b' }, owner: 'me', session: 'fresh' })
  expect(vouched).not.toHaveProperty('claimed')
})

test('schema and cwd of a token without target:facts prove nothing', () => {
  const own = { id: 'dev-db', environment: 'development' }
  expect(resolve(own).analysis.placeTrusted).toBe(true)
  expect(resolve({ ...own, schema: 'x' }).analysis).toMatchObject({ schema: 'x', placeTrusted: false })
  expect(resolve({ ...own, schema: 'x' }, { scopes: ['target:facts'] }).analysis.placeTrusted).toBe(true)
  expect(resolve({ schema: 'app' }).analysis.placeTrusted).toBe(true)
  const shell: Action['command'] = { language: 'shell', text: 'ls' }
  expect(resolve({ ...own, cwd: '/srv' }, { command: shell }).analysis.placeTrusted).toBe(false)
  expect(resolve({ ...own, cwd: '/srv' }).analysis.placeTrusted).toBe(true)
})

test('facts need their scope, and sandboxed is the bundle’s alone', () => {
  expect(code(() => resolve({ facts: {} }))).toBe('facts.forbidden')
  const resolved = resolve(
    { id: 'dev-db', facts: { sandboxed: true, internal: ['x'] } },
    { scopes: ['target:facts'] },
  )
  expect(document(resolved)['facts']).toEqual({ catalogue: false, internal: ['x'] })
  expect(resolved.factsSource).toBe('request')
})

test('the claim targets limits which targets a token may name', () => {
  expect(code(() => resolve({}, { targets: ['orders-*'] }))).toBe('allowed')
  expect(code(() => resolve({ id: 'dev-db' }, { targets: ['orders-*'] }))).toBe('target.forbidden')
  expect(code(() => resolve({}, { targets: [] }))).toBe('target.forbidden')
})

test('a language that does not fit the system is a recorded deny; an unknown one is not', () => {
  const shell: Action['command'] = { language: 'shell', text: 'rm -rf /' }
  expect(resolve({ id: 'dev-db', environment: 'development' }, { command: shell }).checks).toMatchObject([
    { rule: 'target.dialect' },
  ])
  const unknown: Action['command'] = { language: 'constructor', x: 1 }
  expect(resolve({ id: 'dev-db', environment: 'development' }, { command: unknown }).checks).toEqual([])
  expect(fitsSystem({ ...sql, dialect: 'klingon' }, 'postgresql')).toBe(true)
})

test.each([
  ...['host', 'git', 'kubernetes', 'docker', 'terraform', 'aws', 'azure', 'gcp'].map((system) => [
    'shell',
    system,
  ]),
  ...['postgresql', 'mysql', 'mariadb', 'sqlite', 'oracle', 'snowflake', 'bigquery'].map((name) => [
    `sql.${name}`,
    name,
  ]),
  ['sql.psql', 'postgresql'],
  ['sql.tsql', 'mssql'],
  ['redis', 'redis'],
  ['mongodb', 'mongodb'],
  ['graphql', 'graphql'],
  ['http', 'http'],
  ['http', 'elasticsearch'],
  ['mcp', 'mcp'],
  ['terraform-plan', 'terraform'],
])('%s fits %s, and no database of another kind', (name = '', system = '') => {
  const [language = '', dialect] = name.split('.')
  const command = { language, text: '', ...(dialect === undefined ? {} : { dialect }) } as Action['command']
  expect(fitsSystem(command, system)).toBe(true)
  expect(fitsSystem(command, 'dbase')).toBe(false)
})
