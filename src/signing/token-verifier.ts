/** Bearer tokens (RFC 7519, RFC 9068): verified once, then known by their digest for a minute at most. */
import { hash } from 'node:crypto'
import { errors, jwtVerify, type JWTPayload } from 'jose'
import { PdpError } from '../errors.ts'
import type { Principal, TokenVerifier } from '../ports.ts'
import { principalOf } from './token-claims.ts'
import { TokenKeys, type TokenKey } from './token-keys.ts'

/** What a token must have. */
export interface TokenRules {
  readonly issuer: string
  readonly audience: string
  /** JWS algorithms; asymmetric ones only. */
  readonly algorithms: readonly string[]
}

/** A verifier with the lifetime of its key set. */
export interface OpenTokenVerifier extends TokenVerifier {
  /** Loads the key set at once. Rejects with `auth.unavailable`; the set that is there stays in use. */
  refresh(): Promise<void>
  /** Stops refreshing. */
  close(): void
}

interface Known {
  readonly principal: Principal
  readonly key: TokenKey
  /** Milliseconds since 1970; from then on the token is verified again. */
  readonly until: number
}

/** What may sign a token. Nothing symmetric: a public key must never pass for a secret. */
export const asymmetricAlgorithms: readonly string[] = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]

const maxTokenLength = 8_192
const maxKnown = 10_000
const maxRecent = 256
const knownMs = 60_000
const refreshMs = 300_000
const maxLifeSeconds = 86_400

/** Clocks of issuer and service may differ by this much; it never makes an expired token good. */
const skewSeconds = 30

/**
 * Starts a verifier; its key set is loaded at first use (or by `refresh`) and every 5 minutes.
 *
 * @param load reads the JWKS document, as `jwksLoader` does
 * @param now milliseconds since 1970
 * @throws PdpError `config.invalid` when an algorithm is none that this service accepts
 */
export function createTokenVerifier(
  load: () => Promise<unknown>,
  rules: TokenRules,
  now: () => number = Date.now,
): OpenTokenVerifier {
  const refused = rules.algorithms.filter((name) => !asymmetricAlgorithms.includes(name))
  if (rules.algorithms.length === 0 || refused.length > 0) {
    throw new PdpError(
      'config.invalid',
      `expected asymmetric JWS algorithms, found ${refused.join(', ') || 'none'}`,
    )
  }
  return new Verifier(load, rules, now)
}

class Verifier implements OpenTokenVerifier {
  private readonly rules: TokenRules
  private readonly now: () => number
  private readonly keys: TokenKeys
  private readonly known = new Map<string, Known>()
  /** The few that are in use right now by their text: a digest of it would cost ten times the look-up. */
  private readonly recent = new Map<string, Known>()
  private readonly verifying = new Map<string, Promise<Principal>>()
  private readonly timer: NodeJS.Timeout

  constructor(load: () => Promise<unknown>, rules: TokenRules, now: () => number) {
    this.rules = rules
    this.now = now
    this.keys = new TokenKeys(load, now, () => this.forgetRetired())
    const attempt = (): void => {
      this.recent.clear()
      // A failed refresh is seen by the tokens that need it; until then the set that is there holds.
      this.keys.refresh().catch(() => undefined)
    }
    this.timer = setInterval(attempt, refreshMs).unref()
  }

  verify(token: string): Principal | Promise<Principal> {
    const recent = this.recent.get(token)
    if (recent !== undefined && this.isGood(recent)) return recent.principal
    if (token.length > maxTokenLength) throw new PdpError('auth.invalid', 'the token is too long')
    const digest = hash('sha256', token, 'binary')
    const known = this.known.get(digest)
    if (known === undefined) return this.verifyOnce(digest, token)
    this.known.delete(digest)
    if (!this.isGood(known)) return this.verifyOnce(digest, token)
    // The youngest are last: what is pushed out is what was not used for longest.
    this.known.set(digest, known)
    if (this.recent.size >= maxRecent) this.recent.clear()
    this.recent.set(token, known)
    return known.principal
  }

  private isGood(known: Known): boolean {
    return this.now() < known.until && this.keys.fresh()
  }

  refresh(): Promise<void> {
    return this.keys.refresh()
  }

  close(): void {
    clearInterval(this.timer)
  }

  /** Many connections begin with one token: they share its verification. */
  private verifyOnce(digest: string, token: string): Promise<Principal> {
    const under = this.verifying.get(digest)
    if (under !== undefined) return under
    const started = this.verifyNow(digest, token).finally(() => this.verifying.delete(digest))
    this.verifying.set(digest, started)
    return started
  }

  private async verifyNow(digest: string, token: string): Promise<Principal> {
    const { payload, key } = await this.checked(token)
    const now = this.now()
    const expires = expiryOf(payload, now)
    const principal = principalOf(payload)
    // The key may have left the set while its signature was checked.
    if (this.keys.has(key)) this.remember(digest, { principal, key, until: Math.min(now + knownMs, expires) })
    return principal
  }

  private async checked(token: string): Promise<{ readonly payload: JWTPayload; readonly key: TokenKey }> {
    let used: TokenKey | null = null
    try {
      const { payload, protectedHeader } = await jwtVerify(
        token,
        async (header) => {
          used = await this.keys.find(header)
          if (used === null) throw new PdpError('auth.invalid', 'the token names no key of the key set')
          return used.key
        },
        {
          issuer: this.rules.issuer,
          audience: this.rules.audience,
          algorithms: [...this.rules.algorithms],
          requiredClaims: ['exp', 'sub'],
          clockTolerance: skewSeconds,
          currentDate: new Date(this.now()),
        },
      )
      checkType(protectedHeader.typ)
      if (used === null) throw new PdpError('auth.invalid', 'the token names no key of the key set')
      return { payload, key: used }
    } catch (error) {
      throw authError(error)
    }
  }

  private remember(digest: string, known: Known): void {
    this.known.set(digest, known)
    if (this.known.size <= maxKnown) return
    const [oldest] = this.known.keys()
    if (oldest !== undefined) this.known.delete(oldest)
  }

  private forgetRetired(): void {
    this.recent.clear()
    for (const [digest, known] of this.known) if (!this.keys.has(known.key)) this.known.delete(digest)
  }
}

/** Only access tokens: a receipt, an id token with a type of its own or a logout token is none. */
function checkType(typ: string | undefined): void {
  const plain = typ?.toLowerCase().replace(/^application\//, '')
  if (plain !== undefined && plain !== 'jwt' && plain !== 'at+jwt') {
    throw new PdpError('auth.invalid', 'the token is of another type than JWT or at+jwt')
  }
}

/** When it ends, in milliseconds: exactly, and no more than a day after it began. */
function expiryOf(payload: JWTPayload, now: number): number {
  const { exp = 0, iat, nbf } = payload
  const seconds = now / 1000
  if (exp <= seconds) throw new PdpError('auth.invalid', 'the token has expired')
  if (iat !== undefined && iat > seconds + skewSeconds) {
    throw new PdpError('auth.invalid', 'the token is from the future')
  }
  const began = iat ?? nbf ?? seconds
  if (exp - began > maxLifeSeconds || exp - seconds > maxLifeSeconds + skewSeconds) {
    throw new PdpError('auth.invalid', 'the token lives longer than 24 hours')
  }
  return exp * 1000
}

function authError(error: unknown): PdpError {
  if (error instanceof PdpError) return error
  if (error instanceof errors.JWTExpired) return invalid('the token has expired', error)
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(`the token's claim ${error.claim} is missing or not accepted`, error)
  }
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return invalid('the signature does not verify', error)
  if (error instanceof errors.JOSEAlgNotAllowed)
    return invalid("the token's algorithm is not accepted", error)
  return invalid('the token is not one that this service accepts', error)
}

function invalid(message: string, cause: unknown): PdpError {
  return new PdpError('auth.invalid', message, { cause })
}
