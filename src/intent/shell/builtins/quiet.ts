/** Builtins that change nothing that matters. */
import type { Call, Handler } from '../call.ts'
import { empty, plain, type Stream } from '../stream.ts'
import { nothing } from '../work.ts'

const silent = [
  ':',
  'exit',
  'return',
  'break',
  'continue',
  'wait',
  'times',
  'ulimit',
  'disown',
  'bg',
  'fg',
  'suspend',
  'logout',
  'shift',
]
const printing = ['type', 'jobs', 'dirs', 'caller', 'help', 'umask']

function quiet(call: Call): Stream {
  nothing(call.frame, call.name)
  return empty
}

function prints(call: Call): Stream {
  nothing(call.frame, call.name)
  return plain
}

export const quietBuiltins: readonly (readonly [string, Handler])[] = [
  ...silent.map((name) => [name, quiet] as const),
  ...printing.map((name) => [name, prints] as const),
]
