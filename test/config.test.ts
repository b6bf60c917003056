import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Config, ProductionConfig } from '../src/config.ts'
import { loadConfig, migrationTarget } from '../src/config.ts'
import { PdpError } from '../src/errors.ts'

let folder: string
let complete: Record<string, string>

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cs-config-'))
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  complete = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgresql://service:s3cret-word@db.example.com/countersign',
    COUNTERSIGN_JWKS: 'https://id.example.com/keys',
    COUNTERSIGN_ISSUER: 'https://id.example.com',
    COUNTERSIGN_AUDIENCE: 'countersign',
    COUNTERSIGN_ORIGIN: 'log.example.com/countersign',
    COUNTERSIGN_LOG_KEY_FILE: write('log.jwk', jwk()),
    COUNTERSIGN_RECEIPT_KEY_FILE: write('receipt.jwk', jwk()),
    COUNTERSIGN_AUDIT_KEY_FILE: write('audit.key', secret()),
    COUNTERSIGN_PAYLOAD_KEY_FILE: write('payload.key', secret()),
    COUNTERSIGN_BUNDLE: 'default',
    COUNTERSIGN_STATE_DIR: '.countersign',
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

function jwk(): string {
  return JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))
}

function secret(): string {
  return randomBytes(32).toString('base64url')
}

function production(changes: Record<string, string> = {}): ProductionConfig {
  const config: Config = loadConfig({ ...complete, ...changes })
  if (config.mode !== 'production') throw new Error(`expected production, found ${config.mode}`)
  return config
}

/** Names of the settings that are refused, and the whole message. */
function refusal(environment: Record<string, string>): { names: string[]; message: string } {
  try {
    loadConfig(environment)
  } catch (error) {
    if (error instanceof PdpError)
      return { names: error.faults.map(({ pointer }) => pointer), message: error.message }
  }
  throw new Error('the configuration was accepted')
}

test('without any setting it is evaluation mode, on this machine only', () => {
  const config = loadConfig({ PATH: '/usr/bin' })
  expect(config).toMatchObject({ mode: 'evaluation', databaseUrl: null, host: '127.0.0.1', port: 8080 })
  expect(Object.isFrozen(config)).toBe(true)
})

test('evaluation mode honours HOST, PORT, DATABASE_URL, LOG_LEVEL and the state folder', () => {
  expect(
    loadConfig({
      HOST: '0.0.0.0',
      PORT: '0',
      LOG_LEVEL: 'warn',
      DATABASE_URL: 'postgres://me@localhost/mine',
      COUNTERSIGN_STATE_DIR: folder,
    }),
  ).toMatchObject({
    mode: 'evaluation',
    host: '0.0.0.0',
    port: 0,
    logLevel: 'warn',
    databaseUrl: 'postgres://me@localhost/mine',
    stateDir: folder,
  })
})

test.each(['COUNTERSIGN_ISSUER', 'COUNTERSIGN_ORIGIN', 'COUNTERSIGN_TENANT', 'COUNTERSIGN_RECEIPT_KEY_FILE'])(
  'one production setting, %s, ends evaluation mode and asks for the rest',
  (name) => {
    const { names, message } = refusal({ [name]: complete[name] ?? 'acme' })
    expect(names).toContain('DATABASE_URL')
    expect(names).not.toContain(name)
    expect(message).toContain(`evaluation mode is off because of ${name}`)
  },
)

test('in production everything that is missing is named at once, with what it is', () => {
  const { names, message } = refusal({ NODE_ENV: 'production' })
  expect(names).toEqual([
    'DATABASE_URL',
    'COUNTERSIGN_JWKS',
    'COUNTERSIGN_ISSUER',
    'COUNTERSIGN_AUDIENCE',
    'COUNTERSIGN_ORIGIN',
    'COUNTERSIGN_LOG_KEY_FILE',
    'COUNTERSIGN_RECEIPT_KEY_FILE',
    'COUNTERSIGN_AUDIT_KEY_FILE',
    'COUNTERSIGN_PAYLOAD_KEY_FILE',
    'COUNTERSIGN_BUNDLE',
  ])
  for (const name of names) expect(message).toMatch(new RegExp(`${name} is missing: \\S`))
})

test('a complete production configuration is accepted, with or without NODE_ENV', () => {
  const { NODE_ENV, ...rest } = complete
  expect(NODE_ENV).toBe('production')
  expect(loadConfig(rest).mode).toBe('production')
  expect(production()).toMatchObject({
    tenant: 'default',
    algorithms: ['EdDSA', 'ES256', 'PS256', 'RS256'],
    logEndpoints: 'private',
    bundle: 'default',
  })
})

test.each([
  ['COUNTERSIGN_JWKS', 'http://id.example.com/keys', /must be an https URL/],
  ['COUNTERSIGN_JWKS', '/nowhere/keys.json', /does not exist/],
  ['COUNTERSIGN_ALGORITHMS', 'RS256 HS256', /HS256: only asymmetric/],
  ['COUNTERSIGN_ALGORITHMS', 'none', /none: only asymmetric/],
  ['COUNTERSIGN_ORIGIN', 'https://log.example.com', /without scheme/],
  ['COUNTERSIGN_ORIGIN', 'log.example.com/', /no slash at its end/],
  ['COUNTERSIGN_ORIGIN', 'log example', /no blank/],
  ['COUNTERSIGN_ORIGIN', 'log+example', /no plus/],
  ['COUNTERSIGN_ORIGIN', 'log.example.com:8080', /and port/],
  ['COUNTERSIGN_ORIGIN', 'evaluation.invalid/abc', /evaluation mode/],
  ['COUNTERSIGN_GUARD', '/tmp/guard', /temporary storage/],
  ['COUNTERSIGN_BUNDLE', '/nowhere/bundle.tar.gz', /does not exist/],
  ['COUNTERSIGN_TENANT', 'Two Words', /must be 1 to 64/],
  ['COUNTERSIGN_LOG_ENDPOINTS', 'open', /private or public/],
  ['DATABASE_URL', 'mysql://u:s3cret-word@h/d', /must be a URL like postgresql/],
  ['PORT', '99999', /0 to 65535/],
  ['LOG_LEVEL', 'loud', /must be one of/],
])('refuses %s=%s', (name, value, message) => {
  const found = refusal({ ...complete, [name]: value })
  expect(found.names).toEqual([name])
  expect(found.message).toMatch(message)
  expect(found.message).not.toContain('s3cret-word')
})

test('refuses a key file that others may read, and one that holds no key', () => {
  const open = join(folder, 'open.jwk')
  writeFileSync(open, 'x')
  chmodSync(open, 0o644)
  expect(refusal({ ...complete, COUNTERSIGN_LOG_KEY_FILE: open }).message).toMatch(/can be read by others/)
  chmodSync(open, 0o600)
  expect(refusal({ ...complete, COUNTERSIGN_AUDIT_KEY_FILE: open }).message).toMatch(/32 bytes/)
})

test('refuses a setting whose name is misspelt', () => {
  expect(refusal({ COUNTERSIGN_ISUER: 'x' }).names).toEqual(['COUNTERSIGN_ISUER'])
  expect(loadConfig({ COUNTERSIGN_URL: 'http://127.0.0.1', COUNTERSIGN_TOKEN: 't' }).mode).toBe('evaluation')
})

test('refuses a state folder that can not be one, and warns of a temporary one', () => {
  expect(refusal({ COUNTERSIGN_STATE_DIR: '/dev/null/state' }).names).toEqual(['COUNTERSIGN_STATE_DIR'])
  expect(production({ COUNTERSIGN_STATE_DIR: folder }).warnings.join()).toMatch(/is temporary/)
})

test('warns when the service connects as the owner of its tables', () => {
  const url = complete['DATABASE_URL'] ?? ''
  expect(production({ COUNTERSIGN_MIGRATE_DATABASE_URL: url }).warnings.join()).toMatch(/login of its own/)
})

test('migrates as the owner and tells which login shall serve', () => {
  const owner = 'postgresql://owner@db/countersign'
  const service = 'postgresql://service:p%40ss@db/countersign'
  expect(migrationTarget({ COUNTERSIGN_MIGRATE_DATABASE_URL: owner, DATABASE_URL: service })).toEqual({
    url: owner,
    service: { name: 'service', password: 'p@ss' },
  })
  expect(migrationTarget({ DATABASE_URL: service })).toEqual({ url: service, service: null })
  expect(() => migrationTarget({})).toThrow(/COUNTERSIGN_MIGRATE_DATABASE_URL is missing/)
  expect(() => migrationTarget({ DATABASE_URL: 'nonsense' })).toThrow(/must be a URL like/)
})
