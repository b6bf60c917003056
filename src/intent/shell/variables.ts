/** What a name stands for: only what this text assigns exactly once, in a straight line, is believed. */
import { anything, hole, literal, type Field } from './field.ts'
import { number, unnamed } from './stream.ts'
import type { Frame, Shell } from './work.ts'

/** Anything of this may assign names that the text does not show. */
const assigners =
  /\b(?:eval|source|declare|typeset|local|readonly|read|mapfile|readarray|getopts|let|unset|trap|select|coproc|IFS|alias|shopt)\b|printf\s+-[a-z]*v|(?:^|[\s;&|({])\.\s|\$'/

/** Names that the shell itself changes. */
const special =
  /^(?:_|RANDOM|SRANDOM|SECONDS|LINENO|UID|EUID|PPID|OPT(?:IND|ARG|ERR)|DIRSTACK|FUNCNAME|GROUPS|HIST.*|BASH.*|PIPESTATUS|EPOCH.*|REPLY|PWD|OLDPWD|HOME|SHELLOPTS|IFS|PATH)$/

const numericSpecials = new Set([
  '?',
  '#',
  '$',
  '!',
  'RANDOM',
  'SRANDOM',
  'SECONDS',
  'LINENO',
  'UID',
  'EUID',
  'PPID',
  'OPTIND',
  'BASHPID',
  'EPOCHSECONDS',
  'COLUMNS',
  'LINES',
])

/** What `$name` stands for. */
export function lookup(frame: Frame, name: string): Field {
  const { shell } = frame
  const held = shell.variables.get(name)
  if (held !== undefined) return held.dynamic || !assignedOnce(shell, name) ? unsure(frame, name, held) : held
  if (name === 'HOME' && !mentions(shell, 'HOME')) return { ...literal('~'), tilde: true }
  if (name === 'PWD') return workingDirectory(shell)
  if (numericSpecials.has(name)) return anything(number)
  return (/^[1-9]$/.test(name) ? positional(shell, Number(name)) : undefined) ?? anything(unnamed)
}

function unsure(frame: Frame, name: string, held: Field): Field {
  return isNumeric(frame, name) ? anything(number) : unknownOf(held)
}

function workingDirectory({ cwd, cwdDoubt }: Shell): Field {
  return cwd === null || cwdDoubt || cwd.includes(hole) ? anything(unnamed) : literal(cwd)
}

function positional(shell: Shell, at: number): Field | undefined {
  return shell.positional === null || moves(shell) ? undefined : shell.positional[at - 1]
}

function unknownOf(held: Field): Field {
  if (held.data?.numeric === true) return anything(number)
  return anything(held.data === null ? unnamed : { ...held.data, text: null, unnamed: true })
}

/** The words of `$@`; null when only the caller knows. */
export function positionals(frame: Frame): readonly Field[] | null {
  return frame.shell.positional === null || moves(frame.shell) ? null : frame.shell.positional
}

function moves(shell: Shell): boolean {
  return proven(shell, 'moves', () => /\b(?:shift|set|getopts)\b/.test(bare(shell)))
}

/** Remembers an assignment. What is not certain to hold later is remembered as unknown. */
export function assign(frame: Frame, name: string, value: Field): void {
  const held = frame.shell.variables.get(name)
  frame.shell.variables.set(name, frame.straight && held === undefined ? value : unknownOf(value))
}

/** Forgets what names stand for: something may have assigned them unseen. */
export function forget(frame: Frame): void {
  for (const [name, held] of frame.shell.variables) frame.shell.variables.set(name, unknownOf(held))
}

function assignedOnce(shell: Shell, name: string): boolean {
  return proven(shell, name, () => {
    if (special.test(name) || usesAssigners(shell) || shell.proven.size > proofsAtMost) return false
    const text = bare(shell)
    const all = text.match(new RegExp(`(?<![A-Za-z0-9_])${name}(?![A-Za-z0-9_])`, 'g'))?.length ?? 0
    const reads = text.match(new RegExp(`\\$\\{?#?${name}(?![A-Za-z0-9_])(?!:?=)`, 'g'))?.length ?? 0
    return all - reads === 1
  })
}

/** Whether a name can hold nothing but a number, so that arithmetic on it runs no code. */
export function isNumeric(frame: Frame, name: string): boolean {
  const { shell } = frame
  if (numericSpecials.has(name)) return true
  const held = shell.variables.get(name)
  if (held !== undefined && !held.dynamic && /^-?\d+$/.test(held.text)) return true
  return proven(shell, `numeric ${name}`, () => {
    if (special.test(name) || usesAssigners(shell) || shell.proven.size > proofsAtMost) return false
    const text = bare(shell)
    const assignments = text.match(new RegExp(`(?<![A-Za-z0-9_$])${name}\\+?=`, 'g'))?.length ?? 0
    const numbers =
      text.match(new RegExp(`(?<![A-Za-z0-9_$])${name}=(?:-?\\d+(?![\\w$\`{])|\\$\\(\\()`, 'g'))?.length ?? 0
    return assignments > 0 && assignments === numbers && !new RegExp(`\\bfor\\s+${name}\\s`).test(text)
  })
}

function usesAssigners(shell: Shell): boolean {
  return proven(shell, 'assigners', () => assigners.test(bare(shell)) || shell.text.includes("$'"))
}

function mentions(shell: Shell, name: string): boolean {
  return proven(
    shell,
    `mentions ${name}`,
    () => new RegExp(`(?<![$\\w{])${name}(?!\\w)`).test(bare(shell)) || usesAssigners(shell),
  )
}

/** The text without quoting, so that a quoted name is seen too. */
function bare(shell: Shell): string {
  shell.bare ??= shell.text.replace(/\\\n|['"\\]/g, '')
  return shell.bare
}

/** Each proof reads the whole text: more than so many are not made. */
const proofsAtMost = 64

function proven(shell: Shell, key: string, prove: () => boolean): boolean {
  const had = shell.proven.get(key)
  if (had !== undefined) return had
  const found = prove()
  shell.proven.set(key, found)
  return found
}

/** Whether words may be split at other signs than blanks. */
export function splitsUnusually(shell: Shell): boolean {
  return proven(shell, 'IFS', () => bare(shell).includes('IFS') || shell.text.includes("$'"))
}

/** More text that this shell reads: what was proven of the old text holds no longer. */
export function reads(shell: Shell, text: string): void {
  shell.text += `\n${text}`
  shell.proven.clear()
  shell.bare = null
}
