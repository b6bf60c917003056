/**
 * `analyse(request, parsers, clock) -> Analysis`: what a command would do. Total: it never throws,
 * and never finds nothing. Pure but for the clock, which bounds the work and is reported in the
 * budget. One exhaustive switch over command languages.
 */
import type { Command, KnownCommand } from '../action/action.ts'
import { BudgetExceeded } from './analysis.ts'
import type { Analysis, AnalysisRequest, Fragment, Parsers, SecretSpan } from './analysis.ts'
import { createBudget } from './budget.ts'
import type { Budget } from './budget.ts'
import { createContext } from './child.ts'
import type { Run } from './child.ts'
import { gate, gateArgv } from './gate.ts'
import type { GateFault } from './gate.ts'
import { merge } from './merge.ts'
import { opaqueFragment } from './opaque.ts'
import { analysePostgres } from './postgres/analyse.ts'
import { cutSecrets, withoutSecrets } from './redact.ts'
import { commandSecrets, eachString, unitedSecrets } from './secrets.ts'
import { analyseShell } from './shell/analyse.ts'
import { summarise } from './summary.ts'

/** @param clock milliseconds, monotonic */
export function analyse(request: AnalysisRequest, parsers: Parsers, clock: () => number): Analysis {
  const budget = createBudget(clock)
  const run: Run = { request, parsers, budget, hidden: new Set() }
  try {
    return conclude(run, rootFragment(run))
  } catch (error) {
    return conclude({ ...run, hidden: new Set() }, faultFragment(request, error))
  }
}

/** Whatever went wrong, the answer is an intent: one unknown effect, with a code that no policy can waive. */
function faultFragment(request: AnalysisRequest, error: unknown): Fragment {
  const { system } = request.target
  if (error instanceof BudgetExceeded) {
    return opaqueFragment({ system, code: error.code, detail: error.message, whole: true })
  }
  return opaqueFragment({ system, code: 'not_analyzed', detail: 'the analysis failed', whole: true })
}

/** An analysis that did not come to an end: its worker was stopped, or died. */
export function unfinishedAnalysis(request: AnalysisRequest): Analysis {
  const { system } = request.target
  const detail = 'the analysis was stopped'
  const run: Run = { request, parsers: noParsers, budget: createBudget(() => 0), hidden: new Set() }
  return conclude(run, opaqueFragment({ system, code: 'time_limit', detail, whole: true }))
}

const noParser = (): never => {
  throw new TypeError('there is no parser')
}
const noParsers: Parsers = { postgres: noParser, plpgsql: noParser, postgresScan: noParser, bash: noParser }

function rootFragment(run: Run): Fragment {
  const { command, target } = run.request
  const fault = gateCommand(command)
  if (fault !== null) return opaqueFragment({ system: target.system, ...fault, whole: true })
  run.budget.enter(1)
  if (isKnown(command)) return knownFragment(command, run)
  const detail = `the language ${command.language} is not known`
  return opaqueFragment({ system: target.system, code: 'unsupported_syntax', detail, whole: true })
}

const languages: Readonly<Record<KnownCommand['language'], true>> = {
  sql: true,
  shell: true,
  redis: true,
  mongodb: true,
  graphql: true,
  http: true,
  mcp: true,
  'terraform-plan': true,
}

function isKnown(command: Command): command is KnownCommand {
  return Object.hasOwn(languages, command.language)
}

function knownFragment(command: KnownCommand, run: Run): Fragment {
  switch (command.language) {
    case 'sql':
      return sqlFragment(command, run)
    case 'shell':
      return shellFragment(command, run)
    case 'redis':
    case 'mongodb':
    case 'graphql':
    case 'http':
    case 'mcp':
    case 'terraform-plan':
      return unreadFragment(run, command.language)
  }
}

/** Dialects of SQL that are known; those that no analyser reads yet are opaque, never guessed. */
const unreadDialects = new Set(['mysql', 'mariadb', 'sqlite', 'tsql', 'oracle', 'snowflake', 'bigquery'])

function sqlFragment(command: Extract<KnownCommand, { language: 'sql' }>, run: Run): Fragment {
  const { dialect, text } = command
  if (dialect === 'postgresql') return analysePostgres(text, createContext(run, run.request.target, 1))
  return unreadDialects.has(dialect)
    ? unreadFragment(run, `sql.${dialect}`)
    : unknownDialect(run, `sql.${dialect}`)
}

function shellFragment(command: Extract<KnownCommand, { language: 'shell' }>, run: Run): Fragment {
  const context = createContext(run, run.request.target, 1)
  const { argv, text, dialect = 'sh' } = command
  if (argv !== undefined) return analyseShell({ argv }, context)
  if (dialect !== 'bash' && dialect !== 'sh') return unknownDialect(run, `shell.${dialect}`)
  return analyseShell({ text: text ?? '', dialect }, context)
}

function unreadFragment({ request }: Run, language: string): Fragment {
  const detail = `${language} is not analysed`
  return opaqueFragment({ system: request.target.system, code: 'not_analyzed', detail, whole: true })
}

function unknownDialect({ request }: Run, language: string): Fragment {
  const detail = `the dialect ${language} is not known`
  return opaqueFragment({ system: request.target.system, code: 'unsupported_syntax', detail, whole: true })
}

function gateCommand(command: Command): GateFault | null {
  const { text, argv } = command as { readonly text?: unknown; readonly argv?: unknown }
  if (typeof text === 'string') return gate(text, command.language === 'shell' ? 'shell' : 'sql')
  return Array.isArray(argv) ? gateArgv(argv.map(String)) : null
}

function conclude(run: Run, fragment: Fragment): Analysis {
  const { request, budget } = run
  const { effects, reasons } = merge(fragment, request.target.system)
  const secrets = secretsOf(run, fragment)
  const analysis: Analysis = {
    intent: {
      v: 1,
      language: request.command.language,
      parse: fragment.parse,
      effects,
      opaque: reasons.length > 0,
      opaque_reasons: reasons,
      summary: summarise({ effects, reasons, fragment }),
      budget: spent(request.command, budget),
    },
    lineage: fragment.lineage,
    secrets,
  }
  if (secrets.length === 0 && run.hidden.size === 0) return analysis
  const values = new Set([...cutSecrets(request.command, secrets).values, ...run.hidden])
  return withoutSecrets(analysis, [...values])
}

function spent(command: Command, budget: Budget): Analysis['intent']['budget'] {
  const { text = '', argv = [] } = command as { readonly text?: string; readonly argv?: readonly string[] }
  const used = budget.used()
  const bytes = argv.reduce((sum, argument) => sum + argument.length + 1, text.length + used.bytes)
  return { bytes, nodes: used.nodes, depth: used.depth, micros: used.micros }
}

/** Marked by the language, found by shape, and what a nested command marked, where it stands in plain. */
function secretsOf({ request, hidden }: Run, fragment: Fragment): readonly SecretSpan[] {
  const { command } = request
  const found = commandSecrets(command)
  if (fragment.secrets.length === 0 && hidden.size === 0) return found
  return unitedSecrets([...found, ...markedSecrets(fragment), ...nestedSecrets(command, hidden)])
}

function markedSecrets({ secrets }: Fragment): readonly SecretSpan[] {
  return secrets.map(({ start, end, argv }) => ({
    pointer: argv === undefined ? '/text' : `/argv/${argv}`,
    start,
    end,
  }))
}

function nestedSecrets(command: Command, hidden: ReadonlySet<string>): readonly SecretSpan[] {
  const spans: SecretSpan[] = []
  const values = [...hidden].filter((value) => value.length >= shortestNested)
  eachString(command, (text, pointer) => {
    for (const value of values) {
      const start = text.indexOf(value)
      if (start >= 0) spans.push({ pointer, start, end: start + value.length })
    }
  })
  return spans
}

/** Shorter ones stand by chance; where the parent's grammar knows them, it marks them itself. */
const shortestNested = 4
