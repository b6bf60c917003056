/** Bearer token -> caller, and what must hold before a body is read. */
import type { FastifyRequest } from 'fastify'
import { PdpError } from '../errors.ts'
import type { Principal, TokenVerifier } from '../ports.ts'

/**
 * Who calls, by the `Authorization` header. Resolves at once for a token that is known.
 *
 * @throws PdpError `auth.missing`, `auth.invalid` or `auth.unavailable`, also as a rejection
 */
export function authenticate(
  verifier: TokenVerifier,
  request: FastifyRequest,
): Principal | Promise<Principal> {
  const header = request.headers.authorization
  if (header === undefined)
    throw new PdpError('auth.missing', 'an Authorization header with a bearer token is expected')
  // RFC 9110 section 11.1: the scheme is case-insensitive.
  if (!header.startsWith('Bearer ') && !/^bearer /i.test(header)) {
    throw new PdpError('auth.missing', 'a bearer token is expected in the Authorization header')
  }
  return verifier.verify(header.slice('Bearer '.length).trim())
}

/** @throws PdpError `auth.scope` when the token lacks the operation's scope */
export function authorize(principal: Principal, scope: string): void {
  if (principal.scopes.has(scope)) return
  throw new PdpError('auth.scope', `the token lacks the scope ${scope}`)
}
