/** Statements, lists and pipelines: what runs, in which order, and whether it is certain to. */
import type { AndOr, CommandNode, Pipeline, PipelineNode, Statement } from 'unbash'
import { compound } from './compound.ts'
import { simple } from './simple.ts'
import { empty, joined, unnamed, type Stream } from './stream.ts'
import { divergent, keeps, unseen, unsupported, type Frame } from './work.ts'
import { limits } from '../analysis.ts'

/** Runs statements in order; what they print together. */
export function statements(frame: Frame, list: readonly Statement[]): Stream {
  if (frame.depth > limits.depth * 4) {
    unseen(frame, 'depth_limit', 'commands are nested too deeply')
    return unnamed
  }
  let output: Stream | null = null
  for (const statement of list) {
    const printed = oneStatement(frame, statement)
    output =
      output === null || output === empty ? printed : printed === empty ? output : joined(output, printed)
  }
  return output ?? empty
}

function tooMany(frame: Frame): Stream {
  const detail = `more than ${limits.statements} statements`
  if (!frame.work.unseen.some((one) => one.detail === detail)) unseen(frame, 'node_limit', detail)
  return unnamed
}

function oneStatement(frame: Frame, statement: Statement): Stream {
  const inner = statement.background === true ? apart(frame) : frame
  const { command } = statement
  const printed = command.type === 'AndOr' ? andOr(inner, command) : pipelineNode(inner, command)
  if (!isGuarded(command) && mayFailToChange(inner, command)) inner.shell.cwdDoubt = true
  return printed
}

/** `cd x || exit` goes on only where it succeeded. */
function isGuarded(command: Statement['command']): boolean {
  return command.type === 'AndOr' && command.operators.at(-1) === '||' && isExit(command.commands.at(-1))
}

function mayFailToChange(frame: Frame, command: Statement['command']): boolean {
  if (command.type === 'AndOr') return command.commands.some(changesDirectory)
  return !frame.shell.stopsOnError && changesDirectory(command)
}

function andOr(frame: Frame, list: AndOr): Stream {
  let output: Stream = empty
  list.commands.forEach((command, at) => {
    const inner = at === 0 ? frame : { ...frame, conditional: true, straight: false }
    const printed =
      list.operators[at - 1] === '||' ? otherwise(inner, list, at) : pipelineNode(inner, command)
    output = at === 0 ? printed : joined(output, printed)
  })
  return output
}

/** What runs after `||`: a `cd` right before it has failed, an earlier one may have. */
function otherwise(frame: Frame, list: AndOr, at: number): Stream {
  const command = list.commands[at]
  if (command === undefined) return empty
  const { shell } = frame
  const { cwd, cwdBefore, cwdDoubt } = shell
  const failed = changesDirectory(list.commands[at - 1])
  if (failed) shell.cwd = cwdBefore
  else if (list.commands.slice(0, at).some(changesDirectory)) shell.cwdDoubt = true
  const printed = pipelineNode(frame, command)
  if (failed && shell.cwd === cwdBefore) shell.cwd = cwd
  if (isExit(command)) shell.cwdDoubt = cwdDoubt
  return printed
}

function changesDirectory(node: PipelineNode | undefined): boolean {
  return node?.type === 'Command' && /^(?:cd|pushd|popd|chdir)$/.test(node.name?.value ?? '')
}

function isExit(node: PipelineNode | undefined): boolean {
  return node?.type === 'Command' && /^(?:exit|return)$/.test(node.name?.value ?? '')
}

function pipelineNode(frame: Frame, node: PipelineNode): Stream {
  return node.type === 'Pipeline' ? pipeline(frame, node) : commandNode(frame, node)
}

function pipeline(frame: Frame, node: Pipeline): Stream {
  for (const prefix of node.prefixes) if (prefix.type === 'Time') divergent(frame, 'time')
  if (node.operators.includes('|&')) divergent(frame, '|&')
  const [only] = node.commands
  if (node.commands.length === 1 && only !== undefined) return commandNode(frame, only)
  let stream = frame.stdin
  for (const command of node.commands) stream = commandNode({ ...apart(frame), stdin: stream }, command)
  return stream
}

/** A shell process of its own: what it changes is gone with it. */
function apart(frame: Frame): Frame {
  const { shell } = frame
  const copy = { ...shell, variables: new Map(shell.variables), exported: new Map(shell.exported) }
  return { ...frame, shell: copy, straight: false }
}

function commandNode(frame: Frame, node: CommandNode): Stream {
  frame.work.ctx.spend(1)
  if (++frame.work.statements > limits.statements) return tooMany(frame)
  if (node.type === 'Command') return simple(frame, node)
  if (node.type === 'Function') {
    define(frame, node)
    return empty
  }
  if (node.type !== 'Coproc') return compound(frame, node, { statements, apart })
  divergent(frame, 'coproc')
  unsupported(frame, 'coproc')
  return node.body.type === 'CompoundList' ? unnamed : commandNode(apart(frame), node.body)
}

const specialBuiltins =
  /^(?:\.|:|break|continue|eval|exec|exit|export|readonly|return|set|shift|times|trap|unset|source|command|builtin)$/

function define(frame: Frame, node: Extract<CommandNode, { readonly type: 'Function' }>): void {
  const name = node.name.value
  if (node.pos < node.name.pos) divergent(frame, 'function')
  const certain = frame.straight && !frame.shell.functions.has(name) && !specialBuiltins.test(name)
  if (!certain || node.name.parts !== undefined || node.body.type === 'CompoundList') {
    unseen(frame, 'dynamic_command', 'a function that is defined where it may not run, or twice')
    return
  }
  frame.shell.functions.set(name, node)
  keeps(frame, 'function', name)
}
