/** Policy inputs that a bundle is measured with before it may judge: one as they usually are, one of the largest. */
import { canonicalJson } from '../action/canonical.ts'
import { limits } from '../intent/analysis.ts'
import { effect } from '../intent/intent.ts'
import type { Effect, Intent, Lineage } from '../intent/intent.ts'
import type { EvaluationInput } from './evaluator.ts'

/** A SELECT by key over two tables, one of them with a sensitive column, by an agent in production. */
export function typicalInput(): EvaluationInput {
  return input([
    readOf('public.orders', ['id', 'status'], 'none'),
    readOf('public.customers', ['id', 'email'], 'sensitive'),
  ])
}

/** As many effects as an analysis ever names, on as many tables. */
export function largestInput(): EvaluationInput {
  const actions = ['read', 'insert', 'update', 'delete', 'drop', 'grant', 'export', 'execute'] as const
  return input(
    Array.from({ length: limits.effects }, (_, at) =>
      effect({
        action: actions[at % actions.length] ?? 'read',
        scope: at % 3 === 0 ? 'bulk' : 'single',
        resource: {
          system: 'postgresql',
          type: 'table',
          name: `public.table_${String(at)}`,
          schema: 'public',
        },
        sensitivity: at % 5 === 0 ? 'sensitive' : 'none',
        destination:
          actions[at % actions.length] === 'export'
            ? { kind: 'file', path: '/tmp/out', trust: 'unknown' }
            : null,
      }),
    ),
  )
}

function readOf(name: string, columns: string[], sensitivity: Effect['sensitivity']): Effect {
  return effect({
    action: 'read',
    scope: 'single',
    why: 'unique_key',
    predicate: { kind: 'unique_key', columns: ['id'], dynamic: false },
    resource: { system: 'postgresql', type: 'table', name, schema: 'public', columns },
    sensitivity,
    reversible: 'yes',
    span: [0, 40],
  })
}

function input(effects: readonly Effect[]): EvaluationInput {
  const text = 'SELECT o.id, o.status, c.email FROM orders o JOIN customers c ON c.id = o.id WHERE o.id = 42'
  const json = canonicalJson({
    actor: {
      id: 'agent:sample',
      type: 'agent',
      roles: [],
      groups: [],
      claimed: { roles: [], groups: [], attributes: {} },
    },
    batch: [],
    caller: { id: 'service:sample', issuer: 'https://issuer.invalid', scopes: ['decide'] },
    checks: [],
    command: { language: 'sql', dialect: 'postgresql', text, digest: `sha256:${'0'.repeat(64)}` },
    context: { session: 's-1', task: 'sample', ticket: 'T-1', purpose: 'to be measured' },
    grants: [],
    intent: intent(effects),
    lineage,
    places: effects.map(() => ({
      target: 'sample-db',
      environment: 'production',
      protected: true,
      why: 'target',
    })),
    target: {
      system: 'postgresql',
      id: 'sample-db',
      environment: 'production',
      registered: true,
      protected: true,
      labels: {},
      facts: { catalogue: true },
    },
    time: '2026-01-01T00:00:00.000Z',
  })
  return { json, effects: effects.length }
}

function intent(effects: readonly Effect[]): Intent {
  return {
    v: 1,
    language: 'sql.postgresql',
    parse: { ok: true, parser: 'sample', statements: 1, error: null },
    effects: [...effects],
    opaque: false,
    opaque_reasons: [],
    summary: {
      risk: 'low',
      categories: ['sensitive_read'],
      max_scope: 'single',
      reversible: 'yes',
      systems: ['postgresql'],
      destinations: [],
      languages: ['sql.postgresql'],
      dry_run: false,
    },
    budget: { bytes: 100, nodes: 50, depth: 1, micros: 50 },
  }
}

const lineage: Lineage = {
  complete: true,
  maskable: true,
  columns: [
    {
      index: 0,
      name: 'id',
      kind: 'plain',
      sources: [{ table: 'public.orders', column: 'id', sensitivity: 'none' }],
    },
    {
      index: 1,
      name: 'status',
      kind: 'plain',
      sources: [{ table: 'public.orders', column: 'status', sensitivity: 'none' }],
    },
    {
      index: 2,
      name: 'email',
      kind: 'plain',
      sources: [{ table: 'public.customers', column: 'email', sensitivity: 'sensitive' }],
    },
  ],
  inference: [],
}
