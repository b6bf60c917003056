import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { loadContract } from '../../src/http/contract.ts'
import { action, testApp, type TestApp } from '../support/app.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

const source = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly oneOf?: readonly { readonly $ref: string }[] }>>
  }
}

test('the JSON that is served is openapi.yaml (npm run generate makes it)', async () => {
  expect(JSON.parse(loadContract().json)).toEqual(source)
  expect((await t.ask({ url: '/openapi.json' })).json()).toEqual(source)
})

test('every operation of the contract has a route, and no other path has', () => {
  const operations = Object.entries(source.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => [operationId, method.toUpperCase(), path]),
  )
  expect(loadContract().operations.map(({ id, method, path }) => [id, method, path])).toEqual(operations)
  for (const [, method, path] of operations) {
    const url = String(path).replaceAll(/\{(\w+)\}/g, ':$1(.+)')
    expect([url, t.app.hasRoute({ method: method as 'GET', url })]).toEqual([url, true])
  }
})

test('a contract with an unguarded operation is not served', () => {
  const open = JSON.parse(loadContract().json) as {
    readonly paths: Record<string, Record<string, { 'x-scope'?: string }>>
  }
  delete open.paths['/v1/decide']?.['post']?.['x-scope']
  expect(() => loadContract(JSON.stringify(open))).toThrow('expected a scope at post /v1/decide')
})

type Faults = readonly { readonly pointer: string; readonly detail: string }[]

async function faults(body: unknown): Promise<Faults> {
  const answer = await t.post('/v1/decide', body)
  return answer.status === 200 ? [] : (answer.json().errors ?? [])
}

const pointers = async (body: unknown): Promise<readonly string[]> =>
  (await faults(body)).map(({ pointer }) => pointer)
const command = (value: unknown): Record<string, unknown> => action({ command: value })

describe('what fits', () => {
  test.each<readonly [string, unknown]>([
    ['a shell text', { language: 'shell', text: 'ls' }],
    ['an argv', { language: 'shell', argv: ['ls', '-la'] }],
    ['an empty text', { language: 'shell', text: '' }],
    ['a text with control characters', { language: 'shell', text: 'ls\u0000\u001b' }],
    ['a text above 64 KiB', { language: 'shell', text: 'x'.repeat(100_000) }],
    ['an unknown dialect', { language: 'sql', dialect: 'klingon', text: 'x' }],
    ['an unknown language', { language: 'cobol', anything: [1, { a: null }] }],
    ["an unknown language with a known one's members", { language: 'SQL', text: 'x' }],
    ['http', { language: 'http', method: 'GET', url: 'https://x.example', headers: { a: 'b' } }],
    ['a plan of half a megabyte', { language: 'terraform-plan', plan: { text: 'x'.repeat(500_000) } }],
    [
      'a member named __proto__ among the free ones',
      { language: 'mcp', server: 's', tool: 't', arguments: JSON.parse('{"__proto__":1}') as unknown },
    ],
  ])('%s', async (_, value) => {
    expect(await faults(command(value))).toEqual([])
  })

  test('everything that the contract names', async () => {
    expect(
      await faults({
        actor: {
          id: 'a',
          type: 'agent',
          roles: ['r'],
          groups: ['g'],
          attributes: { x: [] },
          onBehalfOf: { id: 'user:ana' },
        },
        command: {
          language: 'sql',
          dialect: 'postgresql',
          text: 'SELECT $1',
          parameters: [1],
          attachments: [{ path: 'a', sha256: '0'.repeat(64), text: '' }],
        },
        target: {
          system: 'postgresql',
          id: 'db',
          environment: 'dev',
          schema: 's',
          cwd: '/',
          session: 'fresh',
          owner: 'o',
          kubeContext: 'k',
          cloudProfile: 'c',
          labels: { a: {} },
          facts: {
            tables: {
              t: {
                columns: ['a'],
                uniqueKeys: [['a']],
                notNull: ['a'],
                types: { a: 'text' },
                sensitive: ['a'],
              },
            },
            internal: ['x'],
            workspace: '/',
            sandboxed: true,
            protectedBranches: ['main'],
            tools: {},
            routes: [],
            functions: {},
          },
        },
        context: { session: 's', task: 't', ticket: 'k', purpose: 'p', sourceIp: '::1', attributes: {} },
      }),
    ).toEqual([])
  })

  test('a chain of five behind the actor, not of six', async () => {
    const chain = (length: number): unknown =>
      length === 0 ? { id: 'user:x' } : { id: 'user:x', onBehalfOf: chain(length - 1) }
    expect(await pointers(action({ actor: chain(5) }))).toEqual([])
    expect(await pointers(action({ actor: chain(6) }))).toEqual(['/actor/onBehalfOf'])
  })
})

describe('what does not fit, where, and in whose words', () => {
  test.each<readonly [string, unknown, readonly string[]]>([
    ['nothing in it', {}, ['/actor', '/command', '/target']],
    ['a list', [], ['']],
    ['members that nobody knows', action({ admin: true, sudo: 1 }), ['/admin', '/sudo']],
    [
      '__proto__ among the fixed ones',
      JSON.parse(JSON.stringify(action()).replace('{', '{"__proto__":{},')) as unknown,
      ['/__proto__'],
    ],
    ['an actor without id', action({ actor: {} }), ['/actor/id']],
    ['an empty id', action({ actor: { id: '' } }), ['/actor/id']],
    ['an id of 257 characters', action({ actor: { id: 'x'.repeat(257) } }), ['/actor/id']],
    ['a control character in an id', action({ actor: { id: 'a\u0007' } }), ['/actor/id']],
    ['a number for an id', action({ actor: { id: 7 } }), ['/actor/id']],
    ['another type of actor', action({ actor: { id: 'a', type: 'robot' } }), ['/actor/type']],
    ['no environment', action({ target: { system: 'a', id: 'b' } }), ['/target/environment']],
    [
      'an environment in capitals',
      action({ target: { system: 'a', id: 'b', environment: 'Prod' } }),
      ['/target/environment'],
    ],
    ['a command without language', command({}), ['/command/language']],
    ['a number for a language', command({ language: 1 }), ['/command/language']],
    ['an empty language', command({ language: '' }), ['/command/language']],
    ['sql without dialect', command({ language: 'sql', text: 'x' }), ['/command/dialect']],
    [
      'sql with a number for its text',
      command({ language: 'sql', dialect: 'a', text: 1 }),
      ['/command/text'],
    ],
    [
      'sql with another member',
      command({ language: 'sql', dialect: 'a', text: '', argv: [] }),
      ['/command/argv'],
    ],
    ['shell with text and argv', command({ language: 'shell', text: '', argv: ['a'] }), ['/command']],
    ['shell with neither', command({ language: 'shell' }), ['/command']],
    ['argv with a dialect', command({ language: 'shell', argv: ['a'], dialect: 'sh' }), ['/command/dialect']],
    ['an empty argv', command({ language: 'shell', argv: [] }), ['/command/argv']],
    ['names with slashes', action({ 'a/b~c': 1 }), ['/a~1b~0c']],
  ])('%s', async (_, body, where) => {
    expect([...(await pointers(body))].sort()).toEqual([...where].sort())
  })

  test('says which forms there are', async () => {
    expect(await faults(command({ language: 'shell' }))).toEqual([
      { pointer: '/command', detail: 'must have exactly one of: text, argv' },
    ])
    expect(await faults(action({ actor: { id: 'a', type: 'x' } }))).toEqual([
      { pointer: '/actor/type', detail: 'must be one of: human, agent, service, pipeline' },
    ])
    expect(await faults(action({ actor: { id: '\n' } }))).toEqual([
      { pointer: '/actor/id', detail: 'must hold no control characters' },
    ])
  })

  test('free parts of more than 64 KiB together', async () => {
    const half = { x: 'x'.repeat(33_000) }
    expect(await pointers(action({ context: { attributes: half } }))).toEqual([])
    expect(
      await pointers(action({ context: { attributes: half }, actor: { id: 'a', attributes: half } })),
    ).toEqual([''])
    expect(
      await pointers(
        action({ command: { language: 'sql', dialect: 'a', text: '', parameters: [half, half] } }),
      ),
    ).toEqual([''])
    expect(
      await pointers(
        action({ actor: { id: 'a', attributes: half, onBehalfOf: { id: 'b', attributes: half } } }),
      ),
    ).toEqual([''])
  })

  test('an unknown language of more than 64 KiB', async () => {
    expect(await pointers(command({ language: 'cobol', text: 'x'.repeat(65_000) }))).toEqual([])
    expect(await pointers(command({ language: 'cobol', text: 'x'.repeat(66_000) }))).toEqual(['/command'])
  })

  test('a large body names its first fault only, a small one at most twenty', async () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`m${n}`, n]))
    expect(await pointers(action(many))).toHaveLength(20)
    expect(await pointers(action({ ...many, context: { purpose: 'x'.repeat(20_000) } }))).toHaveLength(1)
  })

  test('never what was found', async () => {
    const secret = 'hunter2'
    const body = action({
      actor: { id: `${secret}\n`, type: secret },
      command: { language: 'sql', dialect: { secret }, text: [secret] },
    })
    expect(JSON.stringify(await faults(body))).not.toContain(secret)
  })
})

test('the limits treat the languages of the contract as known', async () => {
  const known =
    source.components.schemas['KnownCommand']?.oneOf?.map(({ $ref }) => $ref.split('/').at(-1)) ?? []
  expect(known.length).toBeGreaterThan(7)
  for (const language of known) {
    // As an unknown language it would be refused for its size only.
    const [fault] = await faults(command({ language, padding: 'x'.repeat(70_000) }))
    expect([language, fault?.detail]).toEqual([language, expect.not.stringContaining('unknown language')])
  }
})
