import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import type { Command } from '../../src/action/action.ts'
import { commandSecrets, tokenSpans, united } from '../../src/intent/secrets.ts'

const found = (text: string): string[] => tokenSpans(text).map(({ start, end }) => text.slice(start, end))

// Assembled, so that no scanner of this repository takes them for real ones.
const aws = ['AKIA', 'ABCDEFGH12345678'].join('')
const github = `ghp_${'a1B2'.repeat(9)}`
const jwt = ['eyJ', 'hbGciOiJIUzI1NiJ9.eyJ', 'zdWIiOiIxIn0.abc_DEF-123'].join('')
const pem = ['-----BEGIN RSA ', ' KEY-----\nMIIEabc-def\n+/==\n-----END RSA ', ' KEY-----'].join('PRIVATE')

test.each([
  ['an AWS key id', `aws configure set aws_access_key_id ${aws}`, [aws]],
  ['a GitHub token', `git clone https://x@github.com # ${github}`, [github]],
  ['a Slack token', `post xoxb-123456789-abcdef now`, ['xoxb-123456789-abcdef']],
  ['an API key', `curl -d sk-proj-abcdefghijklmnop123`, ['sk-proj-abcdefghijklmnop123']],
  ['a JSON Web Token', `SELECT '${jwt}'`, [jwt]],
  ['a key block', `echo '${pem}' > k`, [pem.slice(0, pem.indexOf('-----END'))]],
  ['a URL password', 'psql postgres://app:s3cret@db:5432/x', ['s3cret']],
  ['a URL password with an @', 'psql postgres://app:p@ss@db/x', ['p@ss']],
  ['a bearer header', `curl -H 'Authorization: Bearer abc.def-123'`, ['abc.def-123']],
  ['a basic header', `curl -H "authorization: Basic dXNlcjpwdw=="`, ['dXNlcjpwdw==']],
  ['a connection string', 'host=db password=hunter2 dbname=x', ['hunter2']],
  ['an assignment', 'PGPASSWORD=hunter2 psql', ['hunter2']],
  ['a quoted assignment', `export API_KEY="a b c"`, ['a b c']],
  ['a password clause', `ALTER ROLE app PASSWORD 'hunter2'`, ['hunter2']],
  ['an identified-by clause', `CREATE USER a IDENTIFIED BY 'hunter2'`, ['hunter2']],
  ['JSON', `curl -d '{"client_secret": "abc123", "a": 1}'`, ['abc123']],
])('finds %s', (_what, text, expected) => {
  expect(found(text)).toEqual(expected)
})

test.each([
  'SELECT id, status FROM orders WHERE id = 42',
  'DELETE FROM users WHERE id = $1',
  'UPDATE users SET password = $1 WHERE token = $2',
  'SELECT password, token FROM users',
  'PGPASSWORD=$PW psql; curl -H "Authorization: $TOKEN"',
  'curl https://example.com:8080/a@b',
  'git clone ssh://git@github.com/x/y.git',
  'CREATE TABLE t (id int PRIMARY KEY, author_id int, api_key text)',
  'task-runner-with-a-long-name disk-cache-of-everything',
])('finds nothing in %s', (text) => {
  expect(found(text)).toEqual([])
})

test('finds secrets wherever a command has strings, and by the names of members', () => {
  const command: Command = {
    language: 'http',
    method: 'POST',
    url: 'https://u:pw123@api/x',
    headers: { Authorization: 'abc', Accept: 'text/html', 'X-Api-Key': 'k' },
    body: 'token=abcdef',
  }
  const pointers = commandSecrets(command).map(({ pointer, start, end }) => [pointer, end - start])
  expect(pointers).toEqual([
    ['/url', 5],
    ['/headers/Authorization', 3],
    ['/headers/X-Api-Key', 1],
    ['/body', 6],
  ])
  const tool: Command = {
    language: 'mcp',
    server: 's',
    tool: 't',
    arguments: { a: [{ 'x/y~password': 'p' }] },
  }
  expect(commandSecrets(tool)).toEqual([{ pointer: '/arguments/a/0/x~1y~0password', start: 0, end: 1 }])
})

const covers = (list: readonly { start: number; end: number }[], at: number): boolean =>
  list.some(({ start, end }) => start <= at && at < end)

test('spans are sorted and do not overlap', () => {
  const span = fc
    .tuple(fc.nat(20), fc.nat(20))
    .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) + 1 }))
  fc.assert(
    fc.property(fc.array(span), (spans) => {
      const result = united(spans)
      for (const [index, { start }] of result.entries())
        expect(start).toBeGreaterThanOrEqual(result[index - 1]?.end ?? 0)
      for (let at = 0; at < 22; at++) expect(covers(result, at)).toBe(covers(spans, at))
    }),
  )
})

test('no text of 64 KiB takes long, whatever is repeated in it', () => {
  const source = readFileSync(new URL('../../src/intent/secrets.ts', import.meta.url), 'utf8')
  // Every run of letters and signs in the patterns' own source, as a seed of trouble.
  const seeds = new Set([
    ...(source.match(/[A-Za-z_:/-]{3,24}/g) ?? []),
    "password='",
    'password="',
    '://',
    '://a:',
    '://a:b@',
    'eyJ',
    '-eyJ',
    'eyJ.',
    'authorization: ',
    'bearer ',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    'sk-',
    '-sk-',
    'token=',
    'token: ',
    "identified by '",
    '@',
    ':@',
  ])
  for (const seed of seeds) {
    const text = seed.repeat(Math.ceil(65_536 / seed.length))
    const start = process.hrtime.bigint()
    tokenSpans(text)
    const milliseconds = Number(process.hrtime.bigint() - start) / 1e6
    if (milliseconds > 400) throw new Error(`${JSON.stringify(seed)} takes ${milliseconds} ms`)
  }
})

test.each([
  ['docker login -u bob --password hunter22x registry.example', 'hunter22x'],
  ['tool --auth-token abc123def run', 'abc123def'],
])('finds the value of a flag that names a secret: %s', (text, secret) => {
  expect(tokenSpans(text).map(({ start, end }) => text.slice(start, end))).toEqual([secret])
})

test('a flag that takes no secret, or reads it elsewhere, has none', () => {
  expect(tokenSpans('docker login --password-stdin registry.example')).toEqual([])
  expect(tokenSpans('tool --token $TOKEN run --no-password --verbose')).toEqual([])
})
