import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { jest } from '@jest/globals'
import { Client } from 'pg'
import type { EvaluationConfig } from '../src/config.ts'
import { loadConfig } from '../src/config.ts'
import type { Evaluation } from '../src/evaluation.ts'
import { startEvaluation } from '../src/evaluation.ts'
import type { EvaluationFile } from '../src/evaluation/state.ts'
import { createTokenVerifier } from '../src/signing/token-verifier.ts'
import type { TestDatabase } from './support/database.ts'
import { testDatabase } from './support/database.ts'

const run = promisify(execFile)

let folder: string
let database: TestDatabase
const started: Evaluation[] = []
const printed: string[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cs-evaluation-'))
  database = await testDatabase()
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
})

afterEach(async () => {
  jest.restoreAllMocks()
  printed.length = 0
  for (const evaluation of started.splice(0)) await evaluation.stop()
  await database.drop()
  rmSync(folder, { recursive: true })
})

function config(): EvaluationConfig {
  const loaded = loadConfig({ COUNTERSIGN_STATE_DIR: folder, DATABASE_URL: database.url })
  if (loaded.mode !== 'evaluation') throw new Error('expected evaluation mode')
  return loaded
}

async function start(log: (message: string) => void = () => undefined): Promise<Evaluation> {
  const evaluation = await startEvaluation(config(), log)
  started.push(evaluation)
  return evaluation
}

function file(): EvaluationFile {
  return JSON.parse(readFileSync(join(folder, 'evaluation.json'), 'utf8')) as EvaluationFile
}

function verifierOf({ tokens }: Evaluation) {
  const verifier = createTokenVerifier(() => Promise.resolve(tokens.jwks), tokens)
  started.push({ stop: () => Promise.resolve(verifier.close()) } as Evaluation)
  return verifier
}

test('evaluation.json appears once the service is ready, for its user only, and goes at a clean stop', async () => {
  const evaluation = await start()
  expect(existsSync(join(folder, 'evaluation.json'))).toBe(false)
  evaluation.announce({ host: '127.0.0.1', port: 4711 })
  expect(statSync(join(folder, 'evaluation.json')).mode & 0o777).toBe(0o600)
  expect(file()).toMatchObject({
    url: 'http://127.0.0.1:4711',
    pid: process.pid,
    databaseUrl: database.url,
    logVerifierKey: evaluation.logVerifierKey,
  })
  expect(file().logVerifierKey).toMatch(
    /^evaluation\.invalid\/[0-9a-f]{16}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$/,
  )
  await evaluation.stop()
  expect(existsSync(join(folder, 'evaluation.json'))).toBe(false)
})

test('each token carries what its holder does, for everybody or nobody', async () => {
  const evaluation = await start()
  evaluation.announce({ host: '127.0.0.1', port: 1 })
  const verifier = verifierOf(evaluation)
  const { tokens } = file()
  const [service, auditor, ci, approver, admin] = await Promise.all(
    [tokens.service, tokens.auditor, tokens.ci, tokens.approver, tokens.admin].map(async (token) =>
      verifier.verify(token),
    ),
  )
  expect(service?.caller.scopes).toEqual(['decide', 'grant:request', 'outcome', 'target:facts'])
  expect(service).toMatchObject({ actors: ['*'], actorTypes: ['*'], actorRoles: ['*'], targets: ['*'] })
  expect(auditor?.caller.scopes).toEqual(['evidence:export', 'evidence:read', 'log:read'])
  expect(ci?.caller.scopes).toEqual(['bundle:activate', 'bundle:write'])
  expect(approver?.caller.scopes).toEqual(['evidence:read', 'grant:approve'])
  expect(admin?.caller.scopes).toHaveLength(12)
  for (const holder of [auditor, ci, approver]) expect(holder?.actors).toBeNull()
})

test('what it prints says that it is not for production, and holds every token and a command to paste', async () => {
  const evaluation = await start()
  evaluation.noteStep('loaded the default bundle', 12)
  evaluation.announce({ host: '0.0.0.0', port: 8080 })
  const text = printed.join('')
  expect(text).toMatch(/EVALUATION MODE.*Not for production/)
  expect(text).toMatch(/loaded the default bundle +12 ms/)
  for (const token of Object.values(file().tokens)) expect(text).toContain(token)
  const curl = text.split('\n').find((line) => line.startsWith('curl '))
  expect(curl).toContain(
    `http://127.0.0.1:8080/v1/decide -H 'authorization: Bearer ${file().tokens.service}'`,
  )
  expect(curl).toContain('DELETE FROM customers')
})

test('warns each minute while other machines can reach it', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  try {
    const warnings: string[] = []
    const evaluation = await start((message) => warnings.push(message))
    evaluation.announce({ host: '0.0.0.0', port: 1 })
    jest.advanceTimersByTime(120_000)
    expect(warnings.filter((message) => message.includes('reachable from other machines'))).toHaveLength(3)
    evaluation.withdraw()
    jest.advanceTimersByTime(120_000)
    expect(warnings).toHaveLength(3)
  } finally {
    jest.useRealTimers()
  }
})

test('keys and the log keep their names over a restart, and the tokens from before still work', async () => {
  const first = await start()
  first.announce({ host: '127.0.0.1', port: 1 })
  const { tokens } = file()
  await first.stop()
  const second = await start()
  expect(second.origin).toBe(first.origin)
  expect(second.logVerifierKey).toBe(first.logVerifierKey)
  expect(second.keys.payload).toEqual(first.keys.payload)
  await expect(Promise.resolve(verifierOf(second).verify(tokens.service))).resolves.toBeDefined()
})

test('the second start in a folder says who holds it and where that one listens', async () => {
  const evaluation = await start()
  evaluation.announce({ host: '127.0.0.1', port: 4711 })
  await expect(start()).rejects.toThrow(
    new RegExp(`held by process ${process.pid} .* listens on http://127\\.0\\.0\\.1:4711`),
  )
})

test('leaves a production database alone', async () => {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  await client.query("insert into ledger_setting (log_id, name, value) values (1, 'mode', 'production')")
  await client.end()
  await expect(start()).rejects.toThrow(/DATABASE_URL is a production one/)
})

describe('npm run token', () => {
  const program = fileURLToPath(new URL('../dist/token.js', import.meta.url))
  const token = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, [program, ...args], {
      env: { COUNTERSIGN_STATE_DIR: folder },
    })
    return stdout.trim()
  }

  test('makes narrow tokens that the service accepts', async () => {
    const verifier = verifierOf(await start())
    const made = await token(
      '--sub',
      'ana',
      '--scope',
      'decide outcome',
      '--actors',
      'agent:x*,user:ana',
      '--ttl',
      '60',
    )
    expect(await verifier.verify(made)).toMatchObject({
      caller: { id: 'ana', scopes: ['decide', 'outcome'] },
      actors: ['agent:x*', 'user:ana'],
      actorTypes: null,
      targets: null,
    })
  })

  test.each([
    ['expired', ['--expired'], /has expired/],
    ['another issuer', ['--issuer', 'https://elsewhere.example'], /claim iss/],
    ['another audience', ['--audience', 'elsewhere'], /claim aud/],
    ['too long a life', ['--ttl', '90000'], /longer than 24 hours/],
  ])('makes tokens that the service refuses: %s', async (_, args, message) => {
    const verifier = verifierOf(await start())
    const made = await token('--sub', 'ana', ...args)
    await expect((async () => verifier.verify(made))()).rejects.toThrow(message)
  })

  test('explains itself when a needed option is missing', async () => {
    await expect(token('--scope', 'decide')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--sub'),
    })
  })
})
