/** Limits of an action that a schema can't say: sizes of the parts that hold anything, and the length of a chain. */
import type { Action, Actor } from '../action/action.ts'
import type { Fault } from '../errors.ts'

/** All free parts of an action together, and a command in an unknown language, in bytes of JSON. */
export const maxFreeBytes = 65_536

/** How many may stand behind one another in `onBehalfOf`. */
export const maxChain = 5

/** Members of commands that hold anything; the text of a command is judged, not refused. */
const freeMembers = ['parameters', 'variables', 'extensions', 'arguments', 'headers'] as const

const knownLanguages = new Set([
  'sql',
  'shell',
  'redis',
  'mongodb',
  'graphql',
  'http',
  'mcp',
  'terraform-plan',
])

/**
 * What is beyond a limit in an action that fits its schema.
 *
 * @param bytes size of the text that it came in: what is smaller than a limit as a whole is not measured
 */
export function limitFaults(action: Action, bytes: number): readonly Fault[] {
  const faults: Fault[] = []
  if (chainLength(action.actor) > maxChain) {
    faults.push({ pointer: '/actor/onBehalfOf', detail: `must not be nested deeper than ${maxChain}` })
  }
  if (bytes <= maxFreeBytes) return faults
  if (!knownLanguages.has(action.command.language)) {
    if (size(action.command) > maxFreeBytes) {
      faults.push({
        pointer: '/command',
        detail: `must be at most ${maxFreeBytes} bytes in an unknown language`,
      })
    }
  }
  if (freeBytes(action) > maxFreeBytes) {
    const detail = `attributes, labels, parameters, variables, arguments and headers must be at most ${maxFreeBytes} bytes together`
    faults.push({ pointer: '', detail })
  }
  return faults
}

function chainLength(actor: Actor): number {
  let length = 0
  for (let next = actor.onBehalfOf; next !== undefined; next = next.onBehalfOf) length++
  return length
}

function freeBytes(action: Action): number {
  let total = size(action.context?.attributes) + size(action.target.labels)
  for (let actor: Actor | undefined = action.actor; actor !== undefined; actor = actor.onBehalfOf) {
    total += size(actor.attributes)
  }
  if (!knownLanguages.has(action.command.language)) return total
  const command = action.command as Readonly<Record<string, unknown>>
  return freeMembers.reduce((sum, name) => sum + size(command[name]), total)
}

function size(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
}
