/** What evaluation mode keeps in its state folder. */
import { randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureSecretKey, ensureSigningKey } from '../signing/key-files.ts'
import type { EvaluationTokens } from './tokens.ts'

/** What scripts and demos read once the service is ready. */
export interface EvaluationFile {
  readonly url: string
  readonly pid: number
  readonly databaseUrl: string
  readonly logVerifierKey: string
  readonly tokens: EvaluationTokens
  readonly tokenKeyFile: string
}

/** Keys and name, made on the first start and kept. */
export interface EvaluationState {
  readonly origin: string
  /** The `iss` of its tokens. */
  readonly issuer: string
  readonly tokenKeyFile: string
  readonly tokenKey: KeyObject
  readonly receiptKey: KeyObject
  readonly logKey: KeyObject
  /** 32 bytes each. */
  readonly auditKey: Buffer
  readonly payloadKey: Buffer
}

/** Reads keys and origin, and makes those that are missing. */
export function ensureState(folder: string): EvaluationState {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const origin = ensureOrigin(join(folder, 'origin'))
  const tokenKeyFile = join(folder, 'token-key.jwk')
  return {
    origin,
    issuer: `https://${origin}`,
    tokenKeyFile,
    tokenKey: ensureSigningKey(tokenKeyFile),
    receiptKey: ensureSigningKey(join(folder, 'receipt-key.jwk')),
    logKey: ensureSigningKey(join(folder, 'log-key.jwk')),
    auditKey: ensureSecretKey(join(folder, 'audit.key')),
    payloadKey: ensureSecretKey(join(folder, 'payload.key')),
  }
}

/** The log's name. Random, so that no two evaluations are taken for one log; `.invalid` is nobody's (RFC 2606). */
function ensureOrigin(path: string): string {
  try {
    writeFileSync(path, `evaluation.invalid/${randomBytes(8).toString('hex')}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(path, 'utf8').trim()
}

function pathIn(folder: string): string {
  return join(folder, 'evaluation.json')
}

/** Appears whole, for this user only. */
export function writeEvaluationFile(folder: string, content: EvaluationFile): void {
  const draft = `${pathIn(folder)}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, pathIn(folder))
}

/** Undefined while no service is ready there. */
export function readEvaluationFile(folder: string): EvaluationFile | undefined {
  try {
    return JSON.parse(readFileSync(pathIn(folder), 'utf8')) as EvaluationFile
  } catch {
    return undefined
  }
}

/** Nobody is ready there. */
export function removeEvaluationFile(folder: string): void {
  rmSync(pathIn(folder), { force: true })
}
