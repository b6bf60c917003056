/** Walks an expression once: columns, parameters, functions, operators and the queries in it. */
import { builtInOperators } from './catalogue.data.ts'
import { meetCall } from './functions.ts'
import { collecting, distinctUses, markOutputs, meetColumns } from './mark.ts'
import type { Frame } from './model.ts'
import { parameterKind } from './parameters.ts'
import { resolveColumn } from './resolve.ts'
import { ascend, descend, emit, unseen } from './run.ts'
import type { A_Expr, Body, FuncCall, Node, SelectStmt, SubLink } from './tree.ts'
import { stringsOf } from './tree.ts'

/** Visits a node, a list of nodes or any object of the tree that stands in an expression. */
export function visit(frame: Frame, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) visit(frame, item)
    return
  }
  descend(frame.run)
  const members = value as Body
  for (const key in members) visitMember(frame, key, members[key])
  ascend(frame.run)
}

type Visitor = (frame: Frame, body: never) => void

function visitMember(frame: Frame, key: string, body: unknown): void {
  if (typeof body !== 'object' || body === null || skipped.has(key)) return
  const visitor = Object.hasOwn(visitors, key) ? visitors[key] : undefined
  if (visitor === undefined) visit(frame, body)
  else visitor(frame, body as never)
}

/** Parts that hold names of types and operators, and no expressions. */
const skipped: ReadonlySet<string> = new Set(['typeName', 'A_Const', 'SetToDefault', 'collname', 'funcname'])

const visitors: Readonly<Record<string, Visitor>> = {
  ColumnRef: (frame, ref: Parameters<typeof resolveColumn>[1]) => {
    const found = resolveColumn(frame, ref)
    if (found.variable) frame.met.parameter = true
    meetColumns(frame, found.uses)
  },
  ParamRef: (frame, param: { readonly number?: number }) => {
    frame.met.parameter = true
    if (parameterKind(frame.run, param.number ?? 0) !== 'spliced') return
    unseen(
      frame.run,
      'spliced_variable',
      null,
      `parameter ${param.number ?? 0} is neither a scalar nor an array`,
    )
  },
  A_Expr: visitOperator,
  FuncCall: visitCall,
  SubLink: visitSubLink,
  SelectStmt: (frame, statement: SelectStmt) => {
    visitQuery(frame, statement)
  },
  JsonObjectAgg: visitAggregate,
  JsonArrayAgg: visitAggregate,
}

function visitAggregate(frame: Frame, body: object): void {
  frame.aggregated = true
  frame.met.aggregate = true
  for (const part of Object.values(body)) visit(frame, part)
}

function visitOperator(frame: Frame, expr: A_Expr): void {
  const parts = stringsOf(expr.name)
  const symbol = parts.at(-1) ?? ''
  const builtIn = parts.length === 1 || parts[0] === 'pg_catalog'
  if (isOperator(expr) && !(builtIn && builtInOperators.has(symbol))) meetOperator(frame, parts.join('.'))
  visit(frame, expr.lexpr)
  visit(frame, expr.rexpr)
}

/** BETWEEN, IN, LIKE, … have a name that is no operator of their own, or a built-in one. */
function isOperator(expr: A_Expr): boolean {
  return expr.kind === 'AEXPR_OP' || expr.kind === 'AEXPR_OP_ANY' || expr.kind === 'AEXPR_OP_ALL'
}

/** An operator that is not built in calls a function of somebody's. */
function meetOperator(frame: Frame, name: string): void {
  frame.volatile = true
  frame.met.unknown = true
  if (Object.hasOwn(frame.run.place.functions, name)) return
  const called = emit(frame.run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    reversible: 'unknown',
    resource: { type: 'operator', name },
  })
  unseen(frame.run, 'stored_code', called, `operator ${name} is not built in`)
}

function visitCall(frame: Frame, call: FuncCall): void {
  visit(frame, call.args)
  visit(frame, call.agg_order)
  within(frame, 'where', call.agg_filter)
  if (call.over !== undefined) {
    frame.windowed = true
    within(frame, 'window', call.over)
  }
  meetCall(frame, call)
}

/** Visits a part that compares rather than shows. */
export function within(frame: Frame, clause: Frame['clause'], part: unknown): void {
  if (part === undefined) return
  const { clause: around } = frame
  frame.clause = clause
  visit(frame, part)
  frame.clause = around
}

function visitSubLink(frame: Frame, link: SubLink): void {
  visit(frame, link.testexpr)
  const query = link.subselect
  if (query === undefined || !('SelectStmt' in query)) return
  const shape = visitQuery(frame, query.SelectStmt, link.subLinkType === 'EXISTS_SUBLINK')
  frame.run.findings.sublinks.set(link, shape)
}

function visitQuery(
  frame: Frame,
  statement: SelectStmt,
  rowsOnly = false,
): ReturnType<Frame['run']['engine']['select']> {
  frame.met.query = true
  const { run } = frame
  const from = run.findings.effects.length
  const shape = run.engine.select({ run, parent: frame, ctes: frame.ctes }, statement)
  for (let index = from; index < run.findings.effects.length; index++) {
    const found = run.findings.effects[index]
    if (found !== undefined) frame.calls.push(found)
  }
  if (shape.volatile) frame.volatile = true
  if (rowsOnly) return shape
  if (!shape.complete || shape.outputs.some((output) => output.kind === 'unknown')) frame.met.unknown = true
  const uses = shape.complete ? distinctUses(shape.outputs.flatMap((output) => output.uses)) : shape.rest
  if (frame.clause !== 'select') markOutputs(shape.outputs)
  meetColumns(frame, uses)
  return shape
}

/** Visits an expression and tells what it refers to. */
export function visited(frame: Frame, node: Node | undefined): ReturnType<typeof collecting> {
  return collecting(frame, () => {
    visit(frame, node)
  })
}
