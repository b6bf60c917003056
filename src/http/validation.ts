/** The contract's schemas as validators that change nothing: no coercion, no defaults, no removal. */
import type { ValidateFunction } from 'ajv'
import Ajv2020 from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { PdpError, type Fault } from '../errors.ts'
import { faultsOf } from './faults.ts'

/** Above it only the first fault is looked for: finding all of them costs memory that a caller would control. */
const thoroughBytes = 16_384

const name = 'countersign'

/** A JSON schema, as the contract has it. */
export type Schema = Readonly<Record<string, unknown>>

/** Finds what is wrong with a value; empty when it fits. `bytes` is the size of the text that it came in. */
export type FindFaults = (value: unknown, bytes: number) => readonly Fault[]

/** Compiles schemas that may refer to each other as `#/components/schemas/…`. */
export class Validators {
  private readonly schemas: Schema
  private readonly quick: Ajv2020.default
  private thorough: Ajv2020.default | null = null
  private readonly made = new Map<Schema, ValidateFunction>()

  constructor(schemas: Schema) {
    this.schemas = schemas
    this.quick = compiler(schemas, false)
  }

  /** Ready at once for what fits; what finds all faults is compiled when the first one is met. */
  compile(schema: Schema): FindFaults {
    const quick = compiled(this.quick, schema)
    return (value, bytes) => {
      if (quick(value)) return []
      if (bytes > thoroughBytes) return faultsOf(quick.errors ?? [])
      const thorough = this.thoroughly(schema)
      return faultsOf((thorough(value) ? quick.errors : thorough.errors) ?? [])
    }
  }

  private thoroughly(schema: Schema): ValidateFunction {
    this.thorough ??= compiler(this.schemas, true)
    const made = this.made.get(schema) ?? compiled(this.thorough, schema)
    this.made.set(schema, made)
    return made
  }
}

/** @throws PdpError `request.invalid` when there are faults */
export function refuse(faults: readonly Fault[]): void {
  if (faults.length > 0) {
    throw new PdpError('request.invalid', 'the request does not fit the contract', { faults })
  }
}

function compiler(schemas: Schema, allErrors: boolean): Ajv2020.default {
  const ajv = new Ajv2020.default({
    strict: true,
    // `required` beside `oneOf`, and `type` only on the outer schema, are how the contract writes alternatives.
    strictTypes: false,
    strictRequired: false,
    discriminator: true,
    allErrors,
    verbose: allErrors,
    // The contract is linted when it changes; checking it again costs a tenth of a second per start.
    meta: false,
    validateSchema: false,
    formats: { 'date-time': fullFormats['date-time'], binary: true },
  })
  ajv.addVocabulary(['components'])
  ajv.addSchema({ $id: name, components: { schemas } })
  return ajv
}

function compiled(ajv: Ajv2020.default, schema: Schema): ValidateFunction {
  const reference = schema['$ref']
  if (typeof reference !== 'string') return ajv.compile(rebased(schema) as Schema)
  const found = ajv.getSchema(`${name}${reference}`)
  if (found === undefined) throw new TypeError(`the contract has no ${reference}`)
  return found
}

/** The same schema with its references made absolute, so that it can stand outside the document. */
function rebased(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rebased)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) =>
      key === '$ref' && typeof value === 'string' && value.startsWith('#')
        ? [key, name + value]
        : [key, rebased(value)],
    ),
  )
}
