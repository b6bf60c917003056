import { merge } from '../../src/intent/merge.ts'
import type { Fragment, Unseen } from '../../src/intent/analysis.ts'
import { effect } from '../../src/intent/intent.ts'
import type { Effect, EffectSeed } from '../../src/intent/intent.ts'

const read = (name: string, rest: Partial<EffectSeed> = {}): Effect =>
  effect({ action: 'read', scope: 'all', resource: { system: 'postgresql', type: 'table', name }, ...rest })

const fragment = (effects: readonly Effect[], unseen: readonly Unseen[] = []): Fragment => ({
  effects,
  unseen,
  lineage: null,
  secrets: [],
  parse: { ok: true, parser: 'x', statements: 1, error: null },
  languages: [],
  dryRun: false,
})

test('equal effects are one, and reasons point at the one that is left', () => {
  const twin = read('a')
  const unseen: Unseen[] = [{ code: 'stored_code', via: [], effect: twin, detail: 'f()' }]
  const merged = merge(
    fragment([read('b'), read('a'), twin, read('a', { why: 'other' })], unseen),
    'postgresql',
  )
  expect(merged.effects.map(({ resource, why }) => resource.name + why)).toEqual(['b', 'a', 'aother'])
  expect(merged.reasons).toEqual([{ code: 'stored_code', via: [], effect: 1, detail: 'f()' }])
})

test('counted effects are one only at the same place: ten rows twice are twenty', () => {
  const ten = { action: 'delete', scope: 'bounded', limit: 10 } as const
  expect(merge(fragment([read('a', ten), read('a', ten)]), 's').effects).toHaveLength(2)
  const here = { ...ten, span: [0, 9] }
  expect(merge(fragment([read('a', here), read('a', here)]), 's').effects).toHaveLength(1)
})

test('finds never nothing', () => {
  const merged = merge(fragment([]), 'postgresql')
  expect(merged.effects).toMatchObject([
    { action: 'unknown', scope: 'unknown', confidence: 'opaque', resource: { system: 'postgresql' } },
  ])
  expect(merged.reasons).toMatchObject([{ code: 'not_analyzed', effect: 0 }])
})

test('an opaque effect that nobody explained is opaque all the same', () => {
  const merged = merge(fragment([read('a'), read('b', { confidence: 'opaque' })]), 's')
  expect(merged.reasons).toMatchObject([{ code: 'not_analyzed', effect: 1 }])
})

test('more effects than the limit are cut, and the whole command is opaque', () => {
  const many = Array.from({ length: 300 }, (_, index) => read(`t${index}`))
  const last = many.at(-1) ?? null
  const merged = merge(fragment(many, [{ code: 'stored_code', via: [], effect: last, detail: '' }]), 's')
  expect(merged.effects).toHaveLength(256)
  expect(merged.reasons).toMatchObject([
    { code: 'stored_code', effect: null },
    { code: 'node_limit', effect: null },
  ])
})

test('repeated reasons are one, and there are never more than the limit', () => {
  const one = read('a')
  const same = Array.from({ length: 5 }, (): Unseen => ({
    code: 'runtime_input',
    via: [],
    effect: one,
    detail: '',
  }))
  expect(merge(fragment([one], same), 's').reasons).toHaveLength(1)
  const many = Array.from({ length: 1000 }, (_, index): Unseen => ({
    code: 'runtime_input',
    via: [`${index}`],
    effect: one,
    detail: '',
  }))
  const { reasons } = merge(fragment([one], many), 's')
  expect(reasons).toHaveLength(256)
  expect(reasons.at(-1)).toMatchObject({ code: 'node_limit', effect: null })
})
