/** WITH: queries by name, which hide tables of the same name. */
import { distinctUses } from './mark.ts'
import type { ColumnUse, Cte, Environment, Output, Shape } from './model.ts'
import type { CommonTableExpr, SelectStmt, WithClause } from './tree.ts'
import { stringsOf } from './tree.ts'

/** The names in scope inside a statement with this WITH clause. */
export function bindCtes(env: Environment, clause: WithClause | undefined): Cte | null {
  let { ctes } = env
  if (clause === undefined) return ctes
  for (const node of clause.ctes ?? []) {
    if (!('CommonTableExpr' in node)) continue
    const entry = node.CommonTableExpr
    const shape = shapeOf({ ...env, ctes }, entry, clause.recursive === true)
    if (shape === null) continue
    ctes = { name: entry.ctename ?? '', shape: renamed(shape, entry), references: 0, next: ctes }
  }
  return ctes
}

function shapeOf(env: Environment, entry: CommonTableExpr, recursive: boolean): Shape | null {
  const { ctequery: query } = entry
  if (query === undefined) return null
  if (recursive && 'SelectStmt' in query && isSetOperation(query.SelectStmt)) {
    return recursiveShape(env, entry, query.SelectStmt)
  }
  return env.run.engine.query(env, query)
}

function isSetOperation(statement: SelectStmt): boolean {
  return statement.op === 'SETOP_UNION' && statement.larg !== undefined && statement.rarg !== undefined
}

/** `WITH x (a, b) AS …`. What SEARCH and CYCLE add is not followed. */
function renamed(shape: Shape, entry: CommonTableExpr): Shape {
  const names = stringsOf(entry.aliascolnames)
  const complete = shape.complete && entry.search_clause === undefined && entry.cycle_clause === undefined
  if (names.length === 0) return complete === shape.complete ? shape : { ...shape, complete }
  const outputs = shape.outputs.map((output, index) => ({ ...output, name: names[index] ?? output.name }))
  return { ...shape, outputs, complete }
}

/**
 * The first query is what the name stands for inside the second. Values may move between columns from
 * turn to turn, so each column may show what any of them shows.
 */
function recursiveShape(env: Environment, entry: CommonTableExpr, statement: SelectStmt): Shape {
  const { engine } = env.run
  const name = entry.ctename ?? ''
  const first = renamed(closed(engine.select(env, statement.larg ?? {})), entry)
  const self: Cte = { name, shape: first, references: 1, next: env.ctes }
  const second = engine.select({ ...env, ctes: self }, statement.rarg ?? {})
  const uses = distinctUses([...usesOf(first), ...usesOf(second)])
  const outputs: Output[] = first.outputs.map((output) => ({
    name: output.name,
    kind: uses.length > 0 ? 'derived' : output.kind,
    uses,
    plain: null,
  }))
  return {
    ...closed(first),
    outputs,
    complete: first.complete && second.complete,
    bound: null,
    rest: uses,
    correlated: first.correlated || second.correlated,
    volatile: first.volatile || second.volatile,
    locks: false,
  }
}

function closed(shape: Shape): Shape {
  return { ...shape, open: false, factor: null, reads: [], bound: null }
}

function usesOf(shape: Shape): readonly ColumnUse[] {
  return [...shape.rest, ...shape.outputs.flatMap((output) => output.uses)]
}
