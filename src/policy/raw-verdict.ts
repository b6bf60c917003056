/**
 * Whatever the evaluator came back with -> a Verdict. A policy is other people's code: its answer is
 * believed only if it has exactly the shape of a verdict and fits the question. Anything else denies.
 */
import { canonicalJson } from '../action/canonical.ts'
import type { Lineage } from '../intent/intent.ts'
import type { Mask, Obligation, RawVerdict, Reason, Verdict } from './verdict.ts'

/** What a verdict must fit. */
export interface JudgedQuestion {
  /** How many effects the intent names: a reason's `effect` is the index of one. */
  readonly effects: number
  readonly lineage: Lineage | null
}

const maxItems = 1024
const maxText = 4096
const severities = ['critical', 'high', 'medium', 'low', 'info'] as const
const methods = ['redact', 'null', 'hash', 'partial', 'tokenize'] as const

type Fields = Readonly<Record<string, unknown>>

/** The verdict, sorted so that the same answer gives the same bytes whatever order the policy's sets had. */
export function verdictOf(raw: RawVerdict, question: JudgedQuestion): Verdict {
  if (!raw.ok) return denial(raw.rule)
  if (raw.value === undefined) return denial('policy.undefined')
  const verdict = typedVerdict(raw.value, question)
  return verdict ?? denial('policy.ill_typed')
}

const denials = {
  'policy.fault':
    'The policy failed while it judged this, so nothing is allowed. Its operator finds the cause in the log.',
  'policy.timeout':
    'The policy did not come to an end in time, so nothing is allowed. Ask again with a smaller command.',
  'policy.undefined': 'The policy has no decision on this, and what is not decided is denied.',
  'policy.ill_typed':
    'The policy answered something that is no verdict on this question, and what can not be read is denied.',
} as const

function denial(rule: keyof typeof denials): Verdict {
  const reason: Reason = { rule, severity: 'high', effect: null, message: denials[rule], controls: [] }
  return { verdict: 'deny', reasons: [reason], masks: [], obligations: [] }
}

function typedVerdict(value: unknown, question: JudgedQuestion): Verdict | undefined {
  if (!hasShape(value, shapes.verdict)) return undefined
  const reasons = items(value['reasons'], (reason) => typedReason(reason, question.effects))
  const masks = items(value['masks'], (mask) => typedMask(mask, question.lineage))
  const obligations = items(value['obligations'], typedObligation)
  if (reasons === undefined || masks === undefined || obligations === undefined) return undefined
  const found = {
    reasons: sorted(reasons, reasonOrder),
    masks: sorted(masks, maskOrder),
    obligations: sorted(obligations, obligationOrder),
  }
  return consistent(value['verdict'], found)
}

/** A deny says why and asks for nothing; a mask masks; an allow does not. */
function consistent(verdict: unknown, found: Omit<Verdict, 'verdict'>): Verdict | undefined {
  const { reasons, masks, obligations } = found
  switch (verdict) {
    case 'deny':
      return reasons.length > 0 && masks.length + obligations.length === 0 ? { verdict, ...found } : undefined
    case 'mask':
      return reasons.length > 0 && masks.length > 0 && !doubled(masks) ? { verdict, ...found } : undefined
    case 'allow':
      return masks.length === 0 ? { verdict, ...found } : undefined
    default:
      return undefined
  }
}

/** Whether one place is masked in two ways: which of them holds would be up to whoever applies them. */
function doubled(masks: readonly Mask[]): boolean {
  return new Set(masks.map(({ index, path }) => JSON.stringify([index, path]))).size < masks.length
}

type Check = (value: unknown) => boolean

interface Shape {
  readonly required: Readonly<Record<string, Check>>
  readonly optional: Readonly<Record<string, Check>>
}

const isText: Check = (value) => typeof value === 'string' && value.length <= maxText
const isName: Check = (value) => typeof value === 'string' && value !== '' && value.length <= 256
const isList: Check = (value) => Array.isArray(value) && value.length <= maxItems
const isIndex: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const isOneOf =
  (words: readonly string[]): Check =>
  (value) =>
    words.some((word) => word === value)
const isNames: Check = (value) => isList(value) && (value as readonly unknown[]).every(isName)

const remedyShape: Shape = {
  required: { hint: isText },
  optional: { grantRequest: isText, suggestion: isText },
}

const shapes = {
  verdict: {
    required: { verdict: isText, reasons: isList, masks: isList, obligations: isList },
    optional: {},
  },
  reason: {
    required: {
      rule: isName,
      severity: isOneOf(severities),
      effect: (value) => value === null || isIndex(value),
      message: isText,
      controls: isNames,
    },
    optional: { remedy: (value) => hasShape(value, remedyShape) },
  },
  mask: {
    required: { rule: isName, index: isIndex, field: isText, source: isText, method: isOneOf(methods) },
    optional: { path: isText, params: isObject },
  },
  obligation: { required: { id: isName, type: isName, properties: isObject }, optional: {} },
} satisfies Record<string, Shape>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasShape(value: unknown, shape: Shape): value is Fields {
  if (!isObject(value)) return false
  for (const [name, check] of Object.entries(shape.required)) {
    if (!Object.hasOwn(value, name) || !check(value[name])) return false
  }
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(shape.required, name)) continue
    const check = Object.hasOwn(shape.optional, name) ? shape.optional[name] : undefined
    if (check === undefined || !check(value[name])) return false
  }
  return true
}

function items<T>(list: unknown, typed: (item: unknown) => T | undefined): readonly T[] | undefined {
  const found: T[] = []
  for (const item of list as readonly unknown[]) {
    const one = typed(item)
    if (one === undefined) return undefined
    found.push(one)
  }
  return found
}

function typedReason(value: unknown, effects: number): Reason | undefined {
  if (!hasShape(value, shapes.reason)) return undefined
  const reason = value as unknown as Reason
  if (reason.effect !== null && reason.effect >= effects) return undefined
  return { ...reason, controls: [...new Set(reason.controls)].sort() }
}

/** A mask that names another column than it counts would show what it should hide. */
function typedMask(value: unknown, lineage: Lineage | null): Mask | undefined {
  if (!hasShape(value, shapes.mask) || lineage === null) return undefined
  const mask = value as unknown as Mask
  const column = lineage.columns[mask.index]
  const fits =
    lineage.complete && lineage.maskable && column?.index === mask.index && column.name === mask.field
  return fits ? mask : undefined
}

function typedObligation(value: unknown): Obligation | undefined {
  return hasShape(value, shapes.obligation) ? (value as unknown as Obligation) : undefined
}

type Key = readonly (string | number)[]

/** The worst first; of the whole command before those of its effects. */
function reasonOrder(reason: Reason): Key {
  return [severities.indexOf(reason.severity), reason.effect ?? -1, reason.rule, reason.message]
}

function maskOrder(mask: Mask): Key {
  return [mask.index, mask.path ?? '', mask.rule, mask.method]
}

function obligationOrder(obligation: Obligation): Key {
  return [obligation.id, obligation.type]
}

/** By key, then by canonical text; what is there twice is there once. */
function sorted<T>(list: readonly T[], key: (item: T) => Key): readonly T[] {
  if (list.length < 2) return list
  const keyed = list.map((item) => ({ item, key: [...key(item), canonicalJson(item)] }))
  keyed.sort((one, other) => compareKeys(one.key, other.key))
  return keyed
    .filter(({ key }, at) => at === 0 || compareKeys(key, keyed[at - 1]?.key ?? []) !== 0)
    .map(({ item }) => item)
}

function compareKeys(one: Key, other: Key): number {
  for (const [at, part] of one.entries()) {
    const counterpart = other[at]
    if (counterpart === undefined || part === counterpart) continue
    return part < counterpart ? -1 : 1
  }
  return 0
}
