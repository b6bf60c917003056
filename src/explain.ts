/** VERB: action -> its intent and what the rules say, recorded as a query. No receipt, no permission. */
import type { Action } from './action/action.ts'
import { canonicalObject } from './action/canonical.ts'
import { PdpError } from './errors.ts'
import { admit, callerKey, judge, policyInForce, type Judgement } from './judge.ts'
import { searchTerms, verdictText } from './ledger/draft.ts'
import type { EventRecord } from './ledger/record.ts'
import type { Ports, Principal } from './ports.ts'

/** The `ExplainResponse`, serialised. Rejects as `decide` does. */
export async function explain(
  ports: Ports,
  { principal, action }: { readonly principal: Principal; readonly action: Action },
): Promise<string> {
  const policy = policyInForce(ports)
  const [judgement] = await judge(ports, policy, principal, [admit(policy, principal, action)])
  if (judgement === undefined) throw new PdpError('internal', 'expected a judgement, found none')
  const unit = {
    records: [query(judgement, policy.ref.digest)],
    claim: null,
    callerKey: callerKey(principal),
  }
  const outcome = await ports.ledger.append(unit)
  const sealed = outcome.status === 'committed' ? outcome.sealed[0] : undefined
  if (sealed === undefined) throw new PdpError('internal', 'expected a sealed record, found none')
  const { verdict, input } = judgement
  return (
    `{"queryId":"${sealed.id}","verdict":"${verdict.verdict}","reasons":${JSON.stringify(verdict.reasons)},` +
    `"masks":${JSON.stringify(verdict.masks)},"obligations":${JSON.stringify(verdict.obligations)},` +
    `"intent":${input.parts.intent},"lineage":${input.parts.lineage},"policy":${JSON.stringify(policy.ref)},` +
    `"recordedAt":"${sealed.time.toISOString()}"}`
  )
}

/** The question with what was answered; secrets that were cut out are kept nowhere. */
function query({ judged, input, verdict }: Judgement, digest: string): EventRecord {
  const { parts } = input
  return {
    kind: 'query',
    ref: digest,
    body: canonicalObject([
      ['actor', parts.actor],
      ['caller', parts.caller],
      ['command', parts.command],
      ['context', parts.context],
      ['intent', parts.intent],
      ['output', verdictText(judged, verdict)],
      ['target', parts.target],
    ]),
    search: searchTerms(judged, verdict),
  }
}
