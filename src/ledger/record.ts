/**
 * A record before it is sealed: what the ledger is asked to remember. Sealing (entry.ts) gives it
 * an id, a time, a sequence number, salts and its leaf bytes.
 *
 * Parts arrive as RFC 8785 text, made once and shared by policy input, commitment and answer.
 */
import type { CanonicalJson } from '../action/canonical.ts'
import type { PolicyRef, VerdictKind } from '../policy/verdict.ts'

/** What a decision's committed parts hold; `secret` only when something was cut out of the command. */
export interface DecisionParts {
  /** `{actor, caller, context, target}` */
  readonly context: CanonicalJson
  /** `{command, facts, intent, lineage, time}`: the command with secrets cut out, the facts' digest and source */
  readonly input: CanonicalJson
  /** `{columns, masks, obligations, reasons, rewrite, verdict}` */
  readonly output: CanonicalJson
  /** `{values: [...]}`: the strings that were cut out, in the order of `‹secret:n›` */
  readonly secret: CanonicalJson | null
}

/** What the receipt says beside what sealing knows (id, leaf, stream, seq, times). */
export interface ReceiptDraft {
  /** Caller: the token's subject. */
  readonly azp: string
  /** Actor's id. */
  readonly sub: string
  /** RFC 8785 text of the whole action, exactly as it was asked; hashed with the receipt's salt. */
  readonly action: CanonicalJson
  /** RFC 8785 text of `{columns, masks, rewrite}`, for a mask verdict. */
  readonly masks: CanonicalJson | null
  /** RFC 8785 text of the obligations, where there are any. */
  readonly obligations: CanonicalJson | null
  readonly lifeSeconds: number
}

/** What is searchable of a record: derived, erasable, never evidence. Absent is null. */
export interface SearchTerms {
  readonly actor: string | null
  readonly actorType: string | null
  readonly target: string | null
  readonly system: string | null
  readonly environment: string | null
  readonly language: string | null
  readonly session: string | null
  readonly task: string | null
  readonly ticket: string | null
  /** The reasons' messages, for full text. */
  readonly text: string
}

export interface DecisionRecord {
  readonly kind: 'decision'
  /** The policy's clock; the leaf's time is never before it. */
  readonly decidedAt: Date
  readonly verdict: VerdictKind
  /** Sorted and unique, whole; sealing cuts them to what a leaf may hold and names what was cut. */
  readonly categories: readonly string[]
  readonly rules: readonly string[]
  readonly controls: readonly string[]
  readonly policy: PolicyRef
  /** `sha256:` digest of the facts used, with their source. */
  readonly facts: string
  readonly actorId: string
  readonly targetId: string
  readonly parts: DecisionParts
  readonly receipt: ReceiptDraft
  readonly search: SearchTerms
}

/** Every kind that is no decision: explain queries, bundle steps, key and stream events, settings. */
export interface EventRecord {
  readonly kind:
    | 'query'
    | 'bundle.posted'
    | 'bundle.rejected'
    | 'bundle.activated'
    | 'bundle.retired'
    | 'key.added'
    | 'stream.opened'
    | 'stream.closed'
    | 'ledger.settings'
  /** What the event is about: an id, a digest. */
  readonly ref: string
  /** The event's own content, committed to as `commitments.body`. */
  readonly body: CanonicalJson
  readonly search: SearchTerms
}

export type LedgerRecord = DecisionRecord | EventRecord

/** A record that is durable. */
export interface SealedRecord {
  /** UUIDv7; a decision's id. */
  readonly id: string
  /** The leaf's time: never goes back within a stream. */
  readonly time: Date
  readonly stream: string
  readonly seq: number
  readonly leafHash: Uint8Array
  /** Compact JWS; empty for events. */
  readonly receipt: string
  /** base64url; empty for events. */
  readonly receiptSalt: string
  readonly expiresAt: Date | null
}
