/** Text that a statement makes and runs: constants folded, holes kept by the way they are filled. */
import { fold } from './fold.ts'
import type { Run } from './model.ts'
import { unknownName } from './run.ts'
import type { A_Expr, FuncCall, Node } from './tree.ts'
import { stringOf, stringsOf } from './tree.ts'

/** A text with the worst kind of its holes. */
export interface Template {
  readonly text: string
  /** literal: only quoted constants vary; identifier: names vary; raw: anything may vary. */
  readonly holes: 'none' | 'literal' | 'identifier' | 'raw'
}

const order = ['none', 'literal', 'identifier', 'raw'] as const

const rawHole: Template = { text: `"${unknownName}"`, holes: 'raw' }
const identifierHole: Template = { text: `"${unknownName}"`, holes: 'identifier' }
const literalHole: Template = { text: `'${unknownName}'`, holes: 'literal' }

/** How deep concatenations may nest: past it a text is simply not known. */
const deepest = 200

/** The text that an expression makes; raw where nothing is known. */
export function templateOf(run: Run, node: Node | undefined, depth = 0): Template {
  if (node === undefined || depth > deepest) return rawHole
  run.ctx.spend(1)
  const value = fold(node)
  if (value !== undefined && value !== null) return { text: String(value), holes: 'none' }
  if ('TypeCast' in node) return templateOf(run, node.TypeCast.arg, depth + 1)
  if ('A_Expr' in node) return ofOperator(run, node.A_Expr, depth)
  if ('FuncCall' in node) return ofCall(run, node.FuncCall, depth)
  if ('ColumnRef' in node) return ofVariable(run, node.ColumnRef.fields, depth)
  return rawHole
}

/** The text of an expression whose every part is constant; null otherwise. */
export function constantText(run: Run, node: Node | undefined): string | null {
  const template = templateOf(run, node)
  return template.holes === 'none' ? template.text : null
}

function ofVariable(run: Run, fields: readonly Node[] | undefined, depth: number): Template {
  const name = fields?.length === 1 ? stringOf(fields[0]) : null
  const value = name === null ? undefined : run.values.get(name)
  return value === undefined ? rawHole : templateOf(run, value, depth + 1)
}

function ofOperator(run: Run, expr: A_Expr, depth: number): Template {
  if (expr.kind !== 'AEXPR_OP' || stringsOf(expr.name).join('.') !== '||') return rawHole
  return spent(run, joined([templateOf(run, expr.lexpr, depth + 1), templateOf(run, expr.rexpr, depth + 1)]))
}

/** A variable used twice doubles a text, over and over: counted, or a short command makes a huge one. */
function spent(run: Run, template: Template): Template {
  run.ctx.spendBytes(template.text.length)
  return template
}

/** Parts put together: as open as the most open of them. */
function joined(parts: readonly Template[]): Template {
  let worst = 0
  for (const part of parts) worst = Math.max(worst, order.indexOf(part.holes))
  return { text: parts.map((part) => part.text).join(''), holes: order[worst] ?? 'raw' }
}

function ofCall(run: Run, call: FuncCall, depth: number): Template {
  const parts = stringsOf(call.funcname)
  if (parts.length > 1 && parts[0] !== 'pg_catalog') return rawHole
  const make = makers.get(parts.at(-1) ?? '')
  if (make === undefined || call.func_variadic === true) return rawHole
  return spent(run, make((call.args ?? []).map((arg) => templateOf(run, arg, depth + 1))))
}

/** Functions that make text, by name. */
const makers: ReadonlyMap<string, (args: readonly Template[]) => Template> = new Map([
  ['quote_ident', ([value = rawHole]) => quotedAs(value, identifierHole, identifier)],
  ['quote_literal', ([value = rawHole]) => quotedAs(value, literalHole, literal)],
  ['quote_nullable', ([value = rawHole]) => quotedAs(value, literalHole, literal)],
  ['concat', (args) => joined(args)],
  ['format', ([pattern = rawHole, ...args]) => formatted(pattern, args)],
])

function quotedAs(value: Template, hole: Template, quote: (text: string) => string): Template {
  return value.holes === 'none' ? { text: quote(value.text), holes: 'none' } : hole
}

function identifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  const doubled = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}

/** `format()`: `%s`, `%I`, `%L`, `%%`, with positions and widths. */
function formatted(pattern: Template, args: readonly Template[]): Template {
  if (pattern.holes !== 'none') return rawHole
  const parts: Template[] = []
  const { text } = pattern
  let next = 0
  let from = 0
  for (const match of text.matchAll(/%(?:%|(?:(\d+)\$)?(?:-?\d*)([sIL]))/g)) {
    parts.push({ text: text.slice(from, match.index), holes: 'none' })
    from = match.index + match[0].length
    if (match[0] === '%%') {
      parts.push({ text: '%', holes: 'none' })
      continue
    }
    next = match[1] === undefined ? next + 1 : Number(match[1])
    parts.push(filled(match[2], args[next - 1] ?? rawHole))
  }
  parts.push({ text: text.slice(from), holes: 'none' })
  return joined(parts)
}

function filled(conversion: string | undefined, value: Template): Template {
  if (conversion === 'I') return quotedAs(value, identifierHole, identifier)
  if (conversion === 'L') return quotedAs(value, literalHole, literal)
  return value
}
