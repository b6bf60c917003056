/** Every kind of statement of PostgreSQL's grammar, and what answers for it. One that is not here is unknown. */
import { alterTable, rename } from './alter-table.ts'
import { alterFunction, call, createFunction, doBlock, loadLibrary } from './code.ts'
import { copyStatement } from './copy.ts'
import * as create from './create.ts'
import * as drop from './drop.ts'
import * as maintenance from './maintenance.ts'
import type { Run } from './model.ts'
import { objectName, objectTypeName, roleName } from './object-name.ts'
import * as query from './query-statements.ts'
import * as roles from './roles.ts'
import * as session from './session-statements.ts'
import type { Node } from './tree.ts'
import { bodyOf } from './tree.ts'

type KindOf<N> = N extends unknown ? keyof N & string : never
/** Names of statements, as libpg-query writes them. */
type StatementKind = Extract<KindOf<Node>, `${string}Stmt`>
type Statement<K extends StatementKind> = Extract<Node, Readonly<Record<K, unknown>>>
type Handlers = { readonly [K in StatementKind]?: (run: Run, node: Statement<K>) => void }

const handlers = {
  SelectStmt: query.selectStatement,
  InsertStmt: query.changeStatement,
  UpdateStmt: query.changeStatement,
  DeleteStmt: query.changeStatement,
  MergeStmt: query.changeStatement,
  CopyStmt: (run, node) => {
    copyStatement(run, node.CopyStmt)
  },
  ExplainStmt: (run, node) => {
    query.explain(run, node.ExplainStmt)
  },
  PrepareStmt: (run, node) => {
    query.prepare(run, node.PrepareStmt)
  },
  ExecuteStmt: (run, node) => {
    query.execute(run, node.ExecuteStmt)
  },
  DeallocateStmt: (run) => {
    query.nothingDone(run, 'deallocate')
  },
  DeclareCursorStmt: query.declareCursor,
  FetchStmt: query.fetch,
  ClosePortalStmt: (run) => {
    query.nothingDone(run, 'close')
  },
  CreateTableAsStmt: (run, node) => {
    query.createTableAs(run, node.CreateTableAsStmt)
  },

  VariableSetStmt: session.setVariable,
  VariableShowStmt: session.showVariable,
  AlterSystemStmt: session.alterSystem,
  TransactionStmt: session.transaction,
  DiscardStmt: session.discard,
  ConstraintsSetStmt: (run) => {
    query.nothingDone(run, 'set_constraints')
  },
  NotifyStmt: (run, node) => {
    session.notify(run, node.NotifyStmt.conditionname ?? '')
  },
  ListenStmt: (run, node) => {
    session.listen(run, node.ListenStmt.conditionname ?? '')
  },
  UnlistenStmt: (run) => {
    query.nothingDone(run, 'unlisten')
  },
  LockStmt: session.lockTables,

  VacuumStmt: maintenance.vacuum,
  ClusterStmt: maintenance.cluster,
  ReindexStmt: maintenance.reindex,
  RefreshMatViewStmt: maintenance.refresh,
  CheckPointStmt: maintenance.checkpoint,

  DropStmt: drop.dropObjects,
  TruncateStmt: drop.truncateTables,
  DropdbStmt: drop.dropDatabase,
  DropTableSpaceStmt: drop.dropTablespace,
  DropRoleStmt: drop.dropRoles,
  DropOwnedStmt: drop.dropOwned,
  DropSubscriptionStmt: drop.dropSubscription,
  DropUserMappingStmt: drop.dropUserMapping,

  CreateRoleStmt: roles.createRole,
  AlterRoleStmt: roles.alterRole,
  AlterRoleSetStmt: (run, { AlterRoleSetStmt: { role, setstmt } }) => {
    const name = role === undefined ? '*' : roleName(role)
    roles.alterSessionDefaults(run, { type: 'role', name, setting: setstmt?.name })
  },
  AlterDatabaseSetStmt: (run, { AlterDatabaseSetStmt: { dbname = '', setstmt } }) => {
    roles.alterSessionDefaults(run, { type: 'database', name: dbname, setting: setstmt?.name })
  },
  GrantStmt: (run, node) => {
    roles.grantPrivileges(run, node.GrantStmt)
  },
  GrantRoleStmt: roles.grantRoles,
  AlterDefaultPrivilegesStmt: (run, { AlterDefaultPrivilegesStmt: { action } }) => {
    if (action !== undefined) roles.grantPrivileges(run, action, true)
  },
  ReassignOwnedStmt: roles.reassignOwned,
  AlterOwnerStmt: (run, { AlterOwnerStmt: { newowner, object, objectType, relation } }) => {
    const named = relation === undefined ? object : { RangeVar: relation }
    roles.grantOwnership(run, newowner, `${objectTypeName(objectType)} ${objectName(run, named).name}`)
  },

  AlterTableStmt: alterTable,
  RenameStmt: rename,
  CreateStmt: create.createTableStatement,
  CreateForeignTableStmt: create.createForeignTable,
  CreateSchemaStmt: create.createSchema,
  ViewStmt: create.createView,
  IndexStmt: create.createIndex,
  RuleStmt: create.createRule,
  CreatePolicyStmt: create.createPolicy,
  AlterPolicyStmt: create.alterPolicy,
  CreateTrigStmt: create.createTrigger,
  CreateEventTrigStmt: create.createEventTrigger,
  AlterEventTrigStmt: create.alterEventTrigger,
  CreateExtensionStmt: (run, node) => {
    create.extension(run, 'create', node.CreateExtensionStmt.extname ?? '')
  },
  AlterExtensionStmt: (run, node) => {
    create.extension(run, 'alter', node.AlterExtensionStmt.extname ?? '')
  },
  DefineStmt: create.defineObject,
  CreateSeqStmt: (run, node) => {
    create.sequence(run, 'create', node.CreateSeqStmt.sequence)
  },
  AlterSeqStmt: (run, node) => {
    create.sequence(run, 'alter', node.AlterSeqStmt.sequence)
  },
  AlterDomainStmt: create.alterDomain,
  CreateForeignServerStmt: (run, node) => {
    create.foreignServer(run, 'create', node.CreateForeignServerStmt)
  },
  AlterForeignServerStmt: (run, node) => {
    create.foreignServer(run, 'alter', node.AlterForeignServerStmt)
  },
  CreateUserMappingStmt: (run, { CreateUserMappingStmt: { options, servername = '', user } }) => {
    create.foreignOptions(run, options)
    create.define(run, 'create', { type: 'user_mapping', name: `${roleName(user)}@${servername}` })
  },
  AlterUserMappingStmt: (run, { AlterUserMappingStmt: { options, servername = '', user } }) => {
    create.foreignOptions(run, options)
    create.define(run, 'alter', { type: 'user_mapping', name: `${roleName(user)}@${servername}` })
  },
  ImportForeignSchemaStmt: create.importForeignSchema,
  CreateSubscriptionStmt: (run, node) => {
    create.subscription(run, 'create', node.CreateSubscriptionStmt)
  },
  AlterSubscriptionStmt: (run, node) => {
    create.subscription(run, 'alter', node.AlterSubscriptionStmt)
  },
  CommentStmt: (run, { CommentStmt: { object, objtype } }) => {
    create.alterObject(run, objtype, object, 'comment')
  },
  SecLabelStmt: (run, { SecLabelStmt: { object, objtype } }) => {
    create.alterObject(run, objtype, object, 'security_label')
  },
  AlterObjectSchemaStmt: (run, { AlterObjectSchemaStmt: { object, objectType, relation } }) => {
    create.alterObject(
      run,
      objectType,
      relation === undefined ? object : { RangeVar: relation },
      'set_schema',
    )
  },
  AlterObjectDependsStmt: (run, { AlterObjectDependsStmt: { object, objectType, relation } }) => {
    create.alterObject(
      run,
      objectType,
      relation === undefined ? object : { RangeVar: relation },
      'depends_on',
    )
  },

  DoStmt: doBlock,
  CreateFunctionStmt: createFunction,
  AlterFunctionStmt: alterFunction,
  CallStmt: call,
  LoadStmt: loadLibrary,
} satisfies Handlers

function defines(type: string, field: string, inSchema = true): create.Definition {
  return { action: 'create', type, field, inSchema }
}

function alters(type: string, field: string, inSchema = true): create.Definition {
  return { action: 'alter', type, field, inSchema }
}

/** Definitions that are only a name. */
const definitions = {
  CreateTableSpaceStmt: defines('tablespace', 'tablespacename', false),
  CreateFdwStmt: defines('foreign_data_wrapper', 'fdwname', false),
  CreateAmStmt: defines('access_method', 'amname', false),
  CreatePLangStmt: defines('language', 'plname', false),
  CreateDomainStmt: defines('domain', 'domainname'),
  CreateOpClassStmt: defines('operator_class', 'opclassname'),
  CreateOpFamilyStmt: defines('operator_family', 'opfamilyname'),
  CreateStatsStmt: defines('statistics', 'defnames'),
  CompositeTypeStmt: defines('type', 'typevar'),
  CreateEnumStmt: defines('type', 'typeName'),
  CreateRangeStmt: defines('type', 'typeName'),
  CreatedbStmt: defines('database', 'dbname', false),
  CreateConversionStmt: defines('conversion', 'conversion_name'),
  CreateCastStmt: defines('cast', 'sourcetype'),
  CreateTransformStmt: defines('transform', 'type_name'),
  CreatePublicationStmt: defines('publication', 'pubname', false),
  AlterPublicationStmt: alters('publication', 'pubname', false),
  AlterCollationStmt: alters('collation', 'collname'),
  AlterTableSpaceOptionsStmt: alters('tablespace', 'tablespacename', false),
  AlterTableMoveAllStmt: alters('tablespace', 'orig_tablespacename', false),
  AlterExtensionContentsStmt: alters('extension', 'extname', false),
  AlterFdwStmt: alters('foreign_data_wrapper', 'fdwname', false),
  AlterOpFamilyStmt: alters('operator_family', 'opfamilyname'),
  AlterStatsStmt: alters('statistics', 'defnames'),
  AlterOperatorStmt: alters('operator', 'opername'),
  AlterTypeStmt: alters('type', 'typeName'),
  AlterEnumStmt: alters('type', 'typeName'),
  AlterDatabaseStmt: alters('database', 'dbname', false),
  AlterDatabaseRefreshCollStmt: alters('database', 'dbname', false),
  AlterTSDictionaryStmt: alters('text_search_dictionary', 'dictname'),
  AlterTSConfigurationStmt: alters('text_search_configuration', 'cfgname'),
} satisfies { readonly [K in StatementKind]?: create.Definition }

/** Kinds that are parts of other statements, or of code, and stand alone nowhere. */
type Parts = 'RawStmt' | 'SetOperationStmt' | 'ReturnStmt' | 'PLAssignStmt' | 'ReplicaIdentityStmt'

type Unanswered = Exclude<StatementKind, Parts | keyof typeof handlers | keyof typeof definitions>
/** A new kind of statement does not compile until it is answered for here. */
const everyKindIsAnswered: [Unanswered] extends [never] ? true : Unanswered = true

const byKind: Readonly<Record<string, (run: Run, node: never) => void>> = handlers
const definitionByKind: Readonly<Record<string, create.Definition>> = definitions

/** Reports what a statement does; false if its kind is not known. */
export function meetStatement(run: Run, kind: string, node: Node): boolean {
  if (Object.hasOwn(byKind, kind)) {
    byKind[kind]?.(run, node as never)
    return everyKindIsAnswered
  }
  const definition = Object.hasOwn(definitionByKind, kind) ? definitionByKind[kind] : undefined
  if (definition !== undefined) create.plainDefinition(run, definition, bodyOf(node))
  return definition !== undefined
}
