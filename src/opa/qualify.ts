/** Measures a loaded policy before it may judge: what it costs is known when it comes into force. */
import { PdpError } from '../errors.ts'
import type { EvaluationInput, PolicyEvaluator } from './evaluator.ts'
import { largestInput, typicalInput } from './sample.ts'

const batch = 32
const rounds = 16
const limits = { typicalMicros: 5_000, largestMicros: 100_000, memoryBytes: 64 * 1024 * 1024 } as const

/**
 * Median microseconds of one usual evaluation. Rejects with `bundle.invalid` when a usual input faults,
 * or when it, the largest input or the memory used exceed what every decision can afford.
 */
export async function qualify(evaluator: PolicyEvaluator): Promise<number> {
  const typical = Array.from({ length: batch }, typicalInput)
  // The first rounds run unoptimised code, and are no measure of later ones.
  for (let round = 0; round < 4; round++) await timed(evaluator, typical)
  const micros: number[] = []
  for (let round = 0; round < rounds; round++) micros.push((await timed(evaluator, typical)) / batch)
  const median = Math.round(micros.sort((a, b) => a - b)[rounds / 2] ?? 0)
  // The least of three: what else the machine does is no cost of the policy.
  let largest = Infinity
  for (let round = 0; round < 3; round++)
    largest = Math.min(largest, await timed(evaluator, [largestInput()]))
  if (median > limits.typicalMicros) throw tooMuch('a usual decision takes', median, limits.typicalMicros)
  if (largest > limits.largestMicros)
    throw tooMuch('the largest decision takes', largest, limits.largestMicros)
  if (evaluator.memoryBytes > limits.memoryBytes) {
    throw new PdpError('bundle.invalid', 'policy and data need more than 64 MiB of memory')
  }
  return median
}

async function timed(evaluator: PolicyEvaluator, inputs: readonly EvaluationInput[]): Promise<number> {
  const started = performance.now()
  const verdicts = await evaluator.evaluate(inputs)
  const micros = (performance.now() - started) * 1000
  for (const verdict of verdicts) {
    if (!verdict.ok) throw new PdpError('bundle.invalid', `a usual input ends in ${verdict.rule}`)
  }
  return micros
}

function tooMuch(what: string, micros: number, limit: number): PdpError {
  return new PdpError(
    'bundle.invalid',
    `${what} ${String(Math.round(micros))} µs; ${String(limit)} µs are allowed`,
  )
}
