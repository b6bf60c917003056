/** The incarnation before: what it answered for must still be there. */
import type { Pool } from 'pg'
import { PdpError } from '../errors.ts'
import type { ChainPlace, StreamState } from './state-file.ts'

/** What `stream.opened` says of the stream before. */
export interface PreviousStream {
  readonly stream: string
  readonly lastKnown?: ChainPlace
  /** A batch whose fate was unknown when the stream ended, and whether it is in the database. */
  readonly unresolved?: ChainPlace & { readonly committed: boolean }
}

/**
 * Compares the state folder with the database. Throws `ledger.unavailable` when the database lacks a
 * batch that was answered for: it was restored from an older copy, or its tail was removed.
 */
export async function previousStream(
  pool: Pool,
  logId: string,
  state: StreamState | null,
): Promise<PreviousStream | null> {
  if (state === null || state.log !== logId) return null
  const { stream, last, unresolved } = state
  const holds = async (place: ChainPlace): Promise<boolean> => {
    const { rows } = await pool.query<{ digest: Buffer }>(
      'SELECT digest FROM ledger_batch WHERE log_id = $1 AND stream = $2 AND counter = $3',
      [logId, stream, place.counter],
    )
    return rows[0]?.digest.toString('hex') === place.digest
  }
  if (last !== null && !(await holds(last))) {
    throw new PdpError(
      'ledger.unavailable',
      `the database lacks batch ${last.counter} of stream ${stream}, which this replica has answered for: ` +
        'restore it, or move stream-state.json out of the state folder to go on without it',
    )
  }
  return {
    stream,
    ...(last === null ? {} : { lastKnown: last }),
    ...(unresolved === null ? {} : { unresolved: { ...unresolved, committed: await holds(unresolved) } }),
  }
}
