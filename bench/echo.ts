/**
 * The unit of every figure: a bare fastify that validates the decide body with stock ajv and sends it
 * back. Fastify's defaults, no hooks, no authentication, nothing stored.
 */
import { readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'
import fastify from 'fastify'
import { parse } from 'yaml'

const document = parse(readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>
const ajv = new Ajv2020.default({ strict: false, discriminator: true, validateFormats: false })
ajv.addSchema(document, 'openapi')

const app = fastify()
app.setValidatorCompiler(({ schema }) => ajv.compile(schema as object))
app.post(
  '/v1/decide',
  { schema: { body: { $ref: 'openapi#/components/schemas/DecideRequest' } } },
  (request) => request.body,
)
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${address}\n`)
