/** `awk`: a program of its own; only what plainly reads and prints is believed. */
import type { Use } from '../call.ts'
import { evaluateText } from '../evaluate.ts'
import type { Field } from '../field.ts'
import { all, has } from '../options.ts'
import { nothing, opaqueProgram, type Frame } from '../work.ts'
import { program, readsOperands, type Row } from './row.ts'

function awk(use: Use): undefined {
  const { options, frame } = use
  if (['f', 'i', 'l', 'E'].some((flag) => has(options, flag))) {
    opaqueProgram(frame, use.name, 'external_file', 'an awk program in a file')
    return
  }
  const inFlags = has(options, 'e')
  const sources = inFlags ? all(options, 'e') : options.operands.slice(0, 1)
  for (const source of sources) readsProgram(use, source)
  const operands = inFlags ? options.operands : options.operands.slice(1)
  const files = operands.filter((word) => !/^[A-Za-z_]\w*=/.test(word.text))
  readsOperands(use, files)
  if (files.length === 0) nothing(frame, use.name)
}

function readsProgram(use: Use, source: Field): void {
  const { frame, name } = use
  if (source.dynamic) {
    opaqueProgram(frame, name, 'spliced_variable', 'an awk program with unknown text')
    return
  }
  const rest = runsStrings(frame, source.text)
  if (isPlain(rest)) return
  opaqueProgram(frame, name, 'unsupported_syntax', 'an awk program that may run commands or write files')
}

const systemCall = /\bsystem\s*\(\s*"((?:[^"\\\n]|\\["\\/])*)"\s*\)/g

/** Runs what `system("…")` is given as a constant; the program without those calls. */
function runsStrings(frame: Frame, source: string): string {
  for (const match of source.matchAll(systemCall)) {
    const text = (match[1] ?? '').replace(/\\(["\\/])/g, '$1')
    evaluateText({ ...frame, repeat: null }, text, { via: ['awk', 'sh'], dialect: 'sh' })
  }
  return source.replace(systemCall, '0')
}

/** True when the program can neither run commands nor write: it has nothing that does. */
function isPlain(source: string): boolean {
  if (/system|getline|@|\bclose\b|\bfflush\b|ENVIRON|PROCINFO/.test(source)) return false
  const bare = withoutLiterals(source)
  return !/(?<!\|)\|(?!\|)/.test(bare) && !/\bprintf?\b[^;}]*>/.test(bare)
}

/** Without regular expressions where they can be nothing else; without strings if no slash is left. */
function withoutLiterals(source: string): string {
  const bare = source
    .replace(/(^|[;{}(,!~\n]|&&|\|\|)(\s*)\/(?:[^/\\"\n]|\\[^"\n])*\//g, '$1$2 0 ')
    .replace(/~\s*\/(?:[^/\\"\n]|\\[^"\n])*\//g, '~ 0 ')
  return bare.includes('/') ? bare : bare.replace(/"(?:[^"\\\n]|\\.)*"/g, ' "" ')
}

const flags =
  'F|field-separator= v|assign= f|file= e|source= i|include= l|load= E|exec= b S|sandbox P|posix c|traditional n r N M O +'

export const awkPrograms: readonly Row[] = ['awk', 'gawk', 'mawk', 'nawk'].map((name) =>
  program(name, flags, awk),
)
