/** Which column of which table an expression names, through aliases, subqueries and outer queries. */
import type { TableFacts } from '../../action/action.ts'
import { distinctUses } from './mark.ts'
import type { ColumnUse, Frame, Output, Shape, Source } from './model.ts'
import type { ColumnRef } from './tree.ts'
import { stringOf } from './tree.ts'

/** What a column reference may be. */
export interface Resolved {
  /** Every column whose value it may show. */
  readonly uses: readonly ColumnUse[]
  /** The table's column that it is, unchanged; null: computed, or not certain. */
  readonly plain: ColumnUse | null
  /** The entry of this query's own FROM that it is of. */
  readonly source: Source | null
  readonly output: Output | null
  /** A variable, which is a constant to the statement. */
  readonly variable: boolean
  /** A column of a query around this one. */
  readonly outer: boolean
  readonly wholeRow: boolean
}

const nothing: Resolved = {
  uses: [],
  plain: null,
  source: null,
  output: null,
  variable: false,
  outer: false,
  wholeRow: false,
}

const variable: Resolved = { ...nothing, variable: true }

/** Follows a column reference; marks queries that it leaves as correlated. */
export function resolveColumn(frame: Frame, ref: ColumnRef): Resolved {
  const names = (ref.fields ?? []).map((field) => stringOf(field) ?? '*')
  const column = names.pop() ?? '*'
  const qualifier = names.pop()
  if (qualifier === undefined) return column === '*' ? nothing : resolveBare(frame, column)
  return resolveQualified(frame, qualifier, { column, schema: names.pop() })
}

type Has = 'yes' | 'maybe' | 'no'

function sourceHas(source: Source, column: string): Has {
  const { columns, read, shape } = source
  if (columns.includes(column)) return 'yes'
  if (shape !== null) return shapeHas(shape, column)
  const facts = read === null ? null : read.relation.facts
  return facts === null ? 'maybe' : factsHave(facts, column)
}

function shapeHas(shape: Shape, column: string): Has {
  if (shape.outputs.some((output) => output.name === column)) return 'yes'
  return shape.complete ? 'no' : 'maybe'
}

function factsHave({ columns, notNull, uniqueKeys }: TableFacts, column: string): Has {
  if (columns !== undefined) return columns.includes(column) ? 'yes' : systemColumn(column)
  const listed = notNull?.includes(column) ?? false
  return listed || uniqueKeys?.some((key) => key.includes(column)) === true ? 'yes' : 'maybe'
}

function systemColumn(column: string): Has {
  return /^(?:ctid|tableoid|x(?:min|max)|c(?:min|max))$/.test(column) ? 'maybe' : 'no'
}

function resolveBare(frame: Frame, column: string): Resolved {
  const candidates: Source[] = []
  for (const source of frame.sources) {
    if (source.hidden) continue
    frame.run.ctx.spend(1 + ((source.shape?.outputs.length ?? 0) >> 4))
    const has = sourceHas(source, column)
    if (has === 'yes') return columnOf(source, column)
    if (has === 'maybe') candidates.push(source)
  }
  if (frame.run.variables.has(column)) return variable
  const whole = frame.sources.find((source) => source.alias === column)
  if (whole !== undefined) return wholeRow(whole)
  if (candidates.length > 0) return resolveLikely(frame, candidates, column)
  return resolveOutside(frame, (parent) => resolveBare(parent, column))
}

/** No entry surely has the column: one that may have it is taken, and a query around may have it instead. */
function resolveLikely(frame: Frame, candidates: readonly Source[], column: string): Resolved {
  const [only] = candidates
  if (frame.parent !== null && !sameAsAround(frame, candidates)) frame.correlated = true
  if (candidates.length === 1 && only !== undefined) return columnOf(only, column)
  const uses = candidates.flatMap((source) => columnOf(source, column).uses)
  return { ...nothing, uses }
}

/** A column that the table around must have, this one has too, when they are the same table. */
function sameAsAround(frame: Frame, candidates: readonly Source[]): boolean {
  const inner = candidates.length === 1 ? candidates[0]?.read?.relation.shown : undefined
  for (let around = frame.parent; around !== null; around = around.parent) {
    for (const source of around.sources) {
      if (source.read === null || source.read.relation.shown !== inner) return false
    }
  }
  return inner !== undefined
}

function resolveOutside(frame: Frame, find: (parent: Frame) => Resolved): Resolved {
  if (frame.parent === null) return nothing
  frame.correlated = true
  const found = find(frame.parent)
  return { ...found, source: null, plain: null, outer: !found.variable }
}

function resolveQualified(
  frame: Frame,
  qualifier: string,
  rest: { readonly column: string; readonly schema: string | undefined },
): Resolved {
  for (const source of frame.sources) {
    if (!isNamed(source, qualifier, rest.schema)) continue
    return rest.column === '*' ? wholeRow(source) : columnOf(source, rest.column)
  }
  if (frame.run.variables.has(qualifier)) return variable
  return resolveOutside(frame, (parent) => resolveQualified(parent, qualifier, rest))
}

function isNamed(source: Source, qualifier: string, schema: string | undefined): boolean {
  if (source.alias !== qualifier) return false
  return schema === undefined || source.read === null || source.read.relation.schema === schema
}

/** A column of one entry of FROM. */
function columnOf(source: Source, column: string): Resolved {
  return source.read === null ? derivedColumn(source, column) : tableColumn(source, source.read, column)
}

function tableColumn(source: Source, read: Source['read'] & object, column: string): Resolved {
  if (source.columns.length > 0) return renamedColumn(source, read, column)
  const use = { read, column }
  return { ...nothing, uses: [use], plain: use, source }
}

/** `FROM users u (x, id)`: the names in order; what a new name is can only be told with the catalogue. */
function renamedColumn(source: Source, read: Source['read'] & object, column: string): Resolved {
  const index = source.columns.indexOf(column)
  const real = read.relation.facts?.columns
  const name = index < 0 ? (real === undefined ? undefined : column) : real?.[index]
  if (name === undefined) return { ...nothing, uses: [{ read, column: '*' }], source }
  const use = { read, column: name }
  return { ...nothing, uses: [use], plain: use, source }
}

function derivedColumn(source: Source, column: string): Resolved {
  const { shape } = source
  if (shape === null) return { ...nothing, source }
  const index = source.columns.indexOf(column)
  const output =
    index >= 0 && shape.complete
      ? shape.outputs[index]
      : shape.outputs.find((candidate) => candidate.name === column)
  if (output === undefined || !shape.complete) return { ...nothing, uses: shape.rest, source }
  return { ...nothing, uses: output.uses, plain: output.plain, source, output }
}

function wholeRow(source: Source): Resolved {
  return { ...nothing, uses: usesOfRow(source), source, wholeRow: true }
}

/** All that a whole row shows. */
export function usesOfRow(source: Source): readonly ColumnUse[] {
  if (source.read !== null) return [{ read: source.read, column: '*' }]
  const { shape } = source
  if (shape === null) return []
  return shape.complete ? distinctUses(shape.outputs.flatMap((output) => output.uses)) : shape.rest
}
