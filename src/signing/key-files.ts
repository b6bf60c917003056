/** Keys as files: Ed25519 keys as JWK (RFC 8037), symmetric keys as 32 bytes in base64url. Mode 0600, never in the database. */
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { PdpError } from '../errors.ts'

const SYMMETRIC = /^[A-Za-z0-9_-]{43}=?$/
const KEY_BYTES = 32

/** Reads a private Ed25519 key. Throws `config.invalid` when the file is none, or when others may read it. */
export function readSigningKey(path: string): KeyObject {
  const text = readSecret(path)
  try {
    const jwk = JSON.parse(text) as JsonWebKey
    if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || typeof jwk.d !== 'string')
      throw new TypeError('other key')
    return createPrivateKey({ key: jwk, format: 'jwk' })
  } catch {
    throw new PdpError('config.invalid', `${path} holds no private Ed25519 JWK`)
  }
}

/** Reads a 32-byte key. Throws `config.invalid` when the file is none, or when others may read it. */
export function readSecretKey(path: string): Buffer {
  const text = readSecret(path).trim()
  const key = Buffer.from(text, 'base64url')
  if (!SYMMETRIC.test(text) || key.length !== KEY_BYTES) {
    throw new PdpError('config.invalid', `${path} does not hold 32 bytes in base64url`)
  }
  return key
}

/** Reads a private Ed25519 key, made first when there is no such file. */
export function ensureSigningKey(path: string): KeyObject {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  createOnce(path, `${JSON.stringify(jwk)}\n`)
  return readSigningKey(path)
}

/** Reads a 32-byte key, made first when there is no such file. */
export function ensureSecretKey(path: string): Buffer {
  createOnce(path, `${randomBytes(KEY_BYTES).toString('base64url')}\n`)
  return readSecretKey(path)
}

function readSecret(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw new PdpError('config.invalid', `${path} can be read by others: its mode must be 0600`)
    }
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof PdpError) throw cause
    throw new PdpError('config.invalid', `${path} can't be read`, { cause })
  }
}

/** Writes a file that is not there yet; an existing one is left as it is. Durable before it returns. */
function createOnce(path: string, text: string): void {
  let file: number
  try {
    file = openSync(path, 'wx', 0o600)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new PdpError('config.invalid', `${path} can't be made`, { cause })
  }
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
