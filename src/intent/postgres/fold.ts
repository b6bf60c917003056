/**
 * Constant folding, as PostgreSQL would: only what is certain. Integers within JavaScript's safe
 * range, strings compared for equality, three-valued logic. Decimals are left alone, since numeric
 * is exact and JavaScript's numbers are not.
 */
import type { A_Const, A_Expr, BoolExpr, Node, TypeName } from './tree.ts'
import { stringsOf, typeNameOf } from './tree.ts'

/** A constant's value; undefined: not known. */
export type Folded = boolean | number | string | null | undefined

/** The value of an expression without columns, parameters and functions. */
export function fold(node: Node | undefined): Folded {
  if (node === undefined) return undefined
  if ('A_Const' in node) return foldConst(node.A_Const)
  if ('A_Expr' in node) return foldExpr(node.A_Expr)
  if ('BoolExpr' in node) return foldBool(node.BoolExpr)
  if ('TypeCast' in node) return foldCast(fold(node.TypeCast.arg), node.TypeCast.typeName)
  if ('NullTest' in node) return foldNullTest(fold(node.NullTest.arg), node.NullTest.nulltesttype)
  if ('BooleanTest' in node) return foldBooleanTest(fold(node.BooleanTest.arg), node.BooleanTest.booltesttype)
  if ('CoalesceExpr' in node) return foldCoalesce(node.CoalesceExpr.args ?? [])
  return undefined
}

function foldConst(constant: A_Const): Folded {
  if (constant.isnull === true) return null
  if (constant.sval !== undefined) return constant.sval.sval ?? ''
  if (constant.boolval !== undefined) return constant.boolval.boolval === true
  if (constant.ival !== undefined) return constant.ival.ival ?? 0
  if (constant.fval !== undefined) return wholeNumber(constant.fval.fval ?? '')
  return undefined
}

function wholeNumber(text: string): number | undefined {
  if (!/^-?\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

/** The operator's name if it is surely the built-in one; null otherwise. */
export function builtInOperator(name: readonly Node[] | undefined): string | null {
  const parts = stringsOf(name)
  if (parts.length === 1) return parts[0] ?? null
  return parts.length === 2 && parts[0] === 'pg_catalog' ? (parts[1] ?? null) : null
}

function foldExpr(expr: A_Expr): Folded {
  const operator = builtInOperator(expr.name)
  if (operator === null) return undefined
  const make = Object.hasOwn(byKind, expr.kind ?? '') ? byKind[expr.kind ?? ''] : undefined
  return make?.(operator, expr)
}

const byKind: Readonly<Record<string, (operator: string, expr: A_Expr) => Folded>> = {
  AEXPR_OP: foldOperator,
  AEXPR_DISTINCT: (_, expr) => foldDistinct(fold(expr.lexpr), fold(expr.rexpr), true),
  AEXPR_NOT_DISTINCT: (_, expr) => foldDistinct(fold(expr.lexpr), fold(expr.rexpr), false),
  AEXPR_LIKE: (operator, expr) => foldLike(operator, fold(expr.lexpr), fold(expr.rexpr)),
  AEXPR_IN: (operator, expr) => foldIn(operator, fold(expr.lexpr), expr.rexpr),
  AEXPR_BETWEEN: (_, expr) => foldBetween(fold(expr.lexpr), expr.rexpr),
}

function foldOperator(operator: string, expr: A_Expr): Folded {
  const right = fold(expr.rexpr)
  if (expr.lexpr === undefined) return foldSign(operator, right)
  const left = fold(expr.lexpr)
  if (left === undefined || right === undefined) return undefined
  return left === null || right === null ? null : foldValues(operator, left, right)
}

type Value = boolean | number | string

function foldValues(operator: string, left: Value, right: Value): Folded {
  if (typeof left === 'number' && typeof right === 'number') return numbers(operator, left, right)
  if (typeof left === 'string' && typeof right === 'string') return strings(operator, left, right)
  return typeof left === typeof right ? compared(operator, left === right) : undefined
}

function foldSign(operator: string, value: Folded): Folded {
  if (value === null) return null
  if (typeof value !== 'number') return undefined
  if (operator === '-') return -value
  return operator === '+' ? value : undefined
}

function compared(operator: string, same: boolean): Folded {
  if (operator === '=') return same
  return operator === '<>' ? !same : undefined
}

function strings(operator: string, left: string, right: string): Folded {
  return operator === '||' ? left + right : compared(operator, left === right)
}

const onNumbers: Readonly<Record<string, (left: number, right: number) => boolean | number>> = {
  '=': (left, right) => left === right,
  '<>': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => Math.trunc(left / right),
  '%': (left, right) => left % right,
}

function numbers(operator: string, left: number, right: number): Folded {
  const apply = Object.hasOwn(onNumbers, operator) ? onNumbers[operator] : undefined
  const value = apply?.(left, right)
  if (typeof value !== 'number') return value
  return Number.isSafeInteger(value) ? value + 0 : undefined
}

function foldDistinct(left: Folded, right: Folded, distinct: boolean): Folded {
  if (left === undefined || right === undefined || !comparable(left, right)) return undefined
  return (left === right) !== distinct
}

function comparable(left: Folded, right: Folded): boolean {
  return left === null || right === null || typeof left === typeof right
}

/** `%` alone matches every string. */
function foldLike(operator: string, left: Folded, pattern: Folded): Folded {
  if (left === null || pattern === null) return null
  if (typeof left !== 'string' || typeof pattern !== 'string' || !/^%+$/.test(pattern)) return undefined
  return operator === '~~' || operator === '!~~' ? operator === '~~' : undefined
}

function foldIn(operator: string, left: Folded, list: Node | undefined): Folded {
  if (left === undefined || list === undefined || !('List' in list)) return undefined
  const same = (list.List.items ?? []).map((item) => equalFolded(left, fold(item)))
  if (same.includes(undefined)) return undefined
  if (same.includes(true)) return compared(operator, true)
  return same.includes(null) ? null : compared(operator, false)
}

function equalFolded(left: Folded, right: Folded): Folded {
  if (left === undefined || right === undefined || !comparable(left, right)) return undefined
  return left === null || right === null ? null : left === right
}

function foldBetween(value: Folded, list: Node | undefined): Folded {
  if (list === undefined || !('List' in list)) return undefined
  const [low, high] = [fold(list.List.items?.[0]), fold(list.List.items?.[1])]
  if (typeof value !== 'number' || typeof low !== 'number' || typeof high !== 'number') return undefined
  return value >= low && value <= high
}

function foldBool(expr: BoolExpr): Folded {
  const values = (expr.args ?? []).map((arg) => foldCondition(arg))
  const [first] = values
  if (expr.boolop === 'NOT_EXPR') return typeof first === 'boolean' ? !first : first
  const decisive = expr.boolop === 'OR_EXPR'
  if (values.includes(decisive)) return decisive
  if (values.includes(undefined)) return undefined
  return values.includes(null) ? null : !decisive
}

/** The value of an expression that stands as a condition: a string literal there is read as a boolean. */
export function foldCondition(node: Node | undefined): boolean | null | undefined {
  const value = fold(node)
  if (typeof value === 'string') return toBoolean(value)
  return typeof value === 'number' ? undefined : value
}

const truths = new Set(['t', 'true', 'y', 'yes', 'on', '1'])
const falsehoods = new Set(['f', 'false', 'n', 'no', 'off', '0'])
const integerTypes = new Set(['int2', 'int4', 'int8'])

function foldCast(value: Folded, type: TypeName | undefined): Folded {
  if (value === null || value === undefined) return value
  if (type?.arrayBounds !== undefined) return undefined
  const name = typeNameOf(type)
  if (name === 'bool') return toBoolean(value)
  if (integerTypes.has(name)) return typeof value === 'string' ? wholeNumber(value.trim()) : asNumber(value)
  if (name === 'text') return typeof value === 'string' ? value : undefined
  return undefined
}

function asNumber(value: Value): Folded {
  return typeof value === 'number' ? value : undefined
}

function toBoolean(value: Value): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  const word = value.trim().toLowerCase()
  if (truths.has(word)) return true
  return falsehoods.has(word) ? false : undefined
}

function foldNullTest(value: Folded, test: string | undefined): Folded {
  if (value === undefined) return undefined
  return (value === null) === (test === 'IS_NULL')
}

const booleanTests: Readonly<Record<string, (value: boolean | null) => boolean>> = {
  IS_TRUE: (value) => value === true,
  IS_NOT_TRUE: (value) => value !== true,
  IS_FALSE: (value) => value === false,
  IS_NOT_FALSE: (value) => value !== false,
  IS_UNKNOWN: (value) => value === null,
  IS_NOT_UNKNOWN: (value) => value !== null,
}

function foldBooleanTest(value: Folded, test: string | undefined): Folded {
  if (value !== null && typeof value !== 'boolean') return undefined
  return test === undefined ? undefined : booleanTests[test]?.(value)
}

function foldCoalesce(args: readonly Node[]): Folded {
  for (const arg of args) {
    const value = fold(arg)
    if (value !== null) return value
  }
  return null
}
