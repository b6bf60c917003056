/** What a record says, opened: compared with the question, and shaped into an answer. */
import { claimCovers } from '../action/patterns.ts'
import type { EvidenceItem, EvidenceQuery, EvidenceRecord } from '../evidence/query.ts'
import type { Leaf } from '../ledger/entry.ts'
import type { OpenedRecord } from './open-record.ts'

type Members = Readonly<Record<string, unknown>>
type Filters = EvidenceQuery['filters']

/** The members of a record that can be asked for, whatever its kind. */
interface Facts {
  readonly leaf: Leaf
  readonly actor: Members
  readonly target: Members
  readonly context: Members
  readonly command: Members
  readonly intent: Members
  readonly output: Members
}

const NOTHING: Members = {}

/** Reads how a record answers each filter. */
const ANSWERS: Readonly<Record<keyof Filters, (facts: Facts, wanted: string) => boolean>> = {
  actor: ({ actor }, wanted) => actor['id'] === wanted,
  actorType: ({ actor }, wanted) => actor['type'] === wanted,
  target: ({ target }, wanted) => target['id'] === wanted,
  system: ({ target }, wanted) => target['system'] === wanted,
  environment: ({ target }, wanted) => target['environment'] === wanted,
  verdict: ({ leaf }, wanted) => leaf.verdict === wanted,
  rule: ({ leaf, output }, wanted) => listHas(leaf, 'rules', wanted) ?? ruleIds(output).includes(wanted),
  category: ({ leaf, intent }, wanted) =>
    listHas(leaf, 'categories', wanted) ?? strings(members(intent['summary'])['categories']).includes(wanted),
  control: ({ leaf, output }, wanted) =>
    listHas(leaf, 'controls', wanted) ?? controls(output).includes(wanted),
  language: ({ command }, wanted) => command['language'] === wanted,
  policy: ({ leaf }, wanted) => leaf.policy?.digest === wanted,
  kind: ({ leaf }, wanted) => leaf.kind === wanted,
  session: ({ context }, wanted) => context['session'] === wanted,
  task: ({ context }, wanted) => context['task'] === wanted,
  ticket: ({ context }, wanted) => context['ticket'] === wanted,
}

/** Whether an opened record is what was asked for, and may be seen by who asks. */
export function answers(record: OpenedRecord, query: Pick<EvidenceQuery, 'filters' | 'readers'>): boolean {
  const facts = factsOf(record)
  if (query.readers !== null && !isReadable(facts.actor['id'], query.readers)) return false
  for (const [name, wanted] of Object.entries(query.filters)) {
    if (wanted !== undefined && !ANSWERS[name as keyof Filters](facts, wanted)) return false
  }
  return true
}

/** A record without an actor is for readers of everything. */
function isReadable(actor: unknown, readers: readonly string[]): boolean {
  return typeof actor === 'string' && claimCovers(readers, actor)
}

/** One item of a page. */
export function evidenceItem(record: OpenedRecord): EvidenceItem {
  return itemMembers(record) as EvidenceItem
}

/** One record, whole: its exact leaf, and what was opened with the salts that prove it. */
export function evidenceRecord(record: OpenedRecord): EvidenceRecord {
  const whole = {
    ...itemMembers(record),
    leaf: record.leafBytes.toString('base64url'),
    leafHash: record.leafHash.toString('base64url'),
    commitments: commitments(record),
    proof: null,
  }
  return whole as unknown as EvidenceRecord
}

function itemMembers(record: OpenedRecord): Members {
  const { leaf, payload } = record
  const common = { id: leaf.id, kind: leaf.kind, index: null, recordedAt: leaf.time }
  const ref = leaf.ref === undefined ? {} : { ref: leaf.ref }
  const erased = payload === null ? { erased: true } : {}
  if (leaf.kind !== 'decision') {
    return { ...common, ...ref, ...erased, ...(payload === null ? {} : { body: part(record, 'body') }) }
  }
  const judged = { decisionId: leaf.id, verdict: leaf.verdict, policy: leaf.policy }
  if (payload === null) return { ...common, ...judged, ...erased }
  const { actor, caller, context, target } = part(record, 'context')
  const { command, intent, time } = part(record, 'input')
  const { reasons, masks, obligations } = part(record, 'output')
  const opened = {
    decidedAt: time,
    actor,
    caller,
    target,
    context,
    command,
    intent,
    reasons,
    masks,
    obligations,
  }
  return { ...common, ...judged, ...opened, receipt: payload.receipt?.jws }
}

function commitments({ leaf, payload }: OpenedRecord): Members {
  const all: Record<string, unknown> = {}
  for (const [role, commitment] of Object.entries(leaf.commitments)) {
    const opened = payload?.parts.get(role)
    all[role] =
      opened === undefined
        ? { commitment }
        : { commitment, salt: opened.salt.toString('base64url'), part: JSON.parse(opened.text) as unknown }
  }
  return all
}

function factsOf(record: OpenedRecord): Facts {
  const isDecision = record.leaf.kind === 'decision'
  const body = part(record, 'body')
  const context = isDecision ? part(record, 'context') : body
  const input = isDecision ? part(record, 'input') : body
  return {
    leaf: record.leaf,
    actor: members(context['actor']),
    target: members(context['target']),
    context: members(context['context']),
    command: members(input['command']),
    intent: members(input['intent']),
    output: isDecision ? part(record, 'output') : NOTHING,
  }
}

function part(record: OpenedRecord, role: string): Members {
  const text = record.payload?.parts.get(role)?.text
  return text === undefined ? NOTHING : members(JSON.parse(text))
}

/** Whether a leaf's list has a member; undefined when the list was cut, and only the payload knows. */
function listHas(leaf: Leaf, list: 'rules' | 'categories' | 'controls', wanted: string): boolean | undefined {
  if (leaf[list]?.includes(wanted) === true) return true
  return leaf.cut?.includes(list) === true ? undefined : false
}

function ruleIds(output: Members): readonly string[] {
  return [...objects(output['reasons']), ...objects(output['masks'])].map(({ rule }) => String(rule))
}

function controls(output: Members): readonly string[] {
  return objects(output['reasons']).flatMap((reason) => strings(reason['controls']))
}

function members(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : NOTHING
}

function objects(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.map(members) : []
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string') : []
}
