/** From conditions to tables: what a query proves of each table in its FROM, and how many rows it has. */
import { keysOf, proofOf, rowsBy, tighter } from './prove.ts'
import type { End, Frame, Proof, Qual, Shape, Source, TableRead } from './model.ts'

/** Proves each table by the query's conditions: its own tables fully, those of subqueries on top of theirs. */
export function proveReads(frame: Frame, reads: readonly TableRead[]): void {
  const own = new Set<TableRead>()
  for (const source of frame.sources) if (source.read !== null) own.add(source.read)
  for (const read of reads) {
    const proof = proofOf(read, frame.quals)
    if (own.has(read)) read.proof = proof
    else read.outer = tighter(proof, read.outer)
    markProvenColumns(read, proof)
  }
}

/** A sensitive column that proves a unique key tells no more than who asks already knows. */
function markProvenColumns(read: TableRead, proof: Proof): void {
  if (proof.predicate?.kind !== 'unique_key') return
  for (const entry of read.run.findings.inference) {
    if (entry.read === read && entry.place === 'where' && proof.predicate.columns.includes(entry.column)) {
      entry.proof = 'unique_key'
    }
  }
}

/** The proof that holds, unless two places use the same rows. */
export function provenOf(read: TableRead): Proof {
  return read.shared ? read.proof : tighter(read.proof, read.outer)
}

/** Most rows of one entry of FROM. */
function sourceRows({ read, shape }: Source): number | null {
  if (read !== null) return rowsBy(provenOf(read))
  if (shape === null) return null
  return shape.open ? openRows(shape) : shape.bound
}

/** A query whose tables have been bounded from outside has no more rows than they allow. */
function openRows({ bound, factor, reads }: Shape): number | null {
  const rows = product([factor, ...reads.map((read) => rowsBy(provenOf(read)))])
  return rows === null || bound === null ? (rows ?? bound) : Math.min(rows, bound)
}

/** Rows of a join: an outer side's rows stay, once, where the other has none. */
function product(counts: readonly (number | null)[]): number | null {
  let rows = 1
  for (const count of counts) {
    if (count === null) return null
    rows *= Math.max(1, count)
  }
  return Number.isSafeInteger(rows) ? rows : null
}

/** Most rows that a query's other sources give for each row of its tables. */
export function factorOf({ full, sources }: Frame): number | null {
  if (full) return null
  return product(
    sources.map(({ hidden, read, shape }) => {
      if (hidden || read !== null) return 1
      return shape === null || !shape.open ? (shape?.bound ?? null) : shape.factor
    }),
  )
}

/** Most rows of the join of everything in FROM; one where there is no FROM. */
export function frameRows({ full, sources }: Pick<Frame, 'full' | 'sources'>): number | null {
  return full ? null : product(sources.map((source) => (source.hidden ? 1 : sourceRows(source))))
}

/**
 * A table whose unique key equals a column of something with at most n rows has at most n of its own.
 * With `derivedOnly` that something is a query with a limit, not another table.
 */
export function bindByLinks(frame: Frame, derivedOnly: boolean): void {
  const pairs: (readonly [End, End])[] = []
  for (const { cond, restricts } of frame.quals) {
    if (cond.kind !== 'link') continue
    const [left, right] = cond.ends
    if (isRestricted(left, restricts)) pairs.push([left, right])
    if (isRestricted(right, restricts)) pairs.push([right, left])
  }
  for (let turn = 0; turn < pairs.length; turn++) {
    const bound = pairs.filter(
      ([end, other]) => (!derivedOnly || other.source.read === null) && bindEnd(end, other),
    )
    if (bound.length === 0) return
  }
}

function isRestricted({ use }: End, restricts: Qual['restricts']): boolean {
  return restricts === null || (use !== null && restricts.includes(use.read))
}

function bindEnd({ source, use }: End, other: End): boolean {
  if (use === null || source.read !== use.read || rowsBy(provenOf(use.read)) !== null) return false
  const { keys, guessed } = keysOf(use.read)
  if (!keys.some((key) => key.length === 1 && key[0] === use.column)) return false
  const rows = sourceRows(other.source)
  if (rows === null) return false
  use.read.proof = {
    scope: rows === 1 ? 'single' : 'bounded',
    why: 'unique_key_join',
    limit: rows === 1 ? null : rows,
    predicate: { kind: 'unique_key', columns: [use.column], dynamic: false },
    inferred: use.read.relation.inferred || guessed,
  }
  return true
}
