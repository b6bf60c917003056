import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Facts } from '../../../src/action/action.ts'
import { shop } from './support/catalogue.ts'
import { compact } from './support/compact.ts'
import { analyseText } from './support/context.ts'

const here = dirname(fileURLToPath(import.meta.url))

interface Row {
  readonly sql: string
  readonly why: string
  /** `none`: no catalogue at all; `shop` where the row does not say. */
  readonly facts?: 'none' | Facts
  readonly parameters?: unknown
  readonly schema?: string
  readonly effects: readonly string[]
  readonly opaque?: readonly string[]
  readonly columns?: readonly string[]
  readonly inference?: readonly string[]
  readonly lineage?: string
  readonly secrets?: readonly string[]
}

function factsOf({ facts = shop }: Row): Facts {
  return facts === 'none' ? {} : facts
}

const files = readdirSync(here).filter((name) => name.endsWith('.cases.json'))

test('there are cases of every family', () => {
  expect(files.length).toBeGreaterThanOrEqual(9)
})

describe.each(files)('%s', (file) => {
  const rows = JSON.parse(readFileSync(join(here, file), 'utf8')) as readonly Row[]

  test.each(rows.map((row) => [row.sql, row] as const))('%s', (sql, row) => {
    const given = {
      facts: factsOf(row),
      ...(row.schema === undefined ? {} : { schema: row.schema }),
      ...(row.parameters === undefined ? {} : { parameters: row.parameters }),
    }
    const found = compact(analyseText(sql, given), sql)
    expect(row.why).toMatch(/\w/)
    expect(found['effects']).toEqual(row.effects)
    expect(found['opaque']).toEqual(row.opaque ?? [])
    expect(found['secrets']).toEqual(row.secrets ?? [])
    for (const part of ['columns', 'inference', 'lineage'] as const) {
      if (row[part] !== undefined) expect(found[part]).toEqual(row[part])
    }
  })
})
