/**
 * A leaf: the bytes of one ledger entry. RFC 8785 (JCS) text of a closed object, at most 65,535
 * bytes, put together by hand in sorted order: the object is flat and its order never changes.
 */
import { isUuid7 } from './uuid7.ts'
import type { Role } from './payload.ts'
import type { PolicyRef } from '../policy/verdict.ts'
import type { DecisionRecord, EventRecord } from './record.ts'

/** An entry's length is written as uint16 in a tile. */
export const MAX_LEAF_BYTES = 65_535
const MAX_MEMBERS = 64
const MAX_MEMBER_BYTES = 128
const MAX_REF_BYTES = 512
const LONE_SURROGATE = /\p{Surrogate}/u
/** Short enough, and the same in JSON. */
const PLAIN = /^[A-Za-z0-9_.:-]{0,128}$/

/** What all leaves of a stream share. */
export interface LeafSource {
  readonly origin: string
  readonly stream: string
  readonly tenant: string
  /** Program and version, as in `countersign/1.0.0`. */
  readonly engine: string
}

/** Where a record stands: given to it by sealing. */
export interface LeafPlace {
  readonly id: string
  /** Dense within the stream, from 0. */
  readonly seq: number
  /** RFC 3339, UTC, three digits. */
  readonly time: string
}

/** Blind indexes of a decision, base64url. */
export interface LeafIndexes {
  readonly actorIx: string
  readonly targetIx: string
}

/** Commitments by role, base64url. */
export type Commitments = Partial<Readonly<Record<Role, string>>>

/** A leaf, read. Members that a kind does not have are absent. */
export interface Leaf {
  readonly v: 1
  readonly origin: string
  readonly kind: string
  readonly id: string
  readonly stream: string
  readonly seq: number
  readonly time: string
  readonly tenant: string
  readonly engine: string
  readonly ref?: string
  readonly verdict?: 'allow' | 'deny' | 'mask'
  readonly categories?: readonly string[]
  readonly rules?: readonly string[]
  readonly controls?: readonly string[]
  readonly cut?: readonly string[]
  readonly policy?: { readonly bundle: string; readonly revision: string; readonly digest: string }
  readonly facts?: string
  readonly actorIx?: string
  readonly targetIx?: string
  readonly commitments: Commitments
}

/** Leaf texts of one stream: what never changes in it is quoted once. */
export class LeafTexts {
  private readonly engine: string
  private readonly origin: string
  private readonly stream: string
  private readonly tenant: string
  /** One bundle judges many decisions in a row: its text is made once. */
  private policy: { readonly ref: PolicyRef; readonly text: string } | null = null

  constructor(source: LeafSource) {
    this.engine = `"engine":${JSON.stringify(source.engine)}`
    this.origin = `"origin":${JSON.stringify(source.origin)}`
    this.stream = `"stream":${JSON.stringify(source.stream)}`
    this.tenant = `"tenant":${JSON.stringify(source.tenant)}`
  }

  decision(record: DecisionRecord, place: LeafPlace, commitments: string, indexes: LeafIndexes): string {
    const cut: string[] = []
    const categories = listText('categories', record.categories, cut)
    const controls = listText('controls', record.controls, cut)
    const rules = listText('rules', record.rules, cut)
    return (
      `{"actorIx":"${indexes.actorIx}","categories":${categories},"commitments":${commitments}` +
      `,"controls":${controls},"cut":${JSON.stringify(cut)},${this.engine},"facts":${JSON.stringify(record.facts)}` +
      `,"id":"${place.id}","kind":"decision",${this.origin},${this.policyText(record.policy)},"rules":${rules}` +
      `,"seq":${place.seq},${this.stream},"targetIx":"${indexes.targetIx}",${this.tenant}` +
      `,"time":"${place.time}","v":1,"verdict":"${record.verdict}"}`
    )
  }

  /** Throws RangeError when `ref` is longer than 512 bytes. */
  event(record: EventRecord, place: LeafPlace, commitments: string): string {
    const ref = JSON.stringify(record.ref)
    if (Buffer.byteLength(ref) > MAX_REF_BYTES) throw new RangeError('the reference of an event is too long')
    return (
      `{"commitments":${commitments},${this.engine},"id":"${place.id}","kind":"${record.kind}",${this.origin}` +
      `,"ref":${ref},"seq":${place.seq},${this.stream},${this.tenant},"time":"${place.time}","v":1}`
    )
  }

  private policyText(ref: PolicyRef): string {
    if (this.policy?.ref === ref) return this.policy.text
    const { bundle, digest, revision } = ref
    const text = `"policy":{"bundle":${JSON.stringify(bundle)},"digest":${JSON.stringify(digest)},"revision":${JSON.stringify(revision)}}`
    this.policy = { ref, text }
    return text
  }
}

/** A list as a leaf may hold it: its name goes to `cut` when anything had to be left out. */
function listText(name: string, members: readonly string[], cut: string[]): string {
  if (members.length === 0) return '[]'
  const kept: string[] = []
  for (const member of members) {
    if (kept.length === MAX_MEMBERS) break
    if (PLAIN.test(member)) kept.push(`"${member}"`)
    else {
      const text = JSON.stringify(member)
      if (Buffer.byteLength(text) <= MAX_MEMBER_BYTES + 2 && !LONE_SURROGATE.test(member)) kept.push(text)
    }
  }
  if (kept.length < members.length) cut.push(name)
  return `[${kept.join(',')}]`
}

/** Reads a stored leaf. Throws SyntaxError or RangeError when it is none that this version knows. */
export function parseLeaf(bytes: Uint8Array): Leaf {
  const leaf = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Leaf> | null
  if (
    leaf?.v !== 1 ||
    typeof leaf.id !== 'string' ||
    !isUuid7(leaf.id) ||
    typeof leaf.commitments !== 'object'
  ) {
    throw new RangeError('not a leaf of version 1')
  }
  return leaf as Leaf
}
