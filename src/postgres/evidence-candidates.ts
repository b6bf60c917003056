/** Which records may answer a question: ids in order, found by the search rows. */
import type { Pool } from 'pg'
import type { EvidenceQuery } from '../evidence/query.ts'
import { searchTerm } from '../ledger/terms.ts'
import type { SearchField } from '../ledger/terms.ts'

/** Ids between two bounds, both exclusive or inclusive as the keyset needs: `from` <= id < `to`. */
export interface IdRange {
  readonly from: string
  readonly to: string
}

/** What is asked of the search rows. */
export interface CandidateQuery {
  readonly query: EvidenceQuery
  readonly range: IdRange
  readonly limit: number
}

/**
 * Rows that are looked at in the order of ids before the index of terms is asked: a common value is
 * found there at once, and a rare one has few rows in the index. Either alone is slow for the other.
 */
const SCANNED = 4000

interface Where {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Up to `limit` ids, ordered as the query says. Fewer mean that there are no more. */
export async function candidates(
  pool: Pool,
  logId: string,
  asked: CandidateQuery,
): Promise<readonly string[]> {
  const { query, range, limit } = asked
  const terms = termsOf(query)
  const where = conditions(query, terms)
  const values = [logId, range.from, range.to, limit, ...where.values]
  if (terms.length === 0) return select(pool, ordered(query.order, where), values)
  const found = await scanned(pool, scan(query.order, where), values)
  if (found.edge === null || found.ids.length === limit) return found.ids
  const rest = query.order === 'desc' ? [range.from, found.edge] : [successor(found.edge), range.to]
  const left = limit - found.ids.length
  const more = await select(pool, INDEXED, [
    logId,
    ...rest,
    left,
    query.order === 'desc',
    terms,
    ...narrowing(query),
  ])
  return [...found.ids, ...more]
}

/** What the first rows hold; `edge` is the last of them, null when there are no rows behind it. */
async function scanned(
  pool: Pool,
  text: string,
  values: readonly unknown[],
): Promise<{ readonly ids: readonly string[]; readonly edge: string | null }> {
  const { rows } = await pool.query<{ ids: string[]; edge: string | null; scanned: string }>(text, [
    ...values,
  ])
  const [row] = rows
  if (row === undefined) return { ids: [], edge: null }
  return { ids: row.ids, edge: Number(row.scanned) < SCANNED ? null : row.edge }
}

/** The id right behind another one. */
export function successor(id: string): string {
  const next = (BigInt(`0x${id.replaceAll('-', '')}`) + 1n).toString(16).padStart(32, '0')
  return next.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function select(pool: Pool, text: string, values: readonly unknown[]): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>(text, [...values])
  return rows.map((row) => row.id)
}

const RANGE = 'log_id = $1 AND id >= $2 AND id < $3'

function ordered(order: 'asc' | 'desc', where: Where): string {
  return `SELECT id FROM ledger_search WHERE ${RANGE}${where.text} ORDER BY id ${order} LIMIT $4`
}

/** One row: what matches among the next rows, where they end, and how many they were. */
function scan(order: 'asc' | 'desc', where: Where): string {
  const back = order === 'desc' ? 'asc' : 'desc'
  return `WITH next AS MATERIALIZED (
      SELECT id, actor, terms, reason FROM ledger_search WHERE ${RANGE} ORDER BY id ${order} LIMIT ${SCANNED})
    SELECT ARRAY(SELECT id::text FROM next WHERE true${where.text} ORDER BY next.id ${order} LIMIT $4) AS ids,
      (SELECT id FROM next ORDER BY next.id ${back} LIMIT 1) AS edge, (SELECT count(*) FROM next) AS scanned`
}

const INDEXED = `SELECT id FROM ledger_find_terms($1, $2, $3, $4, $5, $6, $7, $8, ${wordsQuery('$9')}, $10) AS id`

function wordsQuery(parameter: string): string {
  return `plainto_tsquery('simple', ledger_words(${parameter}))`
}

/** The reader's actors, exact and as LIKE patterns, and the words to find; null where anything goes. */
function narrowing({ readers, q }: EvidenceQuery): readonly unknown[] {
  const words = [q, q === null ? null : wordPatterns(q)]
  if (readers === null) return [null, null, ...words]
  return [exactActors(readers), likePatterns(readers), ...words]
}

function exactActors(readers: readonly string[]): readonly string[] {
  return readers.filter((pattern) => !pattern.endsWith('*'))
}

function likePatterns(readers: readonly string[]): readonly string[] {
  return readers.filter((pattern) => pattern.endsWith('*')).map(likePattern)
}

function termsOf(query: EvidenceQuery): readonly number[] {
  const terms: number[] = []
  for (const [field, value] of Object.entries(query.filters)) {
    if (value !== undefined) terms.push(searchTerm(field as SearchField, value))
  }
  return terms
}

/** Conditions beside the range; the first parameter of theirs is $5. */
function conditions(query: EvidenceQuery, terms: readonly number[]): Where {
  const values: unknown[] = []
  const parameter = (value: unknown): string => `$${4 + values.push(value)}`
  let text = ''
  if (terms.length > 0) text += ` AND terms @> ${parameter(terms)}::integer[]`
  if (query.readers !== null) {
    const exact = parameter(exactActors(query.readers))
    const prefixes = parameter(likePatterns(query.readers))
    text += ` AND (actor = ANY (${exact}::text[]) OR actor LIKE ANY (${prefixes}::text[]))`
  }
  if (query.q !== null) {
    text += ` AND reason ILIKE ALL (${parameter(wordPatterns(query.q))}::text[])
      AND to_tsvector('simple', ledger_words(reason)) @@ ${wordsQuery(parameter(query.q))}`
  }
  return { text, values }
}

/**
 * What a text that has these words must contain, as LIKE patterns: compared first, since it costs a tenth
 * of taking the text apart. `%_%` alone leaves out the empty texts.
 */
function wordPatterns(q: string): readonly string[] {
  // Markup is no word to PostgreSQL.
  const words = /[<&]/.test(q) ? [] : (q.match(/[\p{L}\p{N}]+/gu) ?? [])
  return ['%_%', ...words.map((word) => `%${word}%`)]
}

function likePattern(pattern: string): string {
  return `${pattern.slice(0, -1).replaceAll(/[\\%_]/g, '\\$&')}%`
}
