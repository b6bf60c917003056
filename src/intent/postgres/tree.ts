/**
 * PostgreSQL's parse tree as libpg-query writes it: a node is an object with one member, named for
 * its kind. What is zero, false or empty is absent.
 */
export type {
  A_Const,
  A_Expr,
  Alias,
  AlterTableCmd,
  BoolExpr,
  ColumnRef,
  CommonTableExpr,
  CopyStmt,
  DefElem,
  DeleteStmt,
  FuncCall,
  InsertStmt,
  JoinExpr,
  MergeStmt,
  MergeWhenClause,
  Node,
  ObjectType,
  RangeFunction,
  RangeSubselect,
  RangeVar,
  ResTarget,
  RoleSpec,
  SelectStmt,
  SubLink,
  TypeName,
  UpdateStmt,
  WithClause,
} from 'libpg-query'
import type { DefElem, Node, ResTarget, TypeName } from 'libpg-query'

/** A node's inside, or any object of the tree, read member by member. */
export type Body = Readonly<Record<string, unknown>>

/** The kind of a node: the name of its only member. */
export function kindOf(node: Node): string {
  return Object.keys(node)[0] ?? ''
}

/** The inside of a node, whatever its kind. */
export function bodyOf(node: Node): Body {
  const inside: unknown = Object.values(node)[0]
  return isBody(inside) ? inside : {}
}

/** Whether a value of the tree has members. */
export function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text of a String node; null for any other. */
export function stringOf(node: Node | undefined): string | null {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : null
}

/** The texts of a list of String nodes; others are left out. */
export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  const strings: string[] = []
  for (const node of nodes ?? []) {
    const text = stringOf(node)
    if (text !== null) strings.push(text)
  }
  return strings
}

/** The options `name value` of a statement. */
export function optionsOf(nodes: readonly Node[] | undefined): DefElem[] {
  const options: DefElem[] = []
  for (const node of nodes ?? []) if ('DefElem' in node) options.push(node.DefElem)
  return options
}

/** The text of an option's value, where it is a string, a word, a number or a type's name. */
export function optionText(option: DefElem | undefined): string | null {
  const arg = option?.arg
  if (arg === undefined) return null
  if ('TypeName' in arg) return typeNameOf(arg.TypeName)
  if ('List' in arg) return stringOf(arg.List.items?.[0])
  return valueText(arg)
}

/** The text of a value: a string, a number, a boolean. */
export function valueText(value: Node): string | null {
  if ('Integer' in value) return String(value.Integer.ival ?? 0)
  if ('Float' in value) return value.Float.fval ?? ''
  if ('Boolean' in value) return value.Boolean.boolval === true ? 'true' : 'false'
  return stringOf(value)
}

/** Whether a boolean option is on: named alone, or with a value that PostgreSQL reads as true. */
export function optionIsOn(option: DefElem): boolean {
  const text = optionText(option)
  return text === null || !/^(?:false|off|0)$/i.test(text)
}

/** The entries of a target list. */
export function targetsOf(nodes: readonly Node[] | undefined): ResTarget[] {
  const targets: ResTarget[] = []
  for (const node of nodes ?? []) if ('ResTarget' in node) targets.push(node.ResTarget)
  return targets
}

/** A type's own name, without its schema: `int4` for `integer`. */
export function typeNameOf(type: TypeName | undefined): string {
  return stringsOf(type?.names).at(-1) ?? ''
}
