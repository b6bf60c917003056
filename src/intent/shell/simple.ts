/** Simple commands: assignments, words, redirections, and then what the words name. */
import type { Assignment, Command } from 'unbash'
import { arithmeticText } from './arithmetic.ts'
import { dispatch } from './dispatch.ts'
import { entersEnvironment } from './environment.ts'
import { anything, withText, type Field } from './field.ts'
import { plumb, writeOutputs, type Plumbing } from './redirect.ts'
import { empty, joined, unnamed, type Stream } from './stream.ts'
import { assign } from './variables.ts'
import { expand, expandOne } from './word.ts'
import { divergent, unseen, unsupported, type Frame } from './work.ts'

/** Runs a simple command; what it prints. */
export function simple(outer: Frame, node: Command): Stream {
  const frame = outer.span === null ? { ...outer, span: [node.pos, node.end] as const } : outer
  const argv = words(frame, node)
  const { redirects } = node
  if (redirects.length === 0) {
    const given = prefixed(frame, node, argv.length > 0)
    return argv.length === 0 ? empty : dispatch(given, argv)
  }
  const plumbing = plumb(frame, redirects)
  const given = prefixed({ ...frame, stdin: plumbing.stdin }, node, argv.length > 0)
  const printed = argv.length === 0 ? empty : dispatch(given, argv)
  if (argv.length === 1 && argv[0]?.text === 'exec') redirectsShell(frame, plumbing)
  writeOutputs(frame, plumbing.outputs, { printed, alone: printsNothing(argv) })
  return plumbing.piped ? printed : empty
}

/** `exec > file`: all that follows reads or writes there. */
function redirectsShell(frame: Frame, plumbing: Plumbing): void {
  const isPlain = plumbing.stdin === frame.stdin && plumbing.outputs.every(({ kind }) => kind === 'file')
  if (!isPlain) unsupported(frame, 'redirections of the shell itself')
}

function printsNothing(argv: readonly Field[]): boolean {
  const [name] = argv
  return name === undefined || (argv.length === 1 && /^(?::|true|false)$/.test(name.text))
}

function words(frame: Frame, node: Command): Field[] {
  const fields: Field[] = []
  frame.work.ctx.spend(node.suffix.length)
  if (node.name !== undefined) expand(frame, node.name, fields)
  for (const word of node.args) {
    if (word.type === 'Word') expand(frame, word, fields)
    else fields.push(assignmentWord(frame, word))
  }
  return fields
}

/** An assignment among the words of `export` and its kind: one word, `name=value`. */
function assignmentWord(frame: Frame, node: Assignment): Field {
  const value = assignedValue(frame, node)
  if (node.index !== undefined) return anything(unnamed)
  return {
    ...withText(value, `${node.name}${node.append === true ? '+' : ''}=${value.text}`),
    tilde: false,
    open: false,
  }
}

/** What is assigned; the commands in it run. */
function assignedValue(frame: Frame, node: Assignment): Field {
  if (node.append === true) divergent(frame, '+=')
  if (node.index !== undefined) {
    divergent(frame, 'arrays')
    arithmeticText(frame, node.index, expandOne)
  }
  if (node.value.type === 'Word') {
    const value = expandOne(frame, node.value)
    return node.append === true ? anything(value.data ?? unnamed) : value
  }
  divergent(frame, 'arrays')
  const fields: Field[] = []
  for (const element of node.value.elements) expand(frame, element, fields)
  return anything(
    fields.reduce<Stream>((data, f) => (f.data === null ? data : joined(data, f.data)), unnamed),
  )
}

/** Assignments in front: they stay when there is no command, else they are the command's own. */
function prefixed(frame: Frame, node: Command, hasCommand: boolean): Frame {
  if (node.prefix.length === 0) return frame
  let environment: Map<string, Field> | null = null
  for (const one of node.prefix) {
    if (one.type !== 'Assignment') continue
    const value = assignedValue(frame, one)
    if (!hasCommand) stays(frame, one, value)
    else {
      entersEnvironment(frame, one.name, { value, stays: false })
      environment ??= new Map(frame.environment)
      environment.set(one.name, value)
    }
  }
  return environment === null ? frame : { ...frame, environment }
}

function stays(frame: Frame, node: Assignment, value: Field): void {
  if (node.index !== undefined) assign(frame, node.name, anything(value.data ?? unnamed))
  else assign(frame, node.name, value)
  entersEnvironment(frame, node.name, { value, stays: true })
  if (node.name === 'PWD' || node.name === 'OLDPWD' || node.name === 'HOME')
    unseen(frame, 'session_state', `${node.name} is assigned`)
}
