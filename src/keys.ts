/** `npm run keys -- <folder>`: makes the four key files of a production service; those that exist stay as they are. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureSecretKey, ensureSigningKey } from './signing/key-files.ts'

const KEYS = [
  { file: 'log-key.jwk', setting: 'COUNTERSIGN_LOG_KEY_FILE', make: ensureSigningKey },
  { file: 'receipt-key.jwk', setting: 'COUNTERSIGN_RECEIPT_KEY_FILE', make: ensureSigningKey },
  { file: 'audit.key', setting: 'COUNTERSIGN_AUDIT_KEY_FILE', make: ensureSecretKey },
  { file: 'payload.key', setting: 'COUNTERSIGN_PAYLOAD_KEY_FILE', make: ensureSecretKey },
] as const

const folder = process.argv[2]
if (folder === undefined) {
  process.stderr.write('usage: npm run keys -- <folder>\n')
  process.exitCode = 2
} else {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const { file, setting, make } of KEYS) {
    const path = join(folder, file)
    const was = existsSync(path) ? 'kept' : 'made'
    make(path)
    process.stdout.write(`${setting}=${path}  # ${was}\n`)
  }
}
