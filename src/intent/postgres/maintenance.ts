/** VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH, CHECKPOINT: work on what is there, which may lock it. */
import type { Node } from './tree.ts'
import type { Run } from './model.ts'
import { relationOf } from './relation.ts'
import { emit } from './run.ts'
import { optionIsOn, optionsOf } from './tree.ts'

type Statement<K extends string> = Extract<Node, Readonly<Record<K, unknown>>>
type Relations = readonly Parameters<typeof relationOf>[1][]

/** Work that keeps others out while it lasts. */
function locks(run: Run, why: string, relations: Relations, type = 'table'): void {
  if (relations.length === 0) {
    emit(run, {
      action: 'lock',
      scope: 'all',
      why,
      reversible: 'no',
      resource: { type: 'database', name: '*' },
    })
  }
  for (const named of relations) {
    const relation = relationOf(run, named)
    const resource = { type, name: relation.shown, schema: relation.schema || null }
    emit(run, { action: 'lock', scope: 'all', why, reversible: 'no', resource })
  }
}

/** Work that changes nothing anybody can see. */
function tends(run: Run, why: string, relations: Relations): void {
  for (const named of relations.length === 0 ? [undefined] : relations) {
    const relation = named === undefined ? null : relationOf(run, named)
    emit(run, {
      action: 'none',
      scope: 'single',
      why,
      resource: { type: 'table', name: relation?.shown ?? '*', schema: relation?.schema ?? null },
    })
  }
}

/** VACUUM and ANALYZE; only FULL rewrites and locks the table. */
export function vacuum(run: Run, { VacuumStmt: statement }: Statement<'VacuumStmt'>): void {
  const relations = (statement.rels ?? []).flatMap((node) =>
    'VacuumRelation' in node ? [node.VacuumRelation.relation] : [],
  )
  const full = optionsOf(statement.options).some((option) => option.defname === 'full' && optionIsOn(option))
  if (full) locks(run, 'vacuum_full', relations)
  else tends(run, statement.is_vacuumcmd === true ? 'vacuum' : 'analyze', relations)
}

/** CLUSTER. */
export function cluster(run: Run, { ClusterStmt: { relation } }: Statement<'ClusterStmt'>): void {
  locks(run, 'cluster', relation === undefined ? [] : [relation])
}

/** REINDEX; CONCURRENTLY lets others go on. */
export function reindex(run: Run, { ReindexStmt: statement }: Statement<'ReindexStmt'>): void {
  const { kind, params, relation } = statement
  const concurrent = optionsOf(params).some(
    (option) => option.defname === 'concurrently' && optionIsOn(option),
  )
  const relations = relation === undefined ? [] : [relation]
  if (concurrent) tends(run, 'reindex', relations)
  else locks(run, 'reindex', relations, kind === 'REINDEX_OBJECT_INDEX' ? 'index' : 'table')
}

/** REFRESH MATERIALIZED VIEW runs the view's query and replaces what it holds. */
export function refresh(
  run: Run,
  { RefreshMatViewStmt: { relation } }: Statement<'RefreshMatViewStmt'>,
): void {
  const view = relationOf(run, relation)
  emit(run, {
    action: 'update',
    scope: 'all',
    why: 'refresh',
    resource: { type: 'materialized_view', name: view.shown, schema: view.schema || null },
  })
}

/** CHECKPOINT. */
export function checkpoint(run: Run): void {
  emit(run, {
    action: 'process',
    scope: 'single',
    why: 'checkpoint',
    reversible: 'yes',
    resource: { type: 'server', name: 'server' },
  })
}
