/** How many rows of a table a query's conditions let through: proven by its unique keys, or not at all. */
import type { Predicate } from '../intent.ts'
import type { ColumnUse, Cond, Proof, Qual, TableRead } from './model.ts'

const guessedKeys: readonly (readonly string[])[] = [['id'], ['uuid'], ['guid']]

/** The unique keys of a table; guessed by name where no catalogue tells. */
export function keysOf(read: TableRead): {
  readonly keys: readonly (readonly string[])[]
  readonly guessed: boolean
} {
  const { facts, inferred, schema } = read.relation
  if (inferred || schema === 'pg_catalog' || schema === 'information_schema')
    return { keys: [], guessed: true }
  const known = facts?.uniqueKeys
  return known === undefined ? { keys: guessedKeys, guessed: true } : { keys: known, guessed: false }
}

function isNotNull(use: ColumnUse): boolean {
  const { facts } = use.read.relation
  if (facts?.notNull?.includes(use.column) === true) return true
  return keysOf(use.read).keys.some((key) => key.includes(use.column))
}

/** True of every row that the known constraints allow. */
function isTautology(cond: Cond): boolean {
  switch (cond.kind) {
    case 'true':
      return true
    case 'holds':
      return isNotNull(cond.use)
    case 'and':
      return cond.of.every(isTautology)
    case 'or':
      return cond.of.some(isTautology)
    case 'false':
    case 'equal':
    case 'among':
    case 'link':
    case 'other':
      return false
  }
}

function usesOf(cond: Cond): readonly ColumnUse[] {
  switch (cond.kind) {
    case 'true':
    case 'false':
      return []
    case 'equal':
    case 'holds':
      return [cond.use]
    case 'among':
      return cond.columns.map((column) => ({ read: cond.read, column }))
    case 'link':
      return cond.ends.flatMap(({ use }) => (use === null ? [] : [use]))
    case 'and':
    case 'or':
      return cond.of.flatMap(usesOf)
    case 'other':
      return cond.uses
  }
}

function someCond(cond: Cond, test: (leaf: Cond) => boolean): boolean {
  return cond.kind === 'and' || cond.kind === 'or' ? cond.of.some((part) => someCond(part, test)) : test(cond)
}

/** Says something about this table, or about none in particular. */
function concerns(cond: Cond, read: TableRead): boolean {
  if (someCond(cond, (leaf) => (leaf.kind === 'other' && leaf.query) || leaf.kind === 'false')) return true
  const uses = usesOf(cond)
  if (uses.length === 0) return cond.kind !== 'link'
  return uses.some((use) => use.read === read)
}

interface Bound {
  readonly count: number
  readonly columns: readonly string[]
  readonly dynamic: boolean
  /** Every column of a key is equal to a constant. */
  readonly byEquality: boolean
  readonly unsteady: boolean
  readonly why: string
}

interface Known {
  readonly count: number
  readonly dynamic: boolean
  readonly why: string | null
  readonly unsteady: boolean
}

/** Conditions that all hold: `and` taken apart. */
function flattened(conds: readonly Cond[], into: Cond[] = []): Cond[] {
  for (const cond of conds) {
    if (cond.kind === 'and') flattened(cond.of, into)
    else into.push(cond)
  }
  return into
}

/** The fewest rows that conditions, which all hold, can be proven to let through; null: no bound. */
function boundOf(read: TableRead, conds: readonly Cond[], given: ReadonlyMap<string, Known>): Bound | null {
  const all = flattened(conds)
  const known = new Map(given)
  let best: Bound | null = null
  for (const cond of all) {
    if (cond.kind === 'false')
      return {
        count: 0,
        columns: [],
        dynamic: false,
        byEquality: false,
        unsteady: false,
        why: 'contradiction',
      }
    learn(read, cond, known)
  }
  for (const key of keysOf(read).keys) best = fewer(best, byKey(key, known))
  for (const cond of all) best = fewer(best, byOne(read, cond, known))
  return best
}

function learn(read: TableRead, cond: Cond, known: Map<string, Known>): void {
  if (cond.kind === 'equal' && cond.use.read === read) {
    known.set(cond.use.column, { count: 1, dynamic: cond.dynamic, why: null, unsteady: false })
  } else if (cond.kind === 'among' && cond.read === read && cond.columns.length === 1) {
    const column = cond.columns[0] ?? ''
    const before = known.get(column)
    if (before === undefined || before.count > cond.count) known.set(column, cond)
  }
}

function byKey(key: readonly string[], known: ReadonlyMap<string, Known>): Bound | null {
  let count = 1
  let dynamic = false
  let unsteady = false
  let why: string | null = null
  for (const column of key) {
    const one = known.get(column)
    if (one === undefined) return null
    count *= one.count
    dynamic ||= one.dynamic
    unsteady ||= one.unsteady
    why ??= one.why
  }
  return { count, columns: key, dynamic, unsteady, byEquality: why === null, why: why ?? 'unique_key_eq' }
}

/** What a single condition bounds: alternatives, or rows of constants. */
function byOne(read: TableRead, cond: Cond, known: ReadonlyMap<string, Known>): Bound | null {
  if (cond.kind === 'or') return bySum(read, cond.of, known)
  if (cond.kind !== 'among' || cond.read !== read) return null
  if (cond.columns.length === 1)
    return cond.columns[0] === 'ctid' && cond.why === 'limit' ? rowsOf(cond) : null
  const covered = keysOf(read).keys.some((key) => key.every((column) => cond.columns.includes(column)))
  return covered ? rowsOf(cond) : null
}

function rowsOf(cond: Extract<Cond, { kind: 'among' }>): Bound {
  const { columns, count, dynamic, unsteady, why } = cond
  return { count, columns, dynamic, unsteady, byEquality: false, why }
}

function bySum(read: TableRead, parts: readonly Cond[], known: ReadonlyMap<string, Known>): Bound | null {
  let count = 0
  let dynamic = false
  let unsteady = false
  const columns = new Set<string>()
  for (const part of parts) {
    const one = boundOf(read, [part], known)
    if (one === null) return null
    count += one.count
    dynamic ||= one.dynamic
    unsteady ||= one.unsteady
    for (const column of one.columns) columns.add(column)
  }
  return { count, columns: [...columns], dynamic, unsteady, byEquality: false, why: 'unique_key_or' }
}

function fewer(best: Bound | null, other: Bound | null): Bound | null {
  if (best === null || other === null) return best ?? other
  if (other.count !== best.count) return other.count < best.count ? other : best
  return other.byEquality && !best.byEquality ? other : best
}

const noPredicate: Predicate = { kind: 'none', columns: [], dynamic: false }
const nothingGiven: ReadonlyMap<string, Known> = new Map()

/** What the conditions that restrict a table prove of it. */
export function proofOf(read: TableRead, quals: readonly Qual[]): Proof {
  const conds: Cond[] = []
  for (const { cond, restricts } of quals) {
    if ((restricts === null || restricts.includes(read)) && concerns(cond, read)) conds.push(cond)
  }
  const inferred = read.relation.inferred
  if (conds.length === 0) {
    return { scope: 'all', why: 'no_predicate', limit: null, predicate: noPredicate, inferred }
  }
  if (conds.every(isTautology)) return tautology(read, conds)
  const bound = boundOf(read, conds, nothingGiven)
  return bound === null ? filtered(read, conds) : bounded(read, bound)
}

function columnsOf(read: TableRead, conds: readonly Cond[]): string[] {
  const columns = new Set<string>()
  for (const cond of conds) {
    for (const use of usesOf(cond)) if (use.read === read) columns.add(use.column)
  }
  return [...columns]
}

function tautology(read: TableRead, conds: readonly Cond[]): Proof {
  const columns = columnsOf(read, conds)
  return {
    scope: 'all',
    why: 'tautology',
    limit: null,
    predicate: { kind: 'tautology', columns, dynamic: false },
    inferred: read.relation.inferred || (columns.length > 0 && keysOf(read).guessed),
  }
}

function bounded(read: TableRead, bound: Bound): Proof {
  const { count, columns, dynamic, byEquality, unsteady, why } = bound
  const isSingle = byEquality && count === 1
  const kind = count === 0 ? 'contradiction' : isSingle ? 'unique_key' : 'key_set'
  return {
    scope: isSingle ? 'single' : 'bounded',
    why: isSingle ? 'unique_key_eq' : why,
    limit: isSingle ? null : count,
    predicate: { kind, columns: [...columns], dynamic },
    inferred: unsteady || read.relation.inferred || (columns.length > 0 && keysOf(read).guessed),
  }
}

function filtered(read: TableRead, conds: readonly Cond[]): Proof {
  const kind = kindOfFilter(conds, read)
  const dynamic = conds.some((cond) => someCond(cond, (leaf) => 'dynamic' in leaf && leaf.dynamic))
  return {
    scope: 'bulk',
    why: kind,
    limit: null,
    predicate: { kind, columns: columnsOf(read, conds), dynamic },
    inferred: read.relation.inferred,
  }
}

function kindOfFilter(conds: readonly Cond[], read: TableRead): 'join' | 'range' | 'filter' {
  const joins = (leaf: Cond): boolean =>
    leaf.kind === 'link' || (leaf.kind === 'other' && leaf.uses.some((use) => use.read !== read))
  if (conds.some((cond) => someCond(cond, joins))) return 'join'
  const others = conds.filter((cond) => !isTautology(cond))
  return others.every((cond) => cond.kind === 'other' && cond.range) ? 'range' : 'filter'
}

const ranks = { none: 0, single: 1, bounded: 2, bulk: 3, all: 4, unknown: 5 } as const

/** The stronger of two proofs that both hold. */
export function tighter(one: Proof, other: Proof | null): Proof {
  if (other === null) return one
  if (ranks[one.scope] !== ranks[other.scope]) return ranks[one.scope] < ranks[other.scope] ? one : other
  return one.scope === 'bounded' && (other.limit ?? Infinity) < (one.limit ?? Infinity) ? other : one
}

/** Most rows by a proof; null: unknown. */
export function rowsBy(proof: Proof): number | null {
  if (proof.scope === 'single') return 1
  return proof.scope === 'bounded' ? proof.limit : null
}
