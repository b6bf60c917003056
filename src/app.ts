/** Ports -> fastify instance. Opens nothing and listens to nothing. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import { loadContract } from './http/contract.ts'
import { Exchange, fail, headersOf, problemPayload, type Answered, type Observe } from './http/exchange.ts'
import { defaultShares, Fairness, type Shares } from './http/fairness.ts'
import { handlers } from './http/handlers.ts'
import { pdpErrorOf, socketErrorOf, statusOf } from './http/problem.ts'
import { addRoutes } from './http/routes.ts'
import type { Verbs } from './http/verbs.ts'
import type { Ports } from './ports.ts'
import type { OpenLog } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface AppOptions {
  readonly version: string
  readonly mode: 'evaluation' | 'production'
  readonly verbs: Verbs
  readonly log: OpenLog
  readonly metrics: Metrics
  /** What `/readyz` asks beside the bundle and the writer: undefined when it is well. */
  readonly checks?: Readonly<Record<string, () => string | undefined>>
  readonly shares?: Shares
  readonly timeouts?: Partial<Timeouts>
}

/** Milliseconds. What a peer may take; each one ends a connection that trickles. */
interface Timeouts {
  /** Until the head of a request is there. */
  readonly headers: number
  /** Until the whole request is there. */
  readonly request: number
  /** Between requests of one connection. */
  readonly keepAlive: number
  /** Without a byte in either direction; longer than an answer may be waited for. */
  readonly idle: number
}

const defaultTimeouts: Timeouts = { headers: 10_000, request: 30_000, keepAlive: 72_000, idle: 120_000 }

const maxHeaderBytes = 16_384
const maxConnections = 10_000

/** What a request id may look like; anything else is not echoed, and one is made. */
const requestIdPattern = /^[\w.:@/+=-]{1,128}$/

/** The server of these ports; `listen` and `close` are the caller's. */
export function createApp(ports: Ports, options: AppOptions): FastifyInstance {
  const contract = loadContract()
  const observe = observer(options.log, options.metrics)
  const app = server(observe, { ...defaultTimeouts, ...options.timeouts })
  let stopping = false
  app.addHook('preClose', (done) => {
    stopping = true
    done()
  })
  const checks = {
    server: () => (stopping ? 'stopping' : undefined),
    bundle: () => (ports.policy.inForce() === null ? 'no bundle is in force' : undefined),
    writer: () => ports.ledger.fault(),
    ...options.checks,
  }
  const { version, mode, metrics } = options
  const service = { version, mode, checks, metrics: () => metrics.text() }
  addRoutes(app, {
    contract,
    handlers: handlers(ports, options.verbs, contract, service),
    tokens: ports.tokens,
    fairness: new Fairness(options.shares ?? defaultShares),
    observe,
  })
  return app
}

/**
 * Stops accepting, then waits for what is under way; connections that are still open after `graceMs` are
 * cut. The ledger is closed after this, by whoever opened it.
 */
export async function drain(app: FastifyInstance, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}

function server(observe: Observe, timeouts: Timeouts): FastifyInstance {
  const app = fastify({
    logger: false,
    genReqId: requestIdOf,
    requestTimeout: timeouts.request,
    connectionTimeout: timeouts.idle,
    keepAliveTimeout: timeouts.keepAlive,
    http: {
      headersTimeout: timeouts.headers,
      maxHeaderSize: maxHeaderBytes,
      connectionsCheckingInterval: Math.min(2_000, timeouts.headers),
    },
    // A request on an open connection is still answered while the server stops; the connection then ends.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => {
      fail(new Exchange(observe, 'unmatched'), request, reply, pdpErrorOf(error))
    },
    clientErrorHandler: (error, socket) => answerBrokenSocket(observe, error, socket),
  })
  app.server.maxConnections = maxConnections
  return app
}

function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID()
}

/** What arrived is no request: there is no reply object, only the socket. */
function answerBrokenSocket(
  observe: Observe,
  thrown: Error & { readonly code?: string },
  socket: Duplex,
): void {
  if (thrown.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const error = socketErrorOf(thrown)
  const requestId = randomUUID()
  const payload = problemPayload(error, requestId)
  const headers = headersOf({ ...payload, headers: ['connection', 'close'] }, requestId)
  const lines = headers.map((part, at) => (at % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('')
  socket.end(
    `HTTP/1.1 ${payload.status} ${reasonPhrases[payload.status] ?? 'Error'}\r\n${lines}\r\n${payload.text}`,
  )
  observe({ ...unread, requestId, status: statusOf(error.code), error })
}

const reasonPhrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
}

const unread: Omit<Answered, 'requestId' | 'status'> = {
  traceId: undefined,
  method: 'other',
  route: 'unmatched',
  micros: 0,
  caller: undefined,
  noted: undefined,
  error: undefined,
}

/** One line and one count per request. */
function observer(log: OpenLog, metrics: Metrics): Observe {
  return (answered) => {
    metrics.request(answered)
    log.request(answered)
  }
}
