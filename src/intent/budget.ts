/** What one analysis may use up: tree nodes, decoded bytes, nesting and time, shared by all its children. */
import { BudgetExceeded, limits } from './analysis.ts'

/** How much an analysis has used. */
export interface Used {
  readonly nodes: number
  readonly bytes: number
  readonly depth: number
  readonly micros: number
}

/** Counts work, and throws `BudgetExceeded` at a limit. */
export interface Budget {
  readonly spend: (nodes: number) => void
  readonly spendBytes: (bytes: number) => void
  /** Remembers how deep languages were nested. */
  readonly enter: (depth: number) => void
  /** What was used so far. */
  readonly used: () => Used
}

/** Reading the clock costs as much as walking a few nodes, so it is read once per this many. */
const nodesPerClockRead = 256

/** @param clock milliseconds, monotonic */
export function createBudget(clock: () => number): Budget {
  const start = clock()
  let nodes = 0
  let bytes = 0
  let depth = 0
  let nextClockRead = nodesPerClockRead

  const checkTime = (): void => {
    if (clock() - start > limits.milliseconds) {
      throw new BudgetExceeded('time_limit', `the analysis took longer than ${limits.milliseconds} ms`)
    }
  }

  return {
    spend(count) {
      nodes += count
      if (nodes > limits.nodes) throw new BudgetExceeded('node_limit', `more than ${limits.nodes} nodes`)
      if (nodes < nextClockRead) return
      nextClockRead = nodes + nodesPerClockRead
      checkTime()
    },
    spendBytes(count) {
      bytes += count
      if (bytes <= limits.decodedBytes) return
      throw new BudgetExceeded('size_limit', `more than ${limits.decodedBytes} decoded bytes`)
    },
    enter(nesting) {
      if (nesting > depth) depth = nesting
      checkTime()
    },
    used: () => ({ nodes, bytes, depth, micros: Math.max(0, Math.round((clock() - start) * 1000)) }),
  }
}
