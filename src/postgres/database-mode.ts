import { Client } from 'pg'

/**
 * The mode that a database was put to use in, by any log in it; null for one that was not used yet.
 * Keys made on the spot must never write beside those of a production ledger.
 */
export async function databaseMode(url: string): Promise<'production' | 'evaluation' | null> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const table = await client.query<{ there: boolean }>(
      "select to_regclass('ledger_setting') is not null as there",
    )
    if (table.rows[0]?.there !== true) return null
    const { rows } = await client.query<{ value: string }>(
      "select distinct value from ledger_setting where name = 'mode'",
    )
    if (rows.some(({ value }) => value === 'production')) return 'production'
    return rows.length === 0 ? null : 'evaluation'
  } finally {
    await client.end()
  }
}
