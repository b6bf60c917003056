/**
 * Group commit. While one batch commits, the next one fills; it is sent when the answer is there. No
 * timer decides: an idle service commits each unit alone, a busy one hundreds together.
 *
 * A batch whose fate is unknown is sent again, the same bytes under the same id, until it is known;
 * until then nothing else of the stream is sent.
 */
import { PdpError } from '../errors.ts'
import type { LedgerUnit } from '../ports.ts'
import { Admission, unitBytes } from './admission.ts'
import type { QueueLimits } from './admission.ts'
import { makeBatch } from './batch.ts'
import type { Batch, ChainEnd, PendingUnit, UnitOutcome } from './batch.ts'
import { FlushConnection } from './flush-connection.ts'
import type { FlushResult, LostClaim } from './flush-connection.ts'
import type { ClaimDigests } from './idempotency.ts'
import type { Sealer, StageTimer } from './sealer.ts'

export interface BatcherOptions {
  readonly url: string
  readonly logId: string
  readonly stream: string
  readonly sealer: Sealer
  readonly limits: QueueLimits
  readonly stage: StageTimer
  /** Called after each commit and before any answer, with the chain's new end. */
  readonly onCommit: (end: ChainEnd) => void
  /** Called when a batch's fate became unknown (its end), and when it is known again (null). */
  readonly onUnresolved: (end: ChainEnd | null) => void
}

const BATCH_RECORDS = 1024
const BATCH_BYTES = 8 << 20
/** An answer is given within two seconds, whatever the database does. */
const PATIENCE_MS = 1700
const SWEEP_MS = 100
const FIRST_RETRY_MS = 20
const LAST_RETRY_MS = 1000

export class Batcher {
  private readonly options: BatcherOptions
  private readonly admission: Admission
  private readonly connection: FlushConnection
  private readonly sweeper: NodeJS.Timeout
  private end: ChainEnd
  private filling: PendingUnit[] = []
  private fillingRecords = 0
  private fillingBytes = 0
  private waiting: PendingUnit[] = []
  private flight: Batch | null = null
  private sentAt = 0
  private scheduled = false
  private retryMs = FIRST_RETRY_MS
  private trouble: string | null = null
  private ended: string | null = null
  private idle: (() => void)[] = []

  /** @param start the end of the chain before the first batch */
  constructor(options: BatcherOptions, start: ChainEnd) {
    this.options = options
    this.end = start
    this.admission = new Admission(options.limits)
    this.connection = new FlushConnection(options.url, () => this.lost())
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref()
  }

  /** Why nothing can be written, if so. */
  fault(): string | undefined {
    return this.ended ?? this.trouble ?? undefined
  }

  connect(): Promise<unknown> {
    return this.connection.connect()
  }

  /** Takes a unit in; `answer` is called once. Throws `ledger.busy`, `caller.limit` or `ledger.unavailable`. */
  add(unit: LedgerUnit, claim: ClaimDigests | null, answer: (outcome: UnitOutcome) => void): void {
    const fault = this.fault()
    if (fault !== undefined) throw unwritable(fault)
    const bytes = unitBytes(unit)
    this.admission.enter(unit, bytes)
    const pending: PendingUnit = { unit, claim, bytes, since: performance.now(), entries: [], answer }
    this.waiting.push(pending)
    this.fill()
    this.schedule()
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    if (this.flight === null && this.filling.length === 0) return
    await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  /** Ends the connection; what still waits is refused. */
  async close(): Promise<void> {
    this.ended ??= 'the ledger is closed'
    clearInterval(this.sweeper)
    this.refuseFilling(unwritable(this.ended))
    if (this.flight !== null)
      this.answerAll(this.flight.units, { status: 'failed', error: unwritable(this.ended) })
    await this.connection.end()
  }

  /** Moves what waits into the batch being filled, and seals it, while there is room. */
  private fill(): void {
    let next = this.waiting[0]
    while (next !== undefined && this.hasRoom(next)) {
      this.waiting.shift()
      if (this.seal(next)) {
        this.filling.push(next)
        this.fillingRecords += next.entries.length
        this.fillingBytes += next.bytes
      }
      next = this.waiting[0]
    }
  }

  private hasRoom(unit: PendingUnit): boolean {
    if (this.filling.length === 0) return true
    return (
      this.fillingRecords + unit.unit.records.length <= BATCH_RECORDS &&
      this.fillingBytes + unit.bytes <= BATCH_BYTES
    )
  }

  /** A record that can't be sealed fails its own unit, and takes no place in the stream. */
  private seal(unit: PendingUnit): boolean {
    const { sealer } = this.options
    const first = sealer.cursor.seq
    try {
      unit.entries = unit.unit.records.map((record) => sealer.seal(record))
      return true
    } catch (cause) {
      sealer.cursor.seq = first
      this.finish(unit, {
        status: 'failed',
        error: new PdpError('internal', 'a record cannot be sealed', { cause }),
      })
      return false
    }
  }

  /** At the end of this turn of the event loop: what came in together commits together. */
  private schedule(): void {
    if (this.scheduled || this.flight !== null) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.pump()
    })
  }

  private pump(): void {
    if (this.flight !== null || this.ended !== null) return
    if (this.filling.length === 0) {
      this.settleIdle()
      return
    }
    const units = this.filling
    this.filling = []
    this.fillingRecords = 0
    this.fillingBytes = 0
    this.flight = makeBatch(this.options, this.end, units)
    this.sentAt = performance.now()
    this.send(this.flight)
    this.fill()
  }

  private send(batch: Batch): void {
    this.connection
      .flush(batch)
      .then((result) => this.settle(batch, result))
      // Whatever it was, nothing that follows may be answered: the state file can't be written, say.
      .catch((error: unknown) => this.stop(`a commit could not be settled: ${String(error)}`))
  }

  private settle(batch: Batch, result: FlushResult): void {
    if (this.ended !== null) return
    switch (result.kind) {
      case 'stored':
        return this.stored(batch, result)
      case 'claimed':
        return this.claimed(batch, result.lost)
      case 'refused':
        return this.refused(batch, result)
      case 'unknown':
        batch.uncertain = true
        this.options.onUnresolved({ counter: batch.counter, digest: batch.digest })
        return this.retry(batch)
    }
  }

  private stored(batch: Batch, result: { readonly digest: Buffer | null; readonly n: number | null }): void {
    if (result.digest === null || !result.digest.equals(batch.digest) || result.n !== batch.records) {
      return this.stop('the database holds another batch in the place of ours')
    }
    this.end = { counter: batch.counter, digest: batch.digest }
    this.options.onCommit(this.end)
    this.options.stage('commit', (performance.now() - this.sentAt) * 1000)
    for (const { entries } of batch.units) {
      for (const { key, secretKey } of entries) {
        key.stored = true
        if (secretKey !== null) secretKey.stored = true
      }
    }
    this.landed()
    // The next batch is on its way before the answers to this one are written.
    this.pump()
    for (const unit of batch.units) {
      this.finish(unit, { status: 'committed', sealed: unit.entries.map((entry) => entry.sealed) })
    }
  }

  /** The losers leave; the others are sealed again from the same sequence number, and what was filling after them. */
  private claimed(batch: Batch, lost: readonly LostClaim[]): void {
    const byName = new Map(lost.map((claim) => [claim.claim, claim]))
    const left: PendingUnit[] = []
    for (const unit of batch.units) {
      const held = unit.claim === null ? undefined : byName.get(unit.claim.name)
      if (held === undefined) left.push(unit)
      else this.finish(unit, { status: 'claimed', ids: held.ids, body: Buffer.from(held.body, 'hex') })
    }
    if (left.length === batch.units.length) return this.retry(batch)
    this.reseal(batch.firstSeq, left)
  }

  /** Tried again while somebody waits for it; a batch that an earlier attempt may have committed, until that is known. */
  private refused(batch: Batch, result: { readonly error: PdpError; readonly again: boolean }): void {
    const awaited = batch.units.some((unit) => unit.answer !== null)
    if (batch.uncertain || (result.again && awaited)) return this.retry(batch)
    // Surely not committed: the stream goes on as if it had never been.
    this.answerAll(batch.units, { status: 'failed', error: result.error })
    this.reseal(batch.firstSeq, [])
    if (!this.connection.open) this.lost()
  }

  private reseal(firstSeq: number, units: readonly PendingUnit[]): void {
    this.options.sealer.cursor.seq = firstSeq
    const again = [...units, ...this.filling].filter((unit) => unit.answer !== null)
    this.waiting = [...again, ...this.waiting]
    this.filling = []
    this.fillingRecords = 0
    this.fillingBytes = 0
    this.landed()
    this.fill()
    this.pump()
  }

  private retry(batch: Batch): void {
    const delay = this.retryMs
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS)
    setTimeout(() => {
      if (this.ended === null) this.send(batch)
    }, delay)
  }

  private landed(): void {
    this.flight = null
    this.trouble = null
    this.retryMs = FIRST_RETRY_MS
    this.options.onUnresolved(null)
  }

  /** Refuses what has waited too long; what may have been sent stays in the stream all the same. */
  private sweep(): void {
    const patience = performance.now() - PATIENCE_MS
    const oldest = this.flight?.units[0]
    if (this.flight === null || oldest === undefined || oldest.since > patience) return
    this.trouble = 'a commit takes too long'
    const error = unwritable(this.trouble)
    this.answerAll(this.flight.units, { status: 'failed', error })
    this.refuseFilling(error)
  }

  private refuseFilling(error: PdpError): void {
    const units = [...this.filling, ...this.waiting]
    const first = this.filling[0]?.entries[0]
    if (first !== undefined) this.options.sealer.cursor.seq = first.sealed.seq
    this.filling = []
    this.fillingRecords = 0
    this.fillingBytes = 0
    this.waiting = []
    this.answerAll(units, { status: 'failed', error })
  }

  /** The connection broke while nothing was on its way: find out whether the database is there. */
  private lost(): void {
    if (this.ended !== null || this.flight !== null) return
    this.trouble = 'the database cannot be reached'
    this.reconnect()
  }

  private reconnect(): void {
    this.connection.connect().then(
      () => this.reconnected(),
      () => {
        this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS)
        if (this.ended === null) setTimeout(() => this.reconnect(), this.retryMs)
      },
    )
  }

  private reconnected(): void {
    this.retryMs = FIRST_RETRY_MS
    if (this.flight === null) this.trouble = null
  }

  private stop(reason: string): void {
    this.ended = reason
    const units = this.flight?.units ?? []
    this.flight = null
    this.answerAll(units, { status: 'failed', error: unwritable(reason) })
    this.refuseFilling(unwritable(reason))
    this.settleIdle()
  }

  private answerAll(units: readonly PendingUnit[], outcome: UnitOutcome): void {
    for (const unit of units) this.finish(unit, outcome)
  }

  private finish(unit: PendingUnit, outcome: UnitOutcome): void {
    const answer = unit.answer
    if (answer === null) return
    unit.answer = null
    this.admission.leave(unit.unit, unit.bytes)
    answer(outcome)
  }

  private settleIdle(): void {
    const waiters = this.idle
    this.idle = []
    for (const resolve of waiters) resolve()
  }
}

function unwritable(reason: string): PdpError {
  return new PdpError('ledger.unavailable', reason, { retryAfterSeconds: 1 })
}
