/** What the tables need from time to time: partitions ahead, searchable terms merged, old claims forgotten. */
import type { Pool } from 'pg'

/** Tasks under way; `stop` waits for none. */
export interface Maintenance {
  /** Something was committed since the last merge. */
  touched(): void
  stop(): void
}

const MERGE_MS = 2000
const CLAIMS_MS = 10 * 60_000
const PARTITIONS_MS = 6 * 3_600_000

/** Makes partitions for the months ahead. Returns what an operator must look at. */
export async function ensurePartitions(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ alarm: string }>('SELECT ledger_ensure_partitions() AS alarm')
  return rows.map((row) => row.alarm)
}

/** Starts the tasks. A failure is told and tried again at the next turn. */
export function startMaintenance(pool: Pool, onAlarm: (message: string) => void): Maintenance {
  let dirty = false
  const run = (name: string, task: () => Promise<unknown>): void => {
    task().catch(() => onAlarm(`${name} failed`))
  }
  const merge = async (): Promise<void> => {
    if (!dirty) return
    dirty = false
    await pool.query('SELECT ledger_merge_search()')
  }
  const partitions = async (): Promise<void> => {
    for (const alarm of await ensurePartitions(pool)) onAlarm(alarm)
  }
  const timers = [
    setInterval(() => run('merging search terms', merge), MERGE_MS),
    setInterval(() => run('forgetting claims', () => pool.query('SELECT ledger_forget_claims()')), CLAIMS_MS),
    setInterval(() => run('making partitions', partitions), PARTITIONS_MS),
  ]
  for (const timer of timers) timer.unref()
  return {
    touched: () => {
      dirty = true
    },
    stop: () => timers.forEach((timer) => clearInterval(timer)),
  }
}
