/**
 * Writes `document.ts`, the contract as the service loads it: reading the YAML takes a quarter of a second
 * that a start need not spend. Run after each change of `openapi.yaml`, beside openapi-typescript.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'

const source = new URL('../../openapi.yaml', import.meta.url)
const json = JSON.stringify(parse(readFileSync(source, 'utf8')))
const literal = `'${json.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
writeFileSync(
  new URL('./document.ts', import.meta.url),
  `/** Generated from openapi.yaml by generate.ts; never edited. */\n\n/** openapi.yaml as JSON text. */\nexport const documentJson =\n  ${literal}\n`,
)
