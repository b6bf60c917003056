/** The issuer's public keys: loaded from a file or URL, refreshed by themselves, asymmetric ones only. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PdpError } from '../errors.ts'

/** One key of the set. The same object as long as the set holds it, so that it can stand for the key. */
export interface TokenKey {
  readonly kid: string | null
  readonly alg: string | null
  readonly key: KeyObject
  /** SubjectPublicKeyInfo, base64. */
  readonly spki: string
}

const maxDocumentBytes = 1_048_576
const maxKeys = 100
const fetchTimeoutMs = 5_000

/** Between two loads that a token asked for: whoever sends unknown key ids costs the issuer no more. */
const minRefreshMs = 10_000

/** How long a set is used that could not be loaded again; then no token verifies. */
const maxAgeMs = 3_600_000

/**
 * Reads a JWKS document (RFC 7517) from a file path or an `https:`, `http:` or `file:` URL.
 * The loader rejects when it can't be read or is larger than 1 MiB; redirects are not followed.
 */
export function jwksLoader(location: string): () => Promise<unknown> {
  if (/^https?:\/\//i.test(location)) return () => fetchJson(location)
  const path = location.startsWith('file:') ? fileURLToPath(location) : location
  return async () => JSON.parse(await readFile(path, 'utf8')) as unknown
}

async function fetchJson(url: string): Promise<unknown> {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(fetchTimeoutMs)])
  try {
    const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } })
    if (!response.ok || response.body === null)
      throw new Error(`the key set's server answered ${response.status}`)
    return JSON.parse(await boundedText(response.body as AsyncIterable<Uint8Array>)) as unknown
  } finally {
    // What was not read to its end must not hold its connection open.
    over.abort()
  }
}

async function boundedText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxDocumentBytes) throw new Error('the key set is larger than 1 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The keys in force. A class because it has a lifetime: it loads, ages and is replaced. */
export class TokenKeys {
  private readonly load: () => Promise<unknown>
  private readonly now: () => number
  private readonly replaced: () => void
  private keys: readonly TokenKey[] = []
  private loadedAt = Number.NEGATIVE_INFINITY
  private triedAt = Number.NEGATIVE_INFINITY
  private loading: Promise<void> | null = null

  /** @param replaced called after each load that changed which keys there are */
  constructor(load: () => Promise<unknown>, now: () => number, replaced: () => void) {
    this.load = load
    this.now = now
    this.replaced = replaced
  }

  has(key: TokenKey): boolean {
    return this.keys.includes(key)
  }

  /** Whether the set is there and not too old to be believed. */
  fresh(): boolean {
    return this.now() - this.loadedAt < maxAgeMs
  }

  /** Loads the set; callers at the same time share one load. Rejects with `auth.unavailable`. */
  refresh(): Promise<void> {
    this.loading ??= this.reload().finally(() => {
      this.loading = null
    })
    return this.loading
  }

  /**
   * The one key that a token's header names; asks the issuer once more when none does, though not often.
   * Null when there is none, or more than one.
   */
  async find(header: { readonly kid?: string; readonly alg?: string }): Promise<TokenKey | null> {
    if (!this.matches(header) || !this.fresh()) await this.refreshIfDue()
    if (!this.fresh()) throw new PdpError('auth.unavailable', 'no current key set')
    const [key, ...others] = this.candidates(header)
    return key === undefined || others.length > 0 ? null : key
  }

  private matches(header: { readonly kid?: string; readonly alg?: string }): boolean {
    return this.candidates(header).length > 0
  }

  private candidates(header: { readonly kid?: string; readonly alg?: string }): readonly TokenKey[] {
    const alg = plainAlgorithm(header.alg)
    return this.keys.filter(
      (key) =>
        (header.kid === undefined || key.kid === header.kid) &&
        (key.alg === null || plainAlgorithm(key.alg) === alg) &&
        fits(key.key, alg),
    )
  }

  private async refreshIfDue(): Promise<void> {
    if (this.loading === null && this.now() - this.triedAt < minRefreshMs) return
    try {
      await this.refresh()
    } catch (error) {
      if (!this.fresh()) throw error
    }
  }

  private async reload(): Promise<void> {
    this.triedAt = this.now()
    let document: unknown
    try {
      document = await this.load()
    } catch (error) {
      throw new PdpError('auth.unavailable', 'the key set cannot be loaded', { cause: error })
    }
    const keys = keysOf(document)
    if (keys.length === 0) throw new PdpError('auth.unavailable', 'the key set holds no usable public key')
    this.keys = keys.map((key) => this.keys.find((held) => isSame(held, key)) ?? key)
    this.loadedAt = this.now()
    this.replaced()
  }
}

function isSame(one: TokenKey, other: TokenKey): boolean {
  return one.spki === other.spki && one.kid === other.kid && one.alg === other.alg
}

/** `EdDSA` and `Ed25519` (RFC 9864) name the same signatures here. */
function plainAlgorithm(alg: string | undefined): string {
  return alg === 'EdDSA' ? 'Ed25519' : (alg ?? '')
}

function fits(key: KeyObject, alg: string): boolean {
  const type = key.asymmetricKeyType
  if (alg === 'Ed25519') return type === 'ed25519'
  if (alg.startsWith('ES')) return type === 'ec'
  return type === 'rsa'
}

/** The usable keys of a document; symmetric, encryption and unreadable ones are passed over. */
function keysOf(document: unknown): readonly TokenKey[] {
  const list = typeof document === 'object' && document !== null && 'keys' in document ? document.keys : null
  if (!Array.isArray(list) || list.length > maxKeys) {
    throw new PdpError('auth.unavailable', 'the key set is not a JWKS document')
  }
  return list.map((jwk) => keyOf(jwk as unknown)).filter((key) => key !== null)
}

function keyOf(jwk: unknown): TokenKey | null {
  if (typeof jwk !== 'object' || jwk === null) return null
  const { kty, kid, alg, use = 'sig' } = jwk as Record<string, unknown>
  const key = kty === 'oct' || use !== 'sig' ? null : publicKey(jwk)
  if (key === null) return null
  return {
    kid: typeof kid === 'string' ? kid : null,
    alg: typeof alg === 'string' ? alg : null,
    key,
    spki: key.export({ format: 'der', type: 'spki' }).toString('base64'),
  }
}

function publicKey(jwk: object): KeyObject | null {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    return ['rsa', 'ec', 'ed25519'].includes(key.asymmetricKeyType ?? '') ? key : null
  } catch {
    return null
  }
}
