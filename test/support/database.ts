/** A database of its own for each test file, cloned from the migrated template. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** Migrated once, before all tests. */
export const TEMPLATE = 'countersign_template'

/** A login as production has it: a member of the service's roles that inherits nothing. */
export const SERVICE = 'countersign_service'

const VARIABLE = 'COUNTERSIGN_TEST_SERVER'

interface TestServer {
  readonly url: string
  readonly serviceUrl: string
  readonly major: number
}

export interface TestDatabase {
  /** Its owner, who migrated it. */
  readonly url: string
  /** The service's login. */
  readonly serviceUrl: string
  readonly name: string
  /** PostgreSQL's major version. */
  readonly major: number
  drop(): Promise<void>
}

/** Test files run in processes of their own; the environment is what they share with the setup. */
export function rememberServer(server: TestServer): void {
  process.env[VARIABLE] = JSON.stringify(server)
}

/**
 * A fresh, migrated database.
 *
 * @param template another name, or null for an empty database
 */
export async function testDatabase(template: string | null = TEMPLATE): Promise<TestDatabase> {
  const server = JSON.parse(process.env[VARIABLE] ?? 'null') as TestServer | null
  if (server === null) throw new Error('the global setup did not run: use npm run jest')
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`
  await administer(server.url, `create database ${name} template ${template ?? 'template0'}`)
  return {
    url: withDatabase(server.url, name),
    serviceUrl: withDatabase(server.serviceUrl, name),
    name,
    major: server.major,
    drop: () => administer(server.url, `drop database if exists ${name} with (force)`),
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
