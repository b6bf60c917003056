/** Calls of functions that the same text defines. */
import type { Function as FunctionNode } from 'unbash'
import type { Field } from './field.ts'
import type { Stream } from './stream.ts'
import { unsupported, type Frame } from './work.ts'

/** Runs a function's body with these words as `$1` and so on. */
export function runFunction(frame: Frame, node: FunctionNode, args: readonly Field[]): Stream | undefined {
  const { body } = node
  if (body.type === 'CompoundList') return undefined
  const { shell, work } = frame
  if (work.active.has(node)) {
    unsupported(frame, 'a function that calls itself')
    return undefined
  }
  const outer = shell.positional
  shell.positional = args
  work.active.add(node)
  const inner: Frame = { ...frame, straight: false, depth: frame.depth + 1 }
  const statement = {
    type: 'Statement',
    pos: body.pos,
    end: body.end,
    command: body,
    background: undefined,
  } as const
  const printed = work.engine.statements(inner, [statement])
  work.active.delete(node)
  shell.positional = outer
  return printed
}
