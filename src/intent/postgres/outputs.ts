/** The columns of a result: their names as PostgreSQL gives them, and where their values come from. */
import { visited } from './expression.ts'
import { distinctUses } from './mark.ts'
import type { Met } from './mark.ts'
import { figureName } from './column-name.ts'
import type { ColumnUse, Frame, Output, Source } from './model.ts'
import { resolveColumn, usesOfRow } from './resolve.ts'
import { stringsOf } from './tree.ts'
import type { ColumnRef, FuncCall, Node, ResTarget } from './tree.ts'

/** Columns, and whether they are all of them. */
export interface Outputs {
  readonly outputs: readonly Output[]
  readonly complete: boolean
}

/** The columns of a select list or RETURNING. */
export function outputsOf(frame: Frame, targets: readonly ResTarget[]): Outputs {
  const outputs: Output[] = []
  let complete = true
  for (const target of targets) {
    const { val } = target
    const star = val !== undefined && 'ColumnRef' in val ? starOf(val.ColumnRef) : null
    if (star === null) {
      outputs.push(outputOf(frame, target))
      continue
    }
    const expanded = expand(frame, star)
    outputs.push(...expanded.outputs)
    complete &&= expanded.complete
  }
  return { outputs, complete }
}

/** The parts before `*`; null for a reference without one. */
function starOf(ref: ColumnRef): readonly string[] | null {
  const fields = ref.fields ?? []
  const last = fields.at(-1)
  return last !== undefined && 'A_Star' in last ? stringsOf(fields) : null
}

function expand(frame: Frame, qualifier: readonly string[]): Outputs {
  const alias = qualifier.at(-1)
  const sources = frame.sources.filter((source) =>
    alias === undefined ? !source.hidden : source.alias === alias,
  )
  if (sources.length === 0) return unknownStar([])
  if (alias !== undefined) return columnsOf(sources[0])
  const outputs: Output[] = []
  let complete = !frame.merged
  for (const source of sources) {
    const one = columnsOf(source)
    outputs.push(...one.outputs)
    complete &&= one.complete
  }
  return { outputs, complete }
}

function unknownStar(uses: readonly ColumnUse[]): Outputs {
  return { outputs: [{ name: '*', kind: 'unknown', uses, plain: null }], complete: false }
}

function columnsOf(source: Source | undefined): Outputs {
  if (source === undefined) return unknownStar([])
  const { read, shape } = source
  if (read !== null) {
    const names = read.relation.facts?.columns
    if (names === undefined) return unknownStar(usesOfRow(source))
    const outputs = names.map((column, index) => tableOutput({ read, column }, source.columns[index]))
    return { outputs, complete: true }
  }
  if (shape === null || !shape.complete) return unknownStar(usesOfRow(source))
  const outputs = shape.outputs.map((output, index) => ({
    ...output,
    name: source.columns[index] ?? output.name,
  }))
  return { outputs, complete: true }
}

function tableOutput(use: ColumnUse, alias: string | undefined): Output {
  return { name: alias ?? use.column, kind: 'plain', uses: [use], plain: use }
}

function outputOf(frame: Frame, target: ResTarget): Output {
  const { val } = target
  const name = target.name ?? (val === undefined ? '?column?' : figureName(val))
  const met = visited(frame, val)
  if (val !== undefined && 'ColumnRef' in val) return columnOutput(frame, name, val.ColumnRef)
  const kind = kindOfValue(frame, val, met)
  return { name, kind, uses: kind === 'count' ? [] : distinctUses(met.uses), plain: null }
}

function columnOutput(frame: Frame, name: string, ref: ColumnRef): Output {
  const found = resolveColumn(frame, ref)
  if (found.wholeRow) return { name, kind: 'whole_row', uses: found.uses, plain: null }
  if (found.variable) return { name, kind: 'constant', uses: [], plain: null }
  if (found.plain !== null && found.output === null) {
    return { name, kind: 'plain', uses: found.uses, plain: found.plain }
  }
  if (found.output !== null) return { ...found.output, name }
  return { name, kind: found.uses.length === 0 ? 'unknown' : 'derived', uses: found.uses, plain: null }
}

function kindOfValue(frame: Frame, node: Node | undefined, met: Met): Output['kind'] {
  if (node !== undefined && 'FuncCall' in node && isCount(frame, node.FuncCall)) return 'count'
  if (met.unknown) return 'unknown'
  if (met.uses.some((use) => use.column === '*')) return 'whole_row'
  if (met.aggregate) return 'aggregate'
  return met.uses.length > 0 || met.query ? 'derived' : 'constant'
}

/** How many rows, or values of a column, tells no value; of an expression it answers a question about one. */
function isCount(frame: Frame, call: FuncCall): boolean {
  if (!(call.args ?? []).every((arg) => 'ColumnRef' in arg)) return false
  const parts = stringsOf(call.funcname)
  const isBuiltIn = parts.length === 1 ? !frame.run.session.created.has('count') : parts[0] === 'pg_catalog'
  return parts.at(-1) === 'count' && isBuiltIn
}
