/** Where a stream stands: the next sequence number, and ids and times that never go back. */
import { IDS_PER_MS, uuid7 } from '../ledger/uuid7.ts'

/** A moment of the stream. */
export interface StreamMoment {
  readonly ms: number
  /** RFC 3339, UTC, three digits. */
  readonly iso: string
  /** First day of its month, as in `2026-11-01`. */
  readonly month: string
}

/** The place of the next record. */
export class StreamCursor {
  /** Sequence number of the next record. */
  seq = 0
  private current: StreamMoment = { ms: 0, iso: '', month: '' }
  private count = 0

  /**
   * The time of a record: `ms`, or the time of the record before if the clock stepped back. Where one
   * millisecond holds more records than ids, time goes on.
   */
  moment(ms: number): StreamMoment {
    if (ms > this.current.ms) this.advance(ms)
    else if (this.count === IDS_PER_MS) this.advance(this.current.ms + 1)
    return this.current
  }

  /** The id of a record at the moment that was asked for last. */
  id(random: Uint8Array): Buffer {
    return uuid7(this.current.ms, this.count++, random)
  }

  private advance(ms: number): void {
    const iso = new Date(ms).toISOString()
    this.current = { ms, iso, month: `${iso.slice(0, 7)}-01` }
    this.count = 0
  }
}
