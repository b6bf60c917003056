import { setImmediate } from 'node:timers/promises'
import { createInlineParsers, inlineLength, inlinePlpgsqlLength } from '../../src/parsers/inline.ts'
import type { InlineParsers } from '../../src/parsers/inline.ts'
import { PostgresSyntaxError } from '../../src/parsers/postgres.ts'
import type { PostgresParser } from '../../src/parsers/postgres.ts'

/** A parser that says its name, or throws. */
const named = (name: string, error?: Error): PostgresParser => {
  const parse = (): unknown => {
    if (error !== undefined) throw error
    return name
  }
  return { parse, plpgsql: parse, scan: parse }
}

const inlineOf = (first: PostgresParser, second = named('second'), recycleAfter = 100): InlineParsers =>
  createInlineParsers({ first, renew: () => Promise.resolve(second), recycleAfter })

test('small texts are parsed here', () => {
  const inline = inlineOf(named('first'))
  inline.begin()
  expect(inline.parsers.postgres('SELECT 1')).toBe('first')
  expect(inline.parsers.bash('ls -la')).toMatchObject({ type: 'Script' })
  expect(inline.wasPutOff()).toBe(false)
  expect(inline.parseMicros()).toBeGreaterThan(0)
})

test.each<[string, (inline: InlineParsers) => unknown]>([
  ['a large statement', ({ parsers }) => parsers.postgres('x'.repeat(inlineLength + 1))],
  ['a deep statement', ({ parsers }) => parsers.postgres('('.repeat(1100))],
  ['a large block', ({ parsers }) => parsers.plpgsql('x'.repeat(inlinePlpgsqlLength + 1))],
  ['a large script', ({ parsers }) => parsers.bash('x'.repeat(inlineLength + 1))],
  ['a large text to scan', ({ parsers }) => parsers.postgresScan('x'.repeat(inlineLength + 1))],
])('%s is put off, and so is all the rest of its analysis', (_what, use) => {
  const inline = inlineOf(named('first'))
  inline.begin()
  expect(() => use(inline)).toThrow('too large')
  expect(inline.wasPutOff()).toBe(true)
  expect(() => inline.parsers.postgres('SELECT 1')).toThrow('too large')
  inline.begin()
  expect(inline.parsers.postgres('SELECT 1')).toBe('first')
  expect(inline.wasPutOff()).toBe(false)
})

test('long lists are not deep', () => {
  const inline = inlineOf(named('first'))
  inline.begin()
  const row = "(1, 'name of somebody', 'street and number', 'city'), "
  expect(inline.parsers.postgres(`INSERT INTO t VALUES ${row.repeat(60)}`)).toBe('first')
})

test('a syntax error is an answer', () => {
  const inline = inlineOf(named('first', new PostgresSyntaxError('no', 0)))
  inline.begin()
  expect(() => inline.parsers.postgres('SELEC')).toThrow(PostgresSyntaxError)
  expect(inline.wasPutOff()).toBe(false)
})

test('after any other failure the instance is never entered again', async () => {
  const inline = inlineOf(named('first', new RangeError('stack')))
  inline.begin()
  expect(() => inline.parsers.postgres('SELECT 1')).toThrow('stack')
  expect(inline.wasPutOff()).toBe(true)
  inline.begin()
  expect(() => inline.parsers.postgres('SELECT 1')).toThrow('being replaced')
  expect(inline.wasPutOff()).toBe(true)
  await setImmediate()
  inline.begin()
  expect(inline.parsers.postgres('SELECT 1')).toBe('second')
  expect(inline.wasPutOff()).toBe(false)
})

test('an instance that could not be replaced is tried again', async () => {
  let attempts = 0
  const renew = async (): Promise<PostgresParser> => {
    if (++attempts === 1) throw new Error('no memory')
    return named('third')
  }
  const inline = createInlineParsers({ first: named('first', new RangeError()), renew, recycleAfter: 9 })
  inline.begin()
  expect(() => inline.parsers.postgres('SELECT 1')).toThrow(RangeError)
  await setImmediate()
  inline.begin()
  expect(() => inline.parsers.postgres('SELECT 1')).toThrow('being replaced')
  await setImmediate()
  inline.begin()
  expect(inline.parsers.postgres('SELECT 1')).toBe('third')
})

test('an instance is replaced after many uses, without a pause', async () => {
  const inline = inlineOf(named('first'), named('second'), 3)
  inline.begin()
  for (let use = 0; use < 4; use++) expect(inline.parsers.postgres('SELECT 1')).toBe('first')
  await setImmediate()
  expect(inline.parsers.postgres('SELECT 1')).toBe('second')
})
