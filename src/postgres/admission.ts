/** How much may wait to become durable: bounded in all, and per caller, so that none takes it all. */
import { PdpError } from '../errors.ts'
import type { LedgerUnit } from '../ports.ts'

/** What the queue holds at most; a caller may take a quarter of each. */
export interface QueueLimits {
  readonly records: number
  readonly bytes: number
}

interface Share {
  records: number
  bytes: number
}

/** What a record weighs beside its texts: leaf, receipt, rows. */
const OVERHEAD_BYTES = 2048
const SHARE = 4

/** Counts what waits. */
export class Admission {
  private readonly limits: QueueLimits
  private readonly all: Share = { records: 0, bytes: 0 }
  private readonly callers = new Map<string, Share>()

  constructor(limits: QueueLimits) {
    this.limits = limits
  }

  /** Takes a unit in. Throws `ledger.busy` when the queue is full, `caller.limit` when the caller's part of it is. */
  enter(unit: LedgerUnit, bytes: number): void {
    const records = unit.records.length
    const share = this.callers.get(unit.callerKey) ?? { records: 0, bytes: 0 }
    if (exceeds(this.all, { records, bytes }, this.limits)) {
      throw new PdpError('ledger.busy', 'too many records wait to become durable', { retryAfterSeconds: 1 })
    }
    const quarter = { records: this.limits.records / SHARE, bytes: this.limits.bytes / SHARE }
    if (exceeds(share, { records, bytes }, quarter)) {
      throw new PdpError('caller.limit', 'too many records of this caller wait to become durable', {
        retryAfterSeconds: 1,
      })
    }
    add(this.all, records, bytes)
    add(share, records, bytes)
    this.callers.set(unit.callerKey, share)
  }

  leave(unit: LedgerUnit, bytes: number): void {
    const records = unit.records.length
    add(this.all, -records, -bytes)
    const share = this.callers.get(unit.callerKey)
    if (share === undefined) return
    add(share, -records, -bytes)
    if (share.records <= 0) this.callers.delete(unit.callerKey)
  }
}

/** What a unit weighs in the queue, roughly. */
export function unitBytes(unit: LedgerUnit): number {
  let bytes = 0
  for (const record of unit.records) {
    bytes += OVERHEAD_BYTES + record.search.text.length
    if (record.kind !== 'decision') {
      bytes += record.body.length
      continue
    }
    const { context, input, output, secret } = record.parts
    bytes +=
      context.length + input.length + output.length + (secret?.length ?? 0) + record.receipt.action.length
  }
  return bytes
}

/** An empty share takes whatever comes: a unit larger than a share is bounded by the request's own limits. */
function exceeds(share: Share, more: Share, limit: Share): boolean {
  if (share.records === 0) return false
  return share.records + more.records > limit.records || share.bytes + more.bytes > limit.bytes
}

function add(share: Share, records: number, bytes: number): void {
  share.records += records
  share.bytes += bytes
}
