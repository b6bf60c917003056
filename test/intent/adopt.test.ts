import { adopt } from '../../src/intent/adopt.ts'
import type { Child, Fragment } from '../../src/intent/analysis.ts'
import { effect } from '../../src/intent/intent.ts'
import type { Effect, EffectSeed } from '../../src/intent/intent.ts'

const seed = (seed: Partial<EffectSeed> = {}): Effect =>
  effect({
    action: 'delete',
    scope: 'single',
    resource: { system: 'postgresql', type: 'table', name: 'orders' },
    span: [0, 3],
    ...seed,
  })

const fragment = (...effects: Effect[]): Fragment => ({
  effects,
  unseen: [{ code: 'runtime_input', via: ['xargs'], effect: effects[0] ?? null, detail: '' }],
  lineage: null,
  secrets: [{ start: 0, end: 4 }],
  parse: { ok: true, parser: 'x', statements: 1, error: null },
  languages: ['sql.postgresql'],
  dryRun: false,
})

const child = (members: Partial<Child> = {}): Child => ({
  command: { language: 'sql', dialect: 'postgresql', text: '' },
  via: ['sudo', 'psql'],
  endpoint: null,
  runAs: null,
  system: null,
  conditional: false,
  repeat: 1,
  ...members,
})

const adopted = (members: Partial<Child>, effects: Effect): Effect => {
  const [first] = adopt(child(members), fragment(effects)).effects
  if (first === undefined) throw new Error('the effect is lost')
  return first
}

test('puts the way in front, of effects and of what was not seen, and keeps them together', () => {
  const result = adopt(child(), fragment(seed({ via: ['sql'] })))
  expect(result.effects[0]?.via).toEqual(['sudo', 'psql', 'sql'])
  expect(result.unseen[0]?.via).toEqual(['sudo', 'psql', 'xargs'])
  expect(result.unseen[0]?.effect).toBe(result.effects[0])
})

test('drops spans and secrets: they are offsets in another text', () => {
  const result = adopt(child(), fragment(seed()))
  expect(result.effects[0]?.span).toBeNull()
  expect(result.secrets).toEqual([])
})

test('the innermost identity holds', () => {
  const privilege = { grantee: null, privileges: [], on: null, level: null, run_as: 'app' }
  expect(adopted({ runAs: 'root' }, seed()).privilege?.run_as).toBe('root')
  expect(adopted({ runAs: 'root' }, seed({ privilege })).privilege?.run_as).toBe('app')
  expect(adopted({ runAs: null }, seed()).privilege).toBeNull()
})

test('the inner endpoint holds, an ambient one too; loopback is the machine around it', () => {
  const endpoint = { host: 'bastion' }
  expect(adopted({ endpoint }, seed()).endpoint).toEqual({ host: 'bastion' })
  expect(adopted({ endpoint }, seed({ endpoint: {} })).endpoint).toEqual({})
  expect(adopted({ endpoint }, seed({ endpoint: { host: 'db' } })).endpoint).toEqual({ host: 'db' })
  expect(adopted({ endpoint }, seed({ endpoint: { host: 'localhost', port: '1' } })).endpoint).toEqual({
    host: 'bastion',
    port: '1',
  })
  expect(adopted({ endpoint: { context: 'c' } }, seed({ endpoint: { host: '127.0.0.1' } })).endpoint).toEqual(
    {
      context: 'c',
      host: null,
    },
  )
})

test('a conditional child makes its effects conditional', () => {
  expect(adopted({ conditional: true }, seed()).conditional).toBe(true)
  expect(adopted({ conditional: false }, seed({ conditional: true })).conditional).toBe(true)
})

test.each([
  ['once changes nothing', 1, { scope: 'single' }, { scope: 'single', limit: null, why: '' }],
  ['a constant count bounds', 5, { scope: 'single' }, { scope: 'bounded', limit: 5, why: 'repeated' }],
  ['and multiplies', 5, { scope: 'bounded', limit: 10 }, { scope: 'bounded', limit: 50, why: 'repeated' }],
  [
    'an unknown count proves nothing',
    null,
    { scope: 'single' },
    { scope: 'bulk', limit: null, why: 'repeated' },
  ],
  ['nor for a bound', null, { scope: 'bounded', limit: 9 }, { scope: 'bulk', limit: null, why: 'repeated' }],
  ['what is all stays all', null, { scope: 'all' }, { scope: 'all', limit: null, why: '' }],
  ['a negative count is no count', -1, { scope: 'single' }, { scope: 'bulk', limit: null, why: 'repeated' }],
  [
    'nor one that is too large',
    2 ** 53,
    { scope: 'single' },
    { scope: 'bulk', limit: null, why: 'repeated' },
  ],
] as const)('repeated: %s', (_what, repeat, given, expected) => {
  expect(adopted({ repeat }, seed(given))).toMatchObject(expected)
})
