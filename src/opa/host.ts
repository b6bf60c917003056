/** The policy in force in this process, and the one that is loaded beside it before they are swapped. */
import { PdpError } from '../errors.ts'
import type { BundleData, BundleRow } from '../policy/bundle.ts'
import type { PolicyHost, PolicyInForce, PolicyLoader } from '../ports.ts'
import { PolicyEvaluator } from './evaluator.ts'
import { qualify } from './qualify.ts'

interface Loaded {
  readonly policy: PolicyInForce
  readonly evaluator: PolicyEvaluator
}

/**
 * Holds one snapshot at a time. Decisions that began with the one before end with it: a swap changes
 * what the next decision gets, and nothing else.
 */
export class OpaPolicyHost implements PolicyHost, PolicyLoader {
  readonly #onJudged: (micros: number) => void
  #inForce: { readonly id: string; readonly policy: PolicyInForce } | null = null
  #candidate: { readonly id: string; readonly loaded: Loaded } | null = null

  /** @param onJudged told how long each judged input took, in microseconds */
  constructor(onJudged: (micros: number) => void = () => undefined) {
    this.#onJudged = onJudged
  }

  inForce(): PolicyInForce | null {
    return this.#inForce?.policy ?? null
  }

  /** Qualifies too: what a bundle costs is known before it may come into force. */
  async load(row: BundleRow): Promise<{ readonly evaluationMicros: number }> {
    const loaded = await loadBundle(row, this.#onJudged)
    const evaluationMicros = await qualify(loaded.evaluator)
    this.#candidate = { id: row.id, loaded }
    return { evaluationMicros }
  }

  /** What was qualified once, here or elsewhere, is not measured again: a busy machine must not keep it from starting. */
  async swap(row: BundleRow): Promise<void> {
    if (this.#inForce?.id === row.id) return
    const ready =
      this.#candidate?.id === row.id ? this.#candidate.loaded : await loadBundle(row, this.#onJudged)
    this.#inForce = { id: row.id, policy: ready.policy }
    this.#candidate = null
  }
}

async function loadBundle(row: BundleRow, onJudged: (micros: number) => void): Promise<Loaded> {
  const { wasm, digest } = row
  if (wasm === null || digest === null)
    throw new PdpError('bundle.invalid', `bundle ${row.name} is not compiled`)
  const evaluator = await PolicyEvaluator.load(wasm, row.data, { onJudged }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : 'not a policy'
    throw new PdpError('bundle.invalid', `bundle ${row.name} does not load: ${why}`, { cause: error })
  })
  const policy: PolicyInForce = {
    ref: { bundle: row.name, revision: row.revision, digest },
    data: JSON.parse(row.data) as BundleData,
    listed: new Set(row.listed),
    evaluate: (inputs) => evaluator.evaluate(inputs),
  }
  return { policy, evaluator }
}
