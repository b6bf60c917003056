/** Text that a block executes: analysed as far as it is known, and never believed further. */
import type { Run } from './model.ts'
import { emit, inMode, unknownName, unseen } from './run.ts'
import { templateOf } from './text.ts'
import type { Node } from './tree.ts'

/**
 * Runs the text of an expression. Constant text is analysed as it stands, text with quoted constants
 * as a template; where names or whole parts are only known at run time the template tells the verb,
 * and the rest is opaque.
 */
export function runTemplate(run: Run, node: Node | undefined): void {
  const { text, holes } = templateOf(run, node)
  const { effects, results } = run.findings
  const from = effects.length
  const before = results.length
  run.ctx.spendBytes(text.length)
  const inside: Run =
    holes === 'none' ? withoutVariables(run) : inMode(withoutVariables(run), { template: true })
  const read = text !== `"${unknownName}"` && run.engine.text(inside, text)
  results.length = before
  if (holes === 'none' || holes === 'literal') {
    if (!read) unread(run, 'parse_error', 'the executed text does not parse')
    return
  }
  const found = effects.slice(from).filter(({ action }) => action !== 'none' && action !== 'read')
  if (!read || found.length === 0 || holes === 'raw') {
    unread(run, 'dynamic_sql', 'the executed text is only known at run time')
  }
  for (const one of found)
    unseen(run, 'dynamic_sql', one, 'part of the executed text is only known at run time')
}

/** Executed text does not see the block's variables. */
function withoutVariables(run: Run): Run {
  return { ...run, variables: new Set(), values: new Map() }
}

function unread(run: Run, code: 'parse_error' | 'dynamic_sql', detail: string): void {
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    reversible: 'unknown',
    resource: { type: 'dynamic_sql', name: unknownName },
  })
  unseen(run, code, found, detail)
}
