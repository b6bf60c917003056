/**
 * VERB: actions -> what policy says of them. Nothing is recorded yet, and nothing may be answered yet.
 *
 * One snapshot of the policy judges all of them, so the bundle that judged is the bundle that is recorded
 * even if another is activated meanwhile.
 */
import type { Action } from './action/action.ts'
import { actionTexts } from './action/texts.ts'
import { PdpError } from './errors.ts'
import type { Analysis } from './intent/analysis.ts'
import { recordedCommand } from './intent/redact.ts'
import { verifyActor, type Claims } from './policy/actor.ts'
import { batchTotals } from './policy/batch.ts'
import { policyInput, type Judged, type PolicyInput } from './policy/input.ts'
import { resolveTarget } from './policy/target.ts'
import { verdictOf } from './policy/raw-verdict.ts'
import type { Verdict } from './policy/verdict.ts'
import type { PolicyInForce, Ports, Principal } from './ports.ts'

/** An action with its verdict, and all that the verdict rests on. */
export interface Judgement {
  readonly judged: Judged
  readonly input: PolicyInput
  readonly verdict: Verdict
}

/** An action whose caller may ask it: actor and target are verified, nothing is analysed. */
export type Admitted = Pick<Judged, 'action' | 'texts' | 'actor' | 'resolved'>

/** Fairness: callers are told apart by issuer and subject. */
export function callerKey({ caller }: Principal): string {
  return `${caller.issuer}\n${caller.id}`
}

/** The policy that judges now. Throws `policy.missing` when there is none. */
export function policyInForce(ports: Ports): PolicyInForce {
  const policy = ports.policy.inForce()
  if (policy === null) {
    throw new PdpError('policy.missing', 'no bundle of policies is loaded', { retryAfterSeconds: 1 })
  }
  return policy
}

/** Throws `actor.forbidden`, `target.forbidden` or `facts.forbidden` when the token does not reach so far. */
export function admit(policy: PolicyInForce, principal: Principal, action: Action): Admitted {
  const claims: Claims = { ...principal, subject: principal.caller.id }
  const texts = actionTexts(action)
  return {
    action,
    texts,
    actor: verifyActor(action.actor, claims),
    resolved: resolveTarget({ action, data: policy.data, claims, factsText: texts.facts }),
  }
}

/** Judges admitted actions; of one batch, if there are several. Never throws for what a command or a policy does. */
export async function judge(
  ports: Ports,
  policy: PolicyInForce,
  principal: Principal,
  admitted: readonly Admitted[],
): Promise<readonly Judgement[]> {
  const requests = admitted.map(({ action, resolved }) => ({
    command: action.command,
    target: resolved.analysis,
  }))
  const analyses = await ports.analyser.analyse(requests, callerKey(principal))
  const now = ports.clock.now()
  const batch = batchTotals(admitted, analyses)
  const judged = admitted.map((one, at): Judged => ({
    ...one,
    analysis: analysisAt(analyses, at),
    recorded: recordedCommand(one.action.command, analysisAt(analyses, at)),
    caller: principal.caller,
    data: policy.data,
    now,
    grants: [],
    batch: batch[at] ?? [],
  }))
  const inputs = judged.map((one) => policyInput(one))
  const raw = await policy.evaluate(inputs)
  return judged.map((one, at) => {
    const [input, said] = [inputs[at], raw[at]]
    if (input === undefined || said === undefined) throw missing('verdict', at)
    return {
      judged: one,
      input,
      verdict: verdictOf(said, { effects: input.effects, lineage: one.analysis.lineage }),
    }
  })
}

function analysisAt(analyses: readonly Analysis[], at: number): Analysis {
  const analysis = analyses[at]
  if (analysis === undefined) throw missing('analysis', at)
  return analysis
}

function missing(what: string, at: number): PdpError {
  return new PdpError('internal', `expected a ${what} for action ${at}, found none`)
}
