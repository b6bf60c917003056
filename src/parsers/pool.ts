/**
 * Worker threads for commands that do not belong on the main thread. Whatever happens to a thread,
 * its command gets an answer: an analysis, or one unknown effect with `time_limit`.
 */
import { Worker } from 'node:worker_threads'
import { unfinishedAnalysis } from '../intent/analyse.ts'
import type { Analysis, AnalysisRequest } from '../intent/analysis.ts'
import type { CompiledPostgres } from './postgres.ts'
import { createFairQueue } from './queue.ts'
import type { WorkerMessage, WorkerStart } from './worker.ts'

interface PoolOptions {
  readonly postgres: CompiledPostgres
  readonly workers: number
  /** How long one analysis may take before its thread is killed. */
  readonly watchdogMs: number
  /** After so many parses a thread is replaced. */
  readonly recycleAfter: number
}

/** Threads, and the work that waits for them. */
export interface Pool {
  /** Rejects with `caller.limit` when the caller's share is used up, and never for a hostile command. */
  readonly run: (request: AnalysisRequest, callerKey: string) => Promise<Analysis>
  /** Starts a thread ahead of the first command that needs one. */
  readonly warm: () => void
  readonly close: () => Promise<void>
}

interface Job {
  readonly request: AnalysisRequest
  readonly callerKey: string
  readonly settle: (analysis: Analysis) => void
}

interface Slot {
  worker: Worker | null
  isReady: boolean
  job: Job | null
  timer: NodeJS.Timeout | null
}

/** A thread that has not come up by then never will. */
const startupMs = 10_000
const waitingPerCaller = 8
const waitingInAll = 256

/** Threads are started from the built files: they can't load TypeScript. */
const workerFile = new URL(
  './worker.js',
  import.meta.url.replace(/\/src\/(parsers\/[^/]+)\.ts$/, '/dist/$1.js'),
)

export function createPool(options: PoolOptions): Pool {
  const slots: Slot[] = Array.from({ length: options.workers }, () => ({
    worker: null,
    isReady: false,
    job: null,
    timer: null,
  }))
  const queue = createFairQueue<Job>({
    perCaller: waitingPerCaller,
    inAll: waitingInAll,
    running: Math.max(1, Math.floor(options.workers / 2)),
  })
  const context = { options, next: () => serve(slots, () => queue.take(), context), ended: queue.ended }

  return {
    run: (request, callerKey) =>
      new Promise((settle) => {
        queue.add({ request, callerKey, settle })
        context.next()
      }),
    warm() {
      const [slot] = slots
      if (slot !== undefined && slot.worker === null) start(slot, context)
    },
    async close() {
      for (const job of queue.drain()) job.settle(unfinishedAnalysis(job.request))
      await Promise.all(slots.map((slot) => stop(slot, context)))
    },
  }
}

interface Context {
  readonly options: PoolOptions
  /** Serves what waits, after a slot has become free. */
  readonly next: () => void
  readonly ended: (job: Job) => void
}

function serve(slots: readonly Slot[], take: () => Job | undefined, context: Context): void {
  for (;;) {
    const free = slots.filter(({ job }) => job === null)
    const slot = free.find(({ isReady }) => isReady) ?? free[0]
    const job = slot === undefined ? undefined : take()
    if (slot === undefined || job === undefined) return
    slot.job = job
    if (slot.isReady) begin(slot, context)
    else if (slot.worker === null) start(slot, context)
  }
}

function start(slot: Slot, context: Context): void {
  const worker = new Worker(workerFile, {
    workerData: { postgres: context.options.postgres } satisfies WorkerStart,
    resourceLimits: { stackSizeMb: 16, maxOldGenerationSizeMb: 256 },
    // Nothing of this process's environment or loaders: a parser needs none.
    env: {},
    execArgv: [],
  })
  slot.worker = worker
  slot.timer = setTimeout(() => give(slot, worker, context), startupMs)
  slot.timer.unref()
  if (slot.job === null) worker.unref()
  worker.on('message', (message: WorkerMessage) => {
    if (slot.worker !== worker) return
    if (message.ready) ready(slot, context)
    else finish(slot, message, context)
  })
  worker.on('error', () => give(slot, worker, context))
  worker.on('exit', () => give(slot, worker, context))
}

function ready(slot: Slot, context: Context): void {
  slot.isReady = true
  clearTimer(slot)
  if (slot.job !== null) begin(slot, context)
}

/** Hands the slot's job to its thread. The watchdog runs from here, not from when the job was asked for. */
function begin(slot: Slot, context: Context): void {
  const { worker, job } = slot
  if (worker === null || job === null) return
  worker.ref()
  slot.timer = setTimeout(() => give(slot, worker, context), context.options.watchdogMs)
  worker.postMessage(job.request, [])
}

function finish(slot: Slot, message: Extract<WorkerMessage, { ready: false }>, context: Context): void {
  const { worker } = slot
  settle(slot, message.analysis, context)
  if (message.faulty || message.parses > context.options.recycleAfter) retire(slot)
  else worker?.unref()
  context.next()
}

/** Gives a thread up: it took too long, or died. Whatever it had to do is unknown. */
function give(slot: Slot, worker: Worker, context: Context): void {
  if (slot.worker !== worker) return
  retire(slot)
  if (slot.job !== null) settle(slot, unfinishedAnalysis(slot.job.request), context)
  context.next()
}

function settle(slot: Slot, analysis: Analysis, context: Context): void {
  const { job } = slot
  clearTimer(slot)
  slot.job = null
  if (job === null) return
  context.ended(job)
  job.settle(analysis)
}

function retire(slot: Slot): void {
  const { worker } = slot
  clearTimer(slot)
  slot.worker = null
  slot.isReady = false
  // Its end is of no interest, nor whether it failed on the way.
  worker?.terminate().catch(() => 0)
}

async function stop(slot: Slot, context: Context): Promise<void> {
  const { worker, job } = slot
  retire(slot)
  if (job !== null) settle(slot, unfinishedAnalysis(job.request), context)
  await worker?.terminate()
}

function clearTimer(slot: Slot): void {
  if (slot.timer !== null) clearTimeout(slot.timer)
  slot.timer = null
}
