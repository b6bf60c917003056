/** ALTER TABLE and its kin, command by command: how much of the data or its protection goes. */
import type { Node } from './tree.ts'
import type { Run } from './model.ts'
import { objectName, objectTypeName } from './object-name.ts'
import type { ObjectName } from './object-name.ts'
import { relationOf } from './relation.ts'
import { grantOwnership } from './roles.ts'
import { emit, unseen } from './run.ts'
import type { Seed } from './run.ts'
import { visitAlone } from './select.ts'
import type { AlterTableCmd } from './tree.ts'

type Statement<K extends string> = Extract<Node, Readonly<Record<K, unknown>>>

interface Row {
  readonly scope: 'single' | 'all'
  readonly why: string
  /** The command names a column. */
  readonly column?: true
}

const one = (why: string): Row => ({ scope: 'single', why })
const ofColumn = (why: string): Row => ({ scope: 'single', why, column: true })
const all = (why: string): Row => ({ scope: 'all', why })
const allOfColumn = (why: string): Row => ({ scope: 'all', why, column: true })

/** Every command of PostgreSQL's grammar; one that is not here is unknown. */
const commands: Readonly<Record<string, Row>> = {
  AT_AddColumn: ofColumn('add_column'),
  AT_DropColumn: allOfColumn('drop_column'),
  AT_ColumnDefault: ofColumn('column_default'),
  AT_DropNotNull: all('drops_constraint'),
  AT_SetNotNull: ofColumn('set_not_null'),
  AT_SetExpression: allOfColumn('set_expression'),
  AT_DropExpression: ofColumn('drop_expression'),
  AT_SetStatistics: ofColumn('set_statistics'),
  AT_SetOptions: ofColumn('set_options'),
  AT_ResetOptions: ofColumn('reset_options'),
  AT_SetStorage: ofColumn('set_storage'),
  AT_SetCompression: ofColumn('set_compression'),
  AT_AddConstraint: one('add_constraint'),
  AT_AddIndexConstraint: one('add_constraint'),
  AT_AlterConstraint: all('alters_constraint'),
  AT_ValidateConstraint: one('validate_constraint'),
  AT_DropConstraint: all('drops_constraint'),
  AT_AlterColumnType: allOfColumn('alter_column_type'),
  AT_AlterColumnGenericOptions: ofColumn('column_options'),
  AT_ClusterOn: one('cluster_on'),
  AT_DropCluster: one('drop_cluster'),
  AT_SetLogged: one('set_logged'),
  AT_SetUnLogged: all('set_unlogged'),
  AT_DropOids: one('drop_oids'),
  AT_SetAccessMethod: one('set_access_method'),
  AT_SetTableSpace: one('set_tablespace'),
  AT_SetRelOptions: one('set_options'),
  AT_ResetRelOptions: one('reset_options'),
  AT_EnableTrig: one('enables_trigger'),
  AT_EnableAlwaysTrig: one('enables_trigger'),
  AT_EnableReplicaTrig: all('disables_triggers'),
  AT_DisableTrig: all('disables_triggers'),
  AT_EnableTrigAll: one('enables_trigger'),
  AT_DisableTrigAll: all('disables_triggers'),
  AT_EnableTrigUser: one('enables_trigger'),
  AT_DisableTrigUser: all('disables_triggers'),
  AT_EnableRule: one('enables_rule'),
  AT_EnableAlwaysRule: one('enables_rule'),
  AT_EnableReplicaRule: all('disables_rules'),
  AT_DisableRule: all('disables_rules'),
  AT_AddInherit: one('inherit'),
  AT_DropInherit: one('no_inherit'),
  AT_AddOf: one('of_type'),
  AT_DropOf: one('not_of_type'),
  AT_ReplicaIdentity: one('replica_identity'),
  AT_EnableRowSecurity: one('enables_row_security'),
  AT_DisableRowSecurity: all('disables_row_security'),
  AT_ForceRowSecurity: one('forces_row_security'),
  AT_NoForceRowSecurity: all('disables_row_security'),
  AT_GenericOptions: one('foreign_options'),
  AT_AttachPartition: one('attach_partition'),
  AT_DetachPartition: all('detach_partition'),
  AT_DetachPartitionFinalize: one('detach_partition'),
  AT_AddIdentity: ofColumn('add_identity'),
  AT_SetIdentity: ofColumn('set_identity'),
  AT_DropIdentity: ofColumn('drop_identity'),
}

/** ALTER TABLE, INDEX, VIEW, SEQUENCE, FOREIGN TABLE, TYPE: one effect per command. */
export function alterTable(run: Run, { AlterTableStmt: statement }: Statement<'AlterTableStmt'>): void {
  const relation = relationOf(run, statement.relation)
  const resource = {
    type: objectTypeName(statement.objtype),
    name: relation.shown,
    schema: relation.schema || null,
  }
  for (const node of statement.cmds ?? []) {
    if (!('AlterTableCmd' in node)) continue
    const command = node.AlterTableCmd
    visitAlone({ run, parent: null, ctes: null }, command.def)
    if (command.subtype === 'AT_ChangeOwner') {
      grantOwnership(run, command.newowner, `${resource.type} ${resource.name}`)
    } else alterBy(run, command, resource)
  }
}

function alterBy(run: Run, command: AlterTableCmd, resource: Seed['resource']): void {
  const row = commands[command.subtype ?? '']
  if (row === undefined) {
    const found = emit(run, { action: 'unknown', scope: 'unknown', confidence: 'opaque', resource })
    unseen(run, 'unsupported_syntax', found, `ALTER TABLE command ${command.subtype ?? ''} is not known`)
    return
  }
  const column = row.column === true ? [columnOf(command)] : []
  emit(run, {
    action: 'alter',
    scope: row.scope,
    why: row.why,
    cascade: command.behavior === 'DROP_CASCADE' ? true : null,
    resource: { ...resource, columns: column.filter((name) => name !== '') },
  })
}

function columnOf(command: AlterTableCmd): string {
  if (command.name !== undefined) return command.name
  const { def } = command
  return def !== undefined && 'ColumnDef' in def ? (def.ColumnDef.colname ?? '') : ''
}

/** ALTER … RENAME: what used the old name no longer finds it. */
export function rename(run: Run, { RenameStmt: statement }: Statement<'RenameStmt'>): void {
  const { relation, relationType, renameType, subname } = statement
  const isColumn = renameType === 'OBJECT_COLUMN' || renameType === 'OBJECT_ATTRIBUTE'
  const type = objectTypeName(isColumn ? relationType : renameType)
  const named = relation === undefined ? renamed(run, statement) : objectName(run, { RangeVar: relation })
  const columns = isColumn && subname !== undefined ? [subname] : []
  emit(run, { action: 'alter', scope: 'single', why: 'rename', resource: { type, ...named, columns } })
}

function renamed(run: Run, { object, subname }: Statement<'RenameStmt'>['RenameStmt']): ObjectName {
  return subname === undefined ? objectName(run, object) : { name: subname, schema: null }
}
