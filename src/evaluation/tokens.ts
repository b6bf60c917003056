/** Access tokens of evaluation mode: the service is its own issuer, with a key in its state folder. */
import { createPublicKey, hash, randomUUID, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** How long the tokens of evaluation.json live: the longest that the service accepts. */
export const TOKEN_LIFE_SECONDS = 86_400

/** The `aud` of every token for this service. */
export const AUDIENCE = 'countersign'

const EVERYTHING = ['*']

const ALL_SCOPES =
  'decide outcome evidence:read evidence:export evidence:secrets bundle:write bundle:activate grant:request grant:approve log:read target:facts admin'

/** Claims of a token, beside those that say when and for whom it was made. */
export type TokenClaims = Readonly<Record<string, unknown>>

const SPEAKS_FOR_ALL = {
  actors: EVERYTHING,
  actor_types: EVERYTHING,
  actor_roles: EVERYTHING,
  targets: EVERYTHING,
}

const ROLES = {
  service: { scope: 'decide outcome target:facts grant:request', ...SPEAKS_FOR_ALL },
  auditor: { scope: 'evidence:read evidence:export log:read', evidence: EVERYTHING },
  ci: { scope: 'bundle:write bundle:activate' },
  approver: { scope: 'grant:approve evidence:read', evidence: EVERYTHING },
  admin: { scope: ALL_SCOPES, ...SPEAKS_FOR_ALL, evidence: EVERYTHING },
} as const satisfies Record<string, TokenClaims>

/** One token for each kind of caller that the service knows. */
export type EvaluationTokens = Readonly<Record<keyof typeof ROLES, string>>

/** Who signs: the private key, and the `iss` that goes with it. */
export interface TokenIssuer {
  readonly key: KeyObject
  readonly issuer: string
}

/** Fresh tokens for every role. */
export function evaluationTokens(issuer: TokenIssuer, now: Date): EvaluationTokens {
  const token = (role: keyof typeof ROLES) =>
    signedToken(issuer.key, {
      iss: issuer.issuer,
      aud: AUDIENCE,
      sub: `${role}@evaluation`,
      ...lifetime(now, TOKEN_LIFE_SECONDS),
      ...ROLES[role],
    })
  return {
    service: token('service'),
    auditor: token('auditor'),
    ci: token('ci'),
    approver: token('approver'),
    admin: token('admin'),
  }
}

/** `iat` and `exp` of a token that lives so many seconds from now; a negative life has ended. */
export function lifetime(now: Date, seconds: number): { readonly iat: number; readonly exp: number } {
  const second = Math.floor(now.getTime() / 1000)
  return seconds < 0
    ? { iat: second + 2 * seconds, exp: second + seconds }
    : { iat: second, exp: second + seconds }
}

/** A compact JWS (RFC 7515, RFC 8037) of the type of access tokens (RFC 9068). */
export function signedToken(key: KeyObject, claims: TokenClaims): string {
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: publicJwk(key).kid }
  const signingInput = [header, { ...claims, jti: randomUUID() }].map(encoded).join('.')
  return `${signingInput}.${sign(null, Buffer.from(signingInput), key).toString('base64url')}`
}

function encoded(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** The public half as a JWK, named by its RFC 7638 thumbprint. */
export function publicJwk(key: KeyObject) {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  const kid = hash('sha256', `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`, 'base64url')
  return { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' }
}
