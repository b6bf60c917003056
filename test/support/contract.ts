/** Is an answer what openapi.yaml says? Read independently of the server's own reading of it. */
import { readFileSync } from 'node:fs'
import type { ValidateFunction } from 'ajv'
import Ajv2020 from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { parse } from 'yaml'

export interface SeenAnswer {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

type Node = Readonly<Record<string, unknown>>

const document = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Node>> }>>>
  >
  readonly components: Readonly<Record<string, Readonly<Record<string, Node>>>>
}

const ajv = new Ajv2020.default({
  strict: false,
  discriminator: true,
  allErrors: true,
  formats: { 'date-time': fullFormats['date-time'], binary: true },
})
ajv.addSchema({ $id: 'contract', components: document.components })

const compiled = new Map<string, ValidateFunction>()

/** What any operation may answer, though the contract does not say it for each. */
const everywhere = new Set([404, 405, 408, 431, 500])

/** What is wrong with an answer; empty when it is as the contract says. */
export function contractFaults(answer: SeenAnswer): readonly string[] {
  const faults = [...headerFaults(answer)]
  const response = responseOf(answer)
  if (response === 'options') return faults
  if (response === null) return [...faults, `status ${answer.status} is not in the contract`]
  const type = text(answer.headers['content-type']).split(';')[0] ?? ''
  const schema = response.content[type]
  if (schema === undefined) return [...faults, `content type ${type} is not in the contract`]
  for (const [name, node] of Object.entries(response.headers)) {
    if (isMissing(answer, name, node)) faults.push(`header ${name} is missing or wrong`)
  }
  if (answer.method === 'HEAD') return answer.body === '' ? faults : [...faults, 'HEAD has a body']
  return [...faults, ...bodyFaults(answer, type, schema)]
}

interface Documented {
  readonly content: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, Node>>
}

function responseOf({ method, path, status }: SeenAnswer): Documented | 'options' | null {
  const template = templateOf(path)
  const operation =
    template === null
      ? undefined
      : document.paths[template]?.[method === 'HEAD' ? 'get' : method.toLowerCase()]
  if (template !== null && method === 'OPTIONS' && status === 204) return 'options'
  const reference = operation?.responses[String(status)]
  if (reference === undefined) {
    if (!everywhere.has(status) && operation !== undefined) return null
    return { content: { 'application/problem+json': '#/components/schemas/Problem' }, headers: {} }
  }
  const node = (isReference(reference) ? lookUp(reference.$ref) : reference) as {
    readonly content: Readonly<Record<string, { readonly schema: Node }>>
    readonly headers?: Readonly<Record<string, Node>>
  }
  const schemas = Object.entries(node.content).map(([type, { schema }]) => [
    type,
    isReference(schema) ? schema.$ref : `inline:${JSON.stringify(schema)}`,
  ])
  return { content: Object.fromEntries(schemas) as Record<string, string>, headers: node.headers ?? {} }
}

function templateOf(path: string): string | null {
  const plain = path.split('?')[0] ?? ''
  const matches = (template: string): boolean =>
    new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain)
  return document.paths[plain] === undefined ? (Object.keys(document.paths).find(matches) ?? null) : plain
}

function isReference(node: Node): node is { readonly $ref: string } {
  return typeof node['$ref'] === 'string'
}

function lookUp(reference: string): Node {
  const [, , kind = '', name = ''] = reference.split('/')
  const node = document.components[kind]?.[name]
  if (node === undefined) throw new Error(`no ${reference}`)
  return node
}

/** `Idempotent-Replayed` says something only when it is there; the others must be. */
function isMissing(answer: SeenAnswer, name: string, node: Node): boolean {
  const value = answer.headers[name.toLowerCase()]
  const header = (isReference(node) ? lookUp(node.$ref) : node) as { readonly schema: Node }
  if (value === undefined) return name !== 'Idempotent-Replayed'
  const { schema } = header
  return !ajv.validate(schema, schema['type'] === 'integer' ? Number(value) : value)
}

function bodyFaults(answer: SeenAnswer, type: string, schema: string): readonly string[] {
  if (!type.endsWith('json')) return []
  const validate = validator(schema)
  const body = JSON.parse(answer.body) as Record<string, unknown>
  const faults = validate(body)
    ? []
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
  if (type !== 'application/problem+json') return faults
  if (body['status'] !== answer.status) faults.push('problem has another status than the answer')
  if (body['requestId'] !== answer.headers['x-request-id'])
    faults.push('problem has another request id than the answer')
  if (answer.status >= 500 && body['errors'] !== undefined)
    faults.push('a fault of the service says more than an id')
  return faults
}

/** A header's value; nothing when it is not there or not one. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function validator(schema: string): ValidateFunction {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const made = schema.startsWith('inline:')
    ? ajv.compile(JSON.parse(schema.slice('inline:'.length)) as object)
    : ajv.compile({ $ref: `contract${schema}` })
  compiled.set(schema, made)
  return made
}

function headerFaults({ status, headers, body, method }: SeenAnswer): readonly string[] {
  const faults: string[] = []
  if (headers['x-content-type-options'] !== 'nosniff') faults.push('nosniff is missing')
  if (headers['cache-control'] !== 'no-store') faults.push('Cache-Control is not no-store')
  if (!/^[\w.:@/+=-]{1,128}$/.test(text(headers['x-request-id']))) faults.push('X-Request-Id is missing')
  if (method !== 'HEAD' && Number(headers['content-length']) !== Buffer.byteLength(body))
    faults.push('Content-Length is wrong')
  if (status === 405 && !text(headers['allow']).includes('OPTIONS')) faults.push('405 without Allow')
  if (/node_modules|\n\s+at |\/src\/|SELECT |INSERT /.test(status >= 400 ? body : ''))
    faults.push('the answer leaks how it was made')
  return faults
}
