import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from 'pg'
import type { TestDatabase } from './support/database.ts'
import { testDatabase } from './support/database.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../dist/migrate.js', import.meta.url))
const roles = 'countersign_writer, countersign_sequencer, countersign_signer, countersign_reader'

let database: TestDatabase
let owner: string
let service: string

beforeEach(async () => {
  database = await testDatabase(null)
  owner = `${database.name}_owner`
  service = `${database.name}_service`
  // An owner as an administrator would make it: no superuser. The roles are there from another database.
  await ask(
    database.url,
    `create role ${owner} login createrole password 'o';
     alter database ${database.name} owner to ${owner};
     alter schema public owner to ${owner};
     grant ${roles} to ${owner} with admin option`,
  )
})

afterEach(async () => {
  const { url } = database
  await database.drop()
  const elsewhere = new URL(url)
  elsewhere.pathname = '/postgres'
  await ask(elsewhere.href, `drop role if exists ${service}; drop role ${owner}`)
})

async function ask(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

function urlOf(name: string, password: string): string {
  const url = new URL(database.url)
  url.username = name
  url.password = password
  return url.href
}

test('an owner that is no superuser migrates, and makes the login that shall serve', async () => {
  const environment = {
    COUNTERSIGN_MIGRATE_DATABASE_URL: urlOf(owner, 'o'),
    DATABASE_URL: urlOf(service, 's'),
  }
  const first = await run(process.execPath, [program], { env: environment })
  expect(first.stdout).toMatch(/^applied 0001_ledger\n/)
  expect(first.stdout).toContain(`${service} may serve`)
  const second = await run(process.execPath, [program], { env: environment })
  expect(second.stdout).toMatch(/^nothing to do/)

  const url = environment.DATABASE_URL
  await expect(ask(url, 'select * from ledger_entry')).rejects.toThrow(/permission denied/)
  expect(await ask(url, 'set role countersign_writer; ').then(() => 'may')).toBe('may')
  await expect(ask(url, 'set role countersign_writer; delete from ledger_entry')).rejects.toThrow(
    /permission denied/,
  )
  await expect(ask(url, `set role ${owner}`)).rejects.toThrow(/permission denied/)
})

test('says what is missing when it has nowhere to go', async () => {
  await expect(run(process.execPath, [program], { env: {} })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('COUNTERSIGN_MIGRATE_DATABASE_URL is missing'),
  })
})
