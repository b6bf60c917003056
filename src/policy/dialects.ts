/** Which languages fit which systems: one closed table. A command that does not fit its target is denied. */
import type { Command } from '../action/action.ts'

/** Language, or language and dialect -> systems. What is not here as a language or a dialect is unknown. */
const fitting: Readonly<Record<string, readonly string[]>> = {
  'sql.postgresql': ['postgresql'],
  'sql.psql': ['postgresql'],
  'sql.mysql': ['mysql', 'mariadb'],
  'sql.mariadb': ['mariadb', 'mysql'],
  'sql.sqlite': ['sqlite'],
  'sql.tsql': ['mssql'],
  'sql.oracle': ['oracle'],
  'sql.snowflake': ['snowflake'],
  'sql.bigquery': ['bigquery'],
  // Not on databases: a file removed on the machine would be judged as if it happened in the database.
  shell: ['host', 'git', 'kubernetes', 'docker', 'terraform', 'aws', 'azure', 'gcp'],
  redis: ['redis'],
  mongodb: ['mongodb'],
  graphql: ['graphql'],
  http: ['http', 'elasticsearch', 'opensearch', 'kubernetes', 'docker', 'git', 'aws', 'azure', 'gcp'],
  mcp: ['mcp'],
  'terraform-plan': ['terraform'],
}

/** False when the command's language and dialect are known, and not ones of the system. */
export function fitsSystem(command: Command, system: string): boolean {
  const { language } = command
  const dialect = dialectOf(command)
  const key = language === 'sql' ? `sql.${dialect ?? ''}` : language
  // Object.hasOwn: a language named `constructor` is unknown like any other.
  return !Object.hasOwn(fitting, key) || (fitting[key]?.includes(system) ?? false)
}

/** The dialect that a target's pin speaks of: a missing one of a shell text is `sh`; an argv has none. */
export function dialectOf(command: Command): string | null {
  const { dialect, argv } = command as { readonly dialect?: unknown; readonly argv?: unknown }
  if (typeof dialect === 'string') return dialect
  return command.language === 'shell' && argv === undefined ? 'sh' : null
}
