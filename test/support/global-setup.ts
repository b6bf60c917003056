/** Before all tests: brings dist up to date and starts one PostgreSQL with a migrated template database. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { build } from '../../deploy/build.mjs'
import { startEmbedded } from '../../src/postgres/embedded.ts'
import { processExists } from '../../src/postgres/embedded/folder-lock.ts'
import { migrate } from '../../src/postgres/migrate.ts'
import { asLogin, letServe } from '../../src/postgres/service-login.ts'
import { SERVICE, TEMPLATE, rememberServer } from './database.ts'
import { keepForTeardown } from './global-teardown.ts'

const PREFIX = 'countersign-tests-'

export default async function setup(): Promise<void> {
  // Workers run from dist. Somebody may be in the middle of an edit that this run is not about.
  await build().catch((error: unknown) => process.stderr.write(`dist is not up to date: ${String(error)}\n`))
  removeAbandoned()
  const folder = mkdtempSync(join(tmpdir(), PREFIX))
  writeFileSync(join(folder, 'owner'), String(process.pid))
  const origin = process.env['TEST_POSTGRES']
  const server = await startEmbedded({
    dir: folder,
    log: () => undefined,
    ...(origin === 'local' || origin === 'package' ? { from: origin } : {}),
  })
  keepForTeardown(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const template = new URL(server.url)
  template.pathname = `/${TEMPLATE}`
  await createTemplate(server.url)
  await migrate(template.href)
  const login = { name: SERVICE, password: randomBytes(16).toString('hex') }
  await letServe(template.href, login)
  rememberServer({ url: server.url, serviceUrl: asLogin(server.url, login), major: server.major })
}

async function createTemplate(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${TEMPLATE}`)
  await client.end()
}

/** What runs that were killed have left behind. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    const owner = join(folder, 'owner')
    if (!existsSync(owner) || processExists(Number(readFileSync(owner, 'utf8')))) continue
    for (const cluster of readdirSync(folder)) stopServer(join(folder, cluster, 'postmaster.pid'))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

function stopServer(pidFile: string): void {
  if (!existsSync(pidFile)) return
  const [pid, dataFolder] = readFileSync(pidFile, 'utf8').split('\n')
  if (dataFolder?.includes(PREFIX) === true && processExists(Number(pid)))
    process.kill(Number(pid), 'SIGQUIT')
}
