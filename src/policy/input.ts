/**
 * The document that policies read, assembled of canonical texts that are each made once: policy,
 * payload and receipt share them.
 */
import { hash } from 'node:crypto'
import type { Action, Caller } from '../action/action.ts'
import { canonicalJson, canonicalObject, canonicalString } from '../action/canonical.ts'
import type { CanonicalJson } from '../action/canonical.ts'
import type { ActionTexts } from '../action/texts.ts'
import type { Analysis } from '../intent/analysis.ts'
import type { CutCommand } from '../intent/redact.ts'
import { intentText, lineageText } from '../intent/text.ts'
import type { VerifiedActor } from './actor.ts'
import type { BatchTotal } from './batch.ts'
import type { BundleData } from './bundle.ts'
import { ownPlace, placeOf } from './places.ts'
import type { ResolvedTarget } from './target.ts'

/** All that a judgement rests on. */
export interface Judged {
  readonly action: Action
  readonly texts: ActionTexts
  /** The command as it is recorded: secrets cut out. */
  readonly recorded: CutCommand
  readonly analysis: Analysis
  readonly resolved: ResolvedTarget
  readonly actor: VerifiedActor
  readonly caller: Caller
  readonly data: BundleData
  readonly now: Date
  /** The active grants that cover this actor and target. */
  readonly grants: readonly unknown[]
  /** What the actor's other actions in the same batch add to this one's effects. */
  readonly batch: readonly BatchTotal[]
}

/** Members of the input that the ledger's parts use again. */
export interface InputParts {
  readonly actor: CanonicalJson
  readonly caller: CanonicalJson
  /** With secrets cut out, and the digest of what is left. */
  readonly command: CanonicalJson
  readonly context: CanonicalJson
  readonly intent: CanonicalJson
  readonly lineage: CanonicalJson
  readonly target: CanonicalJson
  readonly time: CanonicalJson
}

/** What the evaluator is given. */
export interface PolicyInput {
  readonly json: CanonicalJson
  readonly effects: number
  readonly parts: InputParts
}

const emptyObject = canonicalJson({})
const emptyList = canonicalJson([])

/** The input document of one action. */
export function policyInput(judged: Judged): PolicyInput {
  const { analysis, resolved } = judged
  const parts = inputParts(judged)
  const json = canonicalObject([
    ['actor', parts.actor],
    ['batch', judged.batch.length === 0 ? emptyList : canonicalJson(judged.batch)],
    ['caller', parts.caller],
    ['checks', resolved.checks.length === 0 ? emptyList : canonicalJson(resolved.checks)],
    ['command', parts.command],
    ['context', parts.context],
    ['grants', judged.grants.length === 0 ? emptyList : canonicalJson(judged.grants)],
    ['intent', parts.intent],
    ['lineage', parts.lineage],
    ['places', placesText(judged)],
    ['target', parts.target],
    ['time', parts.time],
  ])
  return { json, effects: analysis.intent.effects.length, parts }
}

function inputParts(judged: Judged): InputParts {
  const { texts, analysis, resolved } = judged
  return {
    actor: canonicalJson(judged.actor),
    caller: callerText(judged.caller),
    command: commandText(judged),
    context: texts.context ?? emptyObject,
    intent: intentText(analysis.intent),
    lineage: lineageText(analysis.lineage),
    target: resolved.text,
    time: canonicalString(judged.now.toISOString()),
  }
}

const callerTexts = new WeakMap<Caller, CanonicalJson>()

/** A verified token is cached, and its caller's text with it. */
function callerText(caller: Caller): CanonicalJson {
  const held = callerTexts.get(caller)
  if (held !== undefined) return held
  const { id, issuer, scopes } = caller
  const made = canonicalJson({ id, issuer, scopes: [...scopes].sort() })
  callerTexts.set(caller, made)
  return made
}

/**
 * The digest is of the command without its secrets: of the whole one it would let anybody who reads
 * the record try passwords.
 */
function commandText({ action, recorded, texts }: Judged): CanonicalJson {
  const { command } = recorded
  const text = command === action.command ? texts.command : canonicalJson(command)
  const digest = `"digest":"sha256:${hash('sha256', text, 'hex')}"`
  // A free command may have a member of that name, which must not stand for ours.
  const whole = Object.hasOwn(command, 'digest') ? canonicalJson({ ...command, digest: undefined }) : text
  // Spliced in where it belongs, so that the long text behind it is not written a second time.
  const head = headBefore('digest', command)
  const rest = whole.slice(head.length)
  if (head === '{') return `{${digest}${rest === '}' ? '' : ','}${rest}` as CanonicalJson
  return `${head},${digest}${rest}` as CanonicalJson
}

/** The beginning of an object's canonical text: all members before a name, without a comma behind. */
function headBefore(end: string, members: Readonly<Record<string, unknown>>): string {
  let head = '{'
  for (const name of Object.keys(members).sort()) {
    if (name >= end) return head
    if (members[name] === undefined) continue
    head += `${head.length === 1 ? '' : ','}${canonicalString(name)}:${canonicalJson(members[name])}`
  }
  return head
}

/** One place per effect, in their order. */
function placesText({ analysis, resolved, data }: Judged): CanonicalJson {
  const { place } = resolved
  const here = canonicalJson(ownPlace(place))
  const places = analysis.intent.effects.map((effect) =>
    effect.endpoint === null ? here : canonicalJson(placeOf(effect, place, data)),
  )
  return `[${places.join(',')}]` as CanonicalJson
}
