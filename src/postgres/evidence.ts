/** The evidence in PostgreSQL: what the search rows find is answered only once it is opened and matches. */
import { hash } from 'node:crypto'
import { canonicalJson } from '../action/canonical.ts'
import { PdpError } from '../errors.ts'
import type { EvidenceItem, EvidencePage, EvidenceQuery, EvidenceRecord } from '../evidence/query.ts'
import { uuidFloor } from '../ledger/uuid7.ts'
import type { Clock, EvidenceStore } from '../ports.ts'
import { unavailable } from './client.ts'
import { candidates, successor } from './evidence-candidates.ts'
import type { IdRange } from './evidence-candidates.ts'
import { answers, evidenceItem, evidenceRecord } from './evidence-match.ts'
import { openRecords } from './open-record.ts'
import type { RecordReader } from './open-record.ts'

export interface EvidenceOptions {
  /** With the reader's pool: its statements end after two seconds. */
  readonly reader: RecordReader
  readonly clock: Clock
  /** What an operator must look at: a record that does not match its leaf. */
  readonly onAlarm?: (message: string) => void
}

/** Where a page begins, and for which question. */
interface Cursor {
  readonly id: string
  readonly question: string
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000'
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
const QUERIES_PER_CALLER = 2
/** An ascending page stops here: what commits late must not appear behind it. */
const SETTLED_MS = 5000
/** Rows that were found and do not match are read over, so many times per page. */
const ROUNDS = 8
/** A statement or a lock took too long. */
const TOO_LONG = /^(?:57014|55P03)$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The evidence of one log. */
export function createEvidenceStore(options: EvidenceOptions): EvidenceStore {
  const busy = new Map<string, number>()
  return {
    search: (query) => inTurn(busy, query.callerKey, () => search(options, query)),
    read: (id, query) => orFault(() => read(options, id, query.readers)),
  }
}

async function inTurn<Result>(
  busy: Map<string, number>,
  callerKey: string,
  task: () => Promise<Result>,
): Promise<Result> {
  const running = busy.get(callerKey) ?? 0
  if (running >= QUERIES_PER_CALLER) {
    throw new PdpError('caller.limit', 'two searches of this caller are under way', { retryAfterSeconds: 1 })
  }
  busy.set(callerKey, running + 1)
  try {
    return await orFault(task)
  } finally {
    const left = (busy.get(callerKey) ?? 1) - 1
    if (left === 0) busy.delete(callerKey)
    else busy.set(callerKey, left)
  }
}

async function orFault<Result>(task: () => Promise<Result>): Promise<Result> {
  try {
    return await task()
  } catch (cause) {
    if (TOO_LONG.test(String((cause as { code?: unknown }).code))) {
      throw new PdpError('evidence.timeout', 'the search took too long: narrow it by time or filters', {
        cause,
      })
    }
    throw unavailable(cause)
  }
}

async function search(options: EvidenceOptions, query: EvidenceQuery): Promise<EvidencePage> {
  if (query.q !== null && (query.from === null || query.to === null)) {
    throw new PdpError('evidence.invalid_query', 'q needs a time range: from and to')
  }
  const { pool, logId } = options.reader
  let range = startOf(query, options.clock.now())
  const items: EvidenceItem[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const room = query.limit - items.length
    const ids = await candidates(pool, logId, { query, range, limit: room + 1 })
    const looked = ids.slice(0, room)
    items.push(...(await matching(options, query, looked)))
    const last = looked.at(-1)
    if (ids.length <= room || last === undefined) return { items, nextCursor: null }
    range = behind(range, last, query.order)
    if (items.length === query.limit) break
  }
  const id = query.order === 'desc' ? range.to : range.from
  return { items, nextCursor: cursorText({ id, question: questionOf(query) }) }
}

async function matching(
  options: EvidenceOptions,
  query: EvidenceQuery,
  ids: readonly string[],
): Promise<readonly EvidenceItem[]> {
  const records = await openRecords(options.reader, ids)
  const items: EvidenceItem[] = []
  for (const id of ids) {
    const record = records.get(id)
    if (record instanceof Error) options.onAlarm?.(record.message)
    else if (record !== undefined && answers(record, query)) items.push(evidenceItem(record))
  }
  return items
}

async function read(
  options: EvidenceOptions,
  id: string,
  readers: EvidenceQuery['readers'],
): Promise<EvidenceRecord | undefined> {
  if (!UUID.test(id)) return undefined
  const record = (await openRecords(options.reader, [id])).get(id)
  if (record instanceof Error) {
    options.onAlarm?.(record.message)
    throw new PdpError('internal', 'the record does not match its leaf', { cause: record })
  }
  if (record === undefined || !answers(record, { filters: {}, readers })) return undefined
  return evidenceRecord(record)
}

/** The ids that a page may show, by time range, settled end and cursor. */
function startOf(query: EvidenceQuery, now: Date): IdRange {
  const from = query.from === null ? FIRST_ID : uuidFloor(query.from)
  const to = query.to === null ? LAST_ID : uuidFloor(query.to)
  const settled = uuidFloor(new Date(now.getTime() - SETTLED_MS))
  const range = { from, to: query.order === 'asc' && settled < to ? settled : to }
  if (query.cursor === null) return range
  const cursor = parseCursor(query.cursor)
  if (cursor?.question !== questionOf(query)) {
    throw new PdpError('evidence.invalid_query', 'the cursor belongs to another question')
  }
  return query.order === 'desc' ? { ...range, to: cursor.id } : { ...range, from: cursor.id }
}

function behind(range: IdRange, last: string, order: 'asc' | 'desc'): IdRange {
  return order === 'desc' ? { ...range, to: last } : { ...range, from: successor(last) }
}

/** Digest of everything that makes a question: a cursor is good for no other. */
function questionOf({ filters, from, to, q, order, readers }: EvidenceQuery): string {
  const question = { filters, from: from?.toISOString(), to: to?.toISOString(), q, order, readers }
  return hash('sha256', canonicalJson(question), 'base64url').slice(0, 16)
}

function cursorText({ id, question }: Cursor): string {
  return Buffer.from(`${question}${id}`).toString('base64url')
}

function parseCursor(text: string): Cursor | undefined {
  const plain = Buffer.from(text, 'base64url').toString('latin1')
  const id = plain.slice(16)
  return UUID.test(id) ? { question: plain.slice(0, 16), id } : undefined
}
