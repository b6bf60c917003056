/** Which categories of risk an effect belongs to: one row per action, and what its resource adds. */
import type { Effect, EffectAction, RiskCategory } from './intent.ts'

type Rule = (effect: Effect) => readonly RiskCategory[]

const nothing: readonly RiskCategory[] = []

/** Systems whose objects have definitions of their own: creating or dropping one changes a schema. */
const definedSystems = new Set([
  'postgresql',
  'mysql',
  'mariadb',
  'sqlite',
  'mssql',
  'oracle',
  'snowflake',
  'bigquery',
  'mongodb',
  'elasticsearch',
])

const isWide = ({ scope }: Effect): boolean => scope !== 'single' && scope !== 'bounded'
const isRestorable = ({ reversible }: Effect): boolean => reversible === 'yes' || reversible === 'recoverable'
const isDefinition = ({ resource }: Effect): boolean => definedSystems.has(resource.system)

/** Objects that hold no data: dropping one by name loses a definition, not rows. */
const definitionsOnly =
  /^(?:index|view|policy|replication_slot|slot|function|procedure|trigger|role|user|rule|operator|cast|sequence|type|domain|extension)$/

const losesData: Rule = (effect) => (isRestorable(effect) ? nothing : ['data_loss'])
const writes: Rule = (effect) => (isWide(effect) ? ['bulk_write'] : nothing)

const byAction: Readonly<Record<EffectAction, Rule>> = {
  none: () => nothing,
  read: (effect) => readCategories(effect),
  write: writes,
  insert: writes,
  update: (effect) => [
    ...writes(effect),
    ...(rewritesHistory(effect) ? (['history_rewrite'] as const) : nothing),
  ],
  delete: (effect) => [...losesData(effect), ...writes(effect)],
  truncate: losesData,
  drop: (effect) => [
    ...(definitionsOnly.test(effect.resource.type) ? nothing : losesData(effect)),
    ...(isDefinition(effect) ? (['schema_change'] as const) : nothing),
  ],
  create: (effect) => (isDefinition(effect) ? ['schema_change'] : nothing),
  alter: (effect) => ['schema_change', ...(effect.scope === 'all' ? alterAll(effect) : nothing)],
  grant: () => ['privilege'],
  revoke: () => ['privilege'],
  execute: ({ resource }) =>
    resource.type === 'remote_code' ? ['code_execution', 'remote_code'] : ['code_execution'],
  export: (effect) => exportCategories(effect),
  import: writes,
  network: () => ['network'],
  process: ({ resource }) =>
    /program|command|script|code/.test(resource.type) ? ['code_execution'] : ['availability'],
  config: ({ resource }) => (resource.type === 'role' ? ['config_change', 'privilege'] : ['config_change']),
  lock: () => ['availability'],
  unknown: () => nothing,
}

/** Sorted by no means: the summary sorts. May repeat. */
export function categoriesOf(effect: Effect): readonly RiskCategory[] {
  const own = byAction[effect.action](effect)
  const added = addedCategories(effect)
  return added.length === 0 ? own : [...own, ...added]
}

function readCategories({ sensitivity }: Effect): readonly RiskCategory[] {
  if (sensitivity === 'secret') return ['secret_read']
  return sensitivity === 'sensitive' ? ['sensitive_read'] : nothing
}

function exportCategories(effect: Effect): readonly RiskCategory[] {
  const { destination } = effect
  const stays = destination !== null && (destination.trust === 'internal' || destination.kind === 'stdout')
  return stays ? readCategories(effect) : ['exfiltration', ...readCategories(effect)]
}

/** The definition goes with its data (a column), or with what protects it (triggers, row security). */
function alterAll({ why, resource }: Effect): readonly RiskCategory[] {
  if (/row_security|policy|force/.test(why)) return ['privilege']
  if (/trigger|constraint|audit/.test(why)) return ['audit_tamper']
  return resource.columns.length > 0 ? ['data_loss'] : nothing
}

const rewritesHistory = ({ resource, why }: Effect): boolean =>
  resource.system === 'git' && /force|mirror|rewrite/.test(why)

const changes = new Set<EffectAction>([
  'write',
  'insert',
  'update',
  'delete',
  'truncate',
  'drop',
  'create',
  'alter',
  'config',
])

const auditName =
  /(?:^|[^a-z])audit|\/var\/log|^log_|wtmp|utmp|(?:bash|zsh)_history|session_replication_role/i
const startName =
  /(?:^|\/)(?:crontab|authorized_keys|rc\.local|\.bashrc|\.profile|\.bash_profile|\.zshrc)$|\/etc\/cron|\/etc\/systemd|\/var\/spool\/cron|\/etc\/init\.d|ld\.so\.preload/i
const startType = /^(?:cron|cron_job|systemd_unit|startup|event_trigger|login_hook)$/

function addedCategories(effect: Effect): readonly RiskCategory[] {
  const { action, destination, privilege } = effect
  const added: RiskCategory[] = []
  if (destination?.kind === 'network' && action !== 'network') added.push('network')
  if ((privilege?.level ?? null) !== null && action !== 'grant') added.push('privilege')
  return changes.has(action) ? [...added, ...namedCategories(effect)] : added
}

/** What the shell analysis knows of a path, and says as the reason of the effect's scope. */
const pathCategories: Readonly<Record<string, RiskCategory>> = {
  audit_log_path: 'audit_tamper',
  authentication_path: 'privilege',
  persistence_path: 'persistence',
}

function namedCategories({ action, resource, why }: Effect): readonly RiskCategory[] {
  const { name, type } = resource
  const tampers = action !== 'insert' && auditName.test(name)
  const persists = startType.test(type) || startName.test(name)
  const ofPath = pathCategories[why]
  return [
    ...(tampers ? (['audit_tamper'] as const) : nothing),
    ...(persists ? (['persistence'] as const) : nothing),
    ...(ofPath === undefined ? nothing : [ofPath]),
  ]
}
