/** Shell arithmetic: it folds constants, and evaluates the text of variables as code. */
import type { ArithmeticExpression, Word } from 'unbash'
import type { ExpandOne } from './expansion.ts'
import { isNumeric, lookup } from './variables.ts'
import { unseen, unsupported, type Frame } from './work.ts'

/** Terms inside terms, at most. */
const termsAtMost = 256

/** The value of a constant expression; null when it is not constant. Reports what could run code. */
export function arithmetic(
  frame: Frame,
  expression: ArithmeticExpression | undefined,
  expandOne: ExpandOne,
): number | null {
  if (expression === undefined) return null
  const { work } = frame
  if (work.nesting > termsAtMost) {
    unsupported(frame, 'arithmetic of so many terms')
    return null
  }
  work.nesting++
  const value = valueOf(frame, expression, expandOne)
  work.nesting--
  return value
}

function valueOf(frame: Frame, expression: ArithmeticExpression, expandOne: ExpandOne): number | null {
  switch (expression.type) {
    case 'ArithmeticWord':
      return ofWord(frame, expression, expandOne)
    case 'ArithmeticGroup':
      return arithmetic(frame, expression.expression, expandOne)
    case 'ArithmeticUnary':
      return negated(expression.operator, arithmetic(frame, expression.operand, expandOne))
    case 'ArithmeticBinary':
      return folded(
        expression.operator,
        arithmetic(frame, expression.left, expandOne),
        arithmetic(frame, expression.right, expandOne),
      )
    case 'ArithmeticTernary':
      for (const part of [expression.test, expression.consequent, expression.alternate])
        arithmetic(frame, part, expandOne)
      return null
    case 'ArithmeticCommandExpansion':
      runsCode(frame)
      return null
  }
}

function negated(operator: string, operand: number | null): number | null {
  return operand !== null && operator === '-' ? -operand : null
}

function folded(operator: string, left: number | null, right: number | null): number | null {
  const value = left === null || right === null ? null : operation(operator, left, right)
  return value !== null && Number.isSafeInteger(value) ? value : null
}

function operation(operator: string, left: number, right: number): number | null {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? null : Math.trunc(left / right)
    case '%':
      return right === 0 ? null : left % right
    default:
      return null
  }
}

function ofWord(
  frame: Frame,
  word: Extract<ArithmeticExpression, { readonly type: 'ArithmeticWord' }>,
  expandOne: ExpandOne,
): number | null {
  const value = word.value.trim()
  if (/^(?:0|[1-9]\d{0,14})$/.test(value)) return Number(value)
  if (/^(?:0[xX][\da-fA-F]+|\d+#[\w@]+|0\d+)$/.test(value)) return null
  const name = /^\$?\{?#?([A-Za-z_]\w*|[?#$!])\}?$/.exec(value)?.[1]
  if (name !== undefined) return ofName(frame, name)
  if (/^\$\{?#/.test(value)) return null
  if (word.parts === undefined) {
    runsCode(frame)
    return null
  }
  return ofExpansion(
    frame,
    { type: 'Word', text: value, value, pos: word.pos, end: word.end, parts: word.parts },
    expandOne,
  )
}

function ofName(frame: Frame, name: string): number | null {
  if (!isNumeric(frame, name)) {
    runsCode(frame)
    return null
  }
  const held = lookup(frame, name)
  return held.dynamic || !/^-?\d{1,15}$/.test(held.text) ? null : Number(held.text)
}

function ofExpansion(frame: Frame, word: Word, expandOne: ExpandOne): number | null {
  const field = expandOne(frame, word)
  if (!field.dynamic && /^-?\d{1,15}$/.test(field.text)) return Number(field.text)
  if (field.data?.numeric !== true) runsCode(frame)
  return null
}

function runsCode(frame: Frame): void {
  if (frame.work.unseen.some((u) => u.detail === detail)) return
  unseen(frame, 'dynamic_command', detail)
}

const detail = 'arithmetic evaluates text that is not known to be a number'

/** A word that the shell evaluates as arithmetic: a subscript, an offset, an operand of -eq. */
export function arithmeticText(frame: Frame, word: Word, expandOne: ExpandOne): void {
  if (/^[\s\d+\-*/%():]*$/.test(word.text) || isNumericText(frame, word.text)) return
  const field = expandOne(frame, word)
  if (!field.dynamic && /^-?\d+$/.test(field.text)) return
  if (field.data?.numeric !== true) runsCode(frame)
}

/** Only names that can hold nothing but numbers, and operators between them. */
function isNumericText(frame: Frame, text: string): boolean {
  if (!/^[\s\w$+\-*/%(){}]*$/.test(text) || text.includes('$(')) return false
  return (text.match(/[A-Za-z_]\w*/g) ?? []).every((name) => isNumeric(frame, name))
}

/** Constant text that a builtin evaluates as arithmetic. */
export function evaluatesText(frame: Frame, text: string): void {
  if (/^\s*(?:[A-Za-z_]\w*\s*=\s*)?-?\d+\s*$/.test(text)) return
  const names = text.match(/[A-Za-z_]\w*/g) ?? []
  if (!/^[\s\w+\-*/%()=<>!&|^~?:,]*$/.test(text)) unsupported(frame, 'such arithmetic')
  else if (!names.every((name) => isNumeric(frame, name))) runsCode(frame)
}
