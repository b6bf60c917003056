import { effect } from '../../src/intent/intent.ts'
import type { Effect, EffectSeed } from '../../src/intent/intent.ts'
import { summarise } from '../../src/intent/summary.ts'

const made = (seed: Partial<EffectSeed> & Pick<EffectSeed, 'action'>): Effect =>
  effect({ scope: 'all', resource: { system: 'postgresql', type: 'table', name: 'orders' }, ...seed })

const summary = (...effects: Effect[]): ReturnType<typeof summarise> =>
  summarise({
    effects,
    reasons: [],
    fragment: { languages: ['sql.postgresql', 'sql.postgresql'], dryRun: false },
  })

const external = { kind: 'network', host: 'x.example', trust: 'external' } as const

test('nothing done is no risk and no scope', () => {
  expect(summary(made({ action: 'none', scope: 'single' }))).toEqual({
    risk: 'none',
    categories: [],
    max_scope: 'none',
    reversible: 'yes',
    systems: ['postgresql'],
    destinations: [],
    languages: ['sql.postgresql'],
    dry_run: false,
  })
})

test.each<[string, Effect, string[], string]>([
  ['every row deleted', made({ action: 'delete' }), ['bulk_write', 'data_loss'], 'critical'],
  ['one row deleted', made({ action: 'delete', scope: 'single' }), ['data_loss'], 'medium'],
  [
    'a rebuildable directory',
    made({ action: 'delete', scope: 'bounded', reversible: 'recoverable' }),
    [],
    'low',
  ],
  ['a table dropped', made({ action: 'drop' }), ['data_loss', 'schema_change'], 'critical'],
  [
    'an index dropped',
    made({ action: 'drop', scope: 'single', resource: { system: 'postgresql', type: 'index', name: 'i' } }),
    ['schema_change'],
    'medium',
  ],
  ['many rows changed', made({ action: 'update', scope: 'bulk' }), ['bulk_write'], 'high'],
  ['one row inserted', made({ action: 'insert', scope: 'single' }), [], 'low'],
  ['sensitive rows read', made({ action: 'read', sensitivity: 'sensitive' }), ['sensitive_read'], 'medium'],
  ['a secret read', made({ action: 'read', sensitivity: 'secret' }), ['secret_read'], 'high'],
  ['a privilege granted', made({ action: 'grant', scope: 'single' }), ['privilege'], 'high'],
  [
    'sensitive rows sent away',
    made({ action: 'export', sensitivity: 'sensitive', destination: external }),
    ['exfiltration', 'network', 'sensitive_read'],
    'critical',
  ],
  [
    'an export that stays inside',
    made({ action: 'export', destination: { kind: 'file', path: '/backup/x', trust: 'internal' } }),
    [],
    'low',
  ],
  [
    'remote code',
    made({ action: 'execute', resource: { system: 'host', type: 'remote_code', name: 'u' } }),
    ['code_execution', 'remote_code'],
    'critical',
  ],
  [
    'audit rows emptied',
    made({ action: 'truncate', resource: { system: 'postgresql', type: 'table', name: 'audit_log' } }),
    ['audit_tamper', 'data_loss'],
    'critical',
  ],
  [
    'triggers switched off',
    made({
      action: 'config',
      resource: { system: 'postgresql', type: 'setting', name: 'session_replication_role' },
    }),
    ['audit_tamper', 'config_change'],
    'critical',
  ],
  [
    'a login key added',
    made({
      action: 'write',
      scope: 'single',
      resource: { system: 'host', type: 'file', name: '/root/.ssh/authorized_keys' },
    }),
    ['persistence'],
    'high',
  ],
])('%s', (_what, effect, categories, risk) => {
  expect(summary(effect)).toMatchObject({ categories, risk })
})

test('scope and reversibility are the worst of the effects; reading reverses nothing', () => {
  const worst = summary(
    made({ action: 'read', scope: 'unknown', reversible: 'no' }),
    made({ action: 'insert', scope: 'single', reversible: 'tx' }),
  )
  expect(worst).toMatchObject({ max_scope: 'unknown', reversible: 'tx' })
  expect(summary(made({ action: 'drop', reversible: 'no' }), made({ action: 'drop' })).reversible).toBe('no')
})

test('destinations are listed once', () => {
  const away = made({ action: 'export', destination: external })
  expect(summary(away, made({ action: 'network', destination: { ...external } })).destinations).toEqual([
    external,
  ])
})

test('what could not be seen is a high risk', () => {
  const reasons = [{ code: 'dynamic_sql', via: [], effect: 0, detail: '' }] as const
  const effects = [made({ action: 'read', scope: 'single' })]
  const found = {
    effects,
    reasons: [...reasons].map((reason) => ({ ...reason, via: [] })),
    fragment: { languages: [], dryRun: false },
  }
  expect(summarise(found).risk).toBe('high')
})

test('what the shell knows of a path counts, whatever its name looks like', () => {
  const write = made({
    action: 'write',
    scope: 'single',
    why: 'persistence_path',
    resource: { system: 'host', type: 'file', name: '/srv/app/.git/hooks/pre-commit' },
  })
  expect(summary(write).categories).toContain('persistence')
  expect(summary({ ...write, why: '' }).categories).not.toContain('persistence')
})
