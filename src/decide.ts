/** VERB: actions -> decisions. One judgement, one durable write, and only then an answer. */
import type { Action } from './action/action.ts'
import { PdpError } from './errors.ts'
import { admit, callerKey, judge, policyInForce, type Admitted, type Judgement } from './judge.ts'
import { decisionRecord, resultColumns } from './ledger/draft.ts'
import type { SealedRecord } from './ledger/record.ts'
import type { PolicyRef } from './policy/verdict.ts'
import type {
  IdempotencyClaim,
  LedgerUnit,
  PolicyInForce,
  Ports,
  Principal,
  ReplayedRecord,
} from './ports.ts'

/** How long a receipt may be used. */
const receiptLifeSeconds = 60

export interface DecideQuestion {
  readonly principal: Principal
  readonly actions: readonly Action[]
  readonly claim: IdempotencyClaim | null
  /** In a batch, an action that its caller may not ask is that item's problem only. */
  readonly batch: boolean
}

/** A decision that is durable. */
export interface DecisionText {
  /** The whole `DecideResponse`, serialised. */
  readonly json: string
  readonly decisionId: string
  readonly verdict: string
  readonly replayed: boolean
  /** Microseconds by stage, for the log; of a batch, those of the whole. */
  readonly stages?: Readonly<Record<'judge' | 'record', number>>
}

/** An action that was decided, or the fault that kept it from being asked. */
export type DecisionAnswer = DecisionText | { readonly problem: PdpError }

/**
 * One answer per action, in order. Rejects with a fault of the whole question: `policy.missing`, a full
 * queue, a ledger that can't be written, an idempotency key that was used otherwise.
 */
export async function decide(ports: Ports, question: DecideQuestion): Promise<readonly DecisionAnswer[]> {
  const policy = policyInForce(ports)
  const items = question.actions.map((action) => admitItem(policy, question, action))
  const admitted = items.filter((item): item is Admitted => !('problem' in item))
  if (admitted.length === 0) return inOrder(items, [])
  const { claim } = question
  const decided =
    claim === null
      ? await decideOnce(ports, policy, question, admitted)
      : await decideClaimed(ports, policy, { ...question, claim }, admitted)
  return inOrder(items, decided)
}

function admitItem(
  policy: PolicyInForce,
  { principal, batch }: DecideQuestion,
  action: Action,
): Admitted | { readonly problem: PdpError } {
  try {
    return admit(policy, principal, action)
  } catch (error) {
    if (batch && error instanceof PdpError) return { problem: error }
    throw error
  }
}

function inOrder(
  items: readonly (Admitted | { readonly problem: PdpError })[],
  decided: readonly DecisionText[],
): readonly DecisionAnswer[] {
  let next = 0
  return items.map((item) => {
    if ('problem' in item) return item
    const answer = decided[next++]
    if (answer === undefined) {
      throw new PdpError('idempotency.conflict', 'the idempotency key was used with other actions')
    }
    return answer
  })
}

async function decideOnce(
  ports: Ports,
  policy: PolicyInForce,
  { principal, claim }: DecideQuestion,
  admitted: readonly Admitted[],
): Promise<readonly DecisionText[]> {
  const begun = performance.now()
  const judgements = await judge(ports, policy, principal, admitted)
  const judgedAt = performance.now()
  const { listed, ref } = policy
  const records = judgements.map((judgement) =>
    decisionRecord({ ...judgement, policy: ref, listed, lifeSeconds: receiptLifeSeconds }),
  )
  const unit: LedgerUnit = { records, claim, callerKey: callerKey(principal) }
  const outcome = await ports.ledger.append(unit)
  if (outcome.status === 'claimed') return replay(ports, outcome)
  const stages = { judge: micros(begun, judgedAt), record: micros(judgedAt, performance.now()) }
  return judgements.map((judgement, at) => ({
    ...decided(ports, judgement, ref, outcome.sealed[at]),
    stages,
  }))
}

function micros(from: number, to: number): number {
  return Math.round((to - from) * 1000)
}

/** Asked before? Looking first costs a read, and saves judging what is answered already; the commit decides. */
async function decideClaimed(
  ports: Ports,
  policy: PolicyInForce,
  question: DecideQuestion & { readonly claim: IdempotencyClaim },
  admitted: readonly Admitted[],
): Promise<readonly DecisionText[]> {
  const held = await ports.ledger.findClaim(question.claim)
  return held === null ? decideOnce(ports, policy, question, admitted) : replay(ports, held)
}

async function replay(
  ports: Ports,
  held: { readonly ids: readonly string[]; readonly matches: boolean },
): Promise<readonly DecisionText[]> {
  if (!held.matches) throw otherBody()
  const records = await ports.ledger.replay(held.ids)
  const now = ports.clock.now()
  if (records.some(({ expiresAt }) => expiresAt <= now)) {
    throw new PdpError(
      'decision.expired',
      'the decision for this idempotency key has expired; ask with a new key',
    )
  }
  return records.map(replayed)
}

function otherBody(): PdpError {
  return new PdpError('idempotency.conflict', 'the idempotency key was used with another body')
}

function decided(
  ports: Ports,
  { judged, input, verdict }: Judgement,
  policy: PolicyRef,
  sealed: SealedRecord | undefined,
): DecisionText {
  if (sealed?.expiresAt == null)
    throw new PdpError('internal', 'expected a receipt for each record, found none')
  ports.telemetry.verdict(verdict.verdict, judged.action.command.language)
  return decisionText({
    ...sealed,
    expiresAt: sealed.expiresAt,
    verdict: verdict.verdict,
    members: {
      reasons: JSON.stringify(verdict.reasons),
      masks: JSON.stringify(verdict.masks),
      obligations: JSON.stringify(verdict.obligations),
      intent: input.parts.intent,
      rewrite: 'null',
      columns: JSON.stringify(resultColumns(judged)),
    },
    policy,
    replayed: false,
  })
}

function replayed({ input, output, ...record }: ReplayedRecord): DecisionText {
  const member = (name: string): string => JSON.stringify(output[name] ?? null)
  return decisionText({
    ...record,
    verdict: String(output['verdict']),
    members: {
      reasons: member('reasons'),
      masks: member('masks'),
      obligations: member('obligations'),
      intent: JSON.stringify(input['intent']),
      rewrite: member('rewrite'),
      columns: member('columns'),
    },
    replayed: true,
  })
}

type Member = 'reasons' | 'masks' | 'obligations' | 'intent' | 'rewrite' | 'columns'

interface Answer extends Pick<
  ReplayedRecord,
  'id' | 'time' | 'expiresAt' | 'policy' | 'receipt' | 'receiptSalt'
> {
  readonly verdict: string
  /** JSON texts. */
  readonly members: Readonly<Record<Member, string>>
  readonly replayed: boolean
}

/** The answer's text, put together of texts that are made already. */
function decisionText(answer: Answer): DecisionText {
  const { members } = answer
  const json =
    `{"decisionId":"${answer.id}","verdict":${JSON.stringify(answer.verdict)},"reasons":${members.reasons},` +
    `"masks":${members.masks},"obligations":${members.obligations},"intent":${members.intent},` +
    `"rewrite":${members.rewrite},"columns":${members.columns},"policy":${JSON.stringify(answer.policy)},` +
    `"decidedAt":"${answer.time.toISOString()}","expiresAt":"${answer.expiresAt.toISOString()}",` +
    `"receipt":"${answer.receipt}","receiptSalt":"${answer.receiptSalt}"}`
  return { json, decisionId: answer.id, verdict: answer.verdict, replayed: answer.replayed }
}
