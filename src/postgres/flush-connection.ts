/** The one connection that commits batches: sends one, and says what is known about its fate. */
import type { Client } from 'pg'
import { PdpError } from '../errors.ts'
import type { Batch } from './batch.ts'
import { connectWriter, unavailable } from './client.ts'

/** A claim that somebody else holds. */
export interface LostClaim {
  /** Hexadecimal. */
  readonly claim: string
  /** Hexadecimal. */
  readonly body: string
  readonly ids: readonly string[]
}

/** What is known after an attempt. */
export type FlushResult =
  | { readonly kind: 'stored'; readonly digest: Buffer | null; readonly n: number | null }
  /** Rolled back: these claims are held. */
  | { readonly kind: 'claimed'; readonly lost: readonly LostClaim[] }
  /** Rolled back, or never sent. */
  | { readonly kind: 'refused'; readonly error: PdpError; readonly again: boolean }
  /** Committed or not: nobody knows. */
  | { readonly kind: 'unknown'; readonly error: PdpError }

const CLAIMS_HELD = 'CS001'
const STATEMENT_MS = 1500
/** Longer than the server gives a statement: only a server that is gone is silent for so long. */
const SILENCE_MS = 5000
const PARAMETERS = 28
const FLUSH = {
  name: 'ledger_flush',
  text: `SELECT stored_digest, stored_n FROM ledger_flush(${Array.from({ length: PARAMETERS }, (_, i) => `$${i + 1}`).join(',')})`,
}
/** Serialization failures, deadlocks, lock and statement timeouts, lack of room or connections: worth another try. */
const TRANSIENT = /^(?:40001|40P01|55P03|57014|53...|25006)$/

/** Connects when needed, and anew after a failure. */
export class FlushConnection {
  private readonly url: string
  private readonly onLost: () => void
  private client: Client | null = null
  private connecting: Promise<Client> | null = null
  private ended = false

  /** @param onLost called when an open connection breaks */
  constructor(url: string, onLost: () => void) {
    this.url = url
    this.onLost = onLost
  }

  /** Whether a statement can be sent at once. */
  get open(): boolean {
    return this.client !== null
  }

  /** Rejects with `ledger.unavailable`. */
  async connect(): Promise<Client> {
    if (this.client !== null) return this.client
    if (this.ended) throw new PdpError('ledger.unavailable', 'the ledger is closed')
    this.connecting ??= connectWriter(this.url, STATEMENT_MS)
    try {
      const client = await this.connecting
      this.adopt(client)
      return client
    } finally {
      this.connecting = null
    }
  }

  /** Sends a batch once. Never rejects. */
  async flush(batch: Batch): Promise<FlushResult> {
    let client: Client
    try {
      client = this.client ?? (await this.connect())
    } catch (error) {
      return { kind: 'refused', error: unavailable(error), again: true }
    }
    const silence = setTimeout(() => this.drop(client), SILENCE_MS)
    try {
      const { rows } = await client.query<{ stored_digest: Buffer | null; stored_n: number | null }>({
        ...FLUSH,
        values: [...batch.parameters],
      })
      return { kind: 'stored', digest: rows[0]?.stored_digest ?? null, n: rows[0]?.stored_n ?? null }
    } catch (error) {
      return this.failure(client, error)
    } finally {
      clearTimeout(silence)
    }
  }

  async end(): Promise<void> {
    this.ended = true
    const client = this.client
    this.client = null
    await client?.end()
  }

  private adopt(client: Client): void {
    if (this.client === client) return
    this.client = client
    client.once('end', () => this.drop(client))
    client.once('error', () => this.drop(client))
  }

  private drop(client: Client): void {
    if (this.client !== client) return
    this.client = null
    // Whoever waits for an answer of this connection gets an error at once.
    client.end().catch(() => undefined)
    this.onLost()
  }

  /** Only an ERROR of the server says that nothing was committed; a FATAL one may come after the commit. */
  private failure(client: Client, error: unknown): FlushResult {
    const { severity, code, detail } = error as { severity?: string; code?: string; detail?: string }
    if (severity !== 'ERROR' || code === undefined) {
      this.drop(client)
      return { kind: 'unknown', error: unavailable(error) }
    }
    if (code === CLAIMS_HELD) return { kind: 'claimed', lost: lostClaims(detail) }
    return { kind: 'refused', error: unavailable(error), again: TRANSIENT.test(code) }
  }
}

function lostClaims(detail: string | undefined): readonly LostClaim[] {
  return JSON.parse(detail ?? '[]') as LostClaim[]
}
