import * as fc from 'fast-check'
import type { Command } from '../../src/action/action.ts'
import type { Analysis } from '../../src/intent/analysis.ts'
import { effect } from '../../src/intent/intent.ts'
import { cutSecrets, recordedCommand, unparsedCommand, withoutSecrets } from '../../src/intent/redact.ts'
import { commandSecrets } from '../../src/intent/secrets.ts'

const sql = (text: string): Command => ({ language: 'sql', dialect: 'postgresql', text })
const cut = (command: Command): ReturnType<typeof cutSecrets> => cutSecrets(command, commandSecrets(command))

const shell = (text: string): Command => ({ language: 'shell', dialect: 'bash', text })

test('a command without secrets is recorded as the very object that was asked', () => {
  const command = sql('SELECT 1')
  expect(cut(command)).toEqual({ command, values: [] })
  expect(cut(command).command).toBe(command)
})

test('each distinct secret has a number, in the order of the command', () => {
  const command = sql(
    "ALTER ROLE a PASSWORD 'one1'; ALTER ROLE b PASSWORD 'two2'; ALTER ROLE c PASSWORD 'one1'",
  )
  expect(cut(command)).toEqual({
    command: sql(
      "ALTER ROLE a PASSWORD '‹secret:1›'; ALTER ROLE b PASSWORD '‹secret:2›'; ALTER ROLE c PASSWORD '‹secret:1›'",
    ),
    values: ['one1', 'two2'],
  })
})

test('a value that can only be a secret is cut wherever else it stands; one that could be a name is not', () => {
  expect(cut(shell('PGPASSWORD=tr0ub4dor3 psql; echo tr0ub4dor3')).command).toEqual(
    shell('PGPASSWORD=‹secret:1› psql; echo ‹secret:1›'),
  )
  expect(cut(shell('PGPASSWORD=postgres psql -U postgres')).command).toEqual(
    shell('PGPASSWORD=‹secret:1› psql -U postgres'),
  )
})

test('cuts in every string of any command, and the values put back give the command', () => {
  const secret = fc.constantFrom('AKIAABCDEFGH12345678', 'password=hunter2x', '://u:pw12345@h', 'plain', '')
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      secret,
      fc.array(secret).map((parts) => parts.join(' ')),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b/c', 'password', '~x'), tie('node'), { maxKeys: 3 }),
    ),
  })).node
  fc.assert(
    fc.property(value, (members) => {
      const command = { language: 'mcp', server: 's', tool: 't', arguments: { members } } as Command
      const { command: made, values } = cut(command)
      const restored = JSON.stringify(made).replace(
        /‹secret:(\d+)›/g,
        (_all, n) => values[Number(n) - 1] ?? '?',
      )
      expect(JSON.parse(restored)).toEqual(command)
      for (const hidden of values) if (hidden.length > 8) expect(JSON.stringify(made)).not.toContain(hidden)
    }),
  )
})

test('what was not parsed is kept as its length and a prefix with token shapes cut', () => {
  const text = `SELEC 'AKIAABCDEFGH12345678' ${'x'.repeat(2000)}`
  expect(unparsedCommand(sql(text))).toEqual({
    command: {
      language: 'sql',
      dialect: 'postgresql',
      unparsed: { length: text.length, prefix: `SELEC '‹secret:1›' ${'x'.repeat(2000)}`.slice(0, 1024) },
    },
    values: ['AKIAABCDEFGH12345678'],
  })
  // A token that straddles the end of the prefix shows none of itself.
  const straddling = unparsedCommand(sql(`${'x'.repeat(1010)} AKIAABCDEFGH12345678`))
  expect(JSON.stringify(straddling.command)).not.toContain('AKIA')
  const emoji = unparsedCommand(sql(`${'x'.repeat(1023)}😀`))
  expect(JSON.stringify(emoji.command)).not.toContain('\\ud83d')
  expect(unparsedCommand({ language: 'cobol', program: 'MOVE' }).command).toEqual({
    language: 'cobol',
    unparsed: { length: 37, prefix: '{"language":"cobol","program":"MOVE"}' },
  })
})

const analysis = (name: string, rest: Partial<Analysis['intent']> = {}): Analysis => ({
  intent: {
    v: 1,
    language: 'shell',
    parse: { ok: true, parser: 'unbash', statements: 1, error: null },
    effects: [
      effect({ action: 'network', scope: 'single', resource: { system: 'host', type: 'url', name } }),
    ],
    opaque: false,
    opaque_reasons: [],
    summary: {
      risk: 'low',
      categories: [],
      max_scope: 'single',
      reversible: 'yes',
      systems: ['host'],
      destinations: [],
      languages: [],
      dry_run: false,
    },
    budget: { bytes: 0, nodes: 0, depth: 1, micros: 0 },
    ...rest,
  },
  lineage: null,
  secrets: [],
})

test('a parsed command is recorded with secrets cut, an unparsed one by its beginning', () => {
  const command = sql("ALTER ROLE a PASSWORD 'hunter2'")
  const parsed = { ...analysis(''), secrets: commandSecrets(command) }
  expect(recordedCommand(command, parsed).command).toEqual(sql("ALTER ROLE a PASSWORD '‹secret:1›'"))
  const broken = analysis('', { parse: { ok: false, parser: 'x', statements: 0, error: 'x' } })
  expect(recordedCommand(command, broken).command).toMatchObject({ unparsed: { length: 31 } })
})

test('a secret in a URL is cut from the name, and the command stays readable', () => {
  const made = withoutSecrets(analysis('https://u:hunter22@h/x'), ['hunter22'])
  expect(made.intent.effects[0]?.resource.name).toBe('https://u:‹secret:1›@h/x')
  expect(made.intent.opaque).toBe(false)
})

test('a secret that hides a name makes the command opaque', () => {
  const made = withoutSecrets(analysis('customers2024'), ['customers2024'])
  expect(made.intent.effects[0]?.resource.name).toBe('‹secret:1›')
  expect(made.intent).toMatchObject({
    opaque: true,
    opaque_reasons: [{ code: 'not_analyzed', effect: null }],
  })
})

test('a value that could be any name hides none', () => {
  const made = withoutSecrets(analysis('postgres'), ['postgres'])
  expect(made.intent.effects[0]?.resource.name).toBe('postgres')
  expect(made.intent.opaque).toBe(false)
})

test('prose holds no secret, and what policies decide by is never rewritten', () => {
  const reasons = [{ code: 'unknown_command' as const, via: ['hunter2'], effect: 0, detail: 'hunter2 host' }]
  const made = withoutSecrets(analysis('x', { opaque: true, opaque_reasons: reasons }), ['hunter2', 'host'])
  expect(made.intent.opaque_reasons).toEqual([
    { code: 'unknown_command', via: ['‹secret:1›'], effect: 0, detail: '‹secret:1› ‹secret:2›' },
  ])
  expect(made.intent.effects[0]?.resource.system).toBe('host')
})
