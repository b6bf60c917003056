/** Code in other languages inside SQL: DO blocks and function bodies. */
import type { Run } from './model.ts'
import { partsName } from './object-name.ts'
import { analysePlpgsql } from './plpgsql.ts'
import { emit, inMode, unknownName, unseen } from './run.ts'
import { runAs } from './roles.ts'
import { visitAlone } from './select.ts'
import type { DefElem, Node } from './tree.ts'
import { optionIsOn, optionText, optionsOf, stringOf, stringsOf } from './tree.ts'

type Statement<K extends string> = Extract<Node, Readonly<Record<K, unknown>>>

function optionNamed(options: readonly DefElem[], name: string): DefElem | undefined {
  return options.find((option) => option.defname === name)
}

/** DO: the block runs now. */
export function doBlock(run: Run, { DoStmt: { args } }: Statement<'DoStmt'>): void {
  const options = optionsOf(args)
  const body = optionText(optionNamed(options, 'as')) ?? ''
  const language = (optionText(optionNamed(options, 'language')) ?? 'plpgsql').toLowerCase()
  if (language === 'plpgsql') {
    const inside = inMode(run, { via: [...run.mode.via, 'plpgsql'] })
    run.ctx.spendBytes(body.length)
    analysePlpgsql(nested(inside), run.source)
    return
  }
  unreadCode(run, language, false)
}

function nested(run: Run): Run {
  return { ...run, depth: run.depth + 1, span: null }
}

function unreadCode(run: Run, language: string, deferred: boolean): void {
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    deferred,
    reversible: 'unknown',
    resource: { type: 'code', name: language },
  })
  unseen(run, 'not_analyzed', found, `code in ${language} is not analysed`)
}

/** CREATE FUNCTION and PROCEDURE: the body runs when it is called. */
export function createFunction(
  run: Run,
  { CreateFunctionStmt: statement }: Statement<'CreateFunctionStmt'>,
): void {
  const parts = stringsOf(statement.funcname)
  run.session.created.add(parts.at(-1) ?? '')
  const options = optionsOf(statement.options)
  const definer = optionNamed(options, 'security')
  emit(run, {
    action: 'create',
    scope: 'single',
    why: statement.replace === true ? 'or_replace' : '',
    privilege: definer !== undefined && optionIsOn(definer) ? runAs('owner') : null,
    resource: { type: statement.is_procedure === true ? 'procedure' : 'function', ...partsName(run, parts) },
  })
  const inside = inMode(run, { deferred: true })
  for (const parameter of statement.parameters ?? []) {
    if ('FunctionParameter' in parameter)
      visitAlone({ run: inside, parent: null, ctes: null }, parameter.FunctionParameter.defexpr)
  }
  if (statement.sql_body !== undefined) sqlBody(viaSql(inside), statement.sql_body, 0)
  else functionBody(inside, options)
}

function viaSql(run: Run): Run {
  return nested(inMode(run, { via: [...run.mode.via, 'function body'] }))
}

/** `BEGIN ATOMIC …; END` is parsed already; `RETURN expression` too. */
function sqlBody(run: Run, body: Node, level: number): void {
  if (level > 4) return
  if ('List' in body) for (const item of body.List.items ?? []) sqlBody(run, item, level + 1)
  else if ('ReturnStmt' in body) visitAlone({ run, parent: null, ctes: null }, body.ReturnStmt.returnval)
  else if (Object.keys(body).length > 0) run.engine.statement(run, body)
}

function functionBody(run: Run, options: readonly DefElem[]): void {
  const language = (optionText(optionNamed(options, 'language')) ?? 'sql').toLowerCase()
  const as = optionNamed(options, 'as')?.arg
  const text = as !== undefined && 'List' in as ? (stringOf(as.List.items?.[0]) ?? '') : ''
  run.ctx.spendBytes(text.length)
  if (language === 'sql') sqlText(viaSql(run), text)
  else if (language === 'plpgsql') {
    analysePlpgsql(nested(inMode(run, { via: [...run.mode.via, 'plpgsql'] })), run.source)
  } else unreadCode(run, language, true)
}

function sqlText(run: Run, text: string): void {
  if (run.engine.text(run, text)) return
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    resource: { type: 'code', name: 'sql' },
  })
  unseen(run, 'parse_error', found, 'the body of the function does not parse')
}

/** ALTER FUNCTION: SECURITY DEFINER makes callers act as its owner. */
export function alterFunction(
  run: Run,
  { AlterFunctionStmt: statement }: Statement<'AlterFunctionStmt'>,
): void {
  const definer = optionNamed(optionsOf(statement.actions), 'security')
  emit(run, {
    action: 'alter',
    scope: 'single',
    why: definer === undefined ? '' : 'security',
    privilege: definer !== undefined && optionIsOn(definer) ? runAs('owner') : null,
    resource: { type: 'function', ...partsName(run, stringsOf(statement.func?.objname)) },
  })
}

/** CALL runs a procedure, like any function. */
export function call(run: Run, { CallStmt: { funccall } }: Statement<'CallStmt'>): void {
  const before = run.findings.effects.length
  visitAlone({ run, parent: null, ctes: null }, { FuncCall: funccall ?? {} })
  if (run.findings.effects.length === before) {
    emit(run, { action: 'none', scope: 'single', resource: { type: 'query', name: '' } })
  }
}

/** LOAD brings a library into the server. */
export function loadLibrary(run: Run, { LoadStmt: { filename } }: Statement<'LoadStmt'>): void {
  const found = emit(run, {
    action: 'execute',
    scope: 'unknown',
    confidence: 'opaque',
    reversible: 'no',
    resource: { type: 'library', name: filename ?? unknownName },
  })
  unseen(run, 'external_file', found, 'a library of the server is not here')
}
