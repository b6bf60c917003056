/** `awk`: a program of its own; only what plainly reads and prints is believed. */
import type { Use } from '../call.ts'
import { all, has } from '../options.ts'
import { nothing, opaqueProgram } from '../work.ts'
import { program, readsOperands, type Row } from './row.ts'

function awk(use: Use): undefined {
  const { options, frame } = use
  if (has(options, 'f') || has(options, 'i') || has(options, 'l') || has(options, 'E')) {
    opaqueProgram(frame, use.name, 'external_file', 'an awk program in a file')
    return
  }
  const sources = [...all(options, 'e'), ...(has(options, 'e') ? [] : options.operands.slice(0, 1))]
  for (const source of sources) {
    if (source.dynamic) opaqueProgram(frame, use.name, 'spliced_variable', 'an awk program with unknown text')
    else if (!isPlain(source.text))
      opaqueProgram(
        frame,
        use.name,
        'unsupported_syntax',
        'an awk program that may run commands or write files',
      )
  }
  const files = (has(options, 'e') ? options.operands : options.operands.slice(1)).filter(
    (word) => !/^[A-Za-z_]\w*=/.test(word.text),
  )
  readsOperands(use, files)
  if (files.length === 0) nothing(frame, use.name)
}

/** True when the program can neither run commands nor write: it has nothing that does. */
function isPlain(source: string): boolean {
  if (/system|getline|@|\bclose\b|\bfflush\b|ENVIRON|PROCINFO/.test(source)) return false
  const bare = withoutLiterals(source)
  return !/(?<!\|)\|(?!\|)/.test(bare) && !/\bprintf?\b[^;}\n]*>/.test(bare)
}

/** Without regular expressions where they can be nothing else; without strings if no slash is left. */
function withoutLiterals(source: string): string {
  const bare = source
    .replace(/(^|[;{}(,!~\n]|&&|\|\|)(\s*)\/(?:[^/\\"\n]|\\[^"\n])*\//g, '$1$2 0 ')
    .replace(/~\s*\/(?:[^/\\"\n]|\\[^"\n])*\//g, '~ 0 ')
  return bare.includes('/') ? bare : bare.replace(/"(?:[^"\\\n]|\\.)*"/g, ' "" ')
}

export const awkPrograms: readonly Row[] = ['awk', 'gawk', 'mawk', 'nawk'].map((name) =>
  program(
    name,
    'F|field-separator= v|assign= f|file= e|source= i|include= l|load= E|exec= b S|sandbox P|posix c|traditional n r N M O +',
    awk,
  ),
)
