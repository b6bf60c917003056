/** One request and its answer: what is noted of it on the way, and the one place where answers leave. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PdpError } from '../errors.ts'
import type { Principal } from '../ports.ts'
import { problemHeaders, problemOf, statusOf } from './problem.ts'

/** What a verb's answer leaves for the log. */
export interface Noted {
  readonly decisionId?: string
  readonly verdict?: string
  readonly replayed?: boolean
  /** Microseconds by stage. */
  readonly stages?: Readonly<Record<string, number>>
}

/** A request that was answered, as log and metrics see it. */
export interface Answered {
  readonly requestId: string
  /** W3C trace id, when the caller sent a `traceparent`. */
  readonly traceId: string | undefined
  readonly method: string
  /** Path in the contract; `unmatched` when there is none. */
  readonly route: string
  readonly status: number
  readonly micros: number
  /** Subject of the token. */
  readonly caller: string | undefined
  readonly noted: Noted | undefined
  readonly error: PdpError | undefined
}

export type Observe = (answered: Answered) => void

/** An answer before it is written. */
export interface Payload {
  readonly status: number
  readonly type: string
  readonly text: string
  /** Names and values in turn. */
  readonly headers?: readonly string[] | undefined
  readonly noted?: Noted | undefined
  readonly error?: PdpError
}

/** What is known of a request while it is under way. A class, for one shape on the hot path. */
export class Exchange {
  readonly observe: Observe
  readonly startedAt = performance.now()
  readonly route: string
  principal: Principal | null = null
  mediaType = ''

  constructor(observe: Observe, route: string) {
    this.observe = observe
    this.route = route
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange | null
  }
}

const traceParent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/

/**
 * Writes an answer straight to the socket's response: fastify would read the content type again and add a
 * charset that JSON does not have.
 */
export function send(
  exchange: Exchange,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: Payload,
): void {
  write(request, reply, payload)
  exchange.observe(answeredOf(exchange, request, payload))
}

/** Answers with the problem of an error. */
export function fail(
  exchange: Exchange,
  request: FastifyRequest,
  reply: FastifyReply,
  error: PdpError,
): void {
  send(exchange, request, reply, problemPayload(error, request.id))
}

/** The answer that a problem is. After 408, 413 and 431 the rest of the request is not read any more. */
export function problemPayload(error: PdpError, requestId: string): Payload {
  const status = statusOf(error.code)
  const headers = Object.entries(problemHeaders(error)).flat()
  if (status === 413 || status === 408 || status === 431) headers.push('connection', 'close')
  return {
    status,
    type: 'application/problem+json',
    text: JSON.stringify(problemOf(error, requestId)),
    headers,
    error,
  }
}

/** Headers of every answer, names and values in turn. */
export function headersOf(payload: Payload, requestId: string): string[] {
  const headers = [
    'content-type',
    payload.type,
    'content-length',
    String(Buffer.byteLength(payload.text)),
    'x-request-id',
    requestId,
    'x-content-type-options',
    'nosniff',
    'cache-control',
    'no-store',
  ]
  if (payload.headers !== undefined) headers.push(...payload.headers)
  return headers
}

function write(request: FastifyRequest, reply: FastifyReply, payload: Payload): void {
  // INVARIANT: one answer per request; a second one would be read as the answer to the next.
  if (reply.sent) return
  const { raw } = reply.hijack()
  // While the server stops, a connection ends with the answer that was under way on it.
  if (!reply.server.server.listening) raw.shouldKeepAlive = false
  raw.writeHead(payload.status, headersOf(payload, request.id))
  raw.end(request.method === 'HEAD' ? undefined : payload.text)
}

function answeredOf(exchange: Exchange, request: FastifyRequest, payload: Payload): Answered {
  const trace = request.headers['traceparent']
  return {
    requestId: request.id,
    traceId: typeof trace === 'string' ? traceParent.exec(trace)?.[1] : undefined,
    method: request.method,
    route: exchange.route,
    status: payload.status,
    micros: Math.round((performance.now() - exchange.startedAt) * 1000),
    caller: exchange.principal?.caller.id,
    noted: payload.noted,
    error: payload.error,
  }
}
