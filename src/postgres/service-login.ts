import { Client, escapeIdentifier, escapeLiteral } from 'pg'

/** What the service's pools become with SET ROLE; the migrations make them. */
const ROLES = ['countersign_writer', 'countersign_sequencer', 'countersign_signer', 'countersign_reader']

/** The login that the service connects with. */
export interface ServiceLogin {
  readonly name: string
  /** For a login that is not there yet; null when there is one. */
  readonly password: string | null
  /** Give this password to an existing login too. */
  readonly resetPassword?: boolean
}

/**
 * Lets a login serve: a member of the service's roles that inherits nothing, so that each connection
 * may do what the one role it takes may do, and no more. Run it after migrating, as owner.
 */
export async function letServe(ownerUrl: string, login: ServiceLogin): Promise<void> {
  const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    if (login.password !== null) await client.query(loginStatement(login, login.password))
    const { rows } = await client.query<{ rolname: string }>(
      "select rolname from pg_roles where rolname = any ($1) and not pg_has_role($2, oid, 'member')",
      [ROLES, login.name],
    )
    for (const { rolname } of rows) {
      await client.query(`grant ${escapeIdentifier(rolname)} to ${escapeIdentifier(login.name)}`)
    }
    // A start asks which migrations are pending, and asks it as a reader.
    await client.query('grant select on _prisma_migrations to countersign_reader')
  } finally {
    await client.end()
  }
}

/** Two databases of a cluster may make the login at the same time. */
function loginStatement({ name, resetPassword }: ServiceLogin, password: string): string {
  const attributes = `${escapeIdentifier(name)} login noinherit password ${escapeLiteral(password)}`
  return `do $do$ begin
    if not exists (select from pg_roles where rolname = ${escapeLiteral(name)}) then
      create role ${attributes};
    ${resetPassword === true ? `else alter role ${attributes};` : ''}
    end if;
  exception when duplicate_object or unique_violation then
    ${resetPassword === true ? `alter role ${attributes}` : 'null'};
  end $do$`
}

/** The same database by another login. */
export function asLogin(url: string, login: { readonly name: string; readonly password: string }): string {
  const changed = new URL(url)
  changed.username = login.name
  changed.password = login.password
  return changed.href
}
