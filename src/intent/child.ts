/** A command inside a command: the same gate, the same budget, and what its parent says of where it runs. */
import type { Facts } from '../action/action.ts'
import { adopt } from './adopt.ts'
import { BudgetExceeded, limits } from './analysis.ts'
import type {
  AnalysisContext,
  AnalysisRequest,
  AnalysisTarget,
  Child,
  Fragment,
  Parsers,
} from './analysis.ts'
import type { Budget } from './budget.ts'
import { gate, gateArgv } from './gate.ts'
import { opaqueFragment } from './opaque.ts'
import { analysePostgres } from './postgres/analyse.ts'
import { tokenSpans } from './secrets.ts'
import { analyseShell } from './shell/analyse.ts'

/** One analysis under way. */
export interface Run {
  readonly request: AnalysisRequest
  readonly parsers: Parsers
  readonly budget: Budget
  /** Secrets of nested commands: their own text may be folded or decoded, so they have no place in the root's. */
  readonly hidden: Set<string>
}

/** What a language analyser is given. Children are one level deeper. */
export function createContext(
  run: Run,
  target: AnalysisTarget,
  depth: number,
  parameters?: unknown,
): AnalysisContext {
  const { command } = run.request
  const own = depth === 1 ? (command as { readonly parameters?: unknown }).parameters : parameters
  return {
    target,
    parsers: run.parsers,
    command,
    parameters: own,
    spend: run.budget.spend,
    spendBytes: run.budget.spendBytes,
    child: (child) => adopt(child, childFragment(run, child, { target, depth: depth + 1 })),
  }
}

interface Place {
  readonly target: AnalysisTarget
  readonly depth: number
}

function childFragment(run: Run, child: Child, { target, depth }: Place): Fragment {
  const system = child.system ?? target.system
  if (depth > limits.depth) {
    const detail = `more than ${limits.depth} languages inside each other`
    return opaqueFragment({ system, code: 'depth_limit', detail, whole: true })
  }
  run.budget.enter(depth)
  const fault = gateChild(child.command)
  if (fault !== null) return opaqueFragment({ system, ...fault, whole: true })
  const inside = childTarget(child, target)
  try {
    const fragment = dispatch(child.command, createContext(run, inside, depth, parametersOf(child.command)))
    hideSecrets(run, child.command, fragment)
    return fragment
  } catch (error) {
    if (error instanceof BudgetExceeded) throw error
    return opaqueFragment({ system, code: 'not_analyzed', detail: 'the analysis failed', whole: true })
  }
}

type ChildCommand = Child['command']

function gateChild(command: ChildCommand): ReturnType<typeof gate> {
  if ('argv' in command) return gateArgv(command.argv)
  return gate(command.text, command.language === 'shell' ? 'shell' : 'sql')
}

function parametersOf(command: ChildCommand): unknown {
  return 'parameters' in command ? command.parameters : undefined
}

function dispatch(command: ChildCommand, context: AnalysisContext): Fragment {
  if ('argv' in command) return analyseShell({ argv: command.argv }, context)
  const { language, text } = command
  const dialect = 'dialect' in command ? command.dialect : ''
  if (language === 'sql' && dialect === 'postgresql') return analysePostgres(text, context)
  if (language === 'shell' && (dialect === 'bash' || dialect === 'sh')) {
    return analyseShell({ text, dialect }, context)
  }
  const detail = `${dialect === '' ? language : `${language}.${dialect}`} is not analysed`
  return opaqueFragment({ system: context.target.system, code: 'not_analyzed', detail, whole: false })
}

function hideSecrets({ hidden }: Run, command: ChildCommand, { secrets }: Fragment): void {
  const texts = 'argv' in command ? command.argv : [command.text]
  for (const { start, end, argv = 0 } of secrets) hidden.add((texts[argv] ?? '').slice(start, end))
  for (const text of texts) {
    for (const { start, end } of tokenSpans(text)) hidden.add(text.slice(start, end))
  }
}

/** Facts describe the target itself: of another place they keep what warns, and lose what proves. */
function childTarget(child: Child, target: AnalysisTarget): AnalysisTarget {
  const elsewhere = child.endpoint !== null && Object.values(child.endpoint).some((member) => member !== null)
  const cwd = child.cwd === undefined ? target.cwd : child.cwd
  return {
    ...target,
    system: child.system ?? target.system,
    cwd,
    schema: elsewhere ? null : target.schema,
    placeTrusted: target.placeTrusted && !elsewhere && child.cwd !== null,
    freshSession: target.freshSession && !elsewhere,
    facts: elsewhere ? factsElsewhere(target.facts) : target.facts,
  }
}

function factsElsewhere({ tables, internal }: Facts): Facts {
  const warnings = Object.entries(tables ?? {}).map(([name, { sensitive }]) => [
    name,
    sensitive === undefined ? {} : { sensitive },
  ])
  return {
    ...(tables === undefined ? {} : { tables: Object.fromEntries(warnings) as NonNullable<Facts['tables']> }),
    ...(internal === undefined ? {} : { internal }),
  }
}
