/** Faults as problem details (RFC 9457): one table over every code, and the text of one problem. */
import { PdpError, type Fault, type PdpErrorCode } from '../errors.ts'

interface Kind {
  readonly status: number
  readonly title: string
}

/** INVARIANT: complete; a code without a row does not compile. */
const kinds: Readonly<Record<PdpErrorCode, Kind>> = {
  'request.malformed': { status: 400, title: 'Malformed request' },
  'request.invalid': { status: 400, title: 'Request does not fit the contract' },
  'request.too_large': { status: 413, title: 'Body too large' },
  'request.media_type': { status: 415, title: 'Unsupported media type' },
  'request.not_found': { status: 404, title: 'No such path' },
  'request.method': { status: 405, title: 'Method not allowed' },
  'request.timeout': { status: 408, title: 'Request not sent in time' },
  'request.headers_too_large': { status: 431, title: 'Request header fields too large' },
  'auth.missing': { status: 401, title: 'No bearer token' },
  'auth.invalid': { status: 401, title: 'Invalid bearer token' },
  'auth.scope': { status: 403, title: 'Scope missing' },
  'auth.unavailable': { status: 503, title: 'Tokens cannot be verified' },
  'actor.forbidden': { status: 403, title: 'Actor not covered by the token' },
  'target.forbidden': { status: 403, title: 'Target not covered by the token' },
  'facts.forbidden': { status: 403, title: 'Facts not accepted from this token' },
  'caller.limit': { status: 429, title: "Caller's share exceeded" },
  'idempotency.conflict': { status: 409, title: 'Idempotency key used with another body' },
  'decision.expired': { status: 409, title: 'Decision expired' },
  'decision.spent': { status: 409, title: 'Decision already carried out' },
  'ledger.unavailable': { status: 503, title: 'Ledger unavailable' },
  'ledger.busy': { status: 503, title: 'Ledger busy' },
  'policy.missing': { status: 503, title: 'No policy in force' },
  'evidence.not_found': { status: 404, title: 'No such record' },
  'evidence.invalid_query': { status: 400, title: 'Invalid query' },
  'evidence.timeout': { status: 503, title: 'Query took too long' },
  'bundle.not_found': { status: 404, title: 'No such bundle' },
  'bundle.invalid': { status: 400, title: 'Not a bundle' },
  'bundle.signature_required': { status: 403, title: 'Bundle must be signed' },
  'bundle.compiler_unavailable': { status: 503, title: 'Compiler unavailable' },
  'config.invalid': { status: 500, title: 'Internal fault' },
  internal: { status: 500, title: 'Internal fault' },
}

/** Faults that an answer lists at most. */
const maxFaults = 20

/** RFC 9457 problem details, in the contract's shape. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: PdpErrorCode
  readonly requestId: string
  readonly errors?: readonly Fault[]
}

/**
 * What a caller is told of an error. Of a fault of ours (5xx) nothing but the id to quote: messages and
 * causes are for the log.
 */
export function problemOf(error: PdpError, requestId: string): Problem {
  const { status, title } = kinds[error.code]
  const open = status < 500
  return {
    type: `urn:countersign:problem:${error.code}`,
    title,
    status,
    detail: open ? error.message : 'the service could not answer; quote the request id to its operators',
    code: error.code,
    requestId,
    ...(open && error.faults.length > 0 ? { errors: error.faults.slice(0, maxFaults) } : {}),
  }
}

/** HTTP status of a code. */
export function statusOf(code: PdpErrorCode): number {
  return kinds[code].status
}

/** Headers that belong to a problem: `WWW-Authenticate` of a 401 (RFC 6750), `Retry-After` of a 429 and 503. */
export function problemHeaders(error: PdpError): Readonly<Record<string, string>> {
  const { status } = kinds[error.code]
  if (error.code === 'auth.missing') return { 'www-authenticate': 'Bearer realm="countersign"' }
  if (status === 401) return { 'www-authenticate': 'Bearer realm="countersign", error="invalid_token"' }
  if (error.code === 'auth.scope') {
    return { 'www-authenticate': 'Bearer realm="countersign", error="insufficient_scope"' }
  }
  if (status === 429 || status === 503) {
    return { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfterSeconds ?? 1))) }
  }
  return {}
}

/**
 * Any thrown value as one of our errors: what fastify and the platform throw gets a code by what it is
 * about, everything unknown is `internal` with the thrown value as cause.
 */
export function pdpErrorOf(thrown: unknown): PdpError {
  if (thrown instanceof PdpError) return thrown
  const known = platformCodes.get(codeOf(thrown))
  if (known !== undefined) return new PdpError(known.code, known.message, { cause: thrown })
  return new PdpError('internal', 'unexpected fault', { cause: thrown })
}

function codeOf(thrown: unknown): string {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' ? code : ''
}

interface Told {
  readonly code: PdpErrorCode
  readonly message: string
}

const notHttp: Told = { code: 'request.malformed', message: 'the request is not valid HTTP' }
const wrongType: Told = { code: 'request.media_type', message: 'the content type cannot be read' }
const wrongPath: Told = { code: 'request.malformed', message: 'the path cannot be decoded' }
const cutOff: Told = { code: 'request.malformed', message: 'the body ended before its declared length' }
const late: Told = { code: 'request.timeout', message: 'the request was not complete in time' }

/** What fastify and node's HTTP parser throw, by their codes. */
const platformCodes: ReadonlyMap<string, Told> = new Map<string, Told>([
  ['FST_ERR_CTP_BODY_TOO_LARGE', { code: 'request.too_large', message: 'the body is larger than the limit' }],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', wrongType],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', cutOff],
  ['FST_ERR_BAD_URL', wrongPath],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'request.not_found', message: 'there is no such path' }],
  ['ECONNRESET', cutOff],
  ['ERR_HTTP_REQUEST_TIMEOUT', late],
  ['HPE_HEADER_OVERFLOW', { code: 'request.headers_too_large', message: 'the header fields are too large' }],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    { code: 'request.too_large', message: 'the chunk extensions are too large' },
  ],
  ['HPE_INVALID_METHOD', notHttp],
])

/** What was wrong on a socket, before there was a request: anything but an overflow or a timeout is no HTTP. */
export function socketErrorOf(thrown: Error): PdpError {
  const known = platformCodes.get(codeOf(thrown)) ?? notHttp
  return new PdpError(known.code, known.message, { cause: thrown })
}
