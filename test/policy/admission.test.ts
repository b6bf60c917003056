import {
  assembledFiles,
  layoutFindings,
  packageFindings,
  postedData,
  resultingData,
  weakerThan,
} from '../../src/policy/admission.ts'
import { bundleDigest, isTestFile, postedDigest } from '../../src/policy/bundle.ts'
import type { BundleData, BundleModule } from '../../src/policy/bundle.ts'

const shipped: BundleData = {
  targets: {},
  environments: { development: { protected: false, default: 'allow' } },
  thresholds: { rows: { write: 100, sensitive_read: 1000 } },
  waivers: [],
  exceptions: [],
  standing: { '*': { types: { agent: ['read'] } } },
  destinations: { internal: [] },
  runners: { npm: ['test'] },
  unprotected: { enforce: ['secret.read', 'guard.own'] },
  guard: { settings: { fsync: true } },
}

describe('the layout of a posted bundle', () => {
  test('is modules, and one data.json at the root', () => {
    expect(layoutFindings({ 'policies/x.rego': '', 'x_test.rego': '', 'data.json': '{}' })).toEqual([])
  })

  test.each([
    '../x.rego',
    '/x.rego',
    'a/../x.rego',
    'a//x.rego',
    './x.rego',
    '.hidden.rego',
    'a\\b.rego',
    'a\u0000.rego',
    '-o.rego',
    `${'x'.repeat(300)}.rego`,
    'policies/data.json',
    'data.yaml',
    'policy.wasm',
    'README.md',
    '',
  ])('refuses %j', (path) => {
    expect(layoutFindings({ [path]: '' })).toEqual([expect.objectContaining({ step: 'layout' })])
  })

  test('has limits', () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`${String(at)}.rego`, '']))
    expect(layoutFindings(many)).toHaveLength(1)
    expect(layoutFindings({ 'x.rego': 'x'.repeat(8 * 1024 * 1024 + 1) })).toHaveLength(1)
  })
})

const module = (path: readonly string[]): BundleModule => ({ file: 'bundle/x.rego', package: path })

test('only packages below guardrails that nobody has are free', () => {
  const refused = [
    [],
    ['guardrails'],
    ['guardrails', 'sql'],
    ['countersign'],
    ['standard', 'own'],
    ['own'],
    ['data', 'guardrails', 'own'],
  ]
  for (const path of refused) {
    expect(packageFindings([module(path)], new Set(['sql']))).toEqual([
      expect.objectContaining({ step: 'layout', file: 'x.rego' }),
    ])
  }
  expect(
    packageFindings([module(['guardrails', 'own']), module(['guardrails', 'own', 'deep'])], new Set(['sql'])),
  ).toEqual([])
  expect(
    packageFindings([{ file: 'countersign/decision.rego', package: ['countersign'] }], new Set()),
  ).toEqual([])
})

test('posted keys replace shipped ones whole, and never merge', () => {
  const data = resultingData(shipped, { environments: {} } as unknown as BundleData)
  expect(data.environments).toEqual({})
  expect(data['thresholds']).toEqual(shipped['thresholds'])
  expect(resultingData(null, { targets: {} } as unknown as BundleData)).toEqual({ targets: {} })
})

test.each([['[]'], ['null'], ['"x"'], ['{'], ['']])('data %j is no object', (text) => {
  expect(postedData({ 'data.json': text })).toHaveProperty('finding')
})

const weaker = (changed: object): readonly string[] => weakerThan(shipped, { ...shipped, ...changed })

describe('the report of what got weaker', () => {
  test('is empty when nothing is, or things got stricter', () => {
    expect(weaker({})).toEqual([])
    expect(weaker({ environments: { development: { protected: true, default: 'deny' } } })).toEqual([])
    expect(weaker({ thresholds: { rows: { write: 10, sensitive_read: 1000 } } })).toEqual([])
    expect(weaker({ runners: {} })).toEqual([])
  })

  test.each<[object, string]>([
    [
      { environments: { production: { protected: false, default: 'allow' } } },
      'environment production is not protected',
    ],
    [
      { environments: { staging: { protected: true, default: 'allow' } } },
      'environment staging is not protected',
    ],
    [
      { thresholds: { rows: { write: 101, sensitive_read: 1000 } } },
      'thresholds.rows.write is 101 instead of 100',
    ],
    [{ thresholds: { rows: { write: 100 } } }, 'thresholds.rows.sensitive_read is gone'],
    [{ waivers: [{ code: 'x' }] }, 'waiver is added: {"code":"x"}'],
    [{ exceptions: [{ rule: 'x' }] }, 'exception is added: {"rule":"x"}'],
    [
      { standing: { '*': { types: { agent: ['read', 'drop'] } } } },
      'standing privilege is added: standing.*.types.agent: "drop"',
    ],
    [{ destinations: { internal: ['*'] } }, 'a destination counts as internal: destinations.internal: "*"'],
    [{ runners: { npm: ['test', 'x'] } }, 'a runner is trusted: runners.npm: "x"'],
    [
      { unprotected: { enforce: ['secret.read'] } },
      'no longer enforced where it is unprotected: unprotected.enforce: "guard.own"',
    ],
    [{ guard: { settings: { fsync: false } } }, 'is gone: guard.settings.fsync: true'],
    [{ targets: { 'orders-db': { facts: { workspace: '/' } } } }, 'facts of target orders-db are believed'],
    [{ guard: { settings: { fsync: true, other: true } } }, 'guard is replaced'],
  ])('names %j', (changed, sentence) => {
    expect(weaker(changed)).toEqual([sentence])
  })
})

test('a bundle is compiled from the service, the base, the invariants and what was posted', () => {
  const parts = {
    own: { 'countersign/d.rego': '1' },
    modules: { 'default/s.rego': '2' },
    invariants: { 'invariants/i_test.rego': '3' },
  }
  const files = { 'p/x.rego': '4', 'data.json': 'posted' }
  expect(assembledFiles(parts, { files, extends: 'default' }, shipped)).toMatchObject({
    'countersign/d.rego': '1',
    'default/s.rego': '2',
    'invariants/i_test.rego': '3',
    'bundle/p/x.rego': '4',
    'data.json': expect.stringContaining('"environments"'),
  })
  const alone = Object.keys(assembledFiles(parts, { files, extends: null }, shipped))
  expect(new Set(alone)).toEqual(
    new Set(['countersign/d.rego', 'invariants/i_test.rego', 'bundle/p/x.rego', 'data.json']),
  )
  expect(alone.filter(isTestFile)).toEqual(['invariants/i_test.rego'])
})

test('the digest covers policy, data and listed ids, and no order', () => {
  const bundle = { wasm: Uint8Array.of(1), data: { a: 1, b: 2 }, listed: ['x', 'y'] }
  const digest = bundleDigest(bundle)
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(bundleDigest({ ...bundle, data: { b: 2, a: 1 }, listed: ['y', 'x', 'x'] })).toBe(digest)
  expect(bundleDigest({ ...bundle, wasm: Uint8Array.of(2) })).not.toBe(digest)
  expect(bundleDigest({ ...bundle, data: { a: 1, b: 3 } })).not.toBe(digest)
  expect(bundleDigest({ ...bundle, listed: ['x'] })).not.toBe(digest)
  expect(postedDigest({ a: '1' }, 'default')).not.toBe(postedDigest({ a: '1' }, null))
})
