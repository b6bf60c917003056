/** Every fault a caller can meet, by a stable code. `http/problem.ts` gives each its status and title. */
export type PdpErrorCode =
  | 'request.malformed'
  | 'request.invalid'
  | 'request.too_large'
  | 'request.media_type'
  | 'request.not_found'
  | 'request.method'
  | 'request.timeout'
  | 'request.headers_too_large'
  | 'auth.missing'
  | 'auth.invalid'
  | 'auth.scope'
  | 'auth.unavailable'
  | 'actor.forbidden'
  | 'target.forbidden'
  | 'facts.forbidden'
  | 'caller.limit'
  | 'idempotency.conflict'
  | 'decision.expired'
  | 'decision.spent'
  | 'ledger.unavailable'
  | 'ledger.busy'
  | 'policy.missing'
  | 'evidence.not_found'
  | 'evidence.invalid_query'
  | 'evidence.timeout'
  | 'bundle.not_found'
  | 'bundle.invalid'
  | 'bundle.signature_required'
  | 'bundle.compiler_unavailable'
  | 'config.invalid'
  | 'internal'

/** One place in a request that is wrong: a JSON pointer (RFC 6901) and what was expected there. */
export interface Fault {
  readonly pointer: string
  readonly detail: string
}

interface PdpErrorOptions {
  readonly cause?: unknown
  readonly faults?: readonly Fault[]
  /** When it is worth asking again, in seconds. */
  readonly retryAfterSeconds?: number
}

/** What this service throws. Callers branch on `code`, never on the message. */
export class PdpError extends Error {
  readonly code: PdpErrorCode
  readonly faults: readonly Fault[]
  readonly retryAfterSeconds: number | undefined

  constructor(code: PdpErrorCode, message: string, options: PdpErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'PdpError'
    this.code = code
    this.faults = options.faults ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}
