/** CREATE and ALTER of definitions: objects by name, and the expressions in them that run later. */
import type { EffectAction } from '../intent.ts'
import { readConnection } from './conninfo.ts'
import type { Run } from './model.ts'
import { objectName, objectTypeName, partsName, roleName } from './object-name.ts'
import { createTable, runQuery } from './query-statements.ts'
import { relationOf } from './relation.ts'
import { emit, inMode, unknownName, unseen } from './run.ts'
import { visitAlone } from './select.ts'
import { serverDestination } from './trust.ts'
import type { Body, DefElem, Node, ObjectType, RangeVar } from './tree.ts'
import { bodyOf, isBody, kindOf, optionText, optionsOf, stringsOf } from './tree.ts'

type Statement<K extends string> = Extract<Node, Readonly<Record<K, unknown>>>

/** Reports that one object is made or changed. */
export function define(
  run: Run,
  action: EffectAction,
  resource: { readonly type: string; readonly name: string; readonly schema?: string | null },
  why = '',
): void {
  emit(run, { action, scope: 'single', why, resource })
}

/** A definition's expressions run when it is used; functions that nobody vouched for are found now. */
export function visitDefinition(run: Run, part: unknown): void {
  visitAlone({ run: inMode(run, { deferred: true }), parent: null, ctes: null }, part)
}

/** CREATE TABLE. */
export function createTableStatement(run: Run, { CreateStmt: statement }: Statement<'CreateStmt'>): void {
  const { constraints, oncommit, partbound, partspec, relation, tableElts } = statement
  createTable(run, relation, oncommit === 'ONCOMMIT_DROP' ? 'on_commit_drop' : '')
  for (const part of [tableElts, constraints, partspec, partbound]) visitDefinition(run, part)
}

/** CREATE FOREIGN TABLE: reading it later goes to another server. */
export function createForeignTable(
  run: Run,
  { CreateForeignTableStmt: statement }: Statement<'CreateForeignTableStmt'>,
): void {
  const relation = relationOf(run, statement.base?.relation)
  define(run, 'create', { type: 'foreign_table', name: relation.shown, schema: relation.schema })
  visitDefinition(run, statement.base?.tableElts)
}

/** CREATE SCHEMA, with the statements in it. */
export function createSchema(run: Run, { CreateSchemaStmt: statement }: Statement<'CreateSchemaStmt'>): void {
  const name = statement.schemaname ?? roleName(statement.authrole)
  define(run, 'create', { type: 'schema', name })
  for (const element of statement.schemaElts ?? []) run.engine.statement(run, inSchema(element, name))
}

/** What is made inside CREATE SCHEMA is of that schema where it does not say. */
function inSchema(element: Node, schemaname: string): Node {
  const kind = kindOf(element)
  const body: Record<string, unknown> = { ...bodyOf(element) }
  for (const member of ['relation', 'view', 'sequence']) {
    const named = body[member]
    if (isBody(named)) body[member] = { schemaname, ...named }
  }
  return { [kind]: body } as unknown as Node
}

/** CREATE VIEW: what it reads is read by whoever uses it. */
export function createView(run: Run, { ViewStmt: statement }: Statement<'ViewStmt'>): void {
  const relation = relationOf(run, statement.view)
  if (statement.query !== undefined) {
    runQuery(inMode(run, { deferred: true, via: [...run.mode.via, 'view'] }), statement.query, false)
  }
  const why = statement.replace === true ? 'or_replace' : ''
  define(run, 'create', { type: 'view', name: relation.shown, schema: relation.schema }, why)
}

/** CREATE INDEX: its expressions run for every row there is. */
export function createIndex(run: Run, { IndexStmt: statement }: Statement<'IndexStmt'>): void {
  const relation = relationOf(run, statement.relation)
  visitAlone({ run, parent: null, ctes: null }, [statement.indexParams, statement.whereClause])
  define(run, 'create', {
    type: 'index',
    name: statement.idxname ?? `${relation.shown}.*`,
    schema: relation.schema || null,
  })
}

/** CREATE RULE: its statements run instead of, or beside, others. */
export function createRule(run: Run, { RuleStmt: statement }: Statement<'RuleStmt'>): void {
  const { actions, rulename = '', whereClause } = statement
  define(run, 'create', { type: 'rule', name: rulename }, statement.replace === true ? 'or_replace' : '')
  const inside = inMode(run, { deferred: true, via: [...run.mode.via, 'rule'] })
  visitDefinition(run, whereClause)
  for (const action of actions ?? []) run.engine.statement(inside, action)
}

/** CREATE POLICY and ALTER POLICY: who sees which rows. Altering one may open all of them. */
export function createPolicy(run: Run, { CreatePolicyStmt: statement }: Statement<'CreatePolicyStmt'>): void {
  const relation = relationOf(run, statement.table)
  visitDefinition(run, [statement.qual, statement.with_check])
  define(run, 'create', { type: 'policy', name: statement.policy_name ?? '', schema: relation.schema })
}

/** ALTER POLICY. */
export function alterPolicy(run: Run, { AlterPolicyStmt: statement }: Statement<'AlterPolicyStmt'>): void {
  const relation = relationOf(run, statement.table)
  visitDefinition(run, [statement.qual, statement.with_check])
  emit(run, {
    action: 'alter',
    scope: 'all',
    why: 'alters_row_security',
    resource: { type: 'policy', name: statement.policy_name ?? '', schema: relation.schema || null },
  })
}

/** CREATE TRIGGER: a function, whose body is not here, runs whenever the table changes. */
export function createTrigger(run: Run, { CreateTrigStmt: statement }: Statement<'CreateTrigStmt'>): void {
  const { funcname, trigname = '', whenClause } = statement
  visitDefinition(run, whenClause)
  define(run, 'create', { type: 'trigger', name: trigname }, statement.replace === true ? 'or_replace' : '')
  storedCall(run, stringsOf(funcname))
}

/** CREATE EVENT TRIGGER. */
export function createEventTrigger(
  run: Run,
  { CreateEventTrigStmt: statement }: Statement<'CreateEventTrigStmt'>,
): void {
  define(run, 'create', { type: 'event_trigger', name: statement.trigname ?? '' })
  storedCall(run, stringsOf(statement.funcname))
}

function storedCall(run: Run, parts: readonly string[]): void {
  const { name, schema } = partsName(run, parts)
  if (Object.hasOwn(run.place.functions, name)) return
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    deferred: true,
    resource: { type: 'function', name, schema },
  })
  unseen(run, 'stored_code', found, `the body of ${name} is not here`)
}

/** ALTER EVENT TRIGGER … DISABLE switches a protection off. */
export function alterEventTrigger(
  run: Run,
  { AlterEventTrigStmt: statement }: Statement<'AlterEventTrigStmt'>,
): void {
  const off = statement.tgenabled === 'D' || statement.tgenabled === 'R'
  emit(run, {
    action: 'alter',
    scope: off ? 'all' : 'single',
    why: off ? 'disables_triggers' : 'enables_trigger',
    resource: { type: 'event_trigger', name: statement.trigname ?? '' },
  })
}

/** Extensions that come with PostgreSQL and only add types, functions and operators. */
const contributed: ReadonlySet<string> = new Set(
  'adminpack amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap pg_logicalinspect pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks pgstattuple postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp xml2 plpgsql'.split(
    ' ',
  ),
)

/** CREATE EXTENSION and ALTER EXTENSION … UPDATE run the extension's script. */
export function extension(run: Run, action: EffectAction, name: string): void {
  const found = emit(run, {
    action,
    scope: 'single',
    why: 'extension',
    resource: { type: 'extension', name },
  })
  if (!contributed.has(name)) unseen(run, 'stored_code', found, `the script of extension ${name} is not here`)
}

/** CREATE TYPE, AGGREGATE, OPERATOR, COLLATION, text search objects. */
export function defineObject(run: Run, { DefineStmt: statement }: Statement<'DefineStmt'>): void {
  const { defnames, kind } = statement
  const parts = stringsOf(defnames)
  if (kind === 'OBJECT_OPERATOR' || kind === 'OBJECT_AGGREGATE') run.session.created.add(parts.at(-1) ?? '')
  define(run, 'create', { type: objectTypeName(kind), ...partsName(run, parts) })
}

/** CREATE SEQUENCE, ALTER SEQUENCE. */
export function sequence(run: Run, action: EffectAction, named: RangeVar | undefined): void {
  const relation = relationOf(run, named)
  define(run, action, { type: 'sequence', name: relation.shown, schema: relation.schema })
}

/** ALTER DOMAIN: dropping its constraint or NOT NULL takes a protection off every column of it. */
export function alterDomain(run: Run, { AlterDomainStmt: statement }: Statement<'AlterDomainStmt'>): void {
  const { def, subtype, typeName } = statement
  visitDefinition(run, def)
  const drops = subtype === 'X' || subtype === 'N'
  emit(run, {
    action: 'alter',
    scope: drops ? 'all' : 'single',
    why: drops ? 'drops_constraint' : 'alter_domain',
    resource: { type: 'domain', ...partsName(run, stringsOf(typeName)) },
  })
}

/** Servers, mappings and subscriptions: where the options lead, and the secrets in them. */
export function foreignOptions(run: Run, options: readonly Node[] | undefined): void {
  for (const option of optionsOf(options)) {
    const text = optionText(option) ?? ''
    if (/passw|secret|token|key/i.test(option.defname ?? '') && text !== '') run.findings.secrets.add(text)
  }
}

/** CREATE SERVER and ALTER SERVER: queries on its tables will go there. */
export function foreignServer(
  run: Run,
  action: EffectAction,
  server: { readonly servername?: string; readonly options?: Node[] },
): void {
  foreignOptions(run, server.options)
  define(run, action, { type: 'server', name: server.servername ?? '' })
  const host = optionNamed(optionsOf(server.options), 'host')
  if (host !== null) network(run, host, true)
}

function optionNamed(options: readonly DefElem[], name: string): string | null {
  return optionText(options.find((option) => option.defname === name))
}

function network(run: Run, host: string, deferred: boolean): void {
  emit(run, {
    action: 'network',
    scope: 'single',
    deferred,
    reversible: 'no',
    destination: serverDestination(run, host),
    resource: { type: 'host', name: host },
  })
}

/** CREATE SUBSCRIPTION: another server's changes come in from now on. */
export function subscription(
  run: Run,
  action: EffectAction,
  { subname = '', conninfo }: { readonly subname?: string; readonly conninfo?: string },
): void {
  define(run, action, { type: 'subscription', name: subname })
  if (conninfo !== undefined) {
    const connection = readConnection(run, conninfo)
    if (connection === null) run.findings.secrets.add(conninfo)
    network(run, connection?.host ?? unknownName, false)
  }
  if (action !== 'create') return
  emit(run, {
    action: 'import',
    scope: 'bulk',
    why: 'subscription',
    deferred: true,
    reversible: 'no',
    resource: { type: 'table', name: '*' },
  })
}

/** IMPORT FOREIGN SCHEMA: asks the other server, and makes its tables here. */
export function importForeignSchema(
  run: Run,
  { ImportForeignSchemaStmt: statement }: Statement<'ImportForeignSchemaStmt'>,
): void {
  const { local_schema: local = '', server_name: server = '' } = statement
  emit(run, {
    action: 'network',
    scope: 'single',
    reversible: 'no',
    confidence: 'inferred',
    destination: { kind: 'network', host: server, trust: 'unknown' },
    resource: { type: 'server', name: server },
  })
  emit(run, {
    action: 'create',
    scope: 'bulk',
    why: 'import_foreign_schema',
    resource: { type: 'foreign_table', name: `${local}.*`, schema: local },
  })
}

/** A row of a plain definition: what it is, and where its name stands. */
export interface Definition {
  readonly action: EffectAction
  readonly type: string
  readonly field: string
  /** False: it lives beside schemas. */
  readonly inSchema: boolean
}

/** A definition that is only a name. Its other parts are visited for functions in them. */
export function plainDefinition(run: Run, row: Definition, body: Body): void {
  visitDefinition(run, body['constraints'])
  define(run, row.action, { type: row.type, ...namedBy(run, body[row.field], row.inSchema) })
}

function namedBy(
  run: Run,
  value: unknown,
  inSchema: boolean,
): { readonly name: string; readonly schema: string | null } {
  if (typeof value === 'string') return { name: value, schema: null }
  if (Array.isArray(value)) return partsName(run, stringsOf(value as Node[]), inSchema)
  if (!isBody(value)) return { name: unknownName, schema: null }
  if (Array.isArray(value['names'])) return partsName(run, stringsOf(value['names'] as Node[]), inSchema)
  if (typeof value['relname'] === 'string') return objectName(run, { RangeVar: value as RangeVar })
  if (Array.isArray(value['objname'])) return partsName(run, stringsOf(value['objname'] as Node[]), inSchema)
  return objectName(run, value as unknown as Node, inSchema)
}

/** ALTER … of something that a node names: its schema, its comment, its label. */
export function alterObject(
  run: Run,
  type: ObjectType | undefined,
  object: Node | undefined,
  why: string,
): void {
  define(run, 'alter', { type: objectTypeName(type), ...objectName(run, object) }, why)
}
