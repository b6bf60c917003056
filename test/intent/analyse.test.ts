import { parse as bash } from 'unbash'
import * as fc from 'fast-check'
import type { Command } from '../../src/action/action.ts'
import { analyse, unfinishedAnalysis } from '../../src/intent/analyse.ts'
import type { Analysis, AnalysisRequest, Parsers } from '../../src/intent/analysis.ts'
import { recordedCommand } from '../../src/intent/redact.ts'
import { compilePostgres, createPostgresParser } from '../../src/parsers/postgres.ts'

const postgres = await createPostgresParser(await compilePostgres())
const parsers: Parsers = {
  postgres: postgres.parse,
  plpgsql: postgres.plpgsql,
  postgresScan: postgres.scan,
  bash,
}

const requestOf = (command: Command, system = 'postgresql'): AnalysisRequest => ({
  command,
  target: { system, id: 't', schema: null, cwd: '/srv', placeTrusted: true, freshSession: false, facts: {} },
})

const run = (command: Command, system?: string): Analysis =>
  analyse(requestOf(command, system), parsers, () => performance.now())

const sql = (text: string): Command => ({ language: 'sql', dialect: 'postgresql', text })
const shell = (text: string): Command => ({ language: 'shell', dialect: 'bash', text })
const codes = ({ intent }: Analysis): string[] => intent.opaque_reasons.map(({ code }) => code)

test('a control byte is refused before any parser sees the text', () => {
  const { intent } = run(sql('SELECT 1\u0000; DROP TABLE users'))
  expect(intent.effects).toEqual([
    {
      action: 'unknown',
      resource: { system: 'postgresql', type: 'query', name: '*unknown*', schema: null, columns: [] },
      scope: 'unknown',
      why: 'malformed_bytes',
      limit: null,
      predicate: null,
      reversible: 'unknown',
      destination: null,
      privilege: null,
      sensitivity: 'none',
      cascade: null,
      deferred: false,
      conditional: false,
      confidence: 'opaque',
      via: [],
      span: null,
      endpoint: null,
    },
  ])
  expect(intent).toMatchObject({ opaque: true, opaque_reasons: [{ code: 'malformed_bytes', effect: null }] })
  expect(intent.parse.ok).toBe(false)
})

test.each<[string, Command, string, boolean]>([
  [
    'a dialect that is not read yet',
    { language: 'sql', dialect: 'mysql', text: 'SELECT 1' },
    'not_analyzed',
    true,
  ],
  ['a language that is not read yet', { language: 'redis', text: 'GET a' }, 'not_analyzed', true],
  ['a plan', { language: 'terraform-plan', plan: {} }, 'not_analyzed', true],
  [
    'an unknown dialect of SQL',
    { language: 'sql', dialect: 'klingon', text: 'SELECT 1' },
    'unsupported_syntax',
    true,
  ],
  ['an unknown shell', { language: 'shell', dialect: 'zsh', text: 'ls' }, 'unsupported_syntax', true],
  ['an unknown language', { language: 'cobol', text: 'MOVE' }, 'unsupported_syntax', true],
  ['a language that looks like a member', { language: 'constructor' }, 'unsupported_syntax', true],
  ['a text over the limit', sql(`SELECT '${'x'.repeat(70_000)}'`), 'size_limit', true],
  ['what does not parse', sql('SELEC 1'), 'parse_error', false],
])('%s is opaque, as a whole', (_what, command, code, ok) => {
  const analysis = run(command)
  expect(codes(analysis)).toEqual([code])
  expect(analysis.intent.opaque_reasons[0]?.effect).toBeNull()
  expect(analysis.intent.effects).toMatchObject([
    { action: 'unknown', scope: 'unknown', confidence: 'opaque' },
  ])
  expect(analysis.intent.parse.ok).toBe(ok)
  expect(analysis.intent.summary).toMatchObject({ risk: 'high', max_scope: 'unknown' })
})

test('a missing dialect is some POSIX shell, and an argument vector has none', () => {
  expect(run({ language: 'shell', text: 'ls' }, 'host').intent.summary.languages).toContain('shell.sh')
  expect(codes(run({ language: 'shell', argv: ['ls', '-la'] }, 'host'))).toEqual([])
})

test('a command in a command is told from its place', () => {
  const { intent } = run(shell('sudo -u postgres psql -h orders-prod -c "DELETE FROM orders"'), 'host')
  expect(intent.effects).toContainEqual(
    expect.objectContaining({
      action: 'delete',
      scope: 'all',
      via: ['sudo', 'psql'],
      endpoint: expect.objectContaining({ host: 'orders-prod' }),
      privilege: expect.objectContaining({ run_as: 'postgres' }),
    }),
  )
  expect(intent.budget.depth).toBeGreaterThan(1)
})

const nested = (depth: number): Analysis => {
  let text = 'rm -rf /srv/data'
  for (let level = 1; level < depth; level++) text = `eval ${JSON.stringify(text).replaceAll('$', '\\$')}`
  return run(shell(text), 'host')
}

test('facts of the target prove nothing about another place, but go on warning', () => {
  const facts = { tables: { users: { uniqueKeys: [['email']], types: { email: 'text' }, sensitive: true } } }
  const read = (options: string): unknown => {
    const { target, command } = requestOf(
      shell(`psql ${options}-c "SELECT * FROM users WHERE email = 'a'"`),
      'host',
    )
    const request = { command, target: { ...target, facts } }
    const [effect] = analyse(request, parsers, () => 0).intent.effects
    return [effect?.scope, effect?.sensitivity]
  }
  expect(read('')).toEqual(['single', 'sensitive'])
  expect(read('-h elsewhere ')).toEqual(['bulk', 'sensitive'])
})

test('languages may be nested eight deep, and no deeper', () => {
  expect(codes(nested(4))).not.toContain('depth_limit')
  expect(codes(nested(12))).toContain('depth_limit')
})

test('a budget that is used up is one unknown effect', () => {
  let now = 0
  const slow = analyse(requestOf(sql('SELECT 1')), parsers, () => (now += 200))
  expect(codes(slow)).toEqual(['time_limit'])
  expect(slow.intent.effects).toHaveLength(1)
})

const broken = (): never => {
  throw new RangeError('Maximum call stack size exceeded')
}

test('whatever a parser throws, there is an intent', () => {
  const none: Parsers = { postgres: broken, plpgsql: broken, postgresScan: broken, bash: broken }
  for (const command of [sql('SELECT 1'), shell('ls')]) {
    const { intent } = analyse(requestOf(command), none, () => 0)
    expect(intent.effects).toMatchObject([{ action: 'unknown', confidence: 'opaque' }])
    expect(['parse_error', 'not_analyzed']).toContain(intent.opaque_reasons[0]?.code)
  }
})

test('an analysis that was stopped is one unknown effect', () => {
  const { intent, lineage } = unfinishedAnalysis(requestOf(sql('SELECT 1')))
  expect(intent).toMatchObject({ opaque: true, opaque_reasons: [{ code: 'time_limit', effect: null }] })
  expect(lineage).toBeNull()
})

test.each<[string, Command]>([
  ['a password clause', sql("ALTER ROLE app PASSWORD 'tr0ub4dor-3x'")],
  ['a URL', shell('curl https://app:tr0ub4dor-3x@api.example/v1')],
  ['a nested clause', shell(`psql -c "ALTER ROLE app PASSWORD 'tr0ub4dor-3x'"`)],
  [
    'an assignment',
    shell('PGPASSWORD=tr0ub4dor-3x psql -c "SELECT 1"; echo tr0ub4dor-3x > tr0ub4dor-3x.txt'),
  ],
  [
    'an argument',
    { language: 'shell', argv: ['curl', '-H', 'Authorization: Bearer tr0ub4dor-3x', 'https://a.example'] },
  ],
  ['a text that does not parse', sql("ALTER ROL app PASSWORD 'tr0ub4dor-3x'")],
  ['an unknown language', { language: 'cobol', password: 'tr0ub4dor-3x' }],
  ['a tool', { language: 'mcp', server: 's', tool: 't', arguments: { token: 'tr0ub4dor-3x' } }],
])('a secret in %s is in neither intent nor recorded command', (_what, command) => {
  const analysis = run(command, 'host')
  const recorded = recordedCommand(command, analysis)
  expect(recorded.values.join('\n')).toContain('tr0ub4dor-3x')
  expect(JSON.stringify([analysis.intent, analysis.lineage, recorded.command])).not.toContain('tr0ub4dor-3x')
})

test('a table can not be hidden by declaring its name a password', () => {
  const analysis = run(shell('PASSWORD=customers2024 psql -c "DELETE FROM customers2024"'), 'host')
  const names = analysis.intent.effects.map(({ resource }) => resource.name)
  expect(names.includes('customers2024') || analysis.intent.opaque).toBe(true)
})

const pieces = [
  'SELECT ',
  'DELETE FROM ',
  'users',
  ' WHERE ',
  'id',
  ' = ',
  '1',
  "'",
  '"',
  ';',
  '(',
  ')',
  '$$',
  'DO ',
  '\n',
  '--',
  'rm ',
  '-rf ',
  '/',
  '$(',
  '`',
  '|',
  '&&',
  '<<EOF\n',
  'EOF',
  'sudo ',
  'psql -c ',
  'eval ',
  '$x',
  '{a,b}',
  '\\',
  ' ',
  '\0',
  '\u200b',
  '\ud800',
  'é',
  '😀',
  'password=',
  'AKIAABCDEFGH12345678',
]
const hostile = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 4 })), {
  maxLength: 40,
})

test('no text makes the analysis throw, or find nothing', () => {
  fc.assert(
    fc.property(hostile, fc.constantFrom(sql, shell), (parts, commandOf) => {
      const { intent } = run(commandOf(parts.join('')))
      expect(intent.effects.length).toBeGreaterThan(0)
      expect(intent.effects.length).toBeLessThanOrEqual(256)
      expect(intent.opaque).toBe(intent.opaque_reasons.length > 0)
      for (const { effect } of intent.opaque_reasons) {
        if (effect !== null) expect(intent.effects[effect]).toBeDefined()
      }
      if (!intent.parse.ok) expect(intent.opaque).toBe(true)
    }),
    { numRuns: 1500 },
  )
})

test('the same question has the same answer', () => {
  fc.assert(
    fc.property(hostile, (parts) => {
      const request = requestOf(shell(parts.join('')), 'host')
      expect(analyse(request, parsers, () => 0)).toEqual(analyse(request, parsers, () => 0))
    }),
    { numRuns: 300 },
  )
})
