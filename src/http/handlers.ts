/** operationId -> verb: the only file that maps wire to domain. A missing or wrong answer does not compile. */
import type { Action } from '../action/action.ts'
import { canonicalJson } from '../action/canonical.ts'
import type { components, operations } from '../contract/openapi.d.ts'
import type { DecisionAnswer } from '../decide.ts'
import { PdpError, type Fault } from '../errors.ts'
import type { EvidenceParameters } from '../evidence/query.ts'
import type { IdempotencyClaim, Ports, Principal } from '../ports.ts'
import { limitFaults, maxChain, maxFreeBytes } from './action-limits.ts'
import { bundleOf, bundlePage, postedBundle } from './bundles.ts'
import type { Contract, OperationId, Values } from './contract.ts'
import type { Noted } from './exchange.ts'
import type { ShareGroup } from './fairness.ts'
import { problemOf } from './problem.ts'
import { maxDepth } from './strict-json.ts'
import { refuse, type FindFaults } from './validation.ts'
import type { Verbs } from './verbs.ts'

type Schemas = components['schemas']

/** A request whose token, parameters and body fit the contract. */
export interface Call {
  /** Throws for an operation that asks for no token. */
  readonly principal: Principal
  readonly values: Values
  /** As the operation's schema has it; the raw bytes when it is no JSON. */
  readonly body: unknown
  readonly bodyBytes: number
  readonly requestId: string
}

/** An answer of the contract: a status with the body that belongs to it, or with that body's JSON text. */
export type Answer<Id extends OperationId> = {
  readonly [Status in keyof operations[Id]['responses']]: operations[Id]['responses'][Status] extends {
    readonly content: infer Content
  }
    ? Content extends { 'application/json': infer Body }
      ? { readonly status: Status; readonly body: Body | JsonText } & Extras
      : Content extends { 'text/plain': string }
        ? { readonly status: Status; readonly plain: string } & Extras
        : never
    : never
}[keyof operations[Id]['responses']]

interface Extras {
  /** Names and values in turn. */
  readonly headers?: readonly string[]
  readonly noted?: Noted
}

/** A body that is serialised already. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Handlers = {
  readonly [Id in OperationId]: (call: Call) => Answer<Id> | Promise<Answer<Id>>
}

/** Which share of the caller an operation takes. */
export const shareGroups: Readonly<Partial<Record<OperationId, ShareGroup>>> = {
  decide: 'decide',
  decideBatch: 'decide',
  explain: 'decide',
  searchEvidence: 'evidence',
  readEvidence: 'evidence',
  postBundle: 'bundle',
}

/** What a handler needs beside the ports. */
export interface Service {
  readonly version: string
  readonly mode: 'evaluation' | 'production'
  /** By name: undefined when it is well, else what is wrong, for the log. */
  readonly checks: Readonly<Record<string, () => string | undefined>>
  /** Prometheus' text format. */
  readonly metrics: () => Promise<string>
}

/** Everything the contract has, over these ports. */
export function handlers(ports: Ports, verbs: Verbs, contract: Contract, service: Service): Handlers {
  const findFaults = contract.schema('DecideRequest')
  return {
    ...decisions(ports, verbs, findFaults),
    ...evidence(ports, verbs),
    ...bundles(ports, verbs),
    ...operationsOf(ports, contract, service),
  }
}

function decisions(
  ports: Ports,
  verbs: Verbs,
  findFaults: FindFaults,
): Pick<Handlers, 'decide' | 'decideBatch' | 'explain'> {
  return {
    decide: (call) => decideOne(ports, verbs, call),
    decideBatch: (call) => decideMany(ports, verbs, call, findFaults),
    async explain(call) {
      const question = { principal: call.principal, action: actionOf(call) }
      return { status: 200, body: new JsonText(await verbs.explain(ports, question)) }
    },
  }
}

async function decideOne(ports: Ports, verbs: Verbs, call: Call): Promise<Answer<'decide'>> {
  const actions = [actionOf(call)]
  const claim = claimOf(call, 'decide')
  const [answer] = await verbs.decide(ports, { principal: call.principal, actions, claim, batch: false })
  if (answer === undefined) throw new PdpError('internal', 'expected an answer to one action, found none')
  if ('problem' in answer) throw answer.problem
  return { status: 200, body: new JsonText(answer.json), headers: replayed(answer.replayed), noted: answer }
}

async function decideMany(
  ports: Ports,
  verbs: Verbs,
  call: Call,
  findFaults: FindFaults,
): Promise<Answer<'decideBatch'>> {
  const items = (call.body as Schemas['BatchRequest']).actions
  const faults = items.map((item) => itemFaults(item, findFaults, call.bodyBytes))
  const actions = items.filter((_, at) => faults[at]?.length === 0) as readonly Action[]
  const question = { principal: call.principal, actions, claim: claimOf(call, 'decideBatch'), batch: true }
  const answers = actions.length === 0 ? [] : await verbs.decide(ports, question)
  const headers = replayed(answers.some((answer) => 'replayed' in answer && answer.replayed))
  return { status: 200, body: batchText(faults, answers, call.requestId), headers }
}

function actionOf(call: Call): Action {
  const action = call.body as Action
  refuse(limitFaults(action, call.bodyBytes))
  return action
}

function itemFaults(item: unknown, findFaults: FindFaults, bytes: number): readonly Fault[] {
  const faults = findFaults(item, bytes)
  return faults.length > 0 ? faults : limitFaults(item as Action, bytes)
}

/** For each item, in order, its decision, or its own problem. */
function batchText(
  faults: readonly (readonly Fault[])[],
  answers: readonly DecisionAnswer[],
  requestId: string,
): JsonText {
  let next = 0
  const texts = faults.map((found) => {
    const answer: DecisionAnswer | undefined =
      found.length === 0
        ? answers[next++]
        : {
            problem: new PdpError('request.invalid', 'the action does not fit the contract', {
              faults: found,
            }),
          }
    if (answer === undefined)
      throw new PdpError('internal', 'expected an answer to every action of the batch')
    return 'json' in answer ? answer.json : JSON.stringify({ problem: problemOf(answer.problem, requestId) })
  })
  return new JsonText(`{"decisions":[${texts.join(',')}]}`)
}

function replayed(is: boolean): readonly string[] {
  return is ? ['idempotent-replayed', 'true'] : []
}

/** The claim to the caller's idempotency key, when there is one. */
function claimOf(call: Call, operation: OperationId): IdempotencyClaim | null {
  const key = call.values['Idempotency-Key']
  if (typeof key !== 'string') return null
  const { issuer, id: subject } = call.principal.caller
  const body = Buffer.isBuffer(call.body) ? call.body.toString('base64') : call.body
  return { issuer, subject, operation, key, body: canonicalJson(body) }
}

function evidence(ports: Ports, verbs: Verbs): Pick<Handlers, 'searchEvidence' | 'readEvidence'> {
  return {
    async searchEvidence(call) {
      const parameters = call.values as EvidenceParameters
      return { status: 200, body: await verbs.searchEvidence(ports, call.principal, parameters) }
    },
    async readEvidence(call) {
      return { status: 200, body: await verbs.readEvidence(ports, call.principal, String(call.values['id'])) }
    },
  }
}

function bundles(ports: Ports, verbs: Verbs): Pick<Handlers, 'postBundle' | 'listBundles' | 'readBundle'> {
  return {
    async postBundle(call) {
      const row = await verbs.admitBundle(ports, postedBundle(call, claimOf(call, 'postBundle')))
      const body = bundleOf(row)
      if (row.state === 'rejected') return { status: 422, body }
      return {
        status: row.state === 'received' ? 202 : 201,
        body,
        headers: ['location', `/v1/bundles/${row.id}`],
      }
    },
    async listBundles(call) {
      return { status: 200, body: await bundlePage(ports.bundles, call.values) }
    },
    async readBundle(call) {
      const row = await ports.bundles.read(String(call.values['id']))
      if (row === undefined) throw new PdpError('bundle.not_found', 'there is no such bundle')
      return { status: 200, body: bundleOf(row) }
    },
  }
}

function operationsOf(
  ports: Ports,
  contract: Contract,
  service: Service,
): Pick<Handlers, 'livez' | 'readyz' | 'metrics' | 'openapi' | 'jwks' | 'discovery'> {
  const document = new JsonText(contract.json)
  return {
    livez: () => ({ status: 200, body: { status: 'ok', checks: {} } }),
    readyz: () => readiness(service.checks),
    metrics: async () => ({ status: 200, plain: await service.metrics() }),
    openapi: () => ({ status: 200, body: document }),
    jwks: async () => ({ status: 200, body: (await ports.keys.jwks()) as Schemas['Jwks'] }),
    discovery: () => ({ status: 200, body: discovery(ports, contract, service) }),
  }
}

/** Names what is missing and no more: why is for the log, since anybody may ask. */
function readiness(checks: Service['checks']): Answer<'readyz'> {
  const found = Object.entries(checks).map(([name, fault]) => [
    name,
    fault() === undefined ? 'ok' : 'unavailable',
  ])
  const ready = found.every(([, state]) => state === 'ok')
  const body = {
    status: ready ? 'ok' : 'unavailable',
    checks: Object.fromEntries(found) as Record<string, string>,
  } as const
  return ready ? { status: 200, body } : { status: 503, body, headers: ['retry-after', '1'] }
}

function discovery(ports: Ports, contract: Contract, service: Service): Schemas['Discovery'] {
  const { origin, logVerifierKey } = ports.keys
  const bytesOf = (id: OperationId): number =>
    contract.operations.find((operation) => operation.id === id)?.maxBodyBytes ?? 0
  return {
    service: 'countersign',
    version: service.version,
    origin,
    mode: service.mode,
    logVerifierKey,
    jwksUri: '/.well-known/jwks.json',
    policy: ports.policy.inForce()?.ref ?? null,
    limits: {
      bodyBytes: bytesOf('decide'),
      bundleBytes: bytesOf('postBundle'),
      jsonDepth: maxDepth,
      freeBytes: maxFreeBytes,
      batchActions: 100,
      onBehalfOf: maxChain,
    },
  }
}
