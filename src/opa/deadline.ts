/**
 * Runs synchronous work that must end: on the main thread only `vm`'s watchdog interrupts a running
 * WebAssembly function. A call costs about 50 µs, so work that waits together runs in one call.
 */
import { Script } from 'node:vm'

interface Slot {
  run: () => void
}

const name = 'countersign.deadline'
const call = new Script(`globalThis[Symbol.for('${name}')].run()`)
const slot = sharedSlot()

/** The script sees only the realm of `runInThisContext`; that realm holds the one slot that it reads. */
function sharedSlot(): Slot {
  const realm = new Script('globalThis').runInThisContext() as Record<symbol, Slot | undefined>
  const key = Symbol.for(name)
  const known = realm[key]
  if (known !== undefined) return known
  const made: Slot = { run: idle }
  Object.defineProperty(realm, key, { value: made })
  return made
}

function idle(): void {}

/**
 * Whether `work` ended in time. When it did not, it was cut off at any point: no `catch` and no
 * `finally` of it ran, and what it was changing must be thrown away. What it throws is thrown.
 */
export function endsWithin(timeoutMs: number, work: () => void): boolean {
  slot.run = work
  try {
    call.runInThisContext({ timeout: timeoutMs })
    return true
  } catch (error) {
    if ((error as { readonly code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false
    throw error
  } finally {
    slot.run = idle
  }
}
