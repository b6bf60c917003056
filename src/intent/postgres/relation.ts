/** Names of relations: which schema they are in, how effects name them, and what the facts say of them. */
import type { TableFacts } from '../../action/action.ts'
import { catalogueRelations, revealingRelations, secretRelations } from './catalogue.data.ts'
import type { ColumnUse, Place, Proof, Relation, Run, TableRead } from './model.ts'
import { unknownName } from './run.ts'
import type { RangeVar } from './tree.ts'

/** The relation that a RangeVar names. */
export function relationOf(run: Run, named: RangeVar | undefined): Relation {
  return resolveRelation(run, named?.schemaname ?? null, named?.relname ?? unknownName)
}

/** The relation of a list of name parts: `table`, `schema.table`, `database.schema.table`. */
export function relationOfParts(run: Run, parts: readonly string[]): Relation {
  return resolveRelation(run, parts.at(-2) ?? null, parts.at(-1) ?? unknownName)
}

/** A bare name is in pg_temp if this text made it, in pg_catalog if it is there and the facts don't list it. */
export function resolveRelation(run: Run, schema: string | null, name: string): Relation {
  const { place, session } = run
  if (name === unknownName) return { shown: name, schema: '', name, facts: null, inferred: true }
  const listed = factsOf(place, schema ?? place.schema, name)
  const home = schema ?? bareSchema(place.schema, name, listed, session.temporary)
  const facts = home === 'pg_temp' ? null : listed
  return {
    shown: home === place.schema ? quoted(name) : `${quoted(home)}.${quoted(name)}`,
    schema: home,
    name,
    facts,
    inferred: schema === null && home === place.schema && !place.trusted,
  }
}

function bareSchema(
  byDefault: string,
  name: string,
  listed: TableFacts | null,
  temporary: ReadonlySet<string>,
): string {
  if (temporary.has(name)) return 'pg_temp'
  if (listed === null && catalogueRelations.has(name)) return 'pg_catalog'
  return byDefault
}

/** A dot inside a name must not read as the one between schema and name. */
function quoted(name: string): string {
  return name.includes('.') || name.includes('"') ? `"${name.replaceAll('"', '""')}"` : name
}

/** How effects name an object of a schema. */
export function shownName(run: Run, parts: readonly string[]): { name: string; schema: string | null } {
  const name = parts.at(-1) ?? unknownName
  const schema = parts.at(-2) ?? run.place.schema
  return { name: schema === run.place.schema ? quoted(name) : `${quoted(schema)}.${quoted(name)}`, schema }
}

function factsOf(place: Place, schema: string, name: string): TableFacts | null {
  const { tables } = place
  // A dot inside a name must not match the one between a schema and a table.
  if (tables === null || name.includes('.') || schema.includes('.')) return null
  if (schema === place.schema && Object.hasOwn(tables, name)) return tables[name] ?? null
  const full = `${schema}.${name}`
  return Object.hasOwn(tables, full) ? (tables[full] ?? null) : null
}

const unproven: Proof = { scope: 'all', why: 'no_predicate', limit: null, predicate: null, inferred: false }

/** A table of which nothing is proven yet. It becomes an effect only where it is added to the findings' reads. */
export function tableRead(run: Run, relation: Relation): TableRead {
  return {
    run,
    relation,
    used: new Set(),
    whole: false,
    proof: unproven,
    outer: null,
    shared: false,
  }
}

/** What a column's values are: sensitive by the facts, unknown where a catalogue is there and has not the table. */
export function sensitivityOf(use: ColumnUse): 'none' | 'sensitive' | 'unknown' {
  const { relation, run } = use.read
  const { facts } = relation
  if (facts !== null) return sensitiveBy(facts, use.column) ? 'sensitive' : 'none'
  if (isCatalogue(relation)) return reveals(relation, use.column) ? 'sensitive' : 'none'
  if (relation.name === 'pg_stat_statements') return 'sensitive'
  return run.place.tables === null ? 'none' : 'unknown'
}

function sensitiveBy(facts: TableFacts, column: string): boolean {
  const { sensitive } = facts
  if (typeof sensitive === 'boolean') return sensitive
  if (sensitive === undefined) return false
  return column === '*' ? sensitive.length > 0 : sensitive.includes(column)
}

function isCatalogue(relation: Relation): boolean {
  return (
    relation.schema === 'pg_catalog' ||
    relation.schema === 'information_schema' ||
    relation.schema === 'pg_toast'
  )
}

function reveals({ schema, shown }: Relation, column: string): boolean {
  if (schema === 'pg_toast' || secretRelations.has(shown)) return true
  const columns = revealingRelations.get(shown)
  return columns !== undefined && (columns.size === 0 || column === '*' || columns.has(column))
}

/** What reading these columns of a table shows. */
export function readSensitivity(read: TableRead): 'none' | 'sensitive' | 'secret' | 'unknown' {
  const { relation, used } = read
  const touched = read.whole || used.size > 0
  if (touched && secretRelations.has(relation.shown)) return 'secret'
  if (read.whole) return sensitivityOf({ read, column: '*' })
  let most: 'none' | 'unknown' = relation.facts === null ? withoutColumns(read) : 'none'
  for (const column of used) {
    const one = sensitivityOf({ read, column })
    if (one === 'sensitive') return one
    if (one === 'unknown') most = one
  }
  return most
}

function withoutColumns(read: TableRead): 'none' | 'unknown' {
  return sensitivityOf({ read, column: '' }) === 'unknown' ? 'unknown' : 'none'
}
