/** Analyses shell commands with unbash and a stand-in for SQL: its verb and its object, which is all that shell tests ask. */
import { parse } from 'unbash'
import { adopt } from '../../../../src/intent/adopt.ts'
import type { AnalysisContext, AnalysisTarget, Child, Fragment } from '../../../../src/intent/analysis.ts'
import { BudgetExceeded } from '../../../../src/intent/analysis.ts'
import { effect, type EffectAction } from '../../../../src/intent/intent.ts'
import { analyseShell } from '../../../../src/intent/shell/analyse.ts'

/** What a test may say of the target and the command. */
export interface Setting {
  readonly dialect?: 'bash' | 'sh'
  readonly target?: Partial<AnalysisTarget>
  readonly attachments?: readonly { readonly path: string; readonly sha256: string; readonly text: string }[]
  /** Work that may be spent before `BudgetExceeded`. */
  readonly nodes?: number
}

/** A production host with a workspace, whose facts are believed. */
export const host: AnalysisTarget = {
  system: 'host',
  id: 'app-1',
  schema: null,
  cwd: '/srv/app',
  placeTrusted: true,
  freshSession: false,
  facts: { internal: ['*.internal', '/backup'], workspace: '/srv/app' },
}

export interface Analysed extends Fragment {
  /** The SQL texts that the command handed on, with all that was said of them. */
  readonly children: readonly Child[]
}

/** What the analyser finds in a text or an argv. */
export function analysed(command: string | readonly string[], setting: Setting = {}): Analysed {
  const children: Child[] = []
  const dialect = setting.dialect ?? 'bash'
  const input = typeof command === 'string' ? { text: command, dialect } : { argv: command }
  const { attachments } = setting
  let spent = 0
  const spend = (nodes: number): void => {
    spent += nodes
    if (spent > (setting.nodes ?? 200_000)) throw new BudgetExceeded('node_limit', 'too many nodes')
  }
  const context: AnalysisContext = {
    target: { ...host, ...setting.target },
    parsers: { bash: parse, postgres: unused, plpgsql: unused, postgresScan: unused },
    command: { language: 'shell', ...input, ...(attachments === undefined ? {} : { attachments }) } as never,
    parameters: undefined,
    spend,
    spendBytes: () => undefined,
    child(child) {
      children.push(child)
      return adopt(child, sqlFragment('text' in child.command ? child.command.text : ''))
    },
  }
  return { ...analyseShell(input, context), children }
}

function unused(): never {
  throw new TypeError('shell tests parse no SQL')
}

const verbs: Readonly<Record<string, EffectAction>> = {
  select: 'read',
  delete: 'delete',
  insert: 'insert',
  update: 'update',
  drop: 'drop',
  truncate: 'truncate',
  create: 'create',
}

function sqlFragment(sql: string): Fragment {
  const [, verb = '', name = ''] =
    /^\s*(\w+)\s+(?:.*?\bfrom\s+|into\s+|table\s+|schema\s+)?([\w.]+)/is.exec(sql) ?? []
  const action = verbs[verb.toLowerCase()] ?? 'unknown'
  const found = effect({ action, resource: { system: 'postgresql', type: 'table', name }, scope: 'all' })
  return {
    effects: [found],
    unseen: [],
    lineage: null,
    secrets: [],
    parse: { ok: true, parser: 'stand-in', statements: 1, error: null },
    languages: ['sql.postgresql'],
    dryRun: false,
  }
}
