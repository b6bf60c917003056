/** Values bound to `$n`, where the request sends them. */
import type { Run } from './model.ts'

/** What stands for a parameter; `spliced`: something that drivers turn into text in ways of their own. */
export type ParameterKind = 'unknown' | 'scalar' | 'array' | 'spliced'

/** The value of `$n`; undefined where none was sent. */
export function parameterValue({ parameters }: Run, number: number): unknown {
  if (Array.isArray(parameters)) return parameters[number - 1]
  if (typeof parameters !== 'object' || parameters === null) return undefined
  const key = String(number)
  return Object.hasOwn(parameters, key) ? (parameters as Record<string, unknown>)[key] : undefined
}

/** What kind of value `$n` has. */
export function parameterKind(run: Run, number: number): ParameterKind {
  const value = parameterValue(run, number)
  if (value === undefined) return 'unknown'
  if (Array.isArray(value)) return value.every(isArrayItem) ? 'array' : 'spliced'
  return typeof value === 'object' && value !== null ? 'spliced' : 'scalar'
}

function isArrayItem(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}
