/**
 * Analyses a bash or sh command: parses it with unbash, expands its words as far as they are
 * constant, and follows wrappers, pipes, redirections and texts inside texts to the effects.
 */
import type { ParsedScript, Word } from 'unbash'
import type { AnalysisContext, Fragment } from '../analysis.ts'
import { gate } from '../gate.ts'
import { dispatch, dispatchProgram } from './dispatch.ts'
import { literal, hole, type Field } from './field.ts'
import { refusal } from './prescan.ts'
import { statements } from './script.ts'
import { secretSpans } from './secret.ts'
import { unconnected, unnamed, type Stream } from './stream.ts'
import { reads } from './variables.ts'
import { expand } from './word.ts'
import { emit, opaque, unseen, type Dialect, type Engine, type Frame, type Shell, type Work } from './work.ts'

/** A text for a shell, or the words of a command that no shell reads. */
export type ShellInput =
  { readonly text: string; readonly dialect: Dialect } | { readonly argv: readonly string[] }

const parser = 'unbash 6.0.4'

/**
 * What a shell command would do. Total, apart from the `BudgetExceeded` that the context throws.
 * `stdin` is what is connected to its input, when the caller knows.
 */
export function analyseShell(input: ShellInput, ctx: AnalysisContext, stdin: Stream = unconnected): Fragment {
  return 'argv' in input ? analyseArgv(input.argv, ctx, stdin) : analyseText(input, ctx, stdin)
}

function analyseText(
  input: { readonly text: string; readonly dialect: Dialect },
  ctx: AnalysisContext,
  stdin: Stream,
): Fragment {
  const work = newWork(ctx, [input.text], `shell.${input.dialect}`)
  const frame = newFrame(work, input.dialect, stdin)
  frame.shell.text = input.text
  work.outermost = frame.shell
  const error = runText(frame, input.text)
  return fragment(frame, { argv: false, error })
}

function analyseArgv(argv: readonly string[], ctx: AnalysisContext, stdin: Stream): Fragment {
  const work = newWork(ctx, argv, 'shell.argv')
  const frame = newFrame(work, 'sh', stdin)
  work.statements = 1
  if (argv.some((word) => word.includes(hole))) refused(frame, 'unsupported_syntax', 'U+FFFC is not read')
  else
    dispatchProgram(
      frame,
      argv.map((word) => literal(word)),
    )
  return fragment(frame, { argv: true, error: null })
}

/** Parses and walks text in the frame's shell; the parser's complaint, if any. */
function runText(frame: Frame, text: string): string | null {
  const refuse = refusal(text)
  if (refuse !== null) {
    refused(frame, refuse.code, refuse.detail)
    return null
  }
  const script = parsed(frame, text)
  if (typeof script === 'string') {
    refused(frame, 'parse_error', 'the shell text does not parse')
    return script
  }
  statements(frame, script.commands)
  return null
}

function parsed(frame: Frame, text: string): ParsedScript | string {
  frame.work.ctx.spend(1)
  try {
    const script = frame.work.ctx.parsers.bash(text) as ParsedScript
    const [first] = script.errors ?? []
    return first === undefined ? script : first.message
  } catch {
    return 'the parser failed'
  }
}

function refused(frame: Frame, code: Parameters<typeof opaque>[2], detail: string): void {
  const resource = { system: 'host', type: 'shell', name: '*unknown*' }
  opaque(frame, { action: 'unknown', resource, scope: 'unknown' }, code, detail)
}

const engine: Engine = {
  statements,
  argv: dispatch,
  program: dispatchProgram,
  source(frame: Frame, text: string): Stream {
    frame.work.ctx.spendBytes(text.length)
    reads(frame.shell, text)
    const refuse = gate(text, 'shell') ?? refusal(text)
    const script = refuse === null ? parsed(frame, text) : null
    if (refuse !== null) refused(frame, refuse.code, refuse.detail)
    if (typeof script === 'string') refused(frame, 'parse_error', 'a text that is run does not parse')
    return script === null || typeof script === 'string' ? unnamed : statements(frame, script.commands)
  },
  word(frame: Frame, text: string): readonly Field[] {
    const script = parsed(frame, `: ${text}`)
    const command = typeof script === 'string' ? undefined : script.commands[0]?.command
    const [word] = command?.type === 'Command' && command.args.length === 1 ? command.args : []
    const out: Field[] = []
    if (word?.type === 'Word') expand(frame, word satisfies Word, out)
    else unseen(frame, 'unsupported_syntax', 'such braces')
    return out
  },
}

function newWork(ctx: AnalysisContext, sources: readonly string[], language: string): Work {
  return {
    ctx,
    sources,
    lasting: isRoot(ctx, sources),
    outermost: null,
    effects: [],
    harmless: null,
    linked: [],
    unseen: [],
    secrets: new Set(),
    languages: new Set([language]),
    engine,
    active: new Set(),
    statements: 0,
    nesting: 0,
  }
}

/** Whether this is the caller's own command, whose shell may live on, and not one inside it. */
function isRoot(ctx: AnalysisContext, sources: readonly string[]): boolean {
  return 'text' in ctx.command && ctx.command.text === sources[0]
}

function newFrame(work: Work, dialect: Dialect, stdin: Stream): Frame {
  const shell: Shell = {
    text: '',
    cwd: work.ctx.target.cwd,
    cwdBefore: work.ctx.target.cwd,
    cwdDoubt: false,
    variables: new Map(),
    exported: new Map(),
    functions: new Map(),
    positional: null,
    stopsOnError: false,
    hijacked: null,
    proven: new Map(),
    bare: null,
  }
  return {
    work,
    shell,
    dialect,
    via: [],
    runAs: null,
    endpoint: null,
    host: null,
    conditional: false,
    deferred: false,
    repeat: 1,
    straight: true,
    depth: 0,
    span: null,
    stdin,
    environment: null,
  }
}

/** The one effect of a command that changes and reads nothing. */
function harmless(frame: Frame): void {
  const resource = { system: 'host', type: 'process', name: frame.work.harmless ?? '' }
  emit(frame, { action: 'none', resource, scope: 'single', reversible: 'yes' })
}

function fragment(frame: Frame, how: { readonly argv: boolean; readonly error: string | null }): Fragment {
  const { work } = frame
  if (work.effects.length === 0) harmless(frame)
  return {
    effects: work.effects,
    unseen: work.unseen,
    lineage: null,
    secrets: secretSpans(work, how.argv),
    parse: { ok: how.error === null, parser, statements: work.statements, error: how.error },
    languages: [...work.languages],
    dryRun: false,
  }
}
