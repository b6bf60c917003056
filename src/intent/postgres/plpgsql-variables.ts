/** Variables of a PL/pgSQL block: their names, and the values of those that never change. */
import type { Body, Node } from './tree.ts'
import { isBody } from './tree.ts'

/** The names of all variables, which are constants to the SQL in the block. */
export function variablesOf(datums: readonly Body[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const datum of datums) {
    for (const inside of Object.values(datum)) {
      if (!isBody(inside)) continue
      if (typeof inside['refname'] === 'string') names.add(inside['refname'])
      const fields = Array.isArray(inside['fields']) ? (inside['fields'] as unknown[]) : []
      for (const field of fields)
        if (isBody(field) && typeof field['name'] === 'string') names.add(field['name'])
    }
  }
  return names
}

/** How deep a block is searched for assignments; deeper ones are found by the walk, which has a limit too. */
const deepest = 100

/**
 * Values of variables that are set at most once, so that they hold this or nothing: by a default, or
 * by one assignment. Anything else that could set one (the caller, INTO, FOR, FETCH, GET DIAGNOSTICS,
 * CALL) makes it unknown.
 */
export function constantsOf(
  tree: Body,
  datums: readonly Body[],
  parse: (text: string) => Node | undefined,
): ReadonlyMap<string, Node> {
  const settings = new Map<string, (string | null)[]>()
  const names = datums.map(nameOf)
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const datum of datums) defaults(datum, settings)
  search(tree['action'], names, settings, 0)
  const values = new Map<string, Node>()
  if (settings.has(anyVariable)) return values
  for (const [name, texts] of settings) {
    const [text] = texts
    const value =
      texts.length === 1 && typeof text === 'string' && counts.get(name) === 1 ? parse(text) : undefined
    if (value !== undefined) values.set(name, value)
  }
  return values
}

/** Only what the block declares has a line; parameters have none, and hold what the caller gave. */
function nameOf(datum: Body): string {
  for (const inside of Object.values(datum)) {
    if (isBody(inside) && typeof inside['refname'] === 'string') {
      return typeof inside['lineno'] === 'number' ? inside['refname'] : ''
    }
  }
  return ''
}

/** Stands for every variable at once: CALL sets those that it is given. */
const anyVariable = '*'

function add(settings: Map<string, (string | null)[]>, name: string, text: string | null): void {
  const texts = settings.get(name)
  if (texts === undefined) settings.set(name, [text])
  else texts.push(text)
}

function defaults(datum: Body, settings: Map<string, (string | null)[]>): void {
  const variable = datum['PLpgSQL_var']
  if (!isBody(variable) || typeof variable['refname'] !== 'string') return
  const text = textOf(variable['default_val'])
  if (text !== null) add(settings, variable['refname'], text)
}

function textOf(value: unknown): string | null {
  const expression = isBody(value) ? value['PLpgSQL_expr'] : undefined
  return isBody(expression) && typeof expression['query'] === 'string' ? expression['query'] : null
}

function search(
  value: unknown,
  names: readonly string[],
  settings: Map<string, (string | null)[]>,
  depth: number,
): void {
  if (typeof value !== 'object' || value === null || depth > deepest) return
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) search(item, names, settings, depth + 1)
    return
  }
  for (const [key, inside] of Object.entries(value as Body)) {
    if (key === 'PLpgSQL_stmt_assign' && isBody(inside)) assign(inside, names, settings)
    else {
      setBy(key, inside, { names, settings, depth })
      search(inside, names, settings, depth + 1)
    }
  }
}

interface Search {
  readonly names: readonly string[]
  readonly settings: Map<string, (string | null)[]>
  readonly depth: number
}

/** What a member of a statement sets: by the variable's number, or by its name. */
function setBy(key: string, inside: unknown, { names, settings, depth }: Search): void {
  if (key === 'PLpgSQL_stmt_call') add(settings, anyVariable, null)
  else if (targets.has(key)) clear(inside, settings, depth)
  if ((key === 'varno' || key === 'target') && typeof inside === 'number') {
    add(settings, names[inside] ?? '', null)
  }
}

/** Members that name what a statement sets. */
const targets: ReadonlySet<string> = new Set(['var', 'target', 'fields'])

/** A whole variable only: `a[1] := …` changes part of it. */
function assign(body: Body, names: readonly string[], settings: Map<string, (string | null)[]>): void {
  const text = textOf(body['expr'])
  const number = typeof body['varno'] === 'number' ? body['varno'] : 0
  const value = text === null ? null : /^\s*(?:"[^"]+"|[\w$.]+)\s*:?=(.*)$/s.exec(text)?.[1]
  add(settings, names[number] ?? '', value ?? null)
}

function clear(value: unknown, settings: Map<string, (string | null)[]>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > deepest) return
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) clear(item, settings, depth + 1)
    return
  }
  for (const [key, inside] of Object.entries(value as Body)) {
    if ((key === 'refname' || key === 'name') && typeof inside === 'string') add(settings, inside, null)
    else clear(inside, settings, depth + 1)
  }
}

/** The right side of `target := value` as a query; null where the target cannot be told from the value. */
export function assignedText(text: string): string | null {
  const index = assignmentIn(text)
  if (index < 0) return null
  const from = index + (text[index] === '=' ? 1 : 2)
  return `SELECT ${withTarget(text.slice(0, index))}${text.slice(from)}`
}

const quotes: ReadonlySet<string> = new Set(["'", '"'])
/** Inside brackets these may begin quotes of other kinds. */
const unsure: ReadonlySet<string> = new Set(['$', '\\'])
const nesting: Readonly<Record<string, number>> = { '[': 1, '(': 1, ']': -1, ')': -1 }

/** Where `:=` or `=` stands outside of brackets and quotes; -1 where that is not sure. */
function assignmentIn(text: string): number {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? ''
    if (depth === 0 && isAssignment(text, index)) return index
    if (depth > 0 && unsure.has(char)) return -1
    if (quotes.has(char)) index = closing(text, index, char)
    depth += nesting[char] ?? 0
  }
  return -1
}

function isAssignment(text: string, index: number): boolean {
  return text[index] === '=' || (text[index] === ':' && text[index + 1] === '=')
}

/** Subscripts of the target are expressions too: they go in front of the value. */
function withTarget(target: string): string {
  const open = target.indexOf('[')
  return open < 0 ? '' : `(ARRAY[0])${target.slice(open).trimEnd()}, `
}

function closing(text: string, from: number, quote: string): number {
  const end = text.indexOf(quote, from + 1)
  return end < 0 ? text.length : end
}
