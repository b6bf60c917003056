/** The ledger in PostgreSQL: opens a stream, appends to it, answers who holds a claim, replays, closes. */
import type { Pool } from 'pg'
import type { CanonicalJson } from '../action/canonical.ts'
import { PdpError } from '../errors.ts'
import type { PayloadKeys, ReceiptSigner, WrappedDataKey } from '../ledger/keys.ts'
import { NO_BATCH } from '../ledger/stream.ts'
import type { AppendOutcome, Clock, IdempotencyClaim, Ledger, LedgerUnit, Telemetry } from '../ports.ts'
import type { QueueLimits } from './admission.ts'
import type { ChainEnd, UnitOutcome } from './batch.ts'
import { Batcher } from './batcher.ts'
import { unavailable } from './client.ts'
import type { Pools } from './client.ts'
import { claimDigester, findHolder } from './idempotency.ts'
import type { ClaimDigests } from './idempotency.ts'
import { ensurePartitions, startMaintenance } from './maintenance.ts'
import { previousStream } from './previous-stream.ts'
import type { PreviousStream } from './previous-stream.ts'
import { replayRecords } from './replay.ts'
import { Sealer } from './sealer.ts'
import { databaseMode, ensureLog, writeSetting } from './settings.ts'
import type { Mode } from './settings.ts'
import { StateFile, readStreamState } from './state-file.ts'
import { StreamHead, insertStream, newStream } from './stream-head.ts'
import type { StreamIdentity } from './stream-head.ts'
import { streamEvent, streamNews } from './stream-news.ts'

/** The keys of a log. All of them come from files. */
export interface LedgerKeys {
  readonly signer: ReceiptSigner
  readonly payloads: PayloadKeys
  /** 32 bytes: blind indexes, idempotency, certificates of keys. */
  readonly auditKey: Uint8Array
}

export interface LedgerOptions {
  /** Of the service's login; the ledger's commits have a connection of their own. */
  readonly url: string
  readonly pools: Pools
  /** From `logIdOf(origin)`. */
  readonly logId: string
  readonly origin: string
  readonly tenant: string
  /** Program and version, as in `countersign/1.0.0`. */
  readonly engine: string
  readonly mode: Mode
  readonly keys: LedgerKeys
  /** What the `ledger.settings` leaf says; a leaf is written when it differs from the last one's. */
  readonly settings: CanonicalJson
  /** Where the stream's state is kept. */
  readonly stateDir: string
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'stage'>
  readonly limits?: QueueLimits
  /** What an operator must look at: rows in a default partition, a task that failed. */
  readonly onAlarm?: (message: string) => void
}

/** The ledger of one process. */
export interface LedgerHandle extends Ledger {
  /** Commits what waits, closes the stream, signs its head. What can't be committed in time is refused. */
  close(): Promise<void>
}

const LIMITS: QueueLimits = { records: 16_384, bytes: 48 << 20 }
const ADOPTED_KEYS = 10_000
const CLOSE_MS = 5000
/**
 * Opens a stream of the log. Throws `ledger.unavailable` when the database can't be used or lacks
 * what this replica has answered for.
 */
export async function createLedger(options: LedgerOptions): Promise<LedgerHandle> {
  const pool = options.pools.writer
  const alarm = options.onAlarm ?? (() => undefined)
  try {
    await readyLog(options)
    for (const message of await ensurePartitions(pool)) alarm(message)
    options.keys.payloads.adopt(await storedKeys(pool, options))
    const previous = await previousStream(pool, options.logId, readStreamState(options.stateDir))
    const identity = newStream(options.origin, options.keys.signer)
    await insertStream(pool, options.logId, identity, options.keys.signer)
    return await opened(new PostgresLedger(options, identity), previous)
  } catch (cause) {
    throw unavailable(cause)
  }
}

/** Makes the log's rows where they are missing. An evaluation has no business beside a production log. */
async function readyLog({ pools, logId, origin, mode }: LedgerOptions): Promise<void> {
  const stored = await databaseMode(pools.writer)
  if (stored === 'production' && mode === 'evaluation') {
    throw new PdpError('config.invalid', 'the database belongs to a production log')
  }
  await ensureLog(pools.writer, logId, origin)
  await writeSetting(pools.writer, logId, 'mode', mode)
}

async function opened(ledger: PostgresLedger, previous: PreviousStream | null): Promise<LedgerHandle> {
  try {
    await ledger.open(previous)
    return ledger
  } catch (error) {
    await ledger.close()
    throw error
  }
}

/** The newest data keys of this month, so that a restart goes on with them. */
async function storedKeys(pool: Pool, { logId, clock }: LedgerOptions): Promise<readonly WrappedDataKey[]> {
  const month = `${clock.now().toISOString().slice(0, 7)}-01`
  const { rows } = await pool.query<WrappedDataKey>(
    `SELECT key_id AS id, class, to_char(period, 'YYYY-MM-DD') AS period, subject, wrapped FROM ledger_data_key
     WHERE log_id = $1 AND class = 'payload' AND period = $2 AND wrapped IS NOT NULL
     ORDER BY created_at DESC LIMIT $3`,
    [logId, month, ADOPTED_KEYS],
  )
  return rows.toReversed()
}

class PostgresLedger implements LedgerHandle {
  private readonly options: LedgerOptions
  private readonly identity: StreamIdentity
  private readonly digestsOf: (claim: IdempotencyClaim) => ClaimDigests
  private readonly batcher: Batcher
  private readonly head: StreamHead
  private readonly state: StateFile
  private readonly maintenance: ReturnType<typeof startMaintenance>
  /** Claims under way here: equal keys join them. */
  private readonly claims = new Map<
    string,
    { readonly body: Buffer; readonly outcome: Promise<UnitOutcome> }
  >()
  private end: ChainEnd = { counter: -1, digest: NO_BATCH }
  private unresolved: ChainEnd | null = null
  private closing = false

  constructor(options: LedgerOptions, identity: StreamIdentity) {
    const { logId, origin, tenant, engine, keys, pools } = options
    const { stream } = identity
    this.options = options
    this.identity = identity
    this.digestsOf = claimDigester(keys.auditKey)
    this.state = new StateFile(options.stateDir)
    this.head = new StreamHead(pools.writer, { logId, origin }, identity)
    this.maintenance = startMaintenance(pools.writer, options.onAlarm ?? (() => undefined))
    const stage: Telemetry['stage'] = (name, micros) => options.telemetry.stage(name, micros)
    const sealer = new Sealer({
      logId,
      source: { origin, stream, tenant, engine },
      signer: keys.signer,
      payloadKeys: keys.payloads,
      auditKey: keys.auditKey,
      now: () => options.clock.now().getTime(),
      stage,
    })
    const hooks = {
      onCommit: (end: ChainEnd) => this.committed(end),
      onUnresolved: (end: ChainEnd | null) => this.unknown(end),
    }
    this.batcher = new Batcher(
      { url: options.url, logId, stream, sealer, limits: options.limits ?? LIMITS, stage, ...hooks },
      this.end,
    )
  }

  /** Commits the stream's first records. */
  async open(previous: PreviousStream | null): Promise<void> {
    await this.batcher.connect()
    this.writeState()
    const news = await streamNews(this.options, this.identity, previous)
    await this.append({ records: news.records, claim: null, callerKey: '' })
    await news.told()
  }

  fault(): string | undefined {
    return this.closing ? 'the ledger is closing' : this.batcher.fault()
  }

  async append(unit: LedgerUnit): Promise<AppendOutcome> {
    if (this.closing) throw new PdpError('ledger.unavailable', 'the ledger is closing')
    if (unit.claim === null) return answered(await this.commit(unit, null), null)
    const digests = this.digestsOf(unit.claim)
    const held = this.claims.get(digests.name)
    if (held !== undefined) return joined(held.body, await held.outcome, digests.body)
    const outcome = this.commit(unit, digests)
    this.claims.set(digests.name, { body: digests.body, outcome })
    try {
      return answered(await outcome, digests.body)
    } finally {
      this.claims.delete(digests.name)
    }
  }

  async findClaim(claim: IdempotencyClaim): Promise<{ ids: readonly string[]; matches: boolean } | null> {
    return findHolder(this.options.pools.writer, this.options.logId, this.digestsOf(claim))
  }

  replay(ids: readonly string[]): ReturnType<Ledger['replay']> {
    const { pools, logId, origin, keys } = this.options
    const pool = pools.writer
    const registry = { pool, logId, auditKey: keys.auditKey, signer: keys.signer }
    return replayRecords({ pool, logId, origin, keys: keys.payloads }, registry, ids)
  }

  async close(): Promise<void> {
    if (this.closing) return
    this.closing = true
    this.maintenance.stop()
    await Promise.race([this.finish(), new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())])
    await this.batcher.close()
    this.state.close()
  }

  /** Best effort: a stream that can't be closed is continued by the next `stream.opened`. */
  private async finish(): Promise<void> {
    const { stream } = this.identity
    const last = streamEvent('stream.closed', stream, { stream })
    try {
      await this.batcher.drained()
      await this.commit({ records: [last], claim: null, callerKey: '' }, null)
      await this.head.close()
    } catch {
      this.options.onAlarm?.('the stream could not be closed')
    }
  }

  private commit(unit: LedgerUnit, claim: ClaimDigests | null): Promise<UnitOutcome> {
    return new Promise((resolve) => this.batcher.add(unit, claim, resolve))
  }

  private committed(end: ChainEnd): void {
    this.end = end
    this.writeState()
    this.head.advance(end)
    this.maintenance.touched()
  }

  private unknown(end: ChainEnd | null): void {
    if (end === null && this.unresolved === null) return
    this.unresolved = end
    this.writeState()
  }

  private writeState(): void {
    const { logId } = this.options
    const last = this.end.counter < 0 ? null : place(this.end)
    const unresolved = this.unresolved === null ? null : place(this.unresolved)
    this.state.write({ log: logId, stream: this.identity.stream, last, unresolved })
  }
}

function place(end: ChainEnd): { counter: number; digest: string } {
  return { counter: end.counter, digest: Buffer.from(end.digest).toString('hex') }
}

function answered(outcome: UnitOutcome, body: Buffer | null): AppendOutcome {
  switch (outcome.status) {
    case 'committed':
      return outcome
    case 'claimed':
      return { status: 'claimed', ids: outcome.ids, matches: body !== null && outcome.body.equals(body) }
    case 'failed':
      throw outcome.error
  }
}

/** The outcome for a unit whose claim another unit of this process holds. */
function joined(heldBody: Buffer, outcome: UnitOutcome, body: Buffer): AppendOutcome {
  if (outcome.status !== 'committed') return answered(outcome, body)
  return { status: 'claimed', ids: outcome.sealed.map(({ id }) => id), matches: heldBody.equals(body) }
}
