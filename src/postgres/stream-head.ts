/** A stream's identity: its key, vouched for by the receipt key, and the signed head of its chain. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Pool } from 'pg'
import type { ReceiptSigner } from '../ledger/keys.ts'
import { certificateBytes, headBytes } from '../ledger/stream.ts'
import type { ChainEnd } from './batch.ts'

/** A stream that is about to be opened. */
export interface StreamIdentity {
  readonly stream: string
  readonly publicKey: Buffer
  readonly certificate: Buffer
  readonly key: KeyObject
}

const SIGN_EVERY_MS = 100

/** A new stream with a key of its own, which never leaves the process. */
export function newStream(origin: string, signer: ReceiptSigner): StreamIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const stream = randomUUID()
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  return {
    stream,
    publicKey: raw,
    certificate: signer.sign(certificateBytes(origin, stream, raw)),
    key: privateKey,
  }
}

/** Makes the stream's row. */
export async function insertStream(
  pool: Pool,
  logId: string,
  identity: StreamIdentity,
  signer: ReceiptSigner,
): Promise<void> {
  await pool.query(
    `INSERT INTO ledger_stream (log_id, stream, public_key, kid, certificate, opened_at)
     VALUES ($1, $2, $3, $4, $5, now())`,
    [logId, identity.stream, identity.publicKey, signer.kid, identity.certificate],
  )
}

/** Signs the head of the chain, at most every 100 ms, off the path of any request. */
export class StreamHead {
  private readonly pool: Pool
  private readonly log: { readonly logId: string; readonly origin: string }
  private readonly identity: StreamIdentity
  private readonly timer: NodeJS.Timeout
  private end: ChainEnd | null = null
  private writing: Promise<void> | null = null

  constructor(
    pool: Pool,
    log: { readonly logId: string; readonly origin: string },
    identity: StreamIdentity,
  ) {
    this.pool = pool
    this.log = log
    this.identity = identity
    this.timer = setInterval(() => this.tick(), SIGN_EVERY_MS).unref()
  }

  /** The chain goes on. */
  advance(end: ChainEnd): void {
    this.end = end
  }

  /** Signs what is left. Rejects when it can't be written. */
  async close(): Promise<void> {
    clearInterval(this.timer)
    await this.writing
    if (this.end !== null) await this.write(this.end)
  }

  private tick(): void {
    const end = this.end
    if (end === null || this.writing !== null) return
    this.end = null
    this.writing = this.write(end)
      // The next head covers this one.
      .catch(() => {
        this.end ??= end
      })
      .finally(() => {
        this.writing = null
      })
  }

  /** Not waited for by any answer, and covered by the next head: its commit need not reach the disk at once. */
  private async write(end: ChainEnd): Promise<void> {
    const { stream, key } = this.identity
    const signature = sign(null, headBytes(this.log.origin, stream, end.counter, end.digest), key)
    const digest = Buffer.from(end.digest).toString('hex')
    await this.pool.query(
      `BEGIN; SET LOCAL synchronous_commit = off;
       UPDATE ledger_stream SET head_counter = ${end.counter}, head_digest = '\\x${digest}',
         head_signature = '\\x${signature.toString('hex')}'
       WHERE log_id = ${this.log.logId} AND stream = '${stream}'; COMMIT`,
    )
  }
}
