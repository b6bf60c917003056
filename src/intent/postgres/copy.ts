/** COPY: to and from the client, a file of the server, or a program that the server runs. */
import type { Destination, Effect } from '../intent.ts'
import type { Fragment } from '../analysis.ts'
import { addResult } from './lineage.ts'
import { markOutputs, markUsed } from './mark.ts'
import type { ColumnUse, Output, Run, Shape, TableRead } from './model.ts'
import { readSensitivity, relationOf, sensitivityOf, tableRead } from './relation.ts'
import { adoptInto, emit, unknownName } from './run.ts'
import { visitAlone } from './select.ts'
import { fileTrust } from './trust.ts'
import { queryShape } from './query-statements.ts'
import { provenOf } from './rows.ts'
import type { CopyStmt } from './tree.ts'
import { stringsOf } from './tree.ts'

/** Reads a COPY. */
export function copyStatement(run: Run, statement: CopyStmt): void {
  if (statement.is_from === true) copyFrom(run, statement)
  else copyTo(run, statement)
}

function copyFrom(run: Run, statement: CopyStmt): void {
  const relation = relationOf(run, statement.relation)
  const { filename } = statement
  visitAlone({ run, parent: null, ctes: null }, statement.whereClause)
  if (statement.is_program === true) runProgram(run, filename ?? '')
  else if (filename !== undefined) {
    emit(run, {
      action: 'read',
      scope: 'single',
      why: 'copy_from',
      sensitivity: 'unknown',
      resource: { type: 'server_file', name: filename },
    })
  }
  emit(run, {
    action: 'insert',
    scope: 'bulk',
    why: 'copy_from',
    confidence: relation.inferred ? 'inferred' : 'exact',
    resource: {
      type: 'table',
      name: relation.shown,
      schema: relation.schema || null,
      columns: stringsOf(statement.attlist),
    },
  })
}

/** What is copied: a table, or the rows of a query. */
function copied(run: Run, statement: CopyStmt): readonly TableRead[] {
  if (statement.relation !== undefined) return [copiedTable(run, statement)]
  const from = run.findings.reads.length
  const shape =
    statement.query === undefined ? null : queryShape({ run, parent: null, ctes: null }, statement.query)
  if (shape === null) return []
  markOutputs(shape.outputs)
  addResult(run, shape, false)
  return run.findings.reads.slice(from)
}

function copiedTable(run: Run, statement: CopyStmt): TableRead {
  const read = tableRead(run, relationOf(run, statement.relation))
  read.proof = {
    scope: 'all',
    why: 'no_predicate',
    limit: null,
    predicate: { kind: 'none', columns: [], dynamic: false },
    inferred: read.relation.inferred,
  }
  run.findings.reads.push(read)
  const listed = statement.attlist === undefined ? read.relation.facts?.columns : stringsOf(statement.attlist)
  const uses: ColumnUse[] = (listed ?? ['*']).map((column) => ({ read, column }))
  markUsed(uses)
  if (statement.attlist === undefined) read.whole = true
  const kind = listed === undefined ? 'unknown' : 'plain'
  const outputs: Output[] = uses.map((use) => ({ name: use.column, kind, uses: [use], plain: use }))
  addResult(run, { ...noShape, outputs, complete: listed !== undefined }, false)
  return read
}

const noShape: Shape = {
  outputs: [],
  complete: false,
  bound: null,
  open: false,
  factor: null,
  reads: [],
  rest: [],
  correlated: false,
  volatile: false,
  locks: false,
}

/** TO STDOUT is a read like any other; a file or a program takes the rows elsewhere. */
function copyTo(run: Run, statement: CopyStmt): void {
  const reads = copied(run, statement)
  const { filename } = statement
  if (filename === undefined) return
  const destinations: readonly Destination[] =
    statement.is_program === true
      ? destinationsOf(runProgram(run, filename))
      : [{ kind: 'file', path: filename, trust: fileTrust(run, filename) }]
  for (const destination of destinations) exportTo(run, reads, destination)
}

function exportTo(run: Run, reads: readonly TableRead[], destination: Destination): void {
  if (reads.length === 0) {
    const resource = { type: 'query', name: '' }
    emit(run, { action: 'export', scope: 'single', reversible: 'no', destination, resource })
  }
  for (const read of reads) {
    const { scope, why, limit, predicate, inferred } = provenOf(read)
    const { shown, schema } = read.relation
    emit(run, {
      action: 'export',
      scope,
      why,
      limit,
      predicate,
      reversible: 'no',
      destination,
      confidence: inferred ? 'inferred' : 'exact',
      sensitivity: exportedSensitivity(read),
      resource: { type: 'table', name: shown, schema: schema || null, columns: [...read.used] },
    })
  }
}

function exportedSensitivity(read: TableRead): Effect['sensitivity'] {
  const sensitivity = readSensitivity(read)
  return sensitivity === 'none' && read.whole ? sensitivityOf({ read, column: '*' }) : sensitivity
}

/** Runs a program on the server: an effect, and what the command line does there. Gives what the child sends. */
function runProgram(run: Run, text: string): Fragment {
  emit(run, {
    action: 'process',
    scope: 'single',
    why: 'copy_program',
    reversible: 'no',
    via: ['copy program', 'shell.bash'],
    resource: { type: 'server_program', name: programOf(text) },
  })
  const fragment = run.ctx.child({
    command: { language: 'shell', dialect: 'sh', text },
    via: ['copy program'],
    endpoint: null,
    runAs: null,
    system: 'host',
    cwd: null,
    conditional: false,
    repeat: 1,
  })
  const adopted = new Map<Effect, Effect>()
  for (const found of fragment.effects) if (!isSending(found)) adopted.set(found, adoptInto(run, found))
  for (const reason of fragment.unseen) {
    const about = reason.effect === null ? null : (adopted.get(reason.effect) ?? null)
    run.findings.unseen.push({ ...reason, via: [...run.mode.via, ...reason.via], effect: about })
  }
  return fragment
}

function programOf(text: string): string {
  return /^\s*([\w./+-]+)(?=\s|$|[|;&<>])/.exec(text)?.[1] ?? unknownName
}

/** The rows are what the program sends: that is the export itself, told once. */
function isSending({ action, destination, resource }: Effect): boolean {
  if (action === 'none') return true
  if (action === 'network' || action === 'export') return destination?.kind === 'network'
  return resource.type === 'url' && uploads.has(action)
}

/** What a request that carries the rows does to its URL. */
const uploads: ReadonlySet<string> = new Set(['insert', 'update', 'write'])

/** Where the rows go: over the network if the program goes there, else into a file or the program itself. */
function destinationsOf({ effects }: Fragment): readonly Destination[] {
  const found = new Map<string, Destination>()
  for (const one of effects) {
    if (isSending(one) && one.destination !== null) found.set(one.destination.host ?? '', one.destination)
  }
  if (found.size > 0) return [...found.values()]
  const written = effects.find(({ action, resource }) => action === 'write' && resource.type === 'file')
  if (written === undefined) return [{ kind: 'process', trust: 'unknown' }]
  return [{ kind: 'file', path: written.resource.name, trust: 'unknown' }]
}
