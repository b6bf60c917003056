import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import type { EmbeddedOptions, EmbeddedPostgres } from '../../src/postgres/embedded.ts'
import { startEmbedded } from '../../src/postgres/embedded.ts'
import { processExists } from '../../src/postgres/embedded/folder-lock.ts'

const folders: string[] = []
const servers: EmbeddedPostgres[] = []

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cs-embedded-'))
  folders.push(folder)
  return folder
}

async function start(dir: string, options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbedded({ dir, log: () => undefined, ...options })
  servers.push(server)
  return server
}

async function ask<Row>(url: string, statement: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(statement)).rows as Row[]
  } finally {
    await client.end()
  }
}

function postmasterPid(folder: string): number {
  const cluster = readdirSync(folder).find((name) => /^pg\d+$/.test(name))
  return Number(readFileSync(join(folder, String(cluster), 'postmaster.pid'), 'utf8').split('\n')[0])
}

/** A process of its own that starts the server, says so, and lives until it is killed. */
async function startElsewhere(dir: string) {
  const module = fileURLToPath(new URL('../../dist/postgres/embedded.js', import.meta.url))
  const program = `import { startEmbedded } from ${JSON.stringify(module)}
    const server = await startEmbedded({ dir: ${JSON.stringify(dir)}, log: () => undefined })
    console.log(server.url)
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, url: line.toString().trim() }
}

/** A folder whose cluster exists already: making one takes most of a second. */
let made: string

function usedFolder(): string {
  const folder = newFolder()
  cpSync(made, folder, { recursive: true })
  return folder
}

beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'cs-embedded-'))
  await (await startEmbedded({ dir: made, log: () => undefined })).stop()
})

afterAll(() => rmSync(made, { recursive: true }))

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

test.each(['local', 'package'] as const)(
  'keeps what was committed over a restart, with %s binaries',
  async (from) => {
    const dir = newFolder()
    const options = await start(dir, { from }).catch((error: unknown) => String(error))
    // A machine without a PostgreSQL of its own has the package's only.
    if (typeof options === 'string') return expect(options).toMatch(/no PostgreSQL server binaries/)
    await ask(options.url, 'create table kept as select 42 as answer')
    const pid = postmasterPid(dir)
    await options.stop()
    expect(processExists(pid)).toBe(false)

    const again = await start(dir, { from })
    expect(again.how).toBe('started')
    expect(await ask(again.socketUrl, 'select answer from kept')).toEqual([{ answer: 42 }])
  },
)

test('is durable, and listens to this machine only', async () => {
  const { url, socketUrl } = await start(usedFolder())
  const [settings] = await ask(
    url,
    `select current_setting('fsync') fsync, current_setting('full_page_writes') pages,
       current_setting('synchronous_commit') commit, current_setting('listen_addresses') addresses,
       current_setting('log_min_error_statement') statements`,
  )
  expect(settings).toEqual({
    fsync: 'on',
    pages: 'on',
    commit: 'on',
    addresses: '127.0.0.1',
    statements: 'panic',
  })
  expect(await ask(socketUrl, 'select inet_client_addr() is null as socket')).toEqual([{ socket: true }])
  const wrong = new URL(url)
  wrong.password = 'guessed'
  await expect(ask(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/)
})

test('the second start in a folder says who holds it', async () => {
  const dir = usedFolder()
  await start(dir)
  await expect(start(dir)).rejects.toThrow(`is held by process ${process.pid}`)
})

test('adopts the server that a killed process left behind, with everything in it', async () => {
  const dir = usedFolder()
  const { child, url } = await startElsewhere(dir)
  await ask(url, 'create table kept as select 7 as answer')
  const pid = postmasterPid(dir)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(processExists(pid)).toBe(true)

  const server = await start(dir)
  expect(server.how).toBe('adopted')
  expect(postmasterPid(dir)).toBe(pid)
  expect(await ask(server.url, 'select answer from kept')).toEqual([{ answer: 7 }])
  await server.stop()
  expect(processExists(pid)).toBe(false)
})

test('starts a server that was killed again, at the same address', async () => {
  const dir = usedFolder()
  const messages: string[] = []
  const { url } = await start(dir, { log: (message) => messages.push(message) })
  await ask(url, 'create table kept as select 7 as answer')
  process.kill(postmasterPid(dir), 'SIGKILL')
  const end = Date.now() + 20_000
  let rows: readonly unknown[] = []
  while (rows.length === 0 && Date.now() < end) {
    rows = await ask(url, 'select answer from kept').catch(() => [])
  }
  expect(rows).toEqual([{ answer: 7 }])
  expect(messages.join()).toMatch(/is gone: starting it again/)
})

test('is not misled by a pid file whose number belongs to somebody else', async () => {
  const dir = usedFolder()
  const first = await start(dir)
  const cluster = join(dir, `pg${first.major}`)
  await first.stop()
  writeFileSync(join(cluster, 'postmaster.pid'), `${process.pid}\n${cluster}\n1\n5432\n\n\n\nready   \n`)
  const second = await start(dir)
  expect(second.how).toBe('started')
})

test('names a cluster of another major version and leaves it alone', async () => {
  const dir = newFolder()
  const foreign = join(dir, 'pg9')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'PG_VERSION'), '9\n')
  await expect(start(dir)).rejects.toThrow(`${foreign} is a cluster of PostgreSQL 9`)
  expect(readdirSync(foreign)).toEqual(['PG_VERSION'])
  expect(readdirSync(dir)).toEqual(['pg9'])
})

test('works in a folder that only its owner may enter, with a path too long for a socket', async () => {
  const outer = newFolder()
  chmodSync(outer, 0o700)
  const server = await start(join(outer, 'd'.repeat(120)))
  expect(await ask(server.socketUrl, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('works where user namespaces are off', async () => {
  const sharedFolder = newFolder()
  chmodSync(sharedFolder, 0o711)
  const dir = newFolder()
  const first = await start(dir, { userNamespaces: false, sharedFolder })
  await ask(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  const again = await start(dir, { userNamespaces: false, sharedFolder })
  expect(await ask(again.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  // Root can't serve from its own folder there; anybody else can.
  expect(existsSync(join(dir, `pg${again.major}`))).toBe(process.getuid?.() !== 0)
})
