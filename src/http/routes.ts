/** The road of a request: path, method, token, scope, share, body, parameters, verb, answer; in this order. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PdpError } from '../errors.ts'
import type { Principal, TokenVerifier } from '../ports.ts'
import { authenticate, authorize } from './auth.ts'
import { readParameters, type Contract, type Operation, type OperationId, type Values } from './contract.ts'
import { Exchange, fail, problemPayload, send, type Noted, type Observe, type Payload } from './exchange.ts'
import type { Fairness } from './fairness.ts'
import { JsonText, shareGroups, type Call, type Handlers } from './handlers.ts'
import { mediaTypeOf } from './media-type.ts'
import { pdpErrorOf } from './problem.ts'
import { parseStrictJson } from './strict-json.ts'
import { refuse } from './validation.ts'

export interface Road {
  readonly contract: Contract
  readonly handlers: Handlers
  readonly tokens: TokenVerifier
  readonly fairness: Fairness
  readonly observe: Observe
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** Any operation's answer; `Handlers` has tied each to the contract. */
interface AnyAnswer {
  readonly status: number
  readonly body?: unknown
  readonly plain?: string
  readonly headers?: readonly string[]
  readonly noted?: Noted
}

/** Adds every operation of the contract, and answers for what it does not have. */
export function addRoutes(app: FastifyInstance, road: Road): void {
  app.decorateRequest('exchange', null)
  // The platform's own parsers would read more than the contract allows.
  app.removeAllContentTypeParsers()
  const types = new Set(road.contract.operations.flatMap(({ bodies }) => [...bodies.keys()]))
  for (const type of ['*', ...types]) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  }
  app.addHook('onRequest', unmatchedHook(road))
  app.setNotFoundHandler(() => undefined)
  app.setErrorHandler((error, request, reply) => {
    fail(request.exchange ?? new Exchange(road.observe, 'unmatched'), request, reply, pdpErrorOf(error))
  })
  for (const operation of road.contract.operations) addRoute(app, road, operation)
}

function addRoute(app: FastifyInstance, road: Road, operation: Operation): void {
  app.route({
    // RFC 9110 section 9.3.2: HEAD is GET without the content.
    method: operation.method === 'GET' ? ['GET', 'HEAD'] : [operation.method],
    // At least one character: a path that ends in a slash is another path.
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1(.+)'),
    bodyLimit: operation.maxBodyBytes,
    onRequest: admissionHook(road, operation),
    handler: operationHandler(road, operation),
  })
}

/** Answers for a path or method that the contract does not have, before any body is read. */
function unmatchedHook(road: Road): Hook {
  const paths = pathTable(road.contract)
  return (request, reply, done) => {
    if (!request.is404) return done()
    const exchange = new Exchange(road.observe, 'unmatched')
    const allowed = paths.get(request.url)
    if (allowed === null)
      return fail(exchange, request, reply, new PdpError('request.not_found', 'there is no such path'))
    const headers = ['allow', allowed]
    if (request.method === 'OPTIONS') {
      return send(exchange, request, reply, { status: 204, type: '', text: '', headers })
    }
    const error = new PdpError('request.method', `this path has only ${allowed}`)
    return send(exchange, request, reply, { ...problemPayload(error, request.id), headers })
  }
}

/** Methods by path, for `Allow`. */
function pathTable(contract: Contract): { get(url: string): string | null } {
  const rows = [...new Set(contract.operations.map((operation) => operation.path))].map((path) => {
    const methods = contract.operations
      .filter((operation) => operation.path === path)
      .map(({ method }) => method)
    const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    const literal = path.replaceAll(/[.\\+*?^$()[\]]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+')
    return { pattern: new RegExp(`^${literal}$`), allowed: [...allowed, 'OPTIONS'].join(', ') }
  })
  return {
    get(url) {
      const path = url.split(/[?#]/, 1)[0] ?? ''
      return rows.find(({ pattern }) => pattern.test(path))?.allowed ?? null
    },
  }
}

/** Token, scope, rate and media type: what can be said before the body is read. */
function admissionHook(road: Road, operation: Operation): Hook {
  return (request, reply, done) => {
    const exchange = new Exchange(road.observe, operation.path)
    request.exchange = exchange
    const admit = (principal: Principal | null): void => {
      exchange.principal = principal
      if (principal !== null && operation.scope !== null) {
        authorize(principal, operation.scope)
        road.fairness.count(principal)
      }
      if (operation.bodies.size > 0) exchange.mediaType = mediaTypeOf(request.headers, operation.bodies)
      done()
    }
    const refuse = (error: unknown): void => fail(exchange, request, reply, pdpErrorOf(error))
    try {
      const principal = operation.scope === null ? null : authenticate(road.tokens, request)
      if (principal instanceof Promise) principal.then(admit).catch(refuse)
      else admit(principal)
    } catch (error) {
      refuse(error)
    }
  }
}

function operationHandler(
  road: Road,
  operation: Operation,
): (request: FastifyRequest, reply: FastifyReply) => void {
  const handler = road.handlers[operation.id] as (call: Call) => AnyAnswer | Promise<AnyAnswer>
  return (request, reply) => {
    const exchange = request.exchange ?? new Exchange(road.observe, operation.path)
    const refuse = (error: unknown): void => fail(exchange, request, reply, pdpErrorOf(error))
    try {
      const call = callOf(operation, exchange, request)
      const answer = shared(road.fairness, operation.id, call, handler)
      if (answer instanceof Promise) {
        answer.then((made) => send(exchange, request, reply, payloadOf(made))).catch(refuse)
      } else send(exchange, request, reply, payloadOf(answer))
    } catch (error) {
      refuse(error)
    }
  }
}

/** Runs a handler inside its caller's share. */
function shared(
  fairness: Fairness,
  id: OperationId,
  call: ReadCall,
  handler: (call: Call) => AnyAnswer | Promise<AnyAnswer>,
): AnyAnswer | Promise<AnyAnswer> {
  const group = shareGroups[id]
  const principal = call.known
  if (group === undefined || principal === null) return handler(call)
  const turn = fairness.enter(principal, group)
  const leave = (): void => fairness.leave(principal, group)
  const run = async (): Promise<AnyAnswer> => {
    try {
      return await handler(call)
    } finally {
      leave()
    }
  }
  return turn === null ? run() : turn.then(run)
}

class ReadCall implements Call {
  readonly known: Principal | null
  readonly values: Values
  readonly body: unknown
  readonly bodyBytes: number
  readonly requestId: string

  constructor(known: Principal | null, values: Values, body: Body, requestId: string) {
    this.known = known
    this.values = values
    this.body = body.value
    this.bodyBytes = body.bytes
    this.requestId = requestId
  }

  get principal(): Principal {
    if (this.known === null) throw new PdpError('internal', 'expected a caller, found a public operation')
    return this.known
  }
}

interface Body {
  readonly value: unknown
  readonly bytes: number
}

const noBody: Body = { value: undefined, bytes: 0 }

/** @throws PdpError `request.malformed` or `request.invalid` */
function callOf(operation: Operation, exchange: Exchange, request: FastifyRequest): ReadCall {
  const body = operation.bodies.size === 0 ? noBody : bodyOf(operation, exchange.mediaType, request.body)
  const { values, faults } = readParameters(operation, request)
  refuse(faults)
  return new ReadCall(exchange.principal, values, body, request.id)
}

function bodyOf(operation: Operation, mediaType: string, raw: unknown): Body {
  const bytes = Buffer.isBuffer(raw) ? raw : Buffer.alloc(0)
  const findFaults = operation.bodies.get(mediaType)
  if (findFaults === undefined) throw new PdpError('request.media_type', 'the content type cannot be read')
  if (findFaults === null) return { value: bytes, bytes: bytes.length }
  const value = parseStrictJson(bytes)
  refuse(findFaults(value, bytes.length))
  return { value, bytes: bytes.length }
}

function payloadOf({ status, headers, noted, plain, body }: AnyAnswer): Payload {
  if (plain !== undefined) return { status, type: 'text/plain; version=0.0.4; charset=utf-8', text: plain }
  const text = body instanceof JsonText ? body.text : JSON.stringify(body)
  return { status, type: 'application/json', text, headers, noted }
}
