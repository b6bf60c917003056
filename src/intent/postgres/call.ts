/** A function call with an effect, and reporting it: once per row of the query that it stands in. */
import type { Effect } from '../intent.ts'
import type { Frame, Run } from './model.ts'
import { emit, unknownName } from './run.ts'
import type { Seed } from './run.ts'
import { constantText } from './text.ts'
import type { Node } from './tree.ts'

/** A call, its arguments visited. */
export interface Call {
  readonly frame: Frame
  readonly run: Run
  readonly name: string
  readonly args: readonly Node[]
}

/** What a built-in function with an effect does. */
export type CallHandler = (call: Call) => void

/** Reports an effect of a call. */
export function callEffect(frame: Frame, seed: Seed): Effect {
  const found = emit(frame.run, seed)
  frame.calls.push(found)
  return found
}

/** The constant text of an argument; null where it is only known at run time. */
export function argumentText(call: Call, index: number): string | null {
  return constantText(call.run, call.args[index])
}

/** The constant text of an argument, or the name of what is not known. */
export function argumentName(call: Call, index: number): string {
  return argumentText(call, index) ?? unknownName
}

/** Effects that other analyses report while `report` runs count once per row too. */
export function counted(frame: Frame, report: () => void): void {
  const { effects } = frame.run.findings
  const from = effects.length
  report()
  for (const found of effects.slice(from)) frame.calls.push(found)
}
