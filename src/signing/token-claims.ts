/** What a verified token says: who calls, and for whom it may speak. */
import { PdpError } from '../errors.ts'
import type { Principal } from '../ports.ts'

type Claims = Readonly<Record<string, unknown>>

const maxValues = 1_000
const maxLength = 512

/**
 * The principal of a token's claims: `scope` (or `scp`), `actors`, `actor_types`, `actor_roles`, `targets`
 * and `evidence`.
 *
 * @throws PdpError `auth.invalid` when a claim has another shape: a restriction that can't be read is none
 *   that may be dropped
 */
export function principalOf(claims: Claims): Principal {
  const scopes = scopesOf(claims)
  return {
    caller: { issuer: text(claims, 'iss'), id: text(claims, 'sub'), scopes: [...scopes].sort() },
    scopes,
    actors: list(claims, 'actors'),
    actorTypes: list(claims, 'actor_types'),
    actorRoles: list(claims, 'actor_roles'),
    targets: list(claims, 'targets'),
    evidence: list(claims, 'evidence'),
  }
}

/** Space-separated `scope` (RFC 8693), with `scp` as Microsoft and Okta issue it: a list or a text. */
function scopesOf(claims: Claims): ReadonlySet<string> {
  const { scope = '', scp = [] } = claims
  if (typeof scope !== 'string') throw unreadable('scope')
  const more = typeof scp === 'string' ? scp.split(' ') : scp
  if (!isTexts(more)) throw unreadable('scp')
  return new Set([...scope.split(' '), ...more].filter((name) => name !== ''))
}

function list(claims: Claims, name: string): readonly string[] | null {
  const value = claims[name]
  if (value === undefined) return null
  const values = typeof value === 'string' ? [value] : value
  if (!isTexts(values)) throw unreadable(name)
  return values
}

function text(claims: Claims, name: string): string {
  const value = claims[name]
  // oxlint-disable-next-line no-control-regex -- ids hold none
  if (!isText(value) || value === '' || /[\u0000-\u001f\u007f-\u009f]/.test(value)) throw unreadable(name)
  return value
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= maxValues && value.every(isText)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxLength
}

function unreadable(name: string): PdpError {
  return new PdpError('auth.invalid', `the token's claim ${name} has a shape that cannot be read`)
}
