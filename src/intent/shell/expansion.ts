/** Parameter expansions and substitutions: what they stand for, and the commands that they run. */
import type { ParameterExpansionPart, Word, WordPart } from 'unbash'
import { arithmeticText } from './arithmetic.ts'
import { anything, literal, type Field } from './field.ts'
import { empty, number, unnamed, type Stream } from './stream.ts'
import { lookup } from './variables.ts'
import { divergent, unseen, unsupported, type Frame } from './work.ts'

/** Expands one word; handed in, since words hold expansions and expansions hold words. */
export type ExpandOne = (frame: Frame, word: Word) => Field

type Operation = NonNullable<ParameterExpansionPart['operation']>

/** What `${…}` stands for. */
export function parameterValue(frame: Frame, part: ParameterExpansionPart, expandOne: ExpandOne): Field {
  if (part.index !== undefined) readIndex(frame, part.index, expandOne)
  if (part.prefix === '!') return indirect(frame, part)
  if (part.prefix === '#') return anything(number)
  const value = part.index === undefined ? lookup(frame, part.parameter) : anything(unnamed)
  return part.operation === undefined
    ? value
    : operated(frame, value, { operation: part.operation, expandOne })
}

function readIndex(frame: Frame, index: Word, expandOne: ExpandOne): void {
  divergent(frame, 'arrays')
  if (index.text !== '@' && index.text !== '*') arithmeticText(frame, index, expandOne)
}

/** `${!x}`: the name itself is data, and a subscript in it runs commands. */
function indirect(frame: Frame, part: ParameterExpansionPart): Field {
  divergent(frame, '${!…}')
  const listsNames = part.operation?.type === 'Names' || part.index?.text === '@' || part.index?.text === '*'
  const held = lookup(frame, part.parameter)
  if (listsNames) return anything(unnamed, true)
  if (held.dynamic || !/^\w+$/.test(held.text))
    unseen(frame, 'dynamic_command', '${!…} evaluates a name from data')
  else if (part.operation === undefined) return lookup(frame, held.text)
  return anything(unnamed)
}

interface How {
  readonly operation: Operation
  readonly expandOne: ExpandOne
}

function operated(frame: Frame, value: Field, { operation, expandOne }: How): Field {
  switch (operation.type) {
    case 'Default':
      return defaulted(value, expandOne(frame, operation.operand), operation.operator)
    case 'Transform':
      return transformed(frame, value, operation.operand.text)
    case 'Slice':
      sliced(frame, operation, expandOne)
      return unknownLike(value)
    case 'Remove':
      expandOne(frame, operation.operand)
      return unknownLike(value)
    case 'Replace':
    case 'CaseModification':
      rewritten(frame, operation, expandOne)
      return unknownLike(value)
    case 'Names':
    case 'Unknown':
      unsupported(frame, 'such a parameter expansion')
      return anything(unnamed)
  }
}

function sliced(
  frame: Frame,
  operation: Extract<Operation, { readonly type: 'Slice' }>,
  expandOne: ExpandOne,
): void {
  divergent(frame, '${…:…}')
  for (const word of [operation.offset, operation.length])
    if (word !== undefined) arithmeticText(frame, word, expandOne)
}

function rewritten(
  frame: Frame,
  operation: Extract<Operation, { readonly type: 'Replace' | 'CaseModification' }>,
  expandOne: ExpandOne,
): void {
  divergent(frame, '${…/…} and ${…^}')
  const words =
    operation.type === 'Replace' ? [operation.pattern, operation.replacement] : [operation.operand]
  for (const word of words) if (word !== undefined) expandOne(frame, word)
}

/** `${x@P}` expands the value as a prompt, commands in it included. */
function transformed(frame: Frame, value: Field, kind: string): Field {
  divergent(frame, '${…@…}')
  if (kind === 'P' || !/^[A-Za-z]$/.test(kind))
    unseen(frame, 'dynamic_command', '${…@P} runs the commands in a value')
  return unknownLike(value)
}

function defaulted(value: Field, other: Field, operator: string): Field {
  if (operator.endsWith('?')) return value
  const isSet = !value.dynamic && value.text !== ''
  if (operator.endsWith('+')) return isSet ? other : unknownLike(other)
  if (isSet) return value
  return other.data === null ? unknownLike(value) : unknownLike(other)
}

function unknownLike(value: Field): Field {
  return anything(value.data === null ? unnamed : { ...value.data, text: null, unnamed: true })
}

/** What `$(…)` stands for: its commands run, and constant output is known. */
export function commandOutput(
  frame: Frame,
  part: Extract<WordPart, { readonly type: 'CommandExpansion' }>,
): Field {
  const output = subshell(frame, part.script)
  if (output.text === null) return anything(output)
  const text = output.text.replace(/\n+$/, '')
  return {
    ...literal(text),
    dynamic: text.includes('\uFFFC'),
    data: output.reads.length > 0 || output.remote !== null ? output : null,
  }
}

/** What can be read from `<(…)`. */
export function processSubstitution(
  frame: Frame,
  part: Extract<WordPart, { readonly type: 'ProcessSubstitution' }>,
): Stream {
  if (part.operator === '<') return subshell(frame, part.script)
  subshell({ ...frame, stdin: unnamed }, part.script)
  return empty
}

function subshell(
  frame: Frame,
  script: Extract<WordPart, { readonly type: 'CommandExpansion' }>['script'],
): Stream {
  if (script === undefined || (script.errors !== undefined && script.errors.length > 0)) {
    unseen(frame, 'parse_error', 'a substitution does not parse')
    return unnamed
  }
  const shell = { ...frame.shell, variables: new Map(frame.shell.variables) }
  const inner: Frame = { ...frame, shell, straight: false, depth: frame.depth + 1 }
  return frame.work.engine.statements(inner, script.commands)
}
