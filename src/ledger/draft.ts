/** From a judged action to the record that the ledger is asked to keep, of texts that are made already. */
import { canonicalJson, canonicalObject } from '../action/canonical.ts'
import type { Judged, PolicyInput } from '../policy/input.ts'
import type { PolicyRef, Verdict } from '../policy/verdict.ts'
import type { DecisionParts, DecisionRecord, ReceiptDraft, SearchTerms } from './record.ts'

/** What was judged, by which bundle, and what it said. */
export interface Decided {
  readonly judged: Judged
  readonly input: PolicyInput
  readonly verdict: Verdict
  readonly policy: PolicyRef
  /** Rule ids and controls that the bundle's METADATA declares. */
  readonly listed: ReadonlySet<string>
  /** How long the receipt may be used, in seconds. */
  readonly lifeSeconds: number
}

/** The record of a decision, ready to be sealed. */
export function decisionRecord(decided: Decided): DecisionRecord {
  const { judged, verdict, listed } = decided
  const { action, resolved, analysis } = judged
  return {
    kind: 'decision',
    decidedAt: judged.now,
    verdict: verdict.verdict,
    categories: sortedUnique(analysis.intent.summary.categories),
    rules: listedOnly(
      [...verdict.reasons, ...verdict.masks].map(({ rule }) => rule),
      listed,
    ),
    controls: listedOnly(
      verdict.reasons.flatMap(({ controls }) => controls),
      listed,
    ),
    policy: decided.policy,
    facts: resolved.factsDigest,
    actorId: action.actor.id,
    targetId: action.target.id,
    parts: parts(decided),
    receipt: receiptDraft(decided),
    search: searchTerms(judged, verdict),
  }
}

/** Every result column's name in order, where they are all known; else null. */
export function resultColumns({ analysis: { lineage } }: Pick<Judged, 'analysis'>): readonly string[] | null {
  return lineage === null || !lineage.complete ? null : lineage.columns.map(({ name }) => name)
}

const nullText = canonicalJson(null)

function parts({ judged, input, verdict }: Decided): DecisionParts {
  const { resolved, recorded } = judged
  const made = input.parts
  return {
    context: canonicalObject([
      ['actor', made.actor],
      ['caller', made.caller],
      ['context', made.context],
      ['target', made.target],
    ]),
    input: canonicalObject([
      ['command', made.command],
      ['facts', canonicalJson({ digest: resolved.factsDigest, source: resolved.factsSource })],
      ['intent', made.intent],
      ['lineage', made.lineage],
      ['time', made.time],
    ]),
    output: canonicalObject([
      ['columns', canonicalJson(resultColumns(judged))],
      ['masks', canonicalJson(verdict.masks)],
      ['obligations', canonicalJson(verdict.obligations)],
      ['reasons', canonicalJson(verdict.reasons)],
      ['rewrite', nullText],
      ['verdict', canonicalJson(verdict.verdict)],
    ]),
    secret: recorded.values.length === 0 ? null : canonicalJson({ values: recorded.values }),
  }
}

function receiptDraft({ judged, verdict, lifeSeconds }: Decided): ReceiptDraft {
  const { masks, obligations } = verdict
  const isMask = verdict.verdict === 'mask'
  return {
    azp: judged.caller.id,
    sub: judged.action.actor.id,
    action: judged.texts.action,
    masks: isMask ? canonicalJson({ columns: resultColumns(judged), masks, rewrite: null }) : null,
    obligations: obligations.length === 0 ? null : canonicalJson(obligations),
    lifeSeconds,
  }
}

function searchTerms({ action, actor, resolved }: Judged, verdict: Verdict): SearchTerms {
  const { session = null, task = null, ticket = null } = action.context ?? {}
  return {
    actor: action.actor.id,
    actorType: actor.type,
    target: action.target.id,
    system: resolved.place.system,
    environment: resolved.place.environment,
    language: action.command.language,
    session,
    task,
    ticket,
    text: verdict.reasons.map(({ message }) => message).join('\n'),
  }
}

/** The service's own rules: a leaf may always name them. */
const ownRules: ReadonlySet<string> = new Set([
  'command.malformed',
  'command.opaque',
  'policy.fault',
  'policy.timeout',
  'policy.undefined',
  'policy.ill_typed',
  'policy.uncovered',
  'grant.required',
  'target.mismatch',
  'target.dialect',
])

const leafName = /^[a-z0-9_.:-]{1,64}$/

/** A policy's output reaches a leaf only by names that the bundle has declared: nothing is smuggled out. */
function listedOnly(names: readonly string[], listed: ReadonlySet<string>): readonly string[] {
  if (names.length === 0) return names
  return sortedUnique(
    names.map((name) =>
      leafName.test(name) && (listed.has(name) || ownRules.has(name)) ? name : 'unlisted',
    ),
  )
}

function sortedUnique(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)].sort()
}
