/** SET, RESET, set_config, ALTER SYSTEM: what a setting changes, and for whom. */
import type { Effect } from '../intent.ts'
import type { Run } from './model.ts'
import { emit, unknownName } from './run.ts'

/** Settings by which later text is parsed, or its names are resolved, or as another user. */
const changesReading: ReadonlySet<string> = new Set([
  'search_path',
  'role',
  'session_authorization',
  'standard_conforming_strings',
  'backslash_quote',
  'client_encoding',
  'row_security',
  'transform_null_equals',
  'array_nulls',
  'plpgsql.variable_conflict',
  'default_with_oids',
  unknownName,
])

/** Settings that switch a protection off, or load code: the whole of it goes. */
const dangerous: ReadonlyMap<string, string> = new Map([
  ['session_replication_role', 'disables_triggers_and_fks'],
  ['session_preload_libraries', 'loads_code'],
  ['shared_preload_libraries', 'loads_code'],
  ['local_preload_libraries', 'loads_code'],
  ['dynamic_library_path', 'loads_code'],
  ['extension_control_path', 'loads_code'],
  ['jit_provider', 'loads_code'],
  ['oauth_validator_libraries', 'loads_code'],
  ['archive_library', 'loads_code'],
  ['archive_command', 'runs_a_program'],
  ['restore_command', 'runs_a_program'],
  ['archive_cleanup_command', 'runs_a_program'],
  ['recovery_end_command', 'runs_a_program'],
  ['ssl_passphrase_command', 'runs_a_program'],
  ['allow_system_table_mods', 'opens_catalogues'],
  ['ignore_system_indexes', 'opens_catalogues'],
  ['zero_damaged_pages', 'loses_data'],
  ['ignore_checksum_failure', 'loses_data'],
  ['fsync', 'loses_data'],
  ['full_page_writes', 'loses_data'],
  ['event_triggers', 'disables_triggers'],
  ['log_statement', 'changes_audit'],
  ['log_connections', 'changes_audit'],
  ['log_disconnections', 'changes_audit'],
  ['log_min_duration_statement', 'changes_audit'],
  ['log_min_messages', 'changes_audit'],
  ['log_min_error_statement', 'changes_audit'],
  ['log_destination', 'changes_audit'],
  ['logging_collector', 'changes_audit'],
  ['log_directory', 'changes_audit'],
  ['hba_file', 'changes_authentication'],
  ['ident_file', 'changes_authentication'],
  ['password_encryption', 'changes_authentication'],
])

/** A change of a setting for the session or a transaction. */
export interface SettingChange {
  readonly name: string
  readonly value: string | null
  readonly local: boolean
}

/** Reports a change, and remembers it where later statements are read differently after it. */
export function changeSetting(run: Run, change: SettingChange): Effect {
  const name = change.name.toLowerCase()
  const why = dangerWhy(name)
  if (why !== undefined) {
    const resource = { type: 'setting', name }
    return emit(run, { action: 'config', scope: 'all', why, reversible: 'yes', resource })
  }
  const reading = changesReading.has(name)
  const outlives = !(change.local && run.session.closed)
  const found = emit(run, {
    action: 'config',
    scope: 'single',
    why: change.local ? 'set_local' : 'set',
    reversible: 'yes',
    privilege: identityOf(name, change.value),
    resource: { type: outlives && (reading || name.includes('.')) ? 'session' : 'setting', name },
  })
  if (reading && !run.mode.deferred) run.session.changed ??= name
  return found
}

/** SET ROLE: whom later statements run as. */
function identityOf(name: string, value: string | null): Effect['privilege'] {
  const named = (name === 'role' || name === 'session_authorization') && value !== null && value !== 'none'
  return named ? { grantee: null, privileges: [], on: null, level: null, run_as: value } : null
}

/** Why a setting is one that switches a protection off; undefined for others. */
export function dangerWhy(name: string): string | undefined {
  return dangerous.get(name) ?? (name.startsWith('pgaudit.') ? 'changes_audit' : undefined)
}

/** RESET ALL, DISCARD: whatever the session was set to is gone. */
export function forgetSession(run: Run, what: string): void {
  emit(run, {
    action: 'config',
    scope: 'all',
    why: what,
    reversible: 'yes',
    resource: { type: 'session', name: '*' },
  })
  if (!run.mode.deferred) run.session.changed ??= what
}
