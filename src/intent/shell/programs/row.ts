/** How a program's row is written. */
import type { Program, Use } from '../call.ts'
import { literal, type Field } from '../field.ts'
import { spec } from '../options.ts'
import { placeOf } from '../path.ts'
import type { Stream } from '../stream.ts'
import { readPlace } from '../touch.ts'
import type { Scope } from '../../intent.ts'

/** A named row of a table. */
export type Row = readonly [string, Program]

/** A program whose unknown flags are a reason to refuse. */
export function program(name: string, flags: string, run: (use: Use) => Stream | undefined): Row {
  return [name, { spec: spec(`${flags} help version`), lenient: false, run }]
}

/** A program that no flag makes dangerous: flags are read for what they take. */
export function lenient(name: string, flags: string, run: (use: Use) => Stream | undefined): Row {
  return [name, { spec: spec(flags), lenient: true, run }]
}

/** Reports reads of operands; `-` and process substitutions are streams and no files. */
export function readsOperands(
  use: Use,
  operands: readonly Field[],
  scope: Scope = 'single',
  type = 'file',
): void {
  for (const operand of operands)
    if (operand.text !== '-' && operand.pipe === null)
      readPlace(use.frame, placeOf(use.frame, operand), scope, type)
}

/** The operands, or the current directory where there are none. */
export function orHere(operands: readonly Field[]): readonly Field[] {
  return operands.length === 0 ? [literal('.')] : operands
}
