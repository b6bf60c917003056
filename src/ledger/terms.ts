/**
 * What of a record can be searched for: field and value hashed to 32 bits. One index over the hashes
 * serves every filter. Two values may share a hash, so what is found is compared with the opened
 * record before it is answered.
 */
import type { LedgerRecord } from './record.ts'

/** Fields that can be searched for by their exact value. */
export type SearchField =
  | 'actor'
  | 'actorType'
  | 'target'
  | 'system'
  | 'environment'
  | 'verdict'
  | 'rule'
  | 'category'
  | 'control'
  | 'language'
  | 'policy'
  | 'kind'
  | 'session'
  | 'task'
  | 'ticket'

const PLAIN = [
  'actor',
  'actorType',
  'target',
  'system',
  'environment',
  'language',
  'session',
  'task',
  'ticket',
] as const

const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

const SEEDS: Readonly<Record<SearchField, number>> = {
  actor: 1,
  actorType: 2,
  target: 3,
  system: 4,
  environment: 5,
  verdict: 6,
  rule: 7,
  category: 8,
  control: 9,
  language: 10,
  policy: 11,
  kind: 12,
  session: 13,
  task: 14,
  ticket: 15,
}

/** Signed 32-bit hash of a field's value: FNV-1a over its UTF-16 units, begun with the field's number, then mixed. */
export function searchTerm(field: SearchField, value: string): number {
  let h = Math.imul(OFFSET ^ SEEDS[field], PRIME)
  for (let i = 0; i < value.length; i++) h = Math.imul(h ^ value.charCodeAt(i), PRIME)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

/** All terms of a record. */
export function termsOf(record: LedgerRecord): readonly number[] {
  const terms = [searchTerm('kind', record.kind)]
  for (const field of PLAIN) {
    const value = record.search[field]
    if (value !== null) terms.push(searchTerm(field, value))
  }
  if (record.kind === 'decision') {
    terms.push(searchTerm('verdict', record.verdict), searchTerm('policy', record.policy.digest))
    for (const rule of record.rules) terms.push(searchTerm('rule', rule))
    for (const category of record.categories) terms.push(searchTerm('category', category))
    for (const control of record.controls) terms.push(searchTerm('control', control))
  }
  return terms
}
