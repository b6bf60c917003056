/** The closed schema of a bundle's data: what it does not name is a misspelling, and is refused. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { BundleFinding } from '../policy/bundle.ts'

const maxFindings = 20

/** @param schema JSON Schema 2020-12 */
export function dataChecker(schema: object): (data: unknown) => readonly BundleFinding[] {
  const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema)
  return (data) => {
    if (validate(data)) return []
    return (validate.errors ?? []).slice(0, maxFindings).map((error) => ({
      step: 'data',
      file: 'data.json',
      message: `${error.instancePath || '/'} ${error.message ?? 'is not valid'}${unexpected(error.params)}`,
    }))
  }
}

function unexpected(params: Readonly<Record<string, unknown>>): string {
  const name = params['additionalProperty']
  return typeof name === 'string' ? `: ${name.slice(0, 100)}` : ''
}
