/** Compound commands: conditions, loops, groups and subshells. */
import type { Case, CommandNode, CompoundList, For, If, Statement, TestExpression, While, Word } from 'unbash'
import { arithmetic, arithmeticText } from './arithmetic.ts'
import { anything, literal, type Field } from './field.ts'
import { plumb, writeOutputs } from './redirect.ts'
import { empty, joined, unnamed, type Stream } from './stream.ts'
import { expand, expandOne } from './word.ts'
import { divergent, unseen, unsupported, type Frame } from './work.ts'

/** Handed in by the statements that hold compounds, which hold statements. */
export interface Inside {
  readonly statements: (frame: Frame, list: readonly Statement[]) => Stream
  readonly apart: (frame: Frame) => Frame
}

type Node = Exclude<CommandNode, { readonly type: 'Command' | 'Function' | 'Coproc' }>

/** Runs a compound command; what it prints. */
export function compound(frame: Frame, node: Node, inside: Inside): Stream {
  if (isFlow(node)) return flows(grouped(frame), node, inside)
  switch (node.type) {
    case 'Redirected':
      return redirected(frame, node, inside)
    case 'Subshell':
      return inside.statements(inside.apart(grouped(frame, node.body)), node.body.commands)
    case 'BraceGroup':
      return inside.statements(grouped(frame, node.body), node.body.commands)
    case 'TestCommand':
      divergent(frame, '[[')
      test(frame, node.expression)
      return empty
    case 'ArithmeticCommand':
      calculates(frame, node)
      return empty
  }
}

type Flow = Extract<Node, { readonly type: 'If' | 'For' | 'Select' | 'While' | 'Case' | 'ArithmeticFor' }>

const flowTypes: ReadonlySet<string> = new Set(['If', 'For', 'Select', 'While', 'Case', 'ArithmeticFor'])

function isFlow(node: Node): node is Flow {
  return flowTypes.has(node.type)
}

function flows(frame: Frame, node: Flow, inside: Inside): Stream {
  switch (node.type) {
    case 'If':
      return ifElse(frame, node, inside)
    case 'For':
    case 'Select':
      return forEach(frame, node, inside)
    case 'While':
      return whileLoop(frame, node, inside)
    case 'Case':
      return cases(frame, node, inside)
    case 'ArithmeticFor':
      divergent(frame, '((')
      for (const part of [node.initialize, node.test, node.update]) arithmetic(frame, part, expandOne)
      return loopBody(frame, node.body, { inside, times: null })
  }
}

function calculates(frame: Frame, node: Extract<Node, { readonly type: 'ArithmeticCommand' }>): void {
  divergent(frame, '((')
  if (node.expression === undefined && node.body.trim() !== '') unsupported(frame, 'such arithmetic')
  arithmetic(frame, node.expression, expandOne)
}

/** Which of several commands reads the input is not followed, unless there is only one. */
function grouped(frame: Frame, body?: CompoundList): Frame {
  const [only] = body?.commands ?? []
  if (frame.stdin.text === null || (body?.commands.length === 1 && only?.command.type === 'Command'))
    return frame
  return { ...frame, stdin: { ...frame.stdin, text: null, unnamed: true } }
}

function redirected(
  frame: Frame,
  node: Extract<Node, { readonly type: 'Redirected' }>,
  inside: Inside,
): Stream {
  const plumbing = plumb(frame, node.redirects)
  const printed = compound({ ...frame, stdin: plumbing.stdin }, node.command, inside)
  writeOutputs(frame, plumbing.outputs, { printed, alone: false })
  return plumbing.piped ? printed : empty
}

function maybe(frame: Frame): Frame {
  return { ...frame, conditional: true, straight: false }
}

function ifElse(frame: Frame, node: If, inside: Inside): Stream {
  const perhaps = maybe(frame)
  const first = inside.statements(frame, node.clause.commands)
  let output = joined(first, inside.statements(perhaps, node.then.commands))
  for (const branch of node.elif) {
    output = joined(output, inside.statements(perhaps, branch.clause.commands))
    output = joined(output, inside.statements(perhaps, branch.then.commands))
  }
  return node.else === undefined ? output : joined(output, inside.statements(perhaps, node.else.commands))
}

function whileLoop(frame: Frame, node: While, inside: Inside): Stream {
  const turned = again(frame, null)
  const clause = inside.statements(turned, node.clause.commands)
  return joined(clause, inside.statements(maybe(turned), node.body.commands))
}

/** Inside a loop: run an unknown number of times, or a known one. */
function again(frame: Frame, times: number | null): Frame {
  const repeat = frame.repeat === null || times === null ? null : frame.repeat * times
  return { ...frame, repeat, straight: false }
}

function loopBody(
  frame: Frame,
  body: CompoundList,
  how: { readonly inside: Inside; readonly times: number | null },
): Stream {
  return how.inside.statements(maybe(again(frame, how.times)), body.commands)
}

const turnsAtMost = 16

type Loop = For | Extract<Node, { readonly type: 'Select' }>

/** A loop over few constants is walked once for each, so that each path is named. */
function forEach(frame: Frame, node: Loop, inside: Inside): Stream {
  if (node.type === 'Select') unsupported(frame, 'select')
  const words = wordlist(frame, node.wordlist)
  const name = node.name.value
  const few =
    words !== null && node.type === 'For' && words.length <= turnsAtMost && words.every((w) => !w.open)
  if (!few) {
    frame.shell.variables.set(name, anything(dataOf(words)))
    return loopBody(frame, node.body, { inside, times: null })
  }
  let output: Stream = empty
  for (const word of words) {
    frame.shell.variables.set(name, word)
    const turn = word.glob ? again(frame, null) : { ...frame, straight: false }
    output = joined(output, inside.statements(turn, node.body.commands))
  }
  frame.shell.variables.set(name, anything(dataOf(words)))
  return output
}

function wordlist(frame: Frame, words: readonly Word[] | undefined): readonly Field[] | null {
  if (words === undefined) return null
  const fields: Field[] = []
  for (const word of words) expand(frame, word, fields)
  return fields
}

function dataOf(words: readonly Field[] | null): Stream {
  return (words ?? []).reduce<Stream>(
    (data, word) => (word.data === null ? data : joined(data, word.data)),
    unnamed,
  )
}

function cases(frame: Frame, node: Case, inside: Inside): Stream {
  expandOne(frame, node.word)
  const perhaps = maybe(frame)
  let output: Stream = empty
  for (const item of node.items) {
    for (const pattern of item.pattern) expandOne(frame, pattern)
    if (item.terminator === ';&' || item.terminator === ';;&') divergent(frame, ';&')
    output = joined(output, inside.statements(perhaps, item.body.commands))
  }
  return output
}

const arithmeticOperators = new Set(['-eq', '-ne', '-lt', '-le', '-gt', '-ge'])

function test(frame: Frame, expression: TestExpression): void {
  switch (expression.type) {
    case 'TestUnary':
      testUnary(frame, expression.operator, expression.operand)
      return
    case 'TestBinary':
      for (const word of [expression.left, expression.right]) {
        if (arithmeticOperators.has(expression.operator)) arithmeticText(frame, word, expandOne)
        else testWord(frame, word)
      }
      return
    case 'TestLogical':
      for (const operand of expression.operands) test(frame, operand)
      return
    case 'TestNot':
      test(frame, expression.operand)
      return
    case 'TestGroup':
      test(frame, expression.expression)
  }
}

function testUnary(frame: Frame, operator: string, word: Word): void {
  const field = testWord(frame, word)
  if ((operator === '-v' || operator === '-R') && !/^\w+$/.test(field.text))
    unseen(frame, 'dynamic_command', '-v evaluates a subscript')
}

/** A pattern may be an extended glob here: it matches text and names no files. */
function testWord(frame: Frame, word: Word): Field {
  const { parts } = word
  if (parts?.some((part) => part.type === 'BraceExpansion' || part.type === 'ExtendedGlob') !== true)
    return expandOne(frame, word)
  for (const part of parts) {
    if (part.type === 'BraceExpansion') unsupported(frame, 'braces in a test')
    else if (part.type === 'ExtendedGlob')
      testWord(frame, { ...word, text: part.text, parts: part.parts ?? [] })
    else expandOne(frame, { ...word, text: part.text, parts: [part] })
  }
  return literal('')
}
