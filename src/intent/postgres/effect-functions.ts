/** Built-in functions with an effect, by name: what each does, to what its first arguments name. */
import type { Effect, EffectAction } from '../intent.ts'
import type { Call, CallHandler } from './call.ts'
import { argumentName, argumentText, callEffect } from './call.ts'
import { fileTrust } from './trust.ts'
import { relationOfParts } from './relation.ts'
import { unknownName } from './run.ts'
import { changeSetting } from './settings.ts'

interface Row {
  readonly action: EffectAction
  readonly type: string
  /** Index of the argument that names the resource; a string is the name itself. */
  readonly name: number | string
  readonly scope?: Effect['scope']
  readonly sensitivity?: Effect['sensitivity']
  readonly reversible?: Effect['reversible']
  readonly why?: string
  /** Its result shows what no catalogue describes. */
  readonly reveals?: boolean
}

function does(row: Row): CallHandler {
  return (call) => {
    const name = typeof row.name === 'string' ? row.name : argumentName(call, row.name)
    if (row.reveals === true) call.frame.met.unknown = true
    callEffect(call.frame, {
      action: row.action,
      scope: row.scope ?? 'single',
      why: row.why ?? call.name,
      confidence: name === unknownName ? 'inferred' : 'exact',
      resource: { type: row.type, name },
      ...(row.reversible === undefined ? {} : { reversible: row.reversible }),
      ...(row.sensitivity === undefined ? {} : { sensitivity: row.sensitivity }),
    })
  }
}

const readsFile = does({ action: 'read', type: 'server_file', name: 0, sensitivity: 'secret', reveals: true })
const listsFiles = does({
  action: 'read',
  type: 'server_directory',
  name: 0,
  scope: 'bulk',
  sensitivity: 'sensitive',
  reveals: true,
})
const listsOwnFiles = does({
  action: 'read',
  type: 'server_directory',
  name: 'data',
  scope: 'bulk',
  sensitivity: 'sensitive',
  reveals: true,
})
const signalsBackend = does({ action: 'process', type: 'backend', name: 0, reversible: 'no' })
const actsOnServer = does({ action: 'process', type: 'server', name: 'server', reversible: 'no' })
const waits = does({ action: 'process', type: 'backend', name: 'self', why: 'sleeps', reversible: 'yes' })
const locks = does({ action: 'lock', type: 'advisory_lock', name: 0, reversible: 'yes' })
const readsSlot = does({
  action: 'read',
  type: 'replication_slot',
  name: 0,
  scope: 'all',
  sensitivity: 'sensitive',
  reveals: true,
})
const readsLargeObject = does({
  action: 'read',
  type: 'large_object',
  name: 0,
  sensitivity: 'unknown',
  reveals: true,
})
const writesLargeObject = does({ action: 'write', type: 'large_object', name: 0 })
const createsLargeObject = does({ action: 'create', type: 'large_object', name: 0 })
const readsSessions = does({
  action: 'read',
  type: 'table',
  name: 'pg_catalog.pg_stat_activity',
  scope: 'all',
  sensitivity: 'sensitive',
  reveals: true,
})
const forgets = does({ action: 'delete', type: 'statistics', name: '*', scope: 'all', reversible: 'no' })
const altersOrigin = does({ action: 'alter', type: 'replication_origin', name: 0, reversible: 'no' })
const maintains = does({ action: 'none', type: 'index', name: 0, why: 'maintenance' })
const altersStatistics = does({ action: 'alter', type: 'statistics', name: 0 })

/** A sequence's number is taken, or set, for good: no rollback brings it back. */
function movesSequence(call: Call): void {
  const text = argumentText(call, 0)
  const relation = text === null ? null : relationOfParts(call.run, nameParts(text))
  callEffect(call.frame, {
    action: 'update',
    scope: 'single',
    why: call.name,
    reversible: 'no',
    confidence: relation === null ? 'inferred' : 'exact',
    resource: { type: 'sequence', name: relation?.shown ?? unknownName, schema: relation?.schema ?? null },
  })
}

/** The parts of a name that is given as text, as `regclass` reads it. */
export function nameParts(text: string): string[] {
  if (text.length > longestName) return [text]
  const parts: string[] = []
  for (const match of text.matchAll(/"((?:[^"]|"")*)"|([^".\s]+)/g)) {
    parts.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').toLowerCase())
  }
  return parts
}

/** Two quoted names of 63 characters, each doubled: anything longer names nothing. */
const longestName = 512

function importsFile(call: Call): void {
  readsFile(call)
  callEffect(call.frame, {
    action: 'create',
    scope: 'single',
    why: call.name,
    resource: { type: 'large_object', name: call.args.length > 1 ? argumentName(call, 1) : '*' },
  })
}

function exportsLargeObject(call: Call): void {
  const path = argumentName(call, 1)
  callEffect(call.frame, {
    action: 'export',
    scope: 'single',
    why: call.name,
    reversible: 'no',
    sensitivity: 'unknown',
    confidence: path === unknownName ? 'inferred' : 'exact',
    destination: { kind: 'file', path, trust: fileTrust(call.run, path) },
    resource: { type: 'large_object', name: argumentName(call, 0) },
  })
}

function setsConfig(call: Call): void {
  changeSetting(call.run, {
    name: argumentText(call, 0) ?? unknownName,
    value: argumentText(call, 1),
    local: argumentText(call, 2) === 'true',
  })
}

function rows(handler: CallHandler, names: string): [string, CallHandler][] {
  return names.split(' ').map((name) => [name, handler])
}

/** The functions of pg_catalog that do more than compute, by name. */
export const effectFunctions: ReadonlyMap<string, CallHandler> = new Map([
  ...rows(readsFile, 'pg_read_file pg_read_binary_file pg_read_file_old pg_stat_file'),
  ...rows(listsFiles, 'pg_ls_dir'),
  ...rows(
    listsOwnFiles,
    'pg_ls_logdir pg_ls_waldir pg_ls_tmpdir pg_ls_archive_statusdir pg_ls_summariesdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings pg_logdir_ls',
  ),
  ...rows(
    does({ action: 'write', type: 'server_file', name: 0, reversible: 'no' }),
    'pg_file_write pg_file_rename pg_file_sync',
  ),
  ...rows(does({ action: 'delete', type: 'server_file', name: 0, reversible: 'no' }), 'pg_file_unlink'),
  ...rows(importsFile, 'lo_import'),
  ...rows(exportsLargeObject, 'lo_export'),
  ...rows(readsLargeObject, 'lo_get loread'),
  ...rows(writesLargeObject, 'lo_put lowrite'),
  ...rows(does({ action: 'truncate', type: 'large_object', name: 0 }), 'lo_truncate lo_truncate64'),
  ...rows(createsLargeObject, 'lo_creat lo_create lo_from_bytea'),
  ...rows(does({ action: 'delete', type: 'large_object', name: 0 }), 'lo_unlink'),
  ...rows(signalsBackend, 'pg_terminate_backend pg_cancel_backend pg_log_backend_memory_contexts'),
  ...rows(
    actsOnServer,
    'pg_promote pg_wal_replay_pause pg_wal_replay_resume pg_rotate_logfile pg_rotate_logfile_old pg_switch_wal pg_create_restore_point pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_sync_replication_slots',
  ),
  ...rows(
    does({ action: 'config', type: 'server', name: 'server', scope: 'all', reversible: 'no' }),
    'pg_reload_conf',
  ),
  ...rows(waits, 'pg_sleep pg_sleep_for pg_sleep_until'),
  ...rows(
    locks,
    'pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_advisory_unlock pg_advisory_unlock_shared',
  ),
  ...rows(
    does({ action: 'lock', type: 'advisory_lock', name: '*', reversible: 'yes' }),
    'pg_advisory_unlock_all',
  ),
  ...rows(does({ action: 'write', type: 'channel', name: 0 }), 'pg_notify'),
  ...rows(movesSequence, 'nextval setval'),
  ...rows(setsConfig, 'set_config'),
  ...rows(
    does({ action: 'create', type: 'replication_slot', name: 0, reversible: 'yes' }),
    'pg_create_logical_replication_slot pg_create_physical_replication_slot pg_copy_logical_replication_slot pg_copy_physical_replication_slot',
  ),
  ...rows(
    does({ action: 'drop', type: 'replication_slot', name: 0, reversible: 'no' }),
    'pg_drop_replication_slot',
  ),
  ...rows(
    does({ action: 'alter', type: 'replication_slot', name: 0, reversible: 'no' }),
    'pg_replication_slot_advance',
  ),
  ...rows(readsSlot, 'pg_logical_slot_peek_changes pg_logical_slot_peek_binary_changes'),
  ...rows((call) => {
    readsSlot(call)
    does({ action: 'alter', type: 'replication_slot', name: 0, reversible: 'no' })(call)
  }, 'pg_logical_slot_get_changes pg_logical_slot_get_binary_changes'),
  ...rows(
    does({ action: 'write', type: 'wal', name: 'message', reversible: 'no' }),
    'pg_logical_emit_message',
  ),
  ...rows(
    altersOrigin,
    'pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_advance pg_replication_origin_session_setup pg_replication_origin_session_reset pg_replication_origin_xact_setup pg_replication_origin_xact_reset',
  ),
  ...rows(
    forgets,
    'pg_stat_reset pg_stat_reset_shared pg_stat_reset_single_table_counters pg_stat_reset_single_function_counters pg_stat_reset_slru pg_stat_reset_replication_slot pg_stat_reset_subscription_stats pg_stat_reset_backend_stats',
  ),
  ...rows(
    altersStatistics,
    'pg_restore_relation_stats pg_restore_attribute_stats pg_clear_relation_stats pg_clear_attribute_stats',
  ),
  ...rows(
    readsSessions,
    'pg_stat_get_activity pg_stat_get_backend_activity pg_stat_get_wal_senders pg_stat_get_wal_receiver pg_stat_get_subscription pg_get_backend_memory_contexts pg_cursor pg_prepared_statement pg_prepared_xact',
  ),
  ...rows(
    does({
      action: 'read',
      type: 'table',
      name: 'pg_catalog.pg_statistic_ext_data',
      scope: 'bulk',
      sensitivity: 'sensitive',
      reveals: true,
    }),
    'pg_mcv_list_items',
  ),
  ...rows(
    does({ action: 'create', type: 'collation', name: '*', scope: 'bulk' }),
    'pg_import_system_collations',
  ),
  ...rows(does({ action: 'alter', type: 'extension', name: 'self' }), 'pg_extension_config_dump'),
  ...rows(
    maintains,
    'brin_summarize_new_values brin_summarize_range brin_desummarize_range gin_clean_pending_list',
  ),
])
