/** What a schema found wrong, said to a person: where, and what is expected there; never what was found. */
import type { ErrorObject } from 'ajv'
import type { Fault } from '../errors.ts'

/** Faults told at most; one body can have a hundred thousand. */
const maxFaults = 20
const maxPointerLength = 512

/**
 * The faults of one validation. A union answers with the complaints of each of its branches: those that
 * only say "it is not the other branch" are left out. One fault per place is enough.
 */
export function faultsOf(errors: readonly ErrorObject[], base = ''): readonly Fault[] {
  const telling = errors.filter((error) => !isNoise(error, errors))
  const kept = telling.length > 0 ? telling : errors
  const faults = kept.map((error) => ({ pointer: pointerOf(error, base), detail: detailOf(error) }))
  const seen = new Set<string>()
  return faults.filter(({ pointer }) => !seen.has(pointer) && seen.add(pointer)).slice(0, maxFaults)
}

function isNoise(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  // The branch of unknown languages complains that the language is known.
  if (error.keyword === 'not' || error.keyword === 'discriminator' || error.keyword === 'anyOf') return true
  if (error.keyword === 'oneOf')
    return all.some((other) => isForbidden(other) && other.schemaPath.includes('/oneOf/'))
  return error.schemaPath.includes('/oneOf/') && !isForbidden(error)
}

function isForbidden(error: ErrorObject): boolean {
  return error.keyword === 'false schema'
}

function pointerOf(error: ErrorObject, base: string): string {
  const member = named(error, 'missingProperty') ?? named(error, 'additionalProperty') ?? unevaluated(error)
  const last = member === undefined ? '' : `/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`
  return `${base}${error.instancePath}${last}`.slice(0, maxPointerLength)
}

function unevaluated(error: ErrorObject): string | undefined {
  return named(error, 'unevaluatedProperty')
}

function named(error: ErrorObject, name: string): string | undefined {
  const value = (error.params as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : undefined
}

function detailOf(error: ErrorObject): string {
  switch (error.keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return 'is not a member that the contract knows'
    case 'false schema':
      return 'must not be given beside the other members'
    case 'enum':
      return `must be one of: ${allowed(error)}`
    case 'oneOf':
      return alternatives(error)
    case 'pattern':
      return pattern(error)
    default:
      return error.message ?? 'does not fit the contract'
  }
}

function allowed(error: ErrorObject): string {
  const values = (error.params as { readonly allowedValues?: unknown }).allowedValues
  return Array.isArray(values) ? values.map(String).join(', ') : 'the values in the contract'
}

/** Where the branches ask for different members: their names. */
function alternatives(error: ErrorObject): string {
  const branches: unknown = error.schema
  const names = Array.isArray(branches)
    ? branches.flatMap((branch) => (branch as { readonly required?: readonly string[] }).required ?? [])
    : []
  return names.length > 0
    ? `must have exactly one of: ${names.join(', ')}`
    : 'must have exactly one of the allowed forms'
}

function pattern(error: ErrorObject): string {
  const text = named(error, 'pattern') ?? ''
  return text.startsWith('^[^\\u0000') ? 'must hold no control characters' : `must match ${text}`
}
