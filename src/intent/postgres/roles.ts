/** Roles, GRANT and REVOKE, owners: who may do what. The resource is who gains or loses. */
import type { Effect } from '../intent.ts'
import type { Run } from './model.ts'
import { objectName, objectTypeName, roleName } from './object-name.ts'
import { emit } from './run.ts'
import { dangerWhy } from './settings.ts'
import type { DefElem, Node, RoleSpec } from './tree.ts'
import { optionIsOn, optionText, optionsOf } from './tree.ts'

type Statement<K extends string> = Extract<Node, Readonly<Record<K, unknown>>>

/** Options of a role that give it power; the highest first. */
const attributes = [
  'superuser',
  'bypassrls',
  'isreplication',
  'createrole',
  'createdb',
  'canlogin',
  'inherit',
] as const

const attributeNames: Readonly<Record<string, string>> = { isreplication: 'replication', canlogin: 'login' }

/** Roles that come with the server and lead to all of it: its files, its programs. */
const mightyRoles: ReadonlySet<string> = new Set([
  'pg_execute_server_program',
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_write_all_data',
  'pg_read_all_data',
  'pg_create_subscription',
  'pg_database_owner',
  'pg_checkpoint',
  'pg_signal_backend',
  'rds_superuser',
  'cloudsqlsuperuser',
  'azure_pg_admin',
])

interface Grant {
  readonly gives: boolean
  readonly grantee: string
  readonly privileges: readonly string[]
  readonly on?: string | null
  readonly level?: string | null
  readonly why?: string
  readonly deferred?: boolean
}

/** Reports that somebody gains or loses a right. */
function emitGrant(run: Run, grant: Grant): void {
  emit(run, {
    action: grant.gives ? 'grant' : 'revoke',
    scope: grant.grantee === '*' ? 'all' : 'single',
    why: grant.why ?? '',
    reversible: 'yes',
    deferred: grant.deferred ?? false,
    privilege: {
      grantee: grant.grantee,
      privileges: [...grant.privileges],
      on: grant.on ?? null,
      level: grant.level ?? null,
      run_as: null,
    },
    resource: { type: 'role', name: grant.grantee },
  })
}

/** CREATE ROLE, USER, GROUP. */
export function createRole(run: Run, { CreateRoleStmt: statement }: Statement<'CreateRoleStmt'>): void {
  const { role = '', options } = statement
  emit(run, { action: 'create', scope: 'single', reversible: 'yes', resource: { type: 'role', name: role } })
  roleOptions(run, role, { options: optionsOf(options), gives: true, isNew: true })
}

/** ALTER ROLE, USER, GROUP. `action` -1 takes members out. */
export function alterRole(run: Run, { AlterRoleStmt: statement }: Statement<'AlterRoleStmt'>): void {
  const { action, options, role } = statement
  roleOptions(run, roleName(role), { options: optionsOf(options), gives: action !== -1, isNew: false })
}

interface RoleOptions {
  readonly options: readonly DefElem[]
  readonly gives: boolean
  readonly isNew: boolean
}

function roleOptions(run: Run, role: string, { options, gives, isNew }: RoleOptions): void {
  const given: string[] = []
  const taken: string[] = []
  const others: DefElem[] = []
  for (const option of options) {
    const name = option.defname ?? ''
    if (isAttribute(name)) (optionIsOn(option) ? given : taken).push(name)
    else if (memberships.has(name)) members(run, role, option, gives)
    else others.push(option)
  }
  keepSecrets(run, others)
  attributeGrant(run, role, isNew ? given.filter(isRemarkable) : given, true)
  if (isNew) return
  attributeGrant(run, role, taken, false)
  if (others.length > 0) alterOnly(run, role, others)
}

function isAttribute(name: string): boolean {
  return (attributes as readonly string[]).includes(name)
}

/** A new role may log in and inherit; that gives it nothing by itself. */
function isRemarkable(name: string): boolean {
  return name !== 'canlogin' && name !== 'inherit'
}

function attributeGrant(run: Run, role: string, names: readonly string[], gives: boolean): void {
  if (names.length === 0) return
  const highest = attributes.find((name) => names.includes(name)) ?? ''
  emitGrant(run, {
    gives,
    grantee: role,
    privileges: names.map((name) => attributeNames[name] ?? name),
    level: attributeNames[highest] ?? highest,
    why: 'role_attributes',
  })
}

function alterOnly(run: Run, role: string, options: readonly DefElem[]): void {
  const password = options.some((option) => option.defname === 'password')
  emit(run, {
    action: 'alter',
    scope: 'single',
    why: password ? 'password' : 'role_options',
    reversible: password ? 'no' : 'yes',
    sensitivity: password ? 'secret' : 'none',
    resource: { type: 'role', name: role },
  })
}

function keepSecrets(run: Run, options: readonly DefElem[]): void {
  for (const option of options) {
    const text = option.defname === 'password' ? optionText(option) : null
    if (text !== null && text !== '') run.findings.secrets.add(text)
  }
}

const memberships: ReadonlySet<string> = new Set(['addroleto', 'rolemembers', 'adminmembers'])

/** `IN ROLE y` makes the role a member of y; `ROLE y` and `ADMIN y` make y a member of the role. */
function members(run: Run, role: string, option: DefElem, gives: boolean): void {
  const arg = option.arg
  const specs = arg !== undefined && 'List' in arg ? (arg.List.items ?? []) : []
  for (const node of specs) {
    const other = objectName(run, node).name
    const [grantee, granted] = option.defname === 'addroleto' ? [role, other] : [other, role]
    emitGrant(run, {
      gives,
      grantee,
      privileges: [granted],
      level: option.defname === 'adminmembers' || mightyRoles.has(granted) ? 'admin' : null,
      why: 'membership',
    })
  }
}

/** ALTER ROLE … SET, ALTER DATABASE … SET: how later sessions start. */
export function alterSessionDefaults(
  run: Run,
  of: { readonly type: 'role' | 'database'; readonly name: string; readonly setting: string | undefined },
): void {
  const setting = of.setting ?? '*'
  emit(run, {
    action: 'config',
    scope: 'all',
    why: dangerWhy(setting.toLowerCase()) ?? `alter_${of.type}_set`,
    reversible: 'yes',
    privilege: {
      grantee: of.type === 'role' ? of.name : null,
      privileges: [],
      on: of.name,
      level: null,
      run_as: null,
    },
    resource: { type: dangerWhy(setting.toLowerCase()) === undefined ? 'session' : 'setting', name: setting },
  })
}

/** GRANT and REVOKE of rights on objects. */
export function grantPrivileges(
  run: Run,
  statement: Statement<'GrantStmt'>['GrantStmt'],
  byDefault = false,
): void {
  const privileges = (statement.privileges ?? []).flatMap((node) =>
    'AccessPriv' in node ? [node.AccessPriv.priv_name ?? 'all'] : [],
  )
  const on = grantedOn(run, statement)
  for (const node of statement.grantees ?? []) {
    emitGrant(run, {
      gives: statement.is_grant === true,
      grantee: objectName(run, node).name,
      privileges: privileges.length === 0 ? ['all'] : privileges,
      on,
      level: statement.grant_option === true && statement.is_grant === true ? 'grant_option' : null,
      why: byDefault ? 'default_privileges' : '',
      deferred: byDefault,
    })
  }
}

const beside: ReadonlySet<string> = new Set([
  'schema',
  'database',
  'language',
  'tablespace',
  'foreign_server',
  'fdw',
])

function grantedOn(run: Run, statement: Statement<'GrantStmt'>['GrantStmt']): string {
  const type = objectTypeName(statement.objtype)
  if (statement.targtype === 'ACL_TARGET_DEFAULTS') return `future ${type}s`
  const inSchema = statement.targtype === 'ACL_TARGET_OBJECT' && !beside.has(type)
  const names = (statement.objects ?? []).map((node) => objectName(run, node, inSchema).name).join(', ')
  return statement.targtype === 'ACL_TARGET_ALL_IN_SCHEMA'
    ? `all ${type}s in schema ${names}`
    : `${type} ${names}`
}

/** GRANT and REVOKE of membership. */
export function grantRoles(run: Run, { GrantRoleStmt: statement }: Statement<'GrantRoleStmt'>): void {
  const granted = (statement.granted_roles ?? []).flatMap((node) =>
    'AccessPriv' in node ? [node.AccessPriv.priv_name ?? ''] : [],
  )
  const admin = optionsOf(statement.opt).some((option) => option.defname === 'admin' && optionIsOn(option))
  for (const node of statement.grantee_roles ?? []) {
    emitGrant(run, {
      gives: statement.is_grant === true,
      grantee: objectName(run, node).name,
      privileges: granted,
      level: admin || granted.some((role) => mightyRoles.has(role)) ? 'admin' : null,
      why: 'membership',
    })
  }
}

/** A new owner may do anything with what it owns. */
export function grantOwnership(run: Run, owner: RoleSpec | undefined, on: string): void {
  const grantee = roleName(owner)
  emitGrant(run, { gives: true, grantee, privileges: ['ownership'], on, level: 'owner', why: 'owner' })
}

/** REASSIGN OWNED: everything of some roles goes to another. */
export function reassignOwned(
  run: Run,
  { ReassignOwnedStmt: statement }: Statement<'ReassignOwnedStmt'>,
): void {
  const from = (statement.roles ?? []).map((node) => objectName(run, node).name).join(', ')
  grantOwnership(run, statement.newrole, `all objects of ${from}`)
}

/** What a role is said to run as. */
export function runAs(name: string): NonNullable<Effect['privilege']> {
  return { grantee: null, privileges: [], on: null, level: null, run_as: name }
}
