/** Analyses commands: small ones on the main thread, large or deeply nested ones in worker threads. */
import { analyse } from '../intent/analyse.ts'
import { limits } from '../intent/analysis.ts'
import type { Analysis, AnalysisRequest } from '../intent/analysis.ts'
import type { Analyser, Telemetry } from '../ports.ts'
import { createInlineParsers, inlineLength } from './inline.ts'
import { createPool } from './pool.ts'
import { compilePostgres, createPostgresParser } from './postgres.ts'
import { warmUp } from './warm-up.ts'

interface AnalyserOptions {
  /** Worker threads; 2 by default. */
  readonly workers?: number
  /** How long one analysis may take in a thread before that is killed; 250 ms by default. */
  readonly watchdogMs?: number
  /** After so many parses a parser is replaced; 50,000 by default. */
  readonly recycleAfter?: number
  /** Told how long the main thread parsed and analysed. */
  readonly telemetry?: Pick<Telemetry, 'stage'>
}

/** An analyser that holds threads until it is closed. */
export interface OpenAnalyser extends Analyser {
  close(): Promise<void>
}

/** Loads the parsers, and starts one thread in the background. */
export async function createAnalyser(options: AnalyserOptions = {}): Promise<OpenAnalyser> {
  const { workers = 2, watchdogMs = 250, recycleAfter = 50_000, telemetry } = options
  const postgres = await compilePostgres()
  const renew = (): ReturnType<typeof createPostgresParser> => createPostgresParser(postgres)
  const inline = createInlineParsers({ first: await renew(), renew, recycleAfter })
  const pool = createPool({ postgres, workers, watchdogMs, recycleAfter })
  pool.warm()
  warmUp(inline.parsers)

  const analyseInline = (request: AnalysisRequest): Analysis | null => {
    inline.begin()
    const start = performance.now()
    const analysis = analyse(request, inline.parsers, clock)
    if (inline.wasPutOff() || ranOutOfTime(analysis)) return null
    const parsing = inline.parseMicros()
    telemetry?.stage('parse', parsing)
    telemetry?.stage('analyse', (performance.now() - start) * 1000 - parsing)
    return analysis
  }

  const analyseOne = (request: AnalysisRequest, callerKey: string): Analysis | Promise<Analysis> =>
    (isSmall(request) ? analyseInline(request) : null) ?? pool.run(request, callerKey)

  return {
    async analyse(requests, callerKey) {
      const analyses: Analysis[] = []
      // One after the other: a batch takes one place in its caller's queue, not a hundred.
      for (const request of requests) {
        const analysis = analyseOne(request, callerKey)
        analyses.push(analysis instanceof Promise ? await analysis : analysis)
      }
      return analyses
    },
    close: pool.close,
  }
}

/** Somebody else may have had the processor: a thread has it to itself. */
function ranOutOfTime({ intent }: Analysis): boolean {
  return intent.opaque && intent.opaque_reasons.some(({ code }) => code === 'time_limit')
}

const clock = (): number => performance.now()

/** Whether the whole command is small enough for the main thread, or so large that no parser will see it. */
function isSmall({ command }: AnalysisRequest): boolean {
  const { text, argv, attachments } = command as {
    readonly text?: unknown
    readonly argv?: readonly string[]
    readonly attachments?: readonly { readonly text: string }[]
  }
  let size = typeof text === 'string' ? text.length : 0
  for (const argument of argv ?? []) size += argument.length + 1
  if (size > limits.textBytes) return true
  for (const attachment of attachments ?? []) size += attachment.text.length
  return size <= inlineLength
}
