/** Statements that are as deep, or as repetitive, as their size allows: what overflows a parser's stack. */

type Fill = (open: string, middle?: string, close?: string) => string

const shapes: Readonly<Record<string, (fill: Fill) => string>> = {
  parentheses: (fill) => `SELECT ${fill('(', '1', ')')}`,
  unclosed: (fill) => `SELECT ${fill('(', '1')}`,
  plus: (fill) => `SELECT 1${fill('+1')}`,
  power: (fill) => `SELECT 1${fill('^1')}`,
  minus: (fill) => `SELECT ${fill('- ', '1')}`,
  operators: (fill) => `SELECT ${fill('@ ', '1')}`,
  not: (fill) => `SELECT ${fill('NOT ', 'true')}`,
  and: (fill) => `SELECT 1${fill(' AND 1')}`,
  or: (fill) => `SELECT 1 ${fill('OR(1 AND ', '1', ')')}`,
  isNull: (fill) => `SELECT 1${fill(' ISNULL')}`,
  cast: (fill) => `SELECT 1${fill('::a')}`,
  collate: (fill) => `SELECT a${fill(' COLLATE c')}`,
  timeZone: (fill) => `SELECT 1${fill(' AT TIME ZONE 1')}`,
  subscript: (fill) => `SELECT ${fill('a[', '1', ']')}`,
  indirection: (fill) => `SELECT ${fill('(', 'a', ').b')}`,
  dots: (fill) => `SELECT a${fill('.a')}`,
  array: (fill) => `SELECT ${fill('ARRAY[', '1', ']')}`,
  nestedArray: (fill) => `SELECT ARRAY${fill('[', '1', ']')}`,
  row: (fill) => `SELECT ${fill('ROW(', '1', ')')}`,
  call: (fill) => `SELECT ${fill('f(', '1', ')')}`,
  inList: (fill) => `SELECT ${fill('1 IN(', '1', ')')}`,
  between: (fill) => `SELECT ${fill('1 BETWEEN 1 AND(', '1', ')')}`,
  case: (fill) => `SELECT ${fill('CASE WHEN 1 THEN ', '1', ' END')}`,
  exists: (fill) => `SELECT ${fill('EXISTS(SELECT ', '1', ')')}`,
  subselect: (fill) => fill('SELECT(', 'SELECT 1', ')'),
  fromSubselect: (fill) => fill('SELECT*FROM(', 'SELECT 1', ')a'),
  commonTable: (fill) => fill('WITH a AS(', 'SELECT 1', ')SELECT 1'),
  union: (fill) => `SELECT 1${fill(' UNION SELECT 1')}`,
  nestedUnion: (fill) => fill('(SELECT 1 UNION ', 'SELECT 1', ')'),
  values: (fill) => `VALUES${fill('((VALUES(1)),', '(1)', ')')}`,
  join: (fill) => `SELECT * FROM a${fill(' CROSS JOIN a')}`,
  nestedJoin: (fill) => `SELECT * FROM ${fill('(a CROSS JOIN ', 'a', ')')}`,
  commaJoin: (fill) => `SELECT * FROM a${fill(',a')}`,
  json: (fill) => `SELECT ${fill('JSON_OBJECT(1:', '1', ')')}`,
  xml: (fill) => `SELECT ${fill('XMLELEMENT(NAME a,', '1', ')')}`,
  statements: (fill) => fill(';'),
  selects: (fill) => fill('SELECT;'),
  explain: (fill) => fill('EXPLAIN ', 'SELECT 1'),
  prepare: (fill) => fill('PREPARE a AS ', 'SELECT 1'),
  schema: (fill) => `CREATE SCHEMA x ${fill('CREATE TABLE a()')}`,
  typeModifiers: (fill) => `SELECT 1::a${fill('[]')}`,
  comments: (fill) => `${fill('/*', '', '*/')}SELECT 1`,
  block: (fill) => `DO $$BEGIN ${fill('BEGIN ', '', ' END;')}END$$`,
  branches: (fill) => `DO $$BEGIN ${fill('IF 1 THEN ', '', ' END IF;')}END$$`,
  loops: (fill) => `DO $$BEGIN ${fill('LOOP ', '', ' END LOOP;')}END$$`,
}

/** Each shape by name, as large as fits into a size. */
export function hostileShapes(size: number): readonly (readonly [name: string, text: string])[] {
  return Object.entries(shapes).map(([name, shape]) => {
    const bare = shape(() => '').length
    const text = shape((open, middle = '', close = '') => {
      const times = Math.floor((size - bare - middle.length) / (open.length + close.length))
      return open.repeat(times) + middle + close.repeat(times)
    })
    return [name, text]
  })
}
