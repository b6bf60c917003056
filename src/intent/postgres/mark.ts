/** Marking columns as used, and what a sensitive one tells by being compared. */
import type { ColumnUse, Frame, Output, TableRead } from './model.ts'
import { sensitivityOf } from './relation.ts'

/** The values of these columns are shown or compared. */
export function markUsed(uses: readonly ColumnUse[]): void {
  for (const { read, column } of uses) {
    if (column === '*') read.whole = true
    else read.used.add(column)
  }
}

/** The values of a result's columns are shown or handed on. */
export function markOutputs(outputs: readonly Output[]): void {
  for (const output of outputs) markUsed(output.uses)
}

/** Columns met in a clause: collected for whoever asks; outside the select list also compared, so used. */
export function meetColumns(frame: Frame, uses: readonly ColumnUse[]): void {
  if (uses.length > 1) frame.run.ctx.spend(uses.length)
  for (const use of uses) frame.collected.push(use)
  if (frame.clause === 'select') return
  markUsed(uses)
  for (const use of uses) {
    if (sensitivityOf(use) !== 'sensitive') continue
    frame.run.findings.inference.push({
      read: use.read,
      table: use.read.relation.shown,
      column: use.column,
      place: frame.clause,
      proof: 'none',
    })
  }
}

/** Each column once: what is computed from columns that are computed would double at every step. */
export function distinctUses(uses: readonly ColumnUse[]): readonly ColumnUse[] {
  if (uses.length < 2) return uses
  const seen = new Map<TableRead, Set<string>>()
  return uses.filter(({ column, read }) => {
    const columns = seen.get(read)
    if (columns === undefined) seen.set(read, new Set([column]))
    else if (columns.has(column)) return false
    else columns.add(column)
    return true
  })
}

/** What one part of an expression refers to. */
export interface Met {
  readonly uses: readonly ColumnUse[]
  readonly parameter: boolean
  readonly query: boolean
  readonly unknown: boolean
  readonly aggregate: boolean
}

/** Runs `visit`, and tells what it met; the frame's own collection goes on afterwards. */
export function collecting(frame: Frame, visit: () => void): Met {
  const before = { collected: frame.collected, met: frame.met }
  frame.collected = []
  frame.met = { parameter: false, query: false, unknown: false, aggregate: false }
  visit()
  const found = { uses: frame.collected, ...frame.met }
  frame.collected = before.collected
  frame.met = before.met
  for (const use of found.uses) frame.collected.push(use)
  frame.met.parameter ||= found.parameter
  frame.met.query ||= found.query
  frame.met.unknown ||= found.unknown
  frame.met.aggregate ||= found.aggregate
  return found
}
