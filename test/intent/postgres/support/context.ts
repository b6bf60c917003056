/** A small context around the PostgreSQL analyser: real parsers, children without a root. */
import { loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query'
import type { Facts } from '../../../../src/action/action.ts'
import { adopt } from '../../../../src/intent/adopt.ts'
import type { AnalysisContext, Child, Fragment } from '../../../../src/intent/analysis.ts'
import { createBudget } from '../../../../src/intent/budget.ts'
import { effect } from '../../../../src/intent/intent.ts'
import { opaqueFragment } from '../../../../src/intent/opaque.ts'
import { analysePostgres } from '../../../../src/intent/postgres/analyse.ts'

await loadModule()

export interface Given {
  readonly facts?: Facts
  readonly schema?: string
  readonly placeTrusted?: boolean
  readonly parameters?: unknown
}

/** Analyses a text as the root would, without its gate, merge and summary. */
export function analyseText(text: string, given: Given = {}): Fragment {
  return analysePostgres(text, contextFor(text, given))
}

export function contextFor(text: string, given: Given = {}): AnalysisContext {
  const budget = createBudget(() => 0)
  return {
    target: {
      system: 'postgresql',
      id: 'test',
      schema: given.schema ?? null,
      cwd: null,
      placeTrusted: given.placeTrusted ?? true,
      freshSession: false,
      facts: given.facts ?? {},
    },
    parsers: {
      postgres: parseSync,
      plpgsql: parsePlPgSQLSync,
      postgresScan: scanSync,
      bash: () => {
        throw new Error('not here')
      },
    },
    command: { language: 'sql', dialect: 'postgresql', text },
    parameters: given.parameters,
    spend: budget.spend,
    spendBytes: budget.spendBytes,
    child: (child) => adopt(child, childFragment(child, given)),
  }
}

/** SQL children are analysed; of shell children one program is known, which sends what it reads. */
function childFragment(child: Child, given: Given): Fragment {
  const { command } = child
  if ('argv' in command)
    return opaqueFragment({ system: 'host', code: 'not_analyzed', detail: '', whole: false })
  if (command.language === 'sql') return analyseText(command.text, { ...given, facts: {} })
  const host = /^curl .*https:\/\/([\w.]+)/.exec(command.text)?.[1]
  if (host === undefined)
    return opaqueFragment({ system: 'host', code: 'not_analyzed', detail: '', whole: false })
  const sent = effect({
    action: 'network',
    scope: 'single',
    destination: { kind: 'network', host, trust: 'external' },
    resource: { system: 'host', type: 'url', name: `https://${host}` },
  })
  return {
    effects: [sent],
    unseen: [],
    lineage: null,
    secrets: [],
    parse: { ok: true, parser: 'fake', statements: 1, error: null },
    languages: ['shell.bash'],
    dryRun: false,
  }
}
