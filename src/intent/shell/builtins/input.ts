/** Builtins that assign what they read or compute: the name is evaluated too. */
import { evaluatesText } from '../arithmetic.ts'
import type { Call, Handler } from '../call.ts'
import { anything, type Field } from '../field.ts'
import { empty, type Stream } from '../stream.ts'
import { divergent, nothing, unseen, type Frame } from '../work.ts'

const readArity = /^-[a-zA-Z]*[adinNptu]$/

/** `read a b`: the names hold what came in. */
function read(call: Call): Stream {
  const { frame, args } = call
  nothing(frame, 'read')
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]
    if (arg === undefined) break
    if (arg.text.startsWith('-')) {
      if (arg.text.endsWith('a')) holds(frame, args[at + 1])
      if (readArity.test(arg.text)) at++
    } else holds(frame, arg)
  }
  return empty
}

/** A name that is assigned: a subscript in it is evaluated, commands included. */
function holds(frame: Frame, name: Field | undefined): void {
  if (name === undefined) return
  if (!/^[A-Za-z_]\w*$/.test(name.text))
    unseen(frame, 'dynamic_command', 'a name that is assigned is evaluated')
  else
    frame.shell.variables.set(
      name.text,
      anything({ ...frame.stdin, text: null, unnamed: true, connected: true }),
    )
}

function lets(call: Call): Stream {
  divergent(call.frame, 'let')
  nothing(call.frame, 'let')
  for (const arg of call.args) {
    if (arg.dynamic) unseen(call.frame, 'dynamic_command', 'let evaluates text that is not known')
    else evaluatesText(call.frame, arg.text)
  }
  return empty
}

function getopts(call: Call): Stream {
  nothing(call.frame, 'getopts')
  holds(call.frame, call.args[1])
  return empty
}

export const inputBuiltins: readonly (readonly [string, Handler])[] = [
  ['read', read],
  ['let', lets],
  ['getopts', getopts],
]
