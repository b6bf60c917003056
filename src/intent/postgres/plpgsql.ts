/** PL/pgSQL: the statements of a block, the SQL in them, and the text that they EXECUTE. */
import { limits } from '../analysis.ts'
import { runTemplate } from './dynamic.ts'
import { fold } from './fold.ts'
import type { Run } from './model.ts'
import { inMode, ascend, descend, emit, unknownName, unseen } from './run.ts'
import { assignedText, constantsOf, variablesOf } from './plpgsql-variables.ts'
import type { Body, Node } from './tree.ts'
import { isBody } from './tree.ts'

/** Reads the body of a DO or CREATE FUNCTION statement. */
export function analysePlpgsql(run: Run, source: string): void {
  if (run.depth > limits.depth) {
    unseen(run, 'depth_limit', null, 'code is nested too deeply')
    return
  }
  const tree = parsed(run, source)
  if (tree === null) return
  const datums = Array.isArray(tree['datums']) ? (tree['datums'] as unknown[]).filter(isBody) : []
  // Under this directive a name may mean a column where a variable has it too.
  const variables = source.includes('#variable_conflict') ? new Set<string>() : variablesOf(datums)
  const bare: Run = { ...run, variables, values: new Map() }
  const inside: Run = { ...bare, values: constantsOf(tree, datums, (text) => expressionOf(bare, text)) }
  for (const datum of datums) meetDefaults(inside, datum)
  const { action } = tree
  if (isBody(action)) meetStatement(inside, action)
}

function parsed(run: Run, source: string): Body | null {
  try {
    const tree = run.ctx.parsers.plpgsql(source) as { plpgsql_funcs?: readonly Body[] }
    const body = tree.plpgsql_funcs?.[0]?.['PLpgSQL_function']
    if (tree.plpgsql_funcs?.length === 1 && isBody(body)) return body
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    reversible: 'unknown',
    resource: { type: 'code', name: 'plpgsql' },
  })
  unseen(run, 'parse_error', found, 'the PL/pgSQL code does not parse')
  return null
}

/** Defaults of variables and queries of cursors run with the block. */
function meetDefaults(run: Run, datum: Body): void {
  for (const inside of Object.values(datum)) {
    if (!isBody(inside)) continue
    for (const key of ['default_val', 'cursor_explicit_expr']) meetExpression(run, inside[key])
  }
}

type Handler = (run: Run, body: Body) => void

function meetStatement(run: Run, node: Body): void {
  descend(run)
  for (const kind of Object.keys(node)) {
    const body = node[kind]
    const handler = Object.hasOwn(handlers, kind) ? handlers[kind] : undefined
    if (handler === undefined || !isBody(body)) meetUnknown(run, kind)
    else handler(run, body)
  }
  ascend(run)
}

function meetUnknown(run: Run, kind: string): void {
  const found = emit(run, {
    action: 'unknown',
    scope: 'unknown',
    confidence: 'opaque',
    resource: { type: 'code', name: unknownName },
  })
  unseen(run, 'unsupported_syntax', found, `${kind} is not known`)
}

function meetAll(run: Run, list: unknown): void {
  if (!Array.isArray(list)) return
  for (const node of list as unknown[]) if (isBody(node)) meetStatement(run, node)
}

interface Expression {
  readonly query: string
  readonly mode: number
}

function expressionIn(value: unknown): Expression | null {
  const inside = isBody(value) ? value['PLpgSQL_expr'] : undefined
  if (!isBody(inside) || typeof inside['query'] !== 'string') return null
  const mode = inside['parseMode']
  return { query: inside['query'], mode: typeof mode === 'number' ? mode : 0 }
}

/** As a statement: what follows SELECT, or what is assigned. */
function statementText({ query, mode }: Expression): string | null {
  if (mode === 0) return query
  if (mode === 2) return `SELECT ${query}`
  return assignedText(query)
}

/** SQL in the code, run as it stands; rows that it gives go to variables, not to the caller. */
function meetExpression(run: Run, value: unknown): void {
  const expression = expressionIn(value)
  if (expression === null) return
  const text = statementText(expression)
  const { results } = run.findings
  const before = results.length
  if (text === null || !run.engine.text(run, text)) {
    const found = emit(run, {
      action: 'unknown',
      scope: 'unknown',
      confidence: 'opaque',
      resource: { type: 'query', name: unknownName },
    })
    unseen(run, 'parse_error', found, 'an expression of the code does not parse')
  }
  results.length = before
}

function meetExpressions(run: Run, list: unknown): void {
  if (Array.isArray(list)) for (const value of list as unknown[]) meetExpression(run, value)
}

/** The expression that a text is, for folding; undefined where it does not parse. */
function expressionOf(run: Run, text: string): Node | undefined {
  try {
    run.ctx.spend(10)
    const tree = run.ctx.parsers.postgres(`SELECT ${text}`) as { readonly stmts?: readonly { stmt?: Node }[] }
    const statement = tree.stmts?.[0]?.stmt
    if (statement === undefined || !('SelectStmt' in statement)) return undefined
    const [target] = statement.SelectStmt.targetList ?? []
    return target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

/** EXECUTE: the text as far as it is constant, analysed with its holes. */
function meetDynamic(run: Run, value: unknown): void {
  const expression = expressionIn(value)
  if (expression === null) return
  meetExpression(run, value)
  runTemplate(run, expressionOf(run, expression.query))
}

function looped(run: Run, times: number | null): Run {
  const { repeat } = run.mode
  return inMode(run, { repeat: times === null || repeat === null ? null : repeat * times })
}

function conditionally(run: Run): Run {
  return inMode(run, { conditional: true })
}

/** A FOR loop over constants runs as often as they say. */
function countOf(run: Run, body: Body): number | null {
  const [low, high] = [numberOf(run, body['lower']), numberOf(run, body['upper'])]
  const step = body['step'] === undefined ? 1 : numberOf(run, body['step'])
  if (low === null || high === null || step === null || step < 1) return null
  const span = body['reverse'] === undefined ? high - low : low - high
  return span < 0 ? 0 : Math.floor(span / step) + 1
}

function numberOf(run: Run, value: unknown): number | null {
  const expression = expressionIn(value)
  const folded = expression === null ? undefined : fold(expressionOf(run, expression.query))
  return typeof folded === 'number' ? folded : null
}

/** A loop: its head once, its body as often as is known. */
function loop(keys: readonly string[], dynamic: readonly string[] = []): Handler {
  return (run, body) => {
    for (const key of keys) meetExpression(run, body[key])
    for (const key of dynamic) meetDynamic(run, body[key])
    meetExpressions(run, body['params'])
    meetAll(looped(run, null), body['body'])
  }
}

function countedLoop(run: Run, body: Body): void {
  for (const key of ['lower', 'upper', 'step']) meetExpression(run, body[key])
  meetAll(looped(run, countOf(run, body)), body['body'])
}

/** WHILE evaluates its condition each time. */
function whileLoop(run: Run, body: Body): void {
  const inside = looped(run, null)
  meetExpression(inside, body['cond'])
  meetAll(inside, body['body'])
}

function block(run: Run, body: Body): void {
  meetAll(run, body['body'])
  const exceptions = isBody(body['exceptions']) ? body['exceptions']['PLpgSQL_exception_block'] : undefined
  const list = isBody(exceptions) ? exceptions['exc_list'] : undefined
  if (!Array.isArray(list)) return
  for (const node of list as unknown[]) {
    const handler = isBody(node) ? node['PLpgSQL_exception'] : undefined
    if (isBody(handler)) meetAll(conditionally(run), handler['action'])
  }
}

function branches(run: Run, body: Body): void {
  meetExpression(run, body['cond'])
  meetExpression(run, body['t_expr'])
  const inside = conditionally(run)
  meetAll(inside, body['then_body'])
  for (const list of [body['elsif_list'], body['case_when_list']]) {
    for (const node of Array.isArray(list) ? (list as unknown[]) : []) branch(run, inside, node)
  }
  meetAll(inside, body['else_body'])
  meetAll(inside, body['else_stmts'])
}

function branch(run: Run, inside: Run, node: unknown): void {
  for (const arm of isBody(node) ? Object.values(node) : []) {
    if (!isBody(arm)) continue
    meetExpression(run, arm['cond'])
    meetExpression(run, arm['expr'])
    meetAll(inside, arm['stmts'])
  }
}

/** A statement of expressions only, and of text to execute. */
function simple(keys: readonly string[], dynamic: readonly string[] = []): Handler {
  return (run, body) => {
    for (const key of keys) meetExpression(run, body[key])
    for (const key of dynamic) meetDynamic(run, body[key])
    meetExpressions(run, body['params'])
  }
}

function raise(run: Run, body: Body): void {
  meetExpressions(run, body['params'])
  const options = body['options']
  for (const node of Array.isArray(options) ? (options as unknown[]) : []) {
    const option = isBody(node) ? node['PLpgSQL_raise_option'] : undefined
    if (isBody(option)) meetExpression(run, option['expr'])
  }
}

const handlers: Readonly<Record<string, Handler>> = {
  PLpgSQL_stmt_block: block,
  PLpgSQL_stmt_assign: simple(['expr']),
  PLpgSQL_stmt_if: branches,
  PLpgSQL_stmt_case: branches,
  PLpgSQL_stmt_loop: loop([]),
  PLpgSQL_stmt_while: whileLoop,
  PLpgSQL_stmt_fori: countedLoop,
  PLpgSQL_stmt_fors: loop(['query']),
  PLpgSQL_stmt_forc: loop([]),
  PLpgSQL_stmt_foreach_a: loop(['expr']),
  PLpgSQL_stmt_dynfors: loop([], ['query']),
  PLpgSQL_stmt_exit: simple(['cond']),
  PLpgSQL_stmt_return: simple(['expr']),
  PLpgSQL_stmt_return_next: simple(['expr']),
  PLpgSQL_stmt_return_query: simple(['query'], ['dynquery']),
  PLpgSQL_stmt_raise: raise,
  PLpgSQL_stmt_assert: simple(['cond', 'message']),
  PLpgSQL_stmt_execsql: simple(['sqlstmt']),
  PLpgSQL_stmt_dynexecute: simple([], ['query']),
  PLpgSQL_stmt_getdiag: simple([]),
  PLpgSQL_stmt_open: simple(['query'], ['dynquery']),
  PLpgSQL_stmt_fetch: simple(['expr']),
  PLpgSQL_stmt_close: simple([]),
  PLpgSQL_stmt_perform: simple(['expr']),
  PLpgSQL_stmt_call: simple(['expr']),
  PLpgSQL_stmt_commit: simple([]),
  PLpgSQL_stmt_rollback: simple([]),
}
