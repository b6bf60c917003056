/** SET, RESET, transactions, LISTEN and the like: statements about the session and the server. */
import type { Node } from './tree.ts'
import type { Run } from './model.ts'
import { changeSetting, dangerWhy, forgetSession } from './settings.ts'
import { nothingDone } from './query-statements.ts'
import { relationOf } from './relation.ts'
import { emit, unknownName, unseen } from './run.ts'
import { fold } from './fold.ts'
import { optionsOf } from './tree.ts'

type Statement<K extends string> = Extract<Node, Readonly<Record<K, unknown>>>

function valueOf(args: readonly Node[] | undefined): string | null {
  const value = fold(args?.[0])
  return value === undefined || value === null ? null : String(value)
}

/** SET and RESET. `SET TRANSACTION …` holds for the transaction, or as the session's default. */
export function setVariable(run: Run, { VariableSetStmt: statement }: Statement<'VariableSetStmt'>): void {
  const { args, is_local: local = false, kind, name = unknownName } = statement
  if (kind === 'VAR_RESET_ALL') {
    forgetSession(run, 'reset_all')
    return
  }
  if (kind === 'VAR_SET_MULTI' && name !== 'TRANSACTION SNAPSHOT') {
    for (const option of optionsOf(args)) {
      changeSetting(run, { name: option.defname ?? unknownName, value: null, local: name === 'TRANSACTION' })
    }
    return
  }
  changeSetting(run, { name, value: valueOf(args), local })
}

/** SHOW reads a setting. */
export function showVariable(
  run: Run,
  { VariableShowStmt: { name = 'all' } }: Statement<'VariableShowStmt'>,
): void {
  emit(run, {
    action: 'read',
    scope: name === 'all' ? 'all' : 'single',
    why: 'show',
    resource: { type: 'setting', name },
  })
}

/** ALTER SYSTEM: for every session, from the next reload on. */
export function alterSystem(run: Run, { AlterSystemStmt: { setstmt } }: Statement<'AlterSystemStmt'>): void {
  const name = setstmt?.name ?? '*'
  emit(run, {
    action: 'config',
    scope: 'all',
    why: dangerWhy(name.toLowerCase()) ?? 'alter_system',
    reversible: 'yes',
    resource: { type: 'setting', name },
  })
}

/** BEGIN, COMMIT, ROLLBACK, savepoints; a prepared transaction's work is of another command. */
export function transaction(run: Run, { TransactionStmt: statement }: Statement<'TransactionStmt'>): void {
  const { kind, gid, options } = statement
  const name = gid ?? ''
  if (kind === 'TRANS_STMT_PREPARE') {
    const resource = { type: 'transaction', name }
    emit(run, { action: 'write', scope: 'single', why: 'prepare_transaction', resource })
  } else if (kind === 'TRANS_STMT_COMMIT_PREPARED' || kind === 'TRANS_STMT_ROLLBACK_PREPARED') {
    prepared(run, name)
  } else {
    // Where one ends, temporary tables may be gone: their names mean what they meant before.
    if (kind !== undefined && endings.has(kind)) run.session.temporary.clear()
    for (const option of optionsOf(options)) {
      changeSetting(run, { name: option.defname ?? unknownName, value: null, local: true })
    }
    emit(run, { action: 'none', scope: 'single', resource: { type: 'transaction', name: '' } })
  }
}

const endings: ReadonlySet<string> = new Set([
  'TRANS_STMT_COMMIT',
  'TRANS_STMT_ROLLBACK',
  'TRANS_STMT_ROLLBACK_TO',
])

function prepared(run: Run, name: string): void {
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    reversible: 'no',
    resource: { type: 'transaction', name },
  })
  unseen(run, 'session_state', found, 'the transaction was prepared by another command')
}

/** DISCARD. */
export function discard(run: Run, { DiscardStmt: { target } }: Statement<'DiscardStmt'>): void {
  run.session.temporary.clear()
  if (target === 'DISCARD_PLANS') nothingDone(run, 'discard_plans')
  else forgetSession(run, (target ?? 'DISCARD_ALL').toLowerCase())
}

/** NOTIFY and LISTEN. */
export function notify(run: Run, name: string): void {
  emit(run, { action: 'write', scope: 'single', why: 'notify', resource: { type: 'channel', name } })
}

/** LISTEN holds for the session. */
export function listen(run: Run, name: string): void {
  emit(run, { action: 'read', scope: 'single', why: 'listen', resource: { type: 'channel', name } })
}

/** LOCK TABLE. */
export function lockTables(run: Run, { LockStmt: { relations, mode } }: Statement<'LockStmt'>): void {
  for (const node of relations ?? []) {
    if (!('RangeVar' in node)) continue
    const relation = relationOf(run, node.RangeVar)
    emit(run, {
      action: 'lock',
      scope: 'all',
      why: mode === undefined || mode >= 7 ? 'exclusive' : 'shared',
      resource: { type: 'table', name: relation.shown, schema: relation.schema || null },
    })
  }
}
