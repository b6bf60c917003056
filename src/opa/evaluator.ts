/**
 * Judges policy inputs with one bundle, bounded in time and memory.
 *
 * What waits in the same turn of the event loop is judged together: `evaluate` only queues, and the
 * queue is judged in the loop's check phase, which comes after every socket that was readable in
 * this turn was read. One watchdog then guards all of them, and a lone request waits for nobody.
 */
import type { RawVerdict } from '../policy/verdict.ts'
import type { PolicyInForce } from '../ports.ts'
import type { HostBuiltin, WasmModule } from './library.ts'
import type { PolicyInstance } from './instance.ts'
import { compileModule, requiredBuiltins } from './library.ts'
import { evaluate, isOvergrown, newInstance, utf8 } from './instance.ts'
import { endsWithin } from './deadline.ts'
import { hostBuiltins } from './builtins/table.ts'

export type EvaluationInput = Parameters<PolicyInForce['evaluate']>[0][number]

export interface EvaluatorOptions {
  /** For one batch, and again for each input of a batch that took too long. */
  readonly timeoutMs: number
  /** Inputs with more effects are judged alone, so that they use up nobody else's time. */
  readonly batchedEffects: number
  /** How many inputs share a watchdog. */
  readonly batchSize: number
  /** Told how long each judged input took, in microseconds. */
  readonly onJudged: (micros: number) => void
}

const defaults: EvaluatorOptions = {
  timeoutMs: 250,
  batchedEffects: 32,
  batchSize: 64,
  onJudged: () => undefined,
}

interface Job {
  readonly input: EvaluationInput
  raw: RawVerdict | null
}

interface Waiting {
  readonly jobs: readonly Job[]
  readonly resolve: (verdicts: readonly RawVerdict[]) => void
}

const timedOut: RawVerdict = { ok: false, rule: 'policy.timeout', detail: 'the policy did not end in time' }

/** One loaded policy. Its instance is replaced after every fault, timeout and growth. */
export class PolicyEvaluator {
  readonly #module: WasmModule
  readonly #data: ArrayBuffer
  readonly #options: EvaluatorOptions
  readonly #builtins: Readonly<Record<string, HostBuiltin>>
  #instance: PolicyInstance | null = null
  #judging = ''
  #waiting: Waiting[] = []

  private constructor(module: WasmModule, data: string, options: EvaluatorOptions) {
    this.#module = module
    this.#data = utf8(data)
    this.#options = options
    this.#builtins = hostBuiltins(() => this.#judging)
  }

  /**
   * Compiles and instantiates a policy. Rejects when it is no WebAssembly, has no decision, calls a
   * builtin that this host does not provide, or its data does not fit.
   *
   * @param data canonical JSON text of the bundle's data
   */
  static async load(
    wasm: Uint8Array,
    data: string,
    options: Partial<EvaluatorOptions> = {},
  ): Promise<PolicyEvaluator> {
    const module = await compileModule(wasm)
    const evaluator = new PolicyEvaluator(module, data, { ...defaults, ...options })
    const missing = evaluator.#missingBuiltins()
    if (missing.length > 0) throw new Error(`calls builtins that are not provided: ${missing.join(', ')}`)
    return evaluator
  }

  #missingBuiltins(): readonly string[] {
    try {
      const required = requiredBuiltins(this.#warm().policy)
      return required.filter((name) => !Object.hasOwn(this.#builtins, name))
    } catch (error) {
      throw new Error(faultText(error), { cause: error })
    }
  }

  /** Verdicts in the order of the inputs. Never rejects. */
  evaluate(inputs: readonly EvaluationInput[]): Promise<readonly RawVerdict[]> {
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#judgeWaiting())
      this.#waiting.push({ jobs: inputs.map((input) => ({ input, raw: null })), resolve })
    })
  }

  /** Memory of the instance in use, in bytes; 0 when there is none at the moment. */
  get memoryBytes(): number {
    return this.#instance?.policy.mem.buffer.byteLength ?? 0
  }

  #judgeWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    const jobs = waiting.flatMap((one) => one.jobs)
    const begun = performance.now()
    const small = jobs.filter((job) => job.input.effects <= this.#options.batchedEffects)
    for (let at = 0; at < small.length; at += this.#options.batchSize) {
      this.#judgeTogether(small.slice(at, at + this.#options.batchSize))
    }
    for (const job of jobs) if (job.raw === null) this.#judgeAlone(job)
    const each = ((performance.now() - begun) * 1000) / jobs.length
    for (let told = 0; told < jobs.length; told++) this.#options.onJudged(each)
    for (const { jobs, resolve } of waiting) resolve(jobs.map((job) => job.raw ?? timedOut))
  }

  /** Jobs left without a verdict when the time was over are judged alone. */
  #judgeTogether(jobs: readonly Job[]): void {
    const only = jobs.length === 1 ? jobs[0] : undefined
    if (only !== undefined) this.#judgeAlone(only)
    else this.#guarded(() => jobs.forEach((job) => this.#judgeJob(job)))
  }

  #judgeAlone(job: Job): void {
    const fault = this.#guarded(() => this.#judgeJob(job))
    job.raw ??= fault ?? timedOut
  }

  /** Does `work` under the watchdog with a warm instance. What it says is for jobs that got no verdict. */
  #guarded(work: () => void): RawVerdict | null {
    try {
      this.#warm()
      if (!endsWithin(this.#options.timeoutMs, work)) this.#instance = null
      if (this.#instance !== null && isOvergrown(this.#instance)) this.#instance = null
      return null
    } catch (error) {
      // No instance could be made: the machine is out of memory.
      this.#instance = null
      return { ok: false, rule: 'policy.fault', detail: faultText(error) }
    }
  }

  #judgeJob(job: Job): void {
    job.raw = this.#judge(job.input.json)
  }

  #judge(json: string): RawVerdict {
    this.#judging = json
    try {
      return { ok: true, value: evaluate(this.#warm(), json) }
    } catch (error) {
      this.#instance = null
      return { ok: false, rule: 'policy.fault', detail: faultText(error) }
    }
  }

  #warm(): PolicyInstance {
    this.#instance ??= newInstance(this.#module, this.#data, this.#builtins)
    return this.#instance
  }
}

/** The package throws strings and bare objects too. The text may quote the input: it is for no answer. */
function faultText(error: unknown): string {
  if (typeof error === 'string') return error
  const message = (error as { readonly message?: unknown } | null)?.message
  return typeof message === 'string' ? message : 'unknown fault'
}
