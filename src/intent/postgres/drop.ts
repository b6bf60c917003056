/** DROP and TRUNCATE: what goes, and whether data goes with it. */
import type { Node } from './tree.ts'
import type { Run } from './model.ts'
import { objectName, objectTypeName, partsName, partsOf, roleName } from './object-name.ts'
import { relationOf } from './relation.ts'
import { emit } from './run.ts'

type Statement<K extends string> = Extract<Node, Readonly<Record<K, unknown>>>

/** What holds data goes as a whole. */
const holdsData: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_SCHEMA',
  'OBJECT_MATVIEW',
  'OBJECT_DATABASE',
])

/** With CASCADE these take columns, and so data, of any table with them. */
const heldByColumns: ReadonlySet<string> = new Set(['OBJECT_TYPE', 'OBJECT_DOMAIN', 'OBJECT_EXTENSION'])

/** Objects beside schemas. */
const global: ReadonlySet<string> = new Set([
  'OBJECT_SCHEMA',
  'OBJECT_DATABASE',
  'OBJECT_EXTENSION',
  'OBJECT_FDW',
  'OBJECT_FOREIGN_SERVER',
  'OBJECT_LANGUAGE',
  'OBJECT_PUBLICATION',
  'OBJECT_SUBSCRIPTION',
  'OBJECT_EVENT_TRIGGER',
  'OBJECT_ACCESS_METHOD',
  'OBJECT_CAST',
  'OBJECT_TRANSFORM',
])

/** Objects of a table: the last part is their own name, those before are the table's. */
const ofTable: ReadonlySet<string> = new Set(['OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY'])

/** Objects of an access method, whose name stands first. */
const ofMethod: ReadonlySet<string> = new Set(['OBJECT_OPCLASS', 'OBJECT_OPFAMILY'])

function droppedName(
  run: Run,
  type: string,
  node: Node,
): { readonly name: string; readonly schema: string | null } {
  if (type === 'OBJECT_TABLE') return tableName(run, node)
  const parts = partsOf(node)
  if (global.has(type)) return { name: parts.join('.'), schema: null }
  if (ofTable.has(type)) {
    const table = partsName(run, parts.slice(0, -1))
    return { name: parts.at(-1) ?? '', schema: table.schema }
  }
  return partsName(run, ofMethod.has(type) ? parts.slice(1) : parts)
}

/** DROP. */
export function dropObjects(run: Run, { DropStmt: statement }: Statement<'DropStmt'>): void {
  const { behavior, objects, removeType = '' } = statement
  const cascade = behavior === 'DROP_CASCADE'
  const all = holdsData.has(removeType) || (cascade && heldByColumns.has(removeType))
  for (const node of objects ?? []) {
    const { name, schema } = droppedName(run, removeType, node)
    emit(run, {
      action: 'drop',
      scope: all ? 'all' : 'single',
      why: all && cascade ? 'drop_cascade' : 'drop',
      cascade,
      resource: { type: objectTypeName(removeType), name, schema },
    })
    if (removeType === 'OBJECT_TABLE') run.session.temporary.delete(name.replace(/^pg_temp\./, ''))
  }
}

function tableName(run: Run, node: Node): { readonly name: string; readonly schema: string | null } {
  const parts = partsOf(node)
  const [schema, relname] = parts.length > 1 ? parts.slice(-2) : [undefined, parts[0]]
  const named = { relname: relname ?? '', ...(schema === undefined ? {} : { schemaname: schema }) }
  return objectName(run, { RangeVar: named })
}

/** TRUNCATE. */
export function truncateTables(run: Run, { TruncateStmt: statement }: Statement<'TruncateStmt'>): void {
  for (const node of statement.relations ?? []) {
    if (!('RangeVar' in node)) continue
    const relation = relationOf(run, node.RangeVar)
    emit(run, {
      action: 'truncate',
      scope: 'all',
      why: 'truncate',
      cascade: statement.behavior === 'DROP_CASCADE',
      confidence: relation.inferred ? 'inferred' : 'exact',
      resource: { type: 'table', name: relation.shown, schema: relation.schema || null },
    })
  }
}

/** DROP DATABASE: not in a transaction, and not to be had back. */
export function dropDatabase(run: Run, { DropdbStmt: { dbname = '' } }: Statement<'DropdbStmt'>): void {
  const resource = { type: 'database', name: dbname }
  emit(run, { action: 'drop', scope: 'all', why: 'drop', reversible: 'no', resource })
}

/** DROP TABLESPACE works only on an empty one. */
export function dropTablespace(
  run: Run,
  { DropTableSpaceStmt: { tablespacename = '' } }: Statement<'DropTableSpaceStmt'>,
): void {
  const resource = { type: 'tablespace', name: tablespacename }
  emit(run, { action: 'drop', scope: 'single', why: 'drop', reversible: 'no', resource })
}

/** DROP ROLE, USER, GROUP. */
export function dropRoles(run: Run, { DropRoleStmt: { roles } }: Statement<'DropRoleStmt'>): void {
  for (const node of roles ?? []) {
    const { name } = objectName(run, node)
    emit(run, { action: 'drop', scope: 'single', why: 'drop', resource: { type: 'role', name } })
  }
}

/** DROP OWNED: everything that a role has in this database. */
export function dropOwned(
  run: Run,
  { DropOwnedStmt: { behavior, roles } }: Statement<'DropOwnedStmt'>,
): void {
  for (const node of roles ?? []) {
    emit(run, {
      action: 'drop',
      scope: 'all',
      why: 'drop_owned',
      cascade: behavior === 'DROP_CASCADE',
      resource: { type: 'role_objects', name: objectName(run, node).name },
    })
  }
}

/** DROP SUBSCRIPTION also drops its slot on the other server. */
export function dropSubscription(
  run: Run,
  { DropSubscriptionStmt: { subname = '', behavior } }: Statement<'DropSubscriptionStmt'>,
): void {
  emit(run, {
    action: 'drop',
    scope: 'single',
    why: 'drop',
    reversible: 'no',
    cascade: behavior === 'DROP_CASCADE',
    resource: { type: 'subscription', name: subname },
  })
}

/** DROP USER MAPPING. */
export function dropUserMapping(
  run: Run,
  { DropUserMappingStmt: statement }: Statement<'DropUserMappingStmt'>,
): void {
  const name = `${roleName(statement.user)}@${statement.servername ?? ''}`
  emit(run, { action: 'drop', scope: 'single', why: 'drop', resource: { type: 'user_mapping', name } })
}
