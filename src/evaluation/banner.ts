/** What evaluation mode prints once it is ready. */
import { relative } from 'node:path'
import { styleText } from './style.ts'
import type { EvaluationFile } from './state.ts'

/** One thing that was done on the way up, and how long it took. */
export interface Step {
  readonly what: string
  readonly millis: number
}

const BODY = {
  actor: { id: 'agent:etl-7', type: 'agent' },
  command: { language: 'sql', dialect: 'postgresql', text: 'DELETE FROM customers' },
  target: { system: 'postgresql', id: 'orders-db', environment: 'production' },
}

/** A command to paste: it asks for a verdict that is sure to be `deny`. */
export function curlLine(file: EvaluationFile): string {
  return [
    `curl -s ${file.url}/v1/decide`,
    `-H 'authorization: Bearer ${file.tokens.service}'`,
    `-H 'content-type: application/json'`,
    `-d '${JSON.stringify(BODY)}'`,
  ].join(' ')
}

/** The whole text. @param path of evaluation.json */
export function banner(file: EvaluationFile, path: string, steps: readonly Step[]): string {
  const width = Math.max(...steps.map(({ what }) => what.length))
  const tokens = Object.entries(file.tokens).map(
    ([role, token]) => `  ${styleText('bold', role.padEnd(8))} ${token}`,
  )
  return [
    '',
    `${styleText('bold', 'Countersign')} listens on ${styleText('bold', file.url)}`,
    '',
    ...steps.map(
      ({ what, millis }) => `  ${what.padEnd(width)} ${styleText('dim', `${Math.round(millis)} ms`)}`,
    ),
    '',
    styleText(
      'yellow',
      'EVALUATION MODE: keys, tokens and database were made on the spot. Not for production.',
    ),
    '',
    'Tokens (24 hours):',
    ...tokens,
    '',
    'Ask whether an agent may empty a table in production:',
    '',
    curlLine(file),
    '',
    styleText('dim', `Also in ${shortened(path)}. Ten more questions: npm run demo`),
    '',
  ].join('\n')
}

function shortened(path: string): string {
  const below = relative(process.cwd(), path)
  return below.startsWith('..') ? path : below
}
