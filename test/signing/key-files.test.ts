import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ensureSecretKey,
  ensureSigningKey,
  readSecretKey,
  readSigningKey,
} from '../../src/signing/key-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(text: string, mode = 0o600): string {
  const path = join(folder, 'key')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

test('a key that is made is the one that is read, and only its owner can read it', () => {
  const path = join(folder, 'receipt.jwk')
  const made = ensureSigningKey(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(ensureSigningKey(path).equals(made)).toBe(true)
  expect(readSigningKey(path).equals(made)).toBe(true)
  const secret = join(folder, 'audit.key')
  expect(ensureSecretKey(secret)).toHaveLength(32)
  expect(readSecretKey(secret).equals(ensureSecretKey(secret))).toBe(true)
})

test('a file that others may read is refused', () => {
  const path = join(folder, 'audit.key')
  ensureSecretKey(path)
  chmodSync(path, 0o640)
  expect(() => readSecretKey(path)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
})

const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const publicKey = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })

test.each(['', 'nonsense', '{}', JSON.stringify(otherKey), JSON.stringify(publicKey)])(
  'a file without a private Ed25519 key is refused, and its text stays out of the message',
  (text) => {
    const path = put(text)
    expect(() => readSigningKey(path)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    expect(() => readSigningKey(path)).toThrow(path)
    expect(readFileSync(path, 'utf8')).toBe(text)
  },
)

test.each(['', 'AAAA', 'A'.repeat(44), `${'A'.repeat(42)}!`])('%j is no 32-byte key', (text) => {
  const path = put(text)
  expect(() => readSecretKey(path)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
})

test('a missing file is named', () => {
  const path = join(folder, 'missing')
  expect(() => readSecretKey(path)).toThrow(path)
})
