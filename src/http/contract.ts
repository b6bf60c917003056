/** openapi.yaml as what the server needs: one operation per method and path, with its exact validation. */
import { documentJson } from '../contract/document.ts'
import type { operations } from '../contract/openapi.d.ts'
import type { Fault } from '../errors.ts'
import { Validators, type FindFaults, type Schema } from './validation.ts'

export type OperationId = keyof operations

/** What a path, query and header section carries, by its name in the contract. */
export type Values = Readonly<Record<string, string | number | boolean | undefined>>

/** The parts of a request that parameters are read from. */
export interface ParameterSource {
  readonly params: unknown
  readonly query: unknown
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Operation {
  readonly id: OperationId
  readonly method: 'GET' | 'POST'
  /** As in the contract, with `{names}`. */
  readonly path: string
  /** Null: no token is asked for. */
  readonly scope: string | null
  readonly maxBodyBytes: number
  /** By media type; a null reads no JSON. Empty when there is no body. */
  readonly bodies: ReadonlyMap<string, FindFaults | null>
  readonly parameters: readonly Parameter[]
}

/** The contract, ready to serve. */
export interface Contract {
  readonly operations: readonly Operation[]
  /** openapi.yaml as JSON text. */
  readonly json: string
  /** A validator for any schema under `components/schemas`. */
  schema(name: string): FindFaults
}

type Place = 'path' | 'query' | 'header'

interface Parameter {
  readonly name: string
  readonly in: Place
  readonly required: boolean
  readonly type: 'string' | 'integer' | 'boolean'
  readonly fallback: string | number | boolean | undefined
  readonly findFaults: FindFaults
}

const defaultBodyBytes = 1_048_576

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationNode>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly parameters: Readonly<Record<string, ParameterNode>>
  }
}

interface OperationNode {
  readonly operationId: OperationId
  readonly security?: readonly unknown[]
  readonly 'x-scope'?: string
  readonly 'x-max-body-bytes'?: number
  readonly parameters?: readonly (ParameterNode | { readonly $ref: string })[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

interface ParameterNode {
  readonly name: string
  readonly in: Place
  readonly required?: boolean
  readonly schema: Schema
}

/**
 * Reads the contract and compiles its schemas.
 *
 * @throws TypeError when the contract says something that this server can't do, such as an operation
 *   without a scope that is not public
 */
export function loadContract(json: string = documentJson): Contract {
  const document = JSON.parse(json) as Document
  const validators = new Validators(document.components.schemas)
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, node]) => operation(document, validators, { path, method, node })),
  )
  return {
    operations,
    json,
    schema: (name) => validators.compile({ $ref: `#/components/schemas/${name}` }),
  }
}

function operation(
  document: Document,
  validators: Validators,
  { path, method, node }: { readonly path: string; readonly method: string; readonly node: OperationNode },
): Operation {
  const scope = node['x-scope'] ?? null
  if (method !== 'get' && method !== 'post')
    throw new TypeError(`expected get or post at ${path}, found ${method}`)
  if (scope === null && node.security?.length !== 0)
    throw new TypeError(`expected a scope at ${method} ${path}`)
  return {
    id: node.operationId,
    method: method === 'get' ? 'GET' : 'POST',
    path,
    scope,
    maxBodyBytes: node['x-max-body-bytes'] ?? defaultBodyBytes,
    bodies: bodiesOf(validators, node),
    parameters: (node.parameters ?? []).map((each) => parameter(validators, resolved(document, each))),
  }
}

function bodiesOf(validators: Validators, node: OperationNode): ReadonlyMap<string, FindFaults | null> {
  return new Map(
    Object.entries(node.requestBody?.content ?? {}).map(([type, { schema }]) => [
      type,
      type === 'application/json' ? validators.compile(schema) : null,
    ]),
  )
}

function resolved(document: Document, node: ParameterNode | { readonly $ref: string }): ParameterNode {
  if (!('$ref' in node)) return node
  const found = document.components.parameters[node.$ref.slice('#/components/parameters/'.length)]
  if (found === undefined) throw new TypeError(`the contract has no ${node.$ref}`)
  return found
}

function parameter(validators: Validators, node: ParameterNode): Parameter {
  const { type, default: fallback } = node.schema
  return {
    name: node.name,
    in: node.in,
    required: node.required === true,
    type: type === 'integer' || type === 'boolean' ? type : 'string',
    fallback: fallback as Parameter['fallback'],
    findFaults: validators.compile(node.schema),
  }
}

/**
 * The parameters of a request, coerced from text to the contract's types, with the contract's defaults.
 * Faults point at the parameter's name, as `/limit`. A query parameter that the contract does not name is a fault:
 * a filter that is silently dropped would answer more than was asked.
 */
export function readParameters(
  operation: Operation,
  source: ParameterSource,
): { readonly values: Values; readonly faults: readonly Fault[] } {
  const query = (source.query ?? {}) as Readonly<Record<string, unknown>>
  const values: Record<string, string | number | boolean | undefined> = {}
  const faults: Fault[] = []
  for (const parameter of operation.parameters) {
    const raw = rawValue(parameter, source, query)
    if (raw === undefined && !parameter.required) values[parameter.name] = parameter.fallback
    else {
      const value = coerced(raw, parameter.type)
      for (const { detail } of parameter.findFaults(value, 0))
        faults.push({ pointer: pointer(parameter.name), detail })
      values[parameter.name] = value as string | number | boolean
    }
  }
  for (const name in query) if (!isQueryName(operation, name)) faults.push(unknownQuery(name))
  return { values, faults: faults.slice(0, 20) }
}

function rawValue(
  parameter: Parameter,
  source: ParameterSource,
  query: Readonly<Record<string, unknown>>,
): unknown {
  if (parameter.in === 'query') return query[parameter.name]
  if (parameter.in === 'header') return source.headers[parameter.name.toLowerCase()]
  return ((source.params ?? {}) as Readonly<Record<string, unknown>>)[parameter.name]
}

/** What can't be coerced stays what it is, for the schema to refuse; so does a parameter that is given twice. */
function coerced(raw: unknown, type: Parameter['type']): unknown {
  if (typeof raw !== 'string') return raw
  if (type === 'integer' && /^-?[0-9]{1,15}$/.test(raw)) return Number(raw)
  if (type === 'boolean' && (raw === 'true' || raw === 'false')) return raw === 'true'
  return raw
}

function isQueryName(operation: Operation, name: string): boolean {
  return operation.parameters.some((parameter) => parameter.in === 'query' && parameter.name === name)
}

function unknownQuery(name: string): Fault {
  return { pointer: pointer(name.slice(0, 128)), detail: 'is not a parameter that the contract knows' }
}

function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
