/** MERGE: each arm is a change of its own, by the join's condition and the arm's. */
import { addQual, conditionOf } from './condition.ts'
import { bindCtes } from './ctes.ts'
import { emitChange, openTarget, proofOfRows, proofWith, repeatCalls, returned } from './dml.ts'
import type { Target } from './dml.ts'
import { visit } from './expression.ts'
import { addFrom } from './from.ts'
import { markUsed } from './mark.ts'
import type { Environment, Proof, Shape, TableRead } from './model.ts'
import { proofOf } from './prove.ts'
import { ascend, descend } from './run.ts'
import { bindByLinks, frameRows, proveReads } from './rows.ts'
import type { MergeStmt, MergeWhenClause } from './tree.ts'
import { targetsOf } from './tree.ts'

/** Reads a MERGE. */
export function mergeShape(outer: Environment, statement: MergeStmt): Shape {
  descend(outer.run)
  const env = { ...outer, ctes: bindCtes(outer, statement.withClause) }
  const target = openTarget(env, statement.relation)
  const { frame } = target
  const reads = statement.sourceRelation === undefined ? [] : addFrom(frame, statement.sourceRelation)
  const rows = sourceRows(target, reads)
  if (statement.joinCondition !== undefined) {
    frame.clause = 'join'
    addQual(frame, conditionOf(frame, statement.joinCondition), [target.read])
    frame.clause = 'select'
  }
  target.read.proof = proofOf(target.read, frame.quals)
  bindByLinks(frame, true)
  const arms = (statement.mergeWhenClauses ?? []).flatMap((node) =>
    'MergeWhenClause' in node ? [arm(target, node.MergeWhenClause, rows)] : [],
  )
  markUsed(frame.collected)
  repeatCalls(frame)
  // RETURNING gives the source's columns first.
  frame.sources.push(...frame.sources.splice(0, 1))
  ascend(outer.run)
  return returned(target, {
    proof: widest(arms, target),
    targets: statement.returningClause?.exprs,
    named: statement.relation,
  })
}

function sourceRows({ frame, read }: Target, reads: readonly TableRead[]): number | null {
  proveReads(frame, reads)
  const own = frame.sources.filter((source) => source.read !== read)
  return frameRows({ ...frame, sources: own })
}

/** Reports what an arm does; gives how many rows it may touch. */
function arm(target: Target, clause: MergeWhenClause, rows: number | null): Proof {
  const proof = armProof(target, clause, rows)
  const set = targetsOf(clause.targetList)
  for (const column of set) {
    visit(target.frame, column.indirection)
    visit(target.frame, column.val)
  }
  visit(target.frame, clause.values)
  const columns = set.map((column) => column.name ?? '')
  if (clause.commandType === 'CMD_INSERT') emitChange(target, 'insert', proof, columns)
  else if (clause.commandType === 'CMD_UPDATE') emitChange(target, 'update', proof, columns)
  else if (clause.commandType === 'CMD_DELETE') emitChange(target, 'delete', proof)
  return proof
}

function armProof(target: Target, clause: MergeWhenClause, rows: number | null): Proof {
  const { frame, read } = target
  if (clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_TARGET') {
    proofWith(target, clause.condition)
    return proofOfRows(read, rows, 'merge_insert')
  }
  if (clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE') return unmatched(target, clause)
  const joined = read.proof
  if (clause.condition === undefined) return joined
  const proof = proofWith(target, clause.condition)
  return narrower(proof, joined, frame.quals.length > 0)
}

function narrower(proof: Proof, joined: Proof, conditioned: boolean): Proof {
  if (!conditioned) return proof
  return joined.scope === 'single' || joined.scope === 'bounded' ? joined : proof
}

/** Rows of the target that the source has nothing for: bound by the arm's own condition only. */
function unmatched(target: Target, clause: MergeWhenClause): Proof {
  const { frame, read } = target
  const { quals } = frame
  const alone: Target = { ...target, frame: { ...frame, quals: [] } }
  const proof = proofWith(alone, clause.condition)
  if (proof.scope !== 'all') return proof
  const never = quals.some(({ cond }) => cond.kind === 'false')
  if (never || clause.condition !== undefined) return proof
  return {
    scope: 'bulk',
    why: 'not_matched_by_source',
    limit: null,
    predicate: { kind: 'join', columns: [], dynamic: false },
    inferred: read.relation.inferred,
  }
}

const ranks = ['none', 'single', 'bounded', 'bulk', 'all', 'unknown']

/** RETURNING shows the rows of every arm. */
function widest(proofs: readonly Proof[], { read }: Target): Proof {
  if (proofs.length === 1 && proofs[0] !== undefined) return proofs[0]
  let most = proofOfRows(read, null, 'merge')
  for (const proof of proofs) if (ranks.indexOf(proof.scope) > ranks.indexOf(most.scope)) most = proof
  return most
}
