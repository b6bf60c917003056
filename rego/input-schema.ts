/**
 * Writes `rego/input.schema.json`: the shape of the document that policies read, for
 * `opa check --strict --schema`, so that a misspelt field in a rule is an error with file and line
 * instead of a rule that never fires.
 *
 * What the policies' input shares with the API comes from `openapi.yaml`; the rest stands here. The
 * compiler understands a part of JSON Schema only: no `oneOf`, no lists of types, no `null` (an
 * alternative to null is anything at all to it), and an object with properties has no others. So
 * references are written out, and an object that may be null is an object here: its members are
 * checked, and a rule asks `is_null(x)` instead of `x == null`. A scalar that may be null is not checked.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'

interface Schema {
  readonly [key: string]: unknown
}

const folder = new URL('.', import.meta.url)
const contract = parse(readFileSync(new URL('../openapi.yaml', folder), 'utf8')) as {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const text: Schema = { type: 'string' }
const flag: Schema = { type: 'boolean' }
const free: Schema = { type: 'object', additionalProperties: true }

/** Types and shapes alone matter to the compiler; bounds, patterns and descriptions are the service's. */
const kept = new Set(['type', 'properties', 'required', 'items', 'additionalProperties'])

function shared(name: string): Schema {
  const schema = contract.components.schemas[name]
  if (schema === undefined) throw new Error(`openapi.yaml has no schema ${name}`)
  return plain(schema)
}

/** One schema in the compiler's part of the language. */
function plain(schema: Schema): Schema {
  if (typeof schema['$ref'] === 'string') return shared(schema['$ref'].replace('#/components/schemas/', ''))
  const types = schema['type']
  if (Array.isArray(types)) return either(types.map((type: string) => ({ ...schema, type })))
  const choice = schema['oneOf'] ?? schema['anyOf']
  if (Array.isArray(choice)) return either(choice as readonly Schema[])
  const constants = schema['enum'] ?? (schema['const'] === undefined ? undefined : [schema['const']])
  if (types === undefined && Array.isArray(constants)) return { type: typeof constants[0] }
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => kept.has(key))
      .filter(([key]) => !onlyFor[key] || types === undefined || types === onlyFor[key])
      .map(([key, value]) => part(key, value)),
  )
}

/** One of several: objects before null; with a null scalar, anything. */
function either(schemas: readonly Schema[]): Schema {
  const real = schemas.filter((schema) => schema['type'] !== 'null').map(plain)
  const [first] = real
  if (real.length === schemas.length) return { anyOf: real }
  return real.length === 1 && first !== undefined && first['type'] === 'object' ? first : {}
}

/** Keywords that mean nothing beside another type. */
const onlyFor: Readonly<Record<string, string>> = {
  properties: 'object',
  required: 'object',
  additionalProperties: 'object',
  items: 'array',
}

function part(key: string, value: unknown): [string, unknown] {
  switch (key) {
    case 'properties':
      return [key, mapped(value as Readonly<Record<string, Schema>>)]
    case 'items':
    case 'additionalProperties':
      return [key, typeof value === 'boolean' ? value : plain(value as Schema)]
    default:
      return [key, value]
  }
}

function mapped(properties: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, plain(schema)]))
}

/** A closed object. A name that ends in `?` may be absent. */
function closed(members: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(members)
  return {
    type: 'object',
    additionalProperties: false,
    required: names.filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/, ''), members[name]])),
  }
}

function list(items: Schema): Schema {
  return { type: 'array', items }
}

/** The members of every language's command; those of a language that is not known are read with `object.get`. */
function command(): Schema {
  const known = contract.components.schemas['KnownCommand']?.['oneOf'] as readonly Schema[]
  const members = known.map((language) => plain(language)['properties'] as Record<string, Schema>)
  const some = Object.entries(Object.assign({}, ...members) as Record<string, Schema>)
  const optional = some.filter(([name]) => name !== 'language').map(([name, schema]) => [`${name}?`, schema])
  return closed({ ...Object.fromEntries(optional), digest: text, language: text })
}

const actor = closed({
  id: text,
  type: text,
  roles: list(text),
  groups: list(text),
  // A chain may be as long as the contract allows; its members are not verified, so rules do not rest on them.
  'onBehalfOf?': free,
  claimed: closed({ 'type?': text, roles: list(text), groups: list(text), attributes: free }),
})

const target = closed({
  system: text,
  id: text,
  environment: text,
  registered: flag,
  protected: flag,
  'schema?': text,
  'cwd?': text,
  'session?': text,
  'owner?': text,
  labels: free,
  // What the request says and nobody believes.
  'claimed?': free,
  'kubeContext?': text,
  'cloudProfile?': text,
  facts: closed({
    'internal?': list(text),
    'workspace?': text,
    'sandboxed?': flag,
    'protectedBranches?': list(text),
    catalogue: flag,
  }),
})

/** What the actor's other commands in the same batch add. */
const batchTotal = closed({ action: text, system: text, name: text, rows: { type: 'number' } })

const input = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'What a policy sees',
  description: 'Generated by rego/input-schema.ts from openapi.yaml; do not edit.',
  ...closed({
    actor,
    batch: list(batchTotal),
    caller: closed({ id: text, issuer: text, scopes: list(text) }),
    checks: list(closed({ rule: text, message: text, hint: text })),
    command: command(),
    context: shared('Context'),
    grants: list(free),
    intent: shared('Intent'),
    lineage: shared('Lineage'),
    places: list(closed({ target: {}, environment: text, protected: flag, why: text })),
    target,
    time: text,
  }),
}

writeFileSync(new URL('input.schema.json', folder), `${JSON.stringify(input, null, 2)}\n`)
