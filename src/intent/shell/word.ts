/** Words as the shell expands them: what a program receives, as far as it can be known. */
import type { DoubleQuotedChild, Word, WordPart } from 'unbash'
import { arithmetic } from './arithmetic.ts'
import { braces } from './brace.ts'
import { commandOutput, parameterValue, processSubstitution } from './expansion.ts'
import { anything, hole, literal, type Field } from './field.ts'
import { joined, number, type Stream } from './stream.ts'
import { lookup, positionals, splitsUnusually } from './variables.ts'
import { divergent, unsupported, type Frame } from './work.ts'

interface Builder {
  readonly frame: Frame
  readonly word: Word
  readonly out: Field[]
  text: string
  /** Whether there is a word at all: an unquoted expansion to nothing is none. */
  present: boolean
  open: boolean
  glob: boolean
  tilde: boolean
  data: Stream | null
  pipe: Field['pipe']
}

/** Expands one word into the words that the program receives. */
export function expand(frame: Frame, word: Word, out: Field[]): void {
  const parts = word.parts
  if (parts === undefined) {
    out.push(plainWord(frame, word))
    return
  }
  if (parts.some((part) => part.type === 'BraceExpansion')) {
    divergent(frame, 'braces')
    for (const field of braces(frame, word)) out.push(field)
    return
  }
  const builder = newBuilder(frame, word, out)
  for (const part of parts) addPart(builder, part)
  finish(builder)
}

/** Expands a word that stays one word: an assignment's value, a redirection's target. */
export function expandOne(frame: Frame, word: Word): Field {
  const out: Field[] = []
  expand(frame, word, out)
  const [first] = out
  if (first === undefined) return literal('')
  if (out.length === 1) return first
  return anything(out.reduce<Stream | null>((data, field) => both(data, field.data), null))
}

function plainWord(frame: Frame, word: Word): Field {
  if (!word.text.startsWith('~')) return literal(word.value, word.pos, word.end)
  if (/^~[+-]/.test(word.text)) {
    divergent(frame, 'such a tilde')
    return anything(null)
  }
  return { ...literal(word.value, word.pos, word.end), tilde: true }
}

function newBuilder(frame: Frame, word: Word, out: Field[]): Builder {
  const tilde = word.text.startsWith('~')
  return {
    frame,
    word,
    out,
    text: '',
    present: false,
    open: false,
    glob: false,
    tilde,
    data: null,
    pipe: null,
  }
}

function finish(b: Builder): void {
  if (!b.present && b.text === '') return
  b.out.push({
    text: b.text,
    dynamic: b.text.includes(hole),
    open: b.open,
    glob: b.glob,
    tilde: b.tilde && b.text.startsWith('~'),
    data: b.data,
    pipe: b.pipe,
    start: b.word.pos,
    end: b.word.end,
  })
}

function next(b: Builder): void {
  finish(b)
  b.text = ''
  b.present = false
  b.open = false
  b.glob = false
  b.tilde = false
}

function addPart(b: Builder, part: WordPart): void {
  if (isExpansion(part)) addUnquoted(b, part)
  else if (part.type === 'Literal' || part.type === 'SingleQuoted') addText(b, part.value)
  else if (part.type === 'ProcessSubstitution') addPipe(b, part)
  else if (isQuoted(part)) addQuotedPart(b, part)
  else addPattern(b, part)
}

function isQuoted(part: WordPart): part is QuotedPart {
  return part.type === 'AnsiCQuoted' || part.type === 'DoubleQuoted' || part.type === 'LocaleString'
}

function isExpansion(part: WordPart): part is Expansion {
  return part.type.endsWith('Expansion') && part.type !== 'BraceExpansion'
}

type QuotedPart = Extract<WordPart, { readonly type: 'AnsiCQuoted' | 'DoubleQuoted' | 'LocaleString' }>

function addQuotedPart(b: Builder, part: QuotedPart): void {
  if (part.type === 'AnsiCQuoted') {
    divergent(b.frame, "$'…'")
    addText(b, part.value)
    return
  }
  if (part.type === 'LocaleString') divergent(b.frame, '$"…"')
  addQuoted(b, part.parts)
}

function addText(b: Builder, text: string): void {
  b.text += text
  b.present = true
}

function addPattern(
  b: Builder,
  part: Extract<
    WordPart,
    { readonly text: string; readonly type: 'Glob' | 'ExtendedGlob' | 'BraceExpansion' }
  >,
): void {
  if (part.type === 'ExtendedGlob') unsupported(b.frame, 'extended globs')
  if (part.type === 'Glob' && part.kind === 'bracket') {
    for (const inner of part.parts) if (inner.type !== 'Literal') unsupported(b.frame, 'expansions in a glob')
  }
  b.glob = true
  addText(b, part.text)
}

function addPipe(b: Builder, part: Extract<WordPart, { readonly type: 'ProcessSubstitution' }>): void {
  divergent(b.frame, 'process substitution')
  b.data = both(b.data, processSubstitution(b.frame, part))
  b.pipe = part.operator === '<' ? 'in' : 'out'
  addText(b, hole)
}

function addQuoted(b: Builder, parts: readonly DoubleQuotedChild[]): void {
  b.present = true
  for (const part of parts) {
    if (part.type === 'Literal') b.text += part.value
    else if (!addAll(b, part)) addValue(b, valueOf(b.frame, part))
  }
}

/** `"$@"`: as many words as there are. */
function addAll(b: Builder, part: WordPart): boolean {
  if (part.type === 'SimpleExpansion' && part.text === '$@') {
    addPositionals(b)
    return true
  }
  if (part.type === 'ParameterExpansion' && (part.parameter === '@' || part.index?.text === '@'))
    b.open = true
  return false
}

function addPositionals(b: Builder): void {
  const words = positionals(b.frame)
  if (words === null) {
    b.open = true
    addValue(b, anything(lookup(b.frame, '@').data, true))
    return
  }
  if (words.length === 0 && b.text === '') b.present = false
  words.forEach((word, at) => {
    if (at > 0) next(b)
    addValue(b, word)
    b.present = true
    b.open ||= word.open
  })
}

function addValue(b: Builder, value: Field): void {
  b.tilde ||= value.tilde && b.text === ''
  b.text += value.text
  b.glob ||= value.glob
  b.data = both(b.data, value.data)
}

/** An expansion outside quotes: it is split at blanks and its globs are expanded. */
function addUnquoted(b: Builder, part: Expansion): void {
  if (part.type === 'SimpleExpansion' && (part.text === '$@' || part.text === '$*')) {
    addPositionals(b)
    return
  }
  const value = splittable(b.frame, valueOf(b.frame, part))
  if (value.dynamic) {
    b.open ||= value.data?.numeric !== true
    addValue(b, value)
    b.present = true
    return
  }
  b.glob ||= /[*?[]/.test(value.text)
  if (!/[ \t\n]/.test(value.text)) {
    addValue(b, value)
    return
  }
  b.data = both(b.data, value.data)
  splitInto(b, value.text)
}

/** Where `IFS` is set nobody knows which words an expansion becomes. */
function splittable(frame: Frame, value: Field): Field {
  return value.dynamic || !splitsUnusually(frame.shell) ? value : anything(value.data)
}

function splitInto(b: Builder, text: string): void {
  const pieces = text.split(/[ \t\n]+/)
  pieces.forEach((piece, at) => {
    if (at > 0) next(b)
    b.text += piece
    b.glob ||= /[*?[]/.test(piece)
  })
}

type Expansion = Exclude<DoubleQuotedChild, { readonly type: 'Literal' }>

/** What an expansion stands for, before it is split. */
function valueOf(frame: Frame, part: Expansion): Field {
  switch (part.type) {
    case 'SimpleExpansion':
      return lookup(frame, part.text.slice(1))
    case 'ParameterExpansion':
      return parameterValue(frame, part, expandOne)
    case 'CommandExpansion':
      return commandOutput(frame, part)
    case 'ArithmeticExpansion': {
      if (part.text.startsWith('$[')) divergent(frame, '$[…]')
      const value = arithmetic(frame, part.expression, expandOne)
      return value === null ? anything(number) : literal(String(value))
    }
  }
}

/** What two streams bring together. */
function both(one: Stream | null, other: Stream | null): Stream | null {
  if (one === null || other === null) return one ?? other
  return joined(one, other)
}
