/** The thread that analyses large or deeply nested commands. It may be killed at any time. */
import { parentPort, workerData } from 'node:worker_threads'
import { parse as parseBash } from 'unbash'
import { analyse } from '../intent/analyse.ts'
import type { Analysis, AnalysisRequest, Parsers } from '../intent/analysis.ts'
import { PostgresSyntaxError, createPostgresParser } from './postgres.ts'
import type { CompiledPostgres } from './postgres.ts'
import { warmUp } from './warm-up.ts'

/** What the pool hands to a thread at its start. */
export interface WorkerStart {
  readonly postgres: CompiledPostgres
}

/** What a thread says: that it can begin, or one analysis. */
export type WorkerMessage =
  | { readonly ready: true }
  | {
      readonly ready: false
      readonly analysis: Analysis
      readonly parses: number
      /** A parser failed by something else than a syntax error: nothing of this thread is trusted any more. */
      readonly faulty: boolean
    }

const port = parentPort
if (port !== null) {
  const { postgres } = workerData as WorkerStart
  const parser = await createPostgresParser(postgres)
  let parses = 0
  let faulty = false

  const watched = (parse: (sql: string) => unknown) => (sql: string) => {
    parses++
    try {
      return parse(sql)
    } catch (error) {
      if (!(error instanceof PostgresSyntaxError)) faulty = true
      throw error
    }
  }
  const parsers: Parsers = {
    postgres: watched(parser.parse),
    plpgsql: watched(parser.plpgsql),
    postgresScan: watched(parser.scan),
    bash: parseBash,
  }

  port.on('message', (request: AnalysisRequest) => {
    const analysis = analyse(request, parsers, () => performance.now())
    port.postMessage({ ready: false, analysis, parses, faulty } satisfies WorkerMessage)
  })
  warmUp(parsers)
  parses = 0
  port.postMessage({ ready: true } satisfies WorkerMessage)
}
