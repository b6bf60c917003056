/** The program as people start it: from dist, as a process of its own. */
import type { ChildProcess } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { EvaluationFile } from '../src/evaluation/state.ts'
import { processExists } from '../src/postgres/embedded/folder-lock.ts'
import type { TestDatabase } from './support/database.ts'
import { testDatabase } from './support/database.ts'

const run = promisify(execFile)
const dist = (name: string): string => fileURLToPath(new URL(`../dist/${name}`, import.meta.url))

let folder: string
let database: TestDatabase
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cs-main-'))
  database = await testDatabase()
})

afterEach(async () => {
  for (const child of children.splice(0)) await ended(child, 'SIGKILL')
  await database.drop()
  rmSync(folder, { recursive: true })
})

interface Started {
  readonly child: ChildProcess
  output(): string
}

function start(environment: Record<string, string>, ...args: string[]): Started {
  const child = spawn(process.execPath, [dist('main.js'), ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      COUNTERSIGN_STATE_DIR: join(folder, 'state'),
      PORT: '0',
      ...environment,
    },
  })
  children.push(child)
  let output = ''
  const gather = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', gather)
  child.stderr.on('data', gather)
  return { child, output: () => output }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
  return child.exitCode
}

async function until<Value>(find: () => Value | undefined, started: Started): Promise<Value> {
  for (;;) {
    const value = find()
    if (value !== undefined) return value
    if (started.child.exitCode !== null) throw new Error(`it ended: ${started.output()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function evaluationFile(): EvaluationFile | undefined {
  const path = join(folder, 'state', 'evaluation.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as EvaluationFile) : undefined
}

/** The evaluation key, as somebody else's identity provider. */
async function issueToken(jwks: string): Promise<string> {
  const env = { COUNTERSIGN_STATE_DIR: join(folder, 'issuer') }
  const args = [
    '--sub',
    'gateway',
    '--scope',
    'decide',
    '--actors',
    'agent:*',
    '--issuer',
    'https://id.example.com',
  ]
  const { stdout } = await run(process.execPath, [dist('token.js'), ...args], { env })
  const { d, ...key } = JSON.parse(readFileSync(join(folder, 'issuer', 'token-key.jwk'), 'utf8')) as Record<
    string,
    string
  >
  expect(d).toBeDefined()
  const header = JSON.parse(Buffer.from(stdout.split('.')[0] ?? '', 'base64url').toString()) as {
    kid: string
  }
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...key, kid: header.kid, alg: 'EdDSA' }] }))
  return stdout.trim()
}

test('starts from nothing, answers the pasted command, and stops with its database', async () => {
  const started = start({})
  const file = await until(evaluationFile, started)
  const pasted = await until(
    () =>
      started
        .output()
        .split('\n')
        .find((line) => line.startsWith('curl ')),
    started,
  )
  const { stdout } = await run('/bin/sh', ['-c', pasted])
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'deny',
    reasons: [{ rule: 'sql.bulk_delete', controls: expect.any(Array), remedy: { hint: expect.any(String) } }],
    policy: { digest: expect.stringMatching(/^sha256:/) },
    receipt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  })
  const cluster = readFileSync(join(folder, 'state', `pg${database.major}`, 'postmaster.pid'), 'utf8')
  const postmaster = Number(cluster.split('\n')[0])
  expect(processExists(postmaster)).toBe(true)

  expect(await ended(started.child, 'SIGINT')).toBe(0)
  expect(processExists(postmaster)).toBe(false)
  expect(evaluationFile()).toBeUndefined()
  await expect(fetch(`${file.url}/livez`)).rejects.toThrow()
}, 60_000)

test('the second start in a folder says who holds it', async () => {
  const first = start({ DATABASE_URL: database.url })
  const { url } = await until(evaluationFile, first)
  const second = start({ DATABASE_URL: database.url })
  await once(second.child, 'close')
  expect(second.child.exitCode).toBe(1)
  expect(second.output()).toContain(`is held by process ${first.child.pid}`)
  expect(second.output()).toContain(url)
  expect(second.output()).not.toContain('    at ')
})

test('the demo tells ten actions, with all three verdicts', async () => {
  await until(evaluationFile, start({ DATABASE_URL: database.url }))
  const { stdout } = await run(process.execPath, [dist('pep/demo.js')], {
    env: { COUNTERSIGN_STATE_DIR: join(folder, 'state') },
  })
  const verdicts = [...stdout.matchAll(/^ {4}\S (allow|deny|mask) /gm)].map(([, verdict]) => verdict)
  expect(verdicts).toEqual([
    'allow',
    'deny',
    'deny',
    'deny',
    'mask',
    'deny',
    'allow',
    'deny',
    'allow',
    'deny',
  ])
  expect(stdout).not.toContain('\u001b[')
})

describe('in production', () => {
  test('names everything that is missing, and does not listen', async () => {
    const started = start({ NODE_ENV: 'production' })
    await once(started.child, 'close')
    expect(started.child.exitCode).toBe(1)
    for (const name of [
      'DATABASE_URL',
      'COUNTERSIGN_JWKS',
      'COUNTERSIGN_ORIGIN',
      'COUNTERSIGN_PAYLOAD_KEY_FILE',
    ]) {
      expect(started.output()).toContain(`${name} is missing`)
    }
  })

  test('serves with keys, issuer and bundle from its configuration, as a login that owns nothing', async () => {
    const jwks = join(folder, 'jwks.json')
    await run(process.execPath, [dist('keys.js'), join(folder, 'keys')])
    const token = await issueToken(jwks)
    const environment = {
      NODE_ENV: 'production',
      DATABASE_URL: database.serviceUrl,
      COUNTERSIGN_JWKS: jwks,
      COUNTERSIGN_ISSUER: 'https://id.example.com',
      COUNTERSIGN_AUDIENCE: 'countersign',
      COUNTERSIGN_ORIGIN: 'log.example.com/test',
      COUNTERSIGN_BUNDLE: 'default',
      COUNTERSIGN_LOG_KEY_FILE: join(folder, 'keys', 'log-key.jwk'),
      COUNTERSIGN_RECEIPT_KEY_FILE: join(folder, 'keys', 'receipt-key.jwk'),
      COUNTERSIGN_AUDIT_KEY_FILE: join(folder, 'keys', 'audit.key'),
      COUNTERSIGN_PAYLOAD_KEY_FILE: join(folder, 'keys', 'payload.key'),
    }
    const checked = start(environment, '--check')
    await once(checked.child, 'close')
    expect(checked.output()).toContain('the configuration is complete (production)')

    const started = start(environment)
    const port = await until(() => /"port":(\d+)/.exec(started.output())?.[1], started)
    const answer = await fetch(`http://127.0.0.1:${port}/v1/decide`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        actor: { id: 'agent:x1' },
        command: { language: 'shell', text: 'rm -rf /srv/data' },
        target: { system: 'host', id: 'h', environment: 'production' },
      }),
    })
    expect([answer.status, await answer.json()]).toMatchObject([200, { verdict: 'deny' }])
    expect(await ended(started.child, 'SIGTERM')).toBe(0)
    expect(existsSync(join(folder, 'state', 'evaluation.json'))).toBe(false)
  })
})
