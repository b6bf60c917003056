/**
 * Regular expressions on RE2's engine: linear in the text, whatever the pattern. The pattern may come
 * from a policy and the text from a command, so JavaScript's backtracking engine is no choice.
 * Which matches count, and how a replacement is expanded, is as in Go's `regexp`.
 */
import { RE2JS } from 're2js'
import type { HostBuiltin } from '../library.ts'
import { boundedText, ofStrings } from './arguments.ts'

interface Match {
  readonly start: number
  readonly end: number
  readonly groups: readonly string[]
  readonly named: Readonly<Record<string, string | null>>
}

const compiled = new Map<string, RE2JS | null>()
const maxCompiled = 100

/** Null when the pattern is none. Policies use few patterns, so compiled ones are kept. */
function pattern(text: string): RE2JS | null {
  const known = compiled.get(text)
  if (known !== undefined) return known
  if (compiled.size >= maxCompiled) compiled.clear()
  const made = compile(text)
  compiled.set(text, made)
  return made
}

function compile(text: string): RE2JS | null {
  try {
    return RE2JS.compile(text)
  } catch {
    return null
  }
}

/** The leftmost matches that do not overlap; an empty match right after another match does not count. */
function matches(expression: RE2JS, text: string, limit: number): readonly Match[] {
  const matcher = expression.matcher(text)
  const found: Match[] = []
  let at = 0
  let lastEnd = -1
  while (at <= text.length && found.length < limit && matcher.find(at)) {
    const [start, end] = [matcher.start(), matcher.end()]
    if (end > start || start !== lastEnd) {
      const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, n) => matcher.group(n) ?? '')
      found.push({ start, end, groups, named: matcher.getNamedGroups() })
    }
    lastEnd = end
    at = end > at ? end : at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
  }
  return found
}

/** `$1`, `${1}`, `$name`, `${name}`, `$$`; a name is as long as it can be, and an unknown one is empty. */
function expanded(template: string, match: Match): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_whole, braced?: string, bare?: string) => {
    const name = braced ?? bare
    if (name === undefined) return '$'
    return (/^[0-9]+$/.test(name) ? match.groups[Number(name)] : match.named[name]) ?? ''
  })
}

function replaced(base: string, expression: RE2JS, template: string): string {
  let text = ''
  let at = 0
  for (const match of matches(expression, base, Infinity)) {
    text = boundedText(text + base.slice(at, match.start) + expanded(template, match))
    at = match.end
  }
  return boundedText(text + base.slice(at))
}

function parts(expression: RE2JS, text: string): readonly string[] {
  if (text === '') return ['']
  const between: string[] = []
  let from = 0
  let to = 0
  for (const match of matches(expression, text, Infinity)) {
    to = match.start
    if (match.end !== 0) between.push(text.slice(from, to))
    from = match.end
  }
  if (to !== text.length) between.push(text.slice(from))
  return between
}

export const regexBuiltins: Readonly<Record<string, HostBuiltin>> = {
  'regex.replace': ofStrings((base = '', expression = '', template = '') => {
    const made = pattern(expression)
    return made === null ? undefined : replaced(base, made, template)
  }),
  'regex.split': ofStrings((expression = '', text = '') => {
    const made = pattern(expression)
    return made === null ? undefined : parts(made, text)
  }),
  'regex.find_n': (expression, text, count) => {
    if (typeof expression !== 'string' || typeof text !== 'string' || !Number.isInteger(count))
      return undefined
    const made = pattern(expression)
    if (made === null) return undefined
    const limit = Number(count) < 0 ? Infinity : Number(count)
    return matches(made, text, limit).map((match) => match.groups[0] ?? '')
  },
}
