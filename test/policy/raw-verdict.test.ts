import { assert, constant, constantFrom, jsonValue, property, record, shuffledSubarray } from 'fast-check'
import type { Lineage } from '../../src/intent/intent.ts'
import { verdictOf } from '../../src/policy/raw-verdict.ts'
import type { Verdict } from '../../src/policy/verdict.ts'

const lineage: Lineage = {
  complete: true,
  maskable: true,
  columns: [
    { index: 0, name: 'id', kind: 'plain', sources: [] },
    { index: 1, name: 'email', kind: 'plain', sources: [] },
  ],
  inference: [],
}
const question = { effects: 2, lineage }
const reason = {
  rule: 'sql.drop',
  severity: 'high',
  effect: 0,
  message: 'It would drop a table.',
  controls: ['soc2:CC6.1'],
}
const mask = {
  rule: 'masking.sensitive_column',
  index: 1,
  field: 'email',
  source: 'public.users.email',
  method: 'partial',
}
const obligation = { id: 'notify', type: 'notify', properties: { to: 'owner' } }
const deny = { verdict: 'deny', reasons: [reason], masks: [], obligations: [] }
const allow = { verdict: 'allow', reasons: [reason], masks: [], obligations: [obligation] }
const masked = { verdict: 'mask', reasons: [reason], masks: [mask], obligations: [] }

const judged = (value: unknown, asked = question): Verdict => verdictOf({ ok: true, value }, asked)
const ruleOf = (value: unknown, asked = question): string | undefined => judged(value, asked).reasons[0]?.rule

test('believes what has exactly the shape of a verdict', () => {
  expect(judged(deny)).toEqual(deny)
  expect(judged(allow)).toEqual(allow)
  expect(judged(masked)).toEqual(masked)
  const remedy = { hint: 'Ask.', grantRequest: '/v1/grants', suggestion: 'SELECT 1' }
  expect(judged({ ...deny, reasons: [{ ...reason, remedy }] }).reasons[0]?.remedy).toEqual(remedy)
})

test.each(['policy.fault', 'policy.timeout'] as const)('a %s is a denial of its own rule', (rule) => {
  const verdict = verdictOf({ ok: false, rule, detail: 'SELECT secret' }, question)
  expect(verdict).toMatchObject({ verdict: 'deny', reasons: [{ rule }], masks: [], obligations: [] })
  expect(JSON.stringify(verdict)).not.toContain('secret')
})

test('an undefined decision is a denial', () => {
  expect(ruleOf(undefined)).toBe('policy.undefined')
  expect(judged(undefined).verdict).toBe('deny')
})

test.each<[string, unknown]>([
  ['no object', true],
  ['a list', [allow]],
  ['null', null],
  ['a missing member', { verdict: 'allow', reasons: [], masks: [] }],
  ['a member too many', { ...allow, extra: 1 }],
  ['an unknown verdict', { ...allow, verdict: 'Allow' }],
  ['a verdict that is no text', { ...allow, verdict: true }],
  ['reasons that are no list', { ...allow, reasons: {} }],
  ['a reason that is a text', { ...allow, reasons: ['because'] }],
  ['a reason without a rule', { ...deny, reasons: [{ ...reason, rule: '' }] }],
  ['an unknown severity', { ...deny, reasons: [{ ...reason, severity: 'fatal' }] }],
  ['an effect that is not there', { ...deny, reasons: [{ ...reason, effect: 2 }] }],
  ['a negative effect', { ...deny, reasons: [{ ...reason, effect: -1 }] }],
  ['half an effect', { ...deny, reasons: [{ ...reason, effect: 0.5 }] }],
  ['a control that is no text', { ...deny, reasons: [{ ...reason, controls: [1] }] }],
  ['a message that is too long', { ...deny, reasons: [{ ...reason, message: 'x'.repeat(5000) }] }],
  ['a remedy without a hint', { ...deny, reasons: [{ ...reason, remedy: {} }] }],
  ['an inherited name', { ...deny, reasons: [{ ...reason, toString: 1 }] }],
  ['too many reasons', { ...deny, reasons: Array.from({ length: 1025 }, () => reason) }],
  ['a deny without a reason', { ...deny, reasons: [] }],
  ['a deny with masks', { ...deny, masks: [mask] }],
  ['a deny with obligations', { ...deny, obligations: [obligation] }],
  ['an allow with masks', { ...allow, masks: [mask] }],
  ['a mask without masks', { ...masked, masks: [] }],
  ['a mask without a reason', { ...masked, reasons: [] }],
  ['an unknown method', { ...masked, masks: [{ ...mask, method: 'none' }] }],
  ['a place masked in two ways', { ...masked, masks: [mask, { ...mask, method: 'redact' }] }],
  ['an obligation without a type', { ...allow, obligations: [{ id: 'x', properties: {} }] }],
])('%s is ill-typed, which denies', (_name, value) => {
  expect(judged(value)).toMatchObject({
    verdict: 'deny',
    reasons: [{ rule: 'policy.ill_typed' }],
    masks: [],
    obligations: [],
  })
})

test.each<[string, unknown, typeof question | { effects: number; lineage: Lineage | null }]>([
  ['a column that is not there', { ...masked, masks: [{ ...mask, index: 2 }] }, question],
  ['another name', { ...masked, masks: [{ ...mask, field: 'id' }] }, question],
  ['a result without lineage', masked, { effects: 1, lineage: null }],
  ['a result of which columns are unknown', masked, { effects: 1, lineage: { ...lineage, complete: false } }],
  ['a result that can not be masked', masked, { effects: 1, lineage: { ...lineage, maskable: false } }],
])('a mask for %s denies', (_name, value, asked) => {
  expect(verdictOf({ ok: true, value }, asked)).toMatchObject({
    verdict: 'deny',
    reasons: [{ rule: 'policy.ill_typed' }],
  })
})

test('the worst reason is first, one of the whole command before those of its effects', () => {
  const reasons = [
    { ...reason, effect: 1 },
    { ...reason, effect: null },
    { ...reason, severity: 'critical', effect: 1 },
    { ...reason, effect: 0, rule: 'b' },
    { ...reason, effect: 0, rule: 'a' },
  ]
  expect(
    judged({ ...deny, reasons }).reasons.map(({ effect, rule, severity }) => [severity, effect, rule]),
  ).toEqual([
    ['critical', 1, 'sql.drop'],
    ['high', null, 'sql.drop'],
    ['high', 0, 'a'],
    ['high', 0, 'b'],
    ['high', 1, 'sql.drop'],
  ])
})

test('the order in which a policy says things changes nothing', () => {
  const reasons = [
    reason,
    { ...reason, effect: 1 },
    { ...reason, effect: null, message: 'a' },
    { ...reason, effect: null, message: 'b', controls: ['b', 'a'] },
    { ...reason, severity: 'low' },
    { ...reason, remedy: { hint: 'Ask.' } },
  ]
  const sorted = JSON.stringify(judged({ ...deny, reasons }))
  assert(
    property(shuffledSubarray(reasons, { minLength: reasons.length }), (order) => {
      expect(JSON.stringify(judged({ ...deny, reasons: [...order, ...order] }))).toBe(sorted)
    }),
  )
})

test('nothing that a policy can say becomes more than a verdict that fits', () => {
  const anything = record({
    verdict: constantFrom('allow', 'deny', 'mask'),
    reasons: jsonValue(),
    masks: jsonValue(),
    obligations: constant([]),
  })
  assert(
    property(anything, (value) => {
      const verdict = judged(value)
      expect(['allow', 'deny', 'mask']).toContain(verdict.verdict)
      expect(verdict.verdict === 'allow' && Array.isArray(value.masks) && value.masks.length > 0).toBe(false)
    }),
  )
})
