/**
 * Writes what the rules' METADATA says of controls and severity into `rego/default/data.json`, so that
 * it is said once, beside the rule, and can still be replaced as data. Checks on the way that every
 * rule id is well-formed and said once, and that every topic is gathered.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { parse } from 'yaml'

interface Row {
  readonly rule: string
  readonly severity: string
  readonly controls: readonly string[]
}

const folder = new URL('.', import.meta.url)
const annotation = /^# METADATA\n((?:#.*\n)+)/gm
const shape = {
  rule: /^[a-z0-9_.:-]{1,64}$/,
  severity: /^(?:info|low|medium|high|critical)$/,
  control: /^(?:soc2:(?:CC|A|C|PI|P)\d+\.\d+|nist:[A-Z]{2}-\d+(?:\(\d+\))?)$/,
}

function sources(path: string): readonly string[] {
  return readdirSync(new URL(path, folder))
    .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
    .map((name) => readFileSync(new URL(`${path}${name}`, folder), 'utf8'))
}

/** The rows of one file's annotations that name a rule. */
function rows(source: string): readonly Row[] {
  return [...source.matchAll(annotation)]
    .map((match) => (match[1] ?? '').replace(/^# ?/gm, ''))
    .map((yaml) => (parse(yaml) as { readonly custom?: Partial<Row> } | null)?.custom)
    .filter((custom) => custom?.rule !== undefined)
    .map((custom) => checked({ rule: '', severity: '', controls: [], ...custom }))
}

function checked(row: Row): Row {
  if (!shape.rule.test(row.rule)) throw new Error(`not a rule id: ${row.rule}`)
  if (!shape.severity.test(row.severity)) throw new Error(`${row.rule}: not a severity: ${row.severity}`)
  const wrong = row.controls.find((control) => !shape.control.test(control))
  if (wrong !== undefined || row.controls.length === 0)
    throw new Error(`${row.rule}: controls: ${String(wrong)}`)
  return row
}

function gathered(topics: readonly string[], gatherer: string): void {
  for (const topic of topics) {
    const name = /^package (standard\.[a-z_]+)$/m.exec(topic)?.[1]
    if (name === undefined) continue
    for (const set of ['deny', 'mask', 'oblige', 'allow']) {
      const says = new RegExp(`^${set} contains `, 'm').test(topic)
      if (says && !gatherer.includes(`data.${name}.${set}`)) {
        throw new Error(`rego/countersign/collected.rego does not gather data.${name}.${set}`)
      }
    }
  }
}

const shipped = sources('default/')
gathered(shipped, readFileSync(new URL('countersign/collected.rego', folder), 'utf8'))
const all = [...sources('countersign/'), ...shipped].flatMap(rows)
const ids = all.map((row) => row.rule)
const twice = ids.find((rule, at) => ids.indexOf(rule) !== at)
if (twice !== undefined) throw new Error(`two rules say they are ${twice}`)
const sorted = all.toSorted((a, b) => (a.rule < b.rule ? -1 : 1))

const path = new URL('default/data.json', folder)
const data = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
data['controls'] = Object.fromEntries(sorted.map((row) => [row.rule, row.controls]))
data['severities'] = Object.fromEntries(sorted.map((row) => [row.rule, row.severity]))
const style = await resolveConfig(path)
writeFileSync(path, await format(JSON.stringify(data), { ...style, parser: 'json' }))
