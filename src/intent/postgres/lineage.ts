/** From a query's columns to the lineage that masks are made of. */
import type { Lineage, ResultColumn } from '../intent.ts'
import type { ColumnUse, Output, Run, Shape } from './model.ts'
import { sensitivityOf } from './relation.ts'

/**
 * Remembers the result of a statement; `maskable` is false where rows leave as a stream. What a text
 * inside the command gives goes to whatever runs it, not to the caller.
 */
export function addResult(run: Run, shape: Shape, maskable: boolean): void {
  if (run.depth > 0 || run.mode.deferred) return
  run.findings.results.push({
    complete: shape.complete && shape.outputs.every((output) => output.kind !== 'unknown'),
    maskable,
    columns: shape.outputs.map((output, index) => columnOf(output, index)),
    inference: [],
  })
}

function columnOf(output: Output, index: number): ResultColumn {
  return { index, name: output.name, kind: output.kind, sources: sourcesOf(output.uses) }
}

function sourcesOf(uses: readonly ColumnUse[]): ResultColumn['sources'] {
  if (uses.length === 1 && uses[0] !== undefined) return [sourceOf(uses[0])]
  const seen = new Map<string, ResultColumn['sources'][number]>()
  for (const use of uses) seen.set(`${use.read.relation.shown} ${use.column}`, sourceOf(use))
  return [...seen.values()]
}

function sourceOf(use: ColumnUse): ResultColumn['sources'][number] {
  return { table: use.read.relation.shown, column: use.column, sensitivity: sensitivityOf(use) }
}

/** The lineage of a whole text: of its only result, or of its last, which then says nothing of the others. */
export function lineageOf(run: Run): Lineage | null {
  const { results, inference } = run.findings
  const last = results.at(-1)
  if (last === undefined) return null
  const seen = new Map<string, Lineage['inference'][number]>()
  for (const { table, column, place, proof } of inference) {
    seen.set(`${table} ${column} ${place} ${proof}`, { table, column, place, proof })
  }
  return { ...last, complete: last.complete && results.length === 1, inference: [...seen.values()] }
}
