import { createServer } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose'
import type { Principal } from '../../src/ports.ts'
import { jwksLoader } from '../../src/signing/token-keys.ts'
import { createTokenVerifier, type OpenTokenVerifier } from '../../src/signing/token-verifier.ts'

/** Modules have no `jest` in scope. */
const { jest } = import.meta as unknown as { readonly jest: typeof globalThis.jest }

const issuer = 'https://issuer.example'
const audience = 'countersign'
const start = Date.UTC(2026, 10, 21, 3)

interface Signer {
  readonly kid: string
  readonly alg: string
  readonly publicJwk: JWK
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>
}

async function signer(kid: string, alg = 'EdDSA'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return {
    kid,
    alg,
    publicJwk,
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT', ...header }).sign(privateKey),
  }
}

function flip(part: string, at: number): string {
  return part.slice(0, at) + (part[at] === 'A' ? 'B' : 'A') + part.slice(at + 1)
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** A verifier over a key set and a clock that the test moves. */
class World {
  nowMs = start
  keys: JWK[] = []
  loads = 0
  down = false
  readonly verifier: OpenTokenVerifier

  constructor(algorithms: readonly string[] = ['EdDSA', 'ES256', 'RS256']) {
    this.verifier = createTokenVerifier(
      () => {
        this.loads++
        return this.down ? Promise.reject(new Error('down')) : Promise.resolve({ keys: this.keys })
      },
      { issuer, audience, algorithms },
      () => this.nowMs,
    )
    open.push(this.verifier)
  }

  claims(over: Record<string, unknown> = {}): JWTPayload {
    const seconds = this.nowMs / 1000
    return {
      iss: issuer,
      aud: audience,
      sub: 'svc',
      iat: seconds,
      exp: seconds + 600,
      scope: 'decide',
      ...over,
    }
  }

  async verify(token: string): Promise<Principal> {
    return this.verifier.verify(token)
  }
}

const open: OpenTokenVerifier[] = []
afterEach(() => {
  for (const verifier of open.splice(0)) verifier.close()
})

async function world(): Promise<{ readonly w: World; readonly key: Signer }> {
  const key = await signer('k1')
  const w = new World()
  w.keys = [key.publicJwk]
  return { w, key }
}

describe('a token', () => {
  test('says who calls and for whom it may speak', async () => {
    const { w, key } = await world()
    const token = await key.sign(
      w.claims({
        scope: 'decide outcome',
        scp: ['evidence:read'],
        actors: ['agent:x*'],
        actor_types: ['agent'],
        actor_roles: ['*'],
        targets: 'orders-db',
        evidence: [],
      }),
    )
    const principal = await w.verify(token)
    expect(principal).toEqual({
      caller: { issuer, id: 'svc', scopes: ['decide', 'evidence:read', 'outcome'] },
      scopes: new Set(['decide', 'outcome', 'evidence:read']),
      actors: ['agent:x*'],
      actorTypes: ['agent'],
      actorRoles: ['*'],
      targets: ['orders-db'],
      evidence: [],
    })
  })

  test('without claims is restricted by none, and has no scope', async () => {
    const { w, key } = await world()
    const principal = await w.verify(await key.sign(w.claims({ scope: undefined })))
    expect(principal.actors).toBeNull()
    expect(principal.evidence).toBeNull()
    expect([...principal.scopes]).toEqual([])
  })

  test.each(['ES256', 'RS256'])('may be signed with %s', async (alg) => {
    const key = await signer('other', alg)
    const w = new World()
    w.keys = [key.publicJwk]
    await expect(w.verify(await key.sign(w.claims()))).resolves.toMatchObject({ caller: { id: 'svc' } })
  })

  const seconds = start / 1000
  test.each<readonly [string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://other.example' }],
    ['for another audience', { aud: 'somebody-else' }],
    ['without audience', { aud: undefined }],
    ['without expiry', { exp: undefined }],
    ['without subject', { sub: undefined }],
    ['with an empty subject', { sub: '' }],
    ['with a control character in its subject', { sub: 'svc\u0000' }],
    ['that expired this very second', { exp: seconds, iat: seconds - 60 }],
    ['that lives a second longer than a day', { iat: seconds, exp: seconds + 86_401 }],
    ['that ends far away and says no beginning', { iat: undefined, exp: seconds + 90_000 }],
    ['that begins a minute from now', { nbf: seconds + 60 }],
    ['issued in the future, to live longer', { iat: seconds + 80_000, exp: seconds + 86_000 }],
    ['whose actors can not be read', { actors: { all: true } }],
    ['whose targets hold a number', { targets: ['a', 1] }],
    ['whose scope is a list', { scope: ['decide'] }],
  ])('%s is refused', async (_, over) => {
    const { w, key } = await world()
    await expect(w.verify(await key.sign(w.claims(over)))).rejects.toMatchObject({ code: 'auth.invalid' })
  })

  test.each(['countersign-receipt+jwt', 'logout+jwt'])('of type %s is refused', async (typ) => {
    const { w, key } = await world()
    await expect(w.verify(await key.sign(w.claims(), { typ }))).rejects.toMatchObject({
      code: 'auth.invalid',
    })
  })

  test.each(['at+jwt', 'application/at+JWT', undefined])('of type %s is accepted', async (typ) => {
    const { w, key } = await world()
    await expect(w.verify(await key.sign(w.claims(), { typ }))).resolves.toBeDefined()
  })

  test('signed by another key under a known id is refused', async () => {
    const { w } = await world()
    const impostor = await signer('k1')
    await expect(w.verify(await impostor.sign(w.claims()))).rejects.toMatchObject({ code: 'auth.invalid' })
  })

  test('with any character of its signature or claims changed is refused', async () => {
    const { w, key } = await world()
    const token = await key.sign(w.claims())
    const [head = '', body = '', signature = ''] = token.split('.')
    for (const at of [0, 10, 40]) {
      for (const bad of [
        `${head}.${flip(body, at)}.${signature}`,
        `${head}.${body}.${flip(signature, at)}`,
      ]) {
        await expect(w.verify(bad)).rejects.toMatchObject({ code: 'auth.invalid' })
      }
    }
  })

  test.each(['', 'x', 'a.b', 'a.b.c', '..', `${'a'.repeat(9000)}.b.c`])(
    'that is none is refused: %#',
    async (token) => {
      const { w } = await world()
      await expect(w.verify(token)).rejects.toMatchObject({ code: 'auth.invalid' })
    },
  )

  test('signed symmetrically with the public key is refused', async () => {
    const { w, key } = await world()
    const secret = Buffer.from(JSON.stringify(key.publicJwk))
    const token = await new SignJWT(w.claims()).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret)
    await expect(w.verify(token)).rejects.toMatchObject({ code: 'auth.invalid' })
  })

  test('without signature is refused', async () => {
    const { w } = await world()
    const token = `${part({ alg: 'none', kid: 'k1' })}.${part(w.claims())}.`
    await expect(w.verify(token)).rejects.toMatchObject({ code: 'auth.invalid' })
  })

  test('with an algorithm that the configuration does not name is refused', async () => {
    const key = await signer('e', 'ES256')
    const w = new World(['EdDSA'])
    w.keys = [key.publicJwk]
    await expect(w.verify(await key.sign(w.claims()))).rejects.toMatchObject({ code: 'auth.invalid' })
  })
})

test.each([[['HS256']], [['none']], [['EdDSA', 'HS512']], [[]]])(
  'refuses to start with algorithms %j',
  (algorithms) => {
    expect(() => new World(algorithms)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  },
)

describe('a verified token', () => {
  test('is known for a minute, then verified again', async () => {
    const { w, key } = await world()
    const token = await key.sign(w.claims())
    const first = await w.verifier.verify(token)
    expect(w.verifier.verify(token)).toBe(first)
    w.nowMs += 59_999
    expect(w.verifier.verify(token)).toBe(first)
    w.nowMs += 1
    expect(w.verifier.verify(token)).toBeInstanceOf(Promise)
  })

  test('is not known past its end', async () => {
    const { w, key } = await world()
    const token = await key.sign(w.claims({ exp: start / 1000 + 10 }))
    await w.verify(token)
    w.nowMs += 9_999
    expect(w.verifier.verify(token)).not.toBeInstanceOf(Promise)
    w.nowMs += 1
    await expect(w.verify(token)).rejects.toMatchObject({ code: 'auth.invalid' })
  })

  test('is forgotten when its key leaves the set, and only then', async () => {
    const { w, key } = await world()
    const other = await signer('k2')
    w.keys = [key.publicJwk, other.publicJwk]
    const token = await key.sign(w.claims())
    await w.verify(token)
    w.keys = [other.publicJwk, key.publicJwk]
    await w.verifier.refresh()
    expect(w.verifier.verify(token)).not.toBeInstanceOf(Promise)
    w.keys = [other.publicJwk]
    await w.verifier.refresh()
    await expect(w.verify(token)).rejects.toMatchObject({ code: 'auth.invalid' })
  })

  test('is forgotten when its key id stands for another key', async () => {
    const { w, key } = await world()
    const token = await key.sign(w.claims())
    await w.verify(token)
    w.keys = [(await signer('k1')).publicJwk]
    await w.verifier.refresh()
    await expect(w.verify(token)).rejects.toMatchObject({ code: 'auth.invalid' })
  })
})

describe('the key set', () => {
  test('is asked again for an unknown key, once for many tokens and not often', async () => {
    const { w, key } = await world()
    await w.verify(await key.sign(w.claims()))
    expect(w.loads).toBe(1)
    const rotated = await signer('k2')
    w.keys = [key.publicJwk, rotated.publicJwk]
    w.nowMs += 10_000
    const tokens = await Promise.all([1, 2, 3].map((n) => rotated.sign(w.claims({ sub: `svc${n}` }))))
    const principals = await Promise.all(tokens.map((token) => w.verify(token)))
    expect(principals.map(({ caller }) => caller.id)).toEqual(['svc1', 'svc2', 'svc3'])
    expect(w.loads).toBe(2)
    const unknown = await signer('k3')
    for (const n of [1, 2, 3]) {
      const token = await unknown.sign(w.claims({ sub: `x${n}` }))
      await expect(w.verify(token)).rejects.toMatchObject({ code: 'auth.invalid' })
    }
    expect(w.loads).toBe(2)
  })

  test('stays in use for an hour when it can not be loaded again', async () => {
    const { w, key } = await world()
    await w.verify(await key.sign(w.claims()))
    w.down = true
    await expect(w.verifier.refresh()).rejects.toMatchObject({ code: 'auth.unavailable' })
    w.nowMs += 3_599_000
    await expect(w.verify(await key.sign(w.claims()))).resolves.toBeDefined()
    w.nowMs += 2_000
    await expect(w.verify(await key.sign(w.claims()))).rejects.toMatchObject({ code: 'auth.unavailable' })
  })

  test('that was never there makes tokens unverifiable, not invalid', async () => {
    const { w, key } = await world()
    w.down = true
    await expect(w.verify(await key.sign(w.claims()))).rejects.toMatchObject({ code: 'auth.unavailable' })
  })

  test('is never replaced by an empty or unreadable one', async () => {
    const { w, key } = await world()
    await w.verify(await key.sign(w.claims()))
    for (const keys of [[], [{ kty: 'oct', k: 'AAAA', kid: 'k1' }], [{ kty: 'RSA', kid: 'k1' }]]) {
      w.keys = keys
      await expect(w.verifier.refresh()).rejects.toMatchObject({ code: 'auth.unavailable' })
    }
    await expect(w.verify(await key.sign(w.claims({ sub: 'later' })))).resolves.toBeDefined()
  })

  test('refuses a token that two of its keys could have signed', async () => {
    const { w, key } = await world()
    w.keys = [key.publicJwk, (await signer('k1')).publicJwk]
    await expect(w.verify(await key.sign(w.claims()))).rejects.toMatchObject({ code: 'auth.invalid' })
  })

  test('refreshes by itself every five minutes until it is closed', async () => {
    jest.useFakeTimers()
    try {
      const { w } = await world()
      await jest.advanceTimersByTimeAsync(300_000)
      expect(w.loads).toBe(1)
      await jest.advanceTimersByTimeAsync(300_000)
      expect(w.loads).toBe(2)
      w.verifier.close()
      await jest.advanceTimersByTimeAsync(900_000)
      expect(w.loads).toBe(2)
    } finally {
      jest.useRealTimers()
    }
  })
})

describe('a loader', () => {
  test('reads a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jwks-'))
    const file = join(folder, 'jwks.json')
    await writeFile(file, '{"keys":[]}')
    await expect(jwksLoader(file)()).resolves.toEqual({ keys: [] })
    await rm(folder, { recursive: true })
    await expect(jwksLoader(file)()).rejects.toThrow()
  })

  test('reads a URL, but follows no redirect and no endless answer', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/jwks') response.end('{"keys":[]}')
      else if (request.url === '/moved') response.writeHead(302, { location: '/jwks' }).end()
      else if (request.url === '/large') response.end(' '.repeat(1_100_000))
      else response.writeHead(404).end('{"keys":[]}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(jwksLoader(`${base}/jwks`)()).resolves.toEqual({ keys: [] })
    for (const path of ['moved', 'large', 'none'])
      await expect(jwksLoader(`${base}/${path}`)()).rejects.toThrow()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})
