/** What a database says about its log: which origin it is, in which mode it runs, which settings were told. */
import type { Pool } from 'pg'
import { PdpError } from '../errors.ts'

/** How a deployment runs. */
export type Mode = 'evaluation' | 'production'

/** The mode of a database: production if any of its logs is; null when none has said. */
export async function databaseMode(pool: Pool): Promise<Mode | null> {
  const { rows } = await pool.query<{ value: Mode }>(
    "SELECT value FROM ledger_setting WHERE name = 'mode' ORDER BY value = 'production' DESC LIMIT 1",
  )
  return rows[0]?.value ?? null
}

/** Makes the log's row. Throws `config.invalid` when the number belongs to another origin. */
export async function ensureLog(pool: Pool, logId: string, origin: string): Promise<void> {
  await pool.query('INSERT INTO ledger_log (log_id, origin) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    logId,
    origin,
  ])
  const { rows } = await pool.query<{ origin: string }>('SELECT origin FROM ledger_log WHERE log_id = $1', [
    logId,
  ])
  if (rows[0]?.origin !== origin)
    throw new PdpError('config.invalid', 'the database holds another log under this id')
}

/** A setting of a log; undefined when it was never set. */
export async function readSetting(pool: Pool, logId: string, name: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ value: string }>(
    'SELECT value FROM ledger_setting WHERE log_id = $1 AND name = $2',
    [logId, name],
  )
  return rows[0]?.value
}

export async function writeSetting(pool: Pool, logId: string, name: string, value: string): Promise<void> {
  await pool.query(
    `INSERT INTO ledger_setting (log_id, name, value) VALUES ($1, $2, $3)
     ON CONFLICT (log_id, name) DO UPDATE SET value = excluded.value, updated_at = now()`,
    [logId, name, value],
  )
}
