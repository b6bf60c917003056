import * as fc from 'fast-check'
import { gate, gateArgv } from '../../src/intent/gate.ts'

const code = (text: string, quoting: 'sql' | 'shell' = 'sql'): string | undefined => gate(text, quoting)?.code

test('lets ordinary text through, with line breaks, tabs, and any script', () => {
  expect(gate('SELECT\t1;\r\nSELECT 2', 'sql')).toBeNull()
  expect(gate("SELECT 'grüße 😀 日本語'", 'sql')).toBeNull()
})

test.each([
  ['NUL', 'SELECT 1\0; DROP TABLE users'],
  ['a control character in a literal', "SELECT '\u0001'"],
  ['form feed', 'SELECT\f1'],
  ['DEL', 'SELECT 1\u007f'],
  ['a lone high surrogate', "SELECT '\ud800'"],
  ['a lone low surrogate', "SELECT '\udc00'"],
  ['a bidirectional override in a comment', '/* \u202e */ SELECT 1'],
  ['a zero-width space in a word', 'DEL\u200bETE FROM t'],
  ['a byte order mark', '\ufeffSELECT 1'],
  ['a zero-width character in an identifier', 'SELECT "a\u200bb"'],
  ['a bidirectional control after a literal', "SELECT 'a'\u2066"],
  ['a zero-width character behind an escape string', "SELECT E'\\'\u200b'"],
  ['a zero-width character in a dollar-quoted body', 'DO $$ \u200b $$'],
])('refuses %s', (_what, text) => {
  expect(code(text)).toBe('malformed_bytes')
})

test('an invisible character may stand in a quoted literal: emoji are joined by one', () => {
  const family = '👩\u200d👩\u200d👧'
  expect(gate(`INSERT INTO t VALUES ('${family}', $1)`, 'sql')).toBeNull()
  expect(gate(`git commit -m '${family}'`, 'shell')).toBeNull()
  expect(gate(`git commit -m "${family}"`, 'shell')).toBeNull()
  expect(code(`git commit -m "$(echo ${family})"`, 'shell')).toBe('malformed_bytes')
  expect(code(`echo ${family}`, 'shell')).toBe('malformed_bytes')
})

test('counts bytes, not characters', () => {
  expect(gate('a'.repeat(65_536), 'sql')).toBeNull()
  expect(code('a'.repeat(65_537))).toBe('size_limit')
  expect(code('ü'.repeat(32_769))).toBe('size_limit')
  expect(gate('ü'.repeat(32_768), 'sql')).toBeNull()
})

test('an argument vector has no quoting: each argument is a literal', () => {
  expect(gateArgv(['echo', '\u200b'])).toBeNull()
  expect(gateArgv(['echo', '\0'])?.code).toBe('malformed_bytes')
  expect(gateArgv(['echo', '\ud800'])?.code).toBe('malformed_bytes')
  expect(gateArgv(Array.from({ length: 40 }, () => 'x'.repeat(2000)))?.code).toBe('size_limit')
})

test('never throws, and lets nothing through that holds a control character', () => {
  const text = fc.string({
    unit: fc.constantFrom("'", '"', '\\', '$', '/*', '--', '\n', '\u200b', 'a', '\u0000'),
  })
  fc.assert(
    fc.property(text, fc.constantFrom('sql' as const, 'shell' as const), (value, quoting) => {
      const fault = gate(value, quoting)
      if (value.includes('\0')) expect(fault?.code).toBe('malformed_bytes')
    }),
    { numRuns: 1000 },
  )
})
