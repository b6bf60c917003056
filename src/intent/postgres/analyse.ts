/** `analysePostgres(text, context) -> Fragment`: what statements in PostgreSQL's SQL would do. */
import { BudgetExceeded, limits } from '../analysis.ts'
import type { AnalysisContext, Fragment } from '../analysis.ts'
import { unknownEffect } from '../opaque.ts'
import { selectShape } from './select.ts'
import { lineageOf } from './lineage.ts'
import type { Engine, Findings, Mode, Place, Run, Session } from './model.ts'
import { queryShape } from './query-statements.ts'
import { readSensitivity } from './relation.ts'
import { provenOf } from './rows.ts'
import { emit, unknownName, unseen } from './run.ts'
import { secretSpans, utf16Offsets } from './secrets.ts'
import { meetStatement } from './statements.ts'
import { kindOf } from './tree.ts'
import type { Node } from './tree.ts'

/** Throws `BudgetExceeded` at a limit, and nothing else for any text. */
export function analysePostgres(text: string, ctx: AnalysisContext): Fragment {
  const statements = parsed(ctx, text)
  if ('error' in statements) return unparsed(statements.error)
  const run = newRun(ctx)
  readStatements(run, text, statements.list)
  if (run.findings.effects.length === 0) {
    emit(run, { action: 'none', scope: 'single', resource: { type: 'query', name: '' } })
  }
  const { effects, unseen: reasons } = run.findings
  return {
    effects,
    unseen: reasons,
    lineage: lineageOf(run),
    secrets: secretSpans(run, text),
    parse: { ok: true, parser, statements: statements.list.length, error: null },
    languages: ['sql.postgresql'],
    dryRun: effects.every(({ action, why }) => action === 'none' && why === 'explain'),
  }
}

const parser = 'libpg-query'

function unparsed(error: string): Fragment {
  const found = unknownEffect('postgresql', 'parse_error')
  return {
    effects: [found],
    unseen: [{ code: 'parse_error', via: [], effect: null, detail: error }],
    lineage: null,
    secrets: [],
    parse: { ok: false, parser, statements: 0, error },
    languages: ['sql.postgresql'],
    dryRun: false,
  }
}

interface Raw {
  readonly stmt?: Node
  readonly stmt_location?: number
  readonly stmt_len?: number
}

type Parsed = { readonly list: readonly Raw[] } | { readonly error: string }

/** The error says where, and never what stands there: that may be a secret. */
function parsed(ctx: AnalysisContext, text: string): Parsed {
  try {
    const tree = ctx.parsers.postgres(text) as { readonly stmts?: readonly Raw[] }
    const list = tree.stmts ?? []
    if (list.length > limits.statements) {
      throw new BudgetExceeded('node_limit', `more than ${limits.statements} statements`)
    }
    return { list }
  } catch (error) {
    if (error instanceof BudgetExceeded || !(error instanceof Error)) throw error
    return { error: positionOf(error) }
  }
}

function positionOf(error: Error): string {
  const details = 'sqlDetails' in error ? error.sqlDetails : error
  const position =
    typeof details === 'object' && details !== null && 'cursorPosition' in details
      ? details.cursorPosition
      : undefined
  return typeof position === 'number'
    ? `syntax error at character ${position + 1}`
    : 'the text does not parse'
}

function newRun(ctx: AnalysisContext): Run {
  return {
    ctx,
    engine,
    place: placeOf(ctx),
    mode: plainMode,
    session: newSession(),
    findings: newFindings(),
    parameters: ctx.parameters,
    variables: none,
    values: noValues,
    span: null,
    source: '',
    depth: 0,
  }
}

const plainMode: Mode = { via: [], deferred: false, conditional: false, repeat: 1, template: false }
const none: ReadonlySet<string> = new Set()
const noValues: ReadonlyMap<string, Node> = new Map()

function placeOf({ target }: AnalysisContext): Place {
  const { facts, placeTrusted, schema } = target
  return {
    schema: schema ?? 'public',
    trusted: schema === null || placeTrusted,
    tables: facts.tables ?? null,
    functions: facts.functions ?? {},
    internal: facts.internal ?? [],
  }
}

function newSession(): Session {
  return {
    changed: null,
    closed: false,
    prepared: new Map(),
    cursors: new Set(),
    temporary: new Set(),
    created: new Set(),
    connections: new Map(),
  }
}

function newFindings(): Findings {
  return {
    effects: [],
    unseen: [],
    reads: [],
    results: [],
    inference: [],
    secrets: new Set(),
    level: 0,
    sublinks: new Map(),
  }
}

const blank = /[\s;]/

/** Reads the statements of a text in order; each sees what those before it did to the session. */
function readStatements(run: Run, text: string, list: readonly Raw[]): void {
  const offset = utf16Offsets(text)
  const closed = closedTransactions(list)
  for (const [index, raw] of list.entries()) {
    if (raw.stmt === undefined) continue
    const span = placeIn(text, raw, offset)
    run.session.closed = closed[index] ?? false
    const source = text.slice(span[0], span[1])
    readStatement({ ...run, span: run.depth === 0 ? span : null, source }, raw.stmt)
  }
}

/** A statement's place without the blanks before it. */
function placeIn(text: string, raw: Raw, offset: (bytes: number) => number): readonly [number, number] {
  const { stmt_len: length = 0, stmt_location: location = 0 } = raw
  let start = offset(location)
  const end = length === 0 ? text.length : offset(location + length)
  while (start < end && blank.test(text[start] ?? '')) start++
  return [start, end]
}

/** Which statements stand in a transaction that the text itself begins and ends. */
function closedTransactions(list: readonly Raw[]): readonly boolean[] {
  const closed: boolean[] = list.map(() => false)
  let began = -1
  for (const [index, { stmt }] of list.entries()) {
    if (stmt === undefined || !('TransactionStmt' in stmt)) continue
    const { chain, kind = '' } = stmt.TransactionStmt
    if (begins.has(kind) && began < 0) began = index
    if (!ends.has(kind)) continue
    if (began >= 0) closed.fill(true, began, index)
    began = chain === true ? index : -1
  }
  return closed
}

const begins: ReadonlySet<string> = new Set(['TRANS_STMT_BEGIN', 'TRANS_STMT_START'])
const ends: ReadonlySet<string> = new Set(['TRANS_STMT_COMMIT', 'TRANS_STMT_ROLLBACK'])

/** Reads one statement; what it reads of tables is reported when all of its conditions are known. */
function readStatement(run: Run, node: Node): void {
  const { findings, session } = run
  run.ctx.spend(1)
  const from = findings.reads.length
  const before = session.changed
  const kind = kindOf(node)
  if (!meetStatement(run, kind, node)) {
    const found = emit(run, {
      action: 'unknown',
      scope: 'unknown',
      confidence: 'opaque',
      resource: { type: 'query', name: unknownName },
    })
    unseen(run, 'unsupported_syntax', found, `${kind} is not known`)
  }
  reportReads(run, from)
  if (before !== null) meetChangedSession(run, before)
}

function meetChangedSession(run: Run, name: string): void {
  const told = run.findings.unseen.some(({ code, effect }) => code === 'session_state' && effect === null)
  if (!told) unseen(run, 'session_state', null, `${name} was changed by an earlier statement`)
}

function reportReads(run: Run, from: number): void {
  const { reads } = run.findings
  for (let index = from; index < reads.length; index++) {
    const read = reads[index]
    if (read === undefined) continue
    const { limit, predicate, scope, why, inferred } = provenOf(read)
    const { schema, shown } = read.relation
    emit(read.run, {
      action: 'read',
      scope,
      why,
      limit,
      predicate,
      confidence: inferred ? 'inferred' : 'exact',
      sensitivity: readSensitivity(read),
      resource: {
        type: 'table',
        name: shown,
        schema: schema || null,
        columns: read.whole ? ['*'] : [...read.used],
      },
    })
  }
  reads.length = from
}

/** Reads a text inside a statement; false if it does not parse. */
function readText(run: Run, text: string): boolean {
  if (run.depth >= limits.depth) {
    unseen(run, 'depth_limit', null, `more than ${limits.depth} texts inside each other`)
    return true
  }
  const statements = parsed(run.ctx, text)
  if ('error' in statements) return false
  readStatements({ ...run, depth: run.depth + 1, span: null, parameters: undefined }, text, statements.list)
  return true
}

const engine: Engine = {
  select: selectShape,
  query: queryShape,
  statement: readStatement,
  text: readText,
}
