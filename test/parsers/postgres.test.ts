import * as fc from 'fast-check'
import { PostgresSyntaxError, compilePostgres, createPostgresParser } from '../../src/parsers/postgres.ts'
import type { PostgresParser } from '../../src/parsers/postgres.ts'
import { inlineLength, inlinePlpgsqlLength } from '../../src/parsers/inline.ts'
import { hostileShapes } from '../support/hostile-sql.ts'

const open = async (): Promise<PostgresParser> => createPostgresParser(await compilePostgres())

const statement = "SELECT a, 'grüße 😀' FROM b WHERE c = $1 AND d IN (1, 2)"

test('parses what PostgreSQL parses, and refuses what it does not', async () => {
  const parser = await open()
  expect(parser.parse('SELECT 1; DELETE FROM t')).toMatchObject({
    stmts: [{ stmt: { SelectStmt: {} } }, { stmt: { DeleteStmt: {} } }],
  })
  expect(JSON.stringify(parser.parse(statement))).toContain('grüße 😀')
  expect(parser.plpgsql('DO $$ BEGIN DELETE FROM t; END $$')).toMatchObject({ plpgsql_funcs: [{}] })
  expect(parser.scan('SELECT 1')).toMatchObject({ tokens: [{ start: 0, end: 6 }, {}] })
  expect(() => parser.parse('SELEC 1')).toThrow(PostgresSyntaxError)
  expect(() => parser.parse('SELECT 1 FROM')).toThrow(
    new PostgresSyntaxError('syntax error at end of input', 13),
  )
  expect(() => parser.plpgsql('DO $$ BEGIN IF; END $$')).toThrow(PostgresSyntaxError)
})

test('says where a statement went wrong', async () => {
  const parser = await open()
  let position = -1
  try {
    parser.parse('SELECT 1 FROM t u v')
  } catch (error) {
    if (error instanceof PostgresSyntaxError) position = error.cursorPosition
  }
  expect(position).toBe(18)
})

/** Throws what is no syntax error: that is the beginning of corruption. */
const survives = (parse: (sql: string) => unknown, text: string): boolean => {
  try {
    parse(text)
  } catch (error) {
    return error instanceof PostgresSyntaxError
  }
  return true
}

test('no input of the size that is parsed inline corrupts an instance on the main thread', async () => {
  const parser = await open()
  const expected = JSON.stringify(parser.parse(statement))
  for (const size of [inlineLength / 2, inlineLength, inlineLength, inlineLength]) {
    for (const [name, text] of hostileShapes(size)) {
      expect(text.length).toBeLessThanOrEqual(inlineLength)
      expect([name, survives(parser.parse, text)]).toEqual([name, true])
      expect([name, JSON.stringify(parser.parse(statement)) === expected]).toEqual([name, true])
    }
  }
})

test('nor does one of PL/pgSQL', async () => {
  const parser = await open()
  const block = 'DO $$ BEGIN DELETE FROM t; END $$'
  const expected = JSON.stringify(parser.plpgsql(block))
  for (const size of [
    inlinePlpgsqlLength / 2,
    inlinePlpgsqlLength,
    inlinePlpgsqlLength,
    inlinePlpgsqlLength,
  ]) {
    for (const [name, text] of hostileShapes(size)) {
      expect([name, survives(parser.plpgsql, text)]).toEqual([name, true])
      expect([name, JSON.stringify(parser.plpgsql(block)) === expected]).toEqual([name, true])
    }
  }
})

test('random texts of that size do no harm either', async () => {
  const parser = await open()
  const expected = JSON.stringify(parser.parse(statement))
  const words =
    'SELECT |(|)|[|]|a|1|"|$$|+|- |NOT |CASE |WHEN |THEN |END |FROM |WITH |AS |,|;|::|ARRAY[|UNION |BEGIN |LOOP |é|😀'
  const piece = fc.constantFrom(...words.split('|'), "'", '/*', '*/', '--', '\n')
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 200, size: 'max' }), (pieces) => {
      const text = pieces.join('')
      expect(survives(parser.parse, text)).toBe(true)
      expect(survives(parser.plpgsql, text.slice(0, inlinePlpgsqlLength))).toBe(true)
    }),
    { numRuns: 500 },
  )
  expect(JSON.stringify(parser.parse(statement))).toBe(expected)
})

test('an instance holds no memory of syntax errors', async () => {
  const parser = await open()
  const long = `SELEC ${'x'.repeat(60_000)}`
  // 3,000 leaked texts would be 180 MB, more than an instance starts with.
  for (let turn = 0; turn < 3000; turn++) expect(() => parser.parse(long)).toThrow(PostgresSyntaxError)
  expect(parser.parse('SELECT 1')).toMatchObject({ stmts: [{}] })
})
