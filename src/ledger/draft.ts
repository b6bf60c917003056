/** From a judged action to the record that the ledger is asked to keep, of texts that are made already. */
import { canonicalJson, canonicalObject } from '../action/canonical.ts'
import type { CanonicalJson } from '../action/canonical.ts'
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
    rules: listedOnly(rulesOf(verdict), ruleName, listed),
    controls: listedOnly(controlsOf(verdict), controlName, listed),
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
    output: verdictText(judged, verdict),
    secret: recorded.values.length === 0 ? null : canonicalJson({ values: recorded.values }),
  }
}

/** Canonical text of what was answered: `{columns, masks, obligations, reasons, rewrite, verdict}`. */
export function verdictText(judged: Pick<Judged, 'analysis'>, verdict: Verdict): CanonicalJson {
  return canonicalObject([
    ['columns', canonicalJson(resultColumns(judged))],
    ['masks', canonicalJson(verdict.masks)],
    ['obligations', canonicalJson(verdict.obligations)],
    ['reasons', canonicalJson(verdict.reasons)],
    ['rewrite', nullText],
    ['verdict', canonicalJson(verdict.verdict)],
  ])
}

function rulesOf({ reasons, masks }: Verdict): readonly string[] {
  return [...reasons, ...masks].map(({ rule }) => rule)
}

function controlsOf({ reasons }: Verdict): readonly string[] {
  return reasons.flatMap(({ controls }) => controls)
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

/** What is searchable of a judgement. */
export function searchTerms({ action, actor, resolved }: Judged, verdict: Verdict): SearchTerms {
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

const ruleName = /^[a-z0-9_.:-]{1,64}$/
// Control catalogues write theirs in capitals: `soc2:CC6.1`.
const controlName = /^[A-Za-z0-9_.:-]{1,64}$/

/** A policy's output reaches a leaf only by names that the bundle has declared: nothing is smuggled out. */
function listedOnly(names: readonly string[], form: RegExp, listed: ReadonlySet<string>): readonly string[] {
  if (names.length === 0) return names
  return sortedUnique(
    names.map((name) => (form.test(name) && (listed.has(name) || ownRules.has(name)) ? name : 'unlisted')),
  )
}

function sortedUnique(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)].sort()
}
