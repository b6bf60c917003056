/** Waiting work, fair by caller: a queue of bounded length each, served in turn. */
import { PdpError } from '../errors.ts'

/** Work that belongs to a caller. */
export interface Waiting {
  readonly callerKey: string
}

interface FairnessOptions {
  /** How many may wait per caller. */
  readonly perCaller: number
  /** How many may wait in all. */
  readonly inAll: number
  /** How many of a caller may run at the same time. */
  readonly running: number
}

/** Work in turn of its callers. */
export interface FairQueue<T extends Waiting> {
  /** Throws `caller.limit` when the caller's share is used up. */
  readonly add: (work: T) => void
  /** The next one whose caller may run another; counts it as running. */
  readonly take: () => T | undefined
  /** One of a caller's has ended. */
  readonly ended: (work: T) => void
  /** Everything that waits, taken out. */
  readonly drain: () => readonly T[]
}

/** A queue with nothing in it. */
export function createFairQueue<T extends Waiting>(options: FairnessOptions): FairQueue<T> {
  // A map keeps the order of insertion: whoever was served is put at its end.
  const waiting = new Map<string, T[]>()
  const running = new Map<string, number>()
  let total = 0

  const takeOf = (callerKey: string, own: readonly T[]): T | undefined => {
    const [work, ...rest] = own
    waiting.delete(callerKey)
    if (rest.length > 0) waiting.set(callerKey, rest)
    running.set(callerKey, (running.get(callerKey) ?? 0) + 1)
    total--
    return work
  }

  return {
    add(work) {
      const own = waiting.get(work.callerKey) ?? []
      if (own.length >= options.perCaller || total >= options.inAll) {
        throw new PdpError('caller.limit', 'too many large commands are waiting', { retryAfterSeconds: 1 })
      }
      waiting.set(work.callerKey, [...own, work])
      total++
    },
    take() {
      for (const [callerKey, own] of waiting) {
        if ((running.get(callerKey) ?? 0) < options.running) return takeOf(callerKey, own)
      }
      return undefined
    },
    ended({ callerKey }) {
      const busy = (running.get(callerKey) ?? 1) - 1
      if (busy > 0) running.set(callerKey, busy)
      else running.delete(callerKey)
    },
    drain() {
      const all = [...waiting.values()].flat()
      waiting.clear()
      total = 0
      return all
    },
  }
}
