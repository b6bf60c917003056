/** Each caller's share: how often it may ask, and how much of it may be under way at once. */
import { PdpError } from '../errors.ts'
import type { Principal } from '../ports.ts'

/** What competes for the same thing: decisions for parsers and ledger, evidence for its pool, bundles for the compiler. */
export type ShareGroup = 'decide' | 'evidence' | 'bundle'

interface Share {
  /** Under way at once. */
  readonly running: number
  /** Waiting behind them; the next one is refused. */
  readonly waiting: number
}

export interface Shares {
  /** Requests per second and caller, with a burst of twice as many; null: no such limit. */
  readonly requestsPerSecond: number | null
  readonly groups: Readonly<Record<ShareGroup, Share>>
}

/** Two evidence queries and one bundle job per caller; decisions are bounded again by the ledger's own queue. */
export const defaultShares: Shares = {
  requestsPerSecond: null,
  groups: {
    decide: { running: 1_024, waiting: 0 },
    evidence: { running: 2, waiting: 8 },
    bundle: { running: 1, waiting: 0 },
  },
}

const burstSeconds = 2
const maxIdleCallers = 10_000

class Lane {
  running = 0
  readonly waiting: (() => void)[] = []
}

class CallerState {
  tokens: number
  /** Milliseconds; when `tokens` was right. */
  filledAt: number
  readonly lanes: Readonly<Record<ShareGroup, Lane>> = {
    decide: new Lane(),
    evidence: new Lane(),
    bundle: new Lane(),
  }

  constructor(tokens: number, now: number) {
    this.tokens = tokens
    this.filledAt = now
  }

  get idle(): boolean {
    return Object.values(this.lanes).every((lane) => lane.running === 0)
  }
}

/** The books of all callers. */
export class Fairness {
  private readonly shares: Shares
  private readonly now: () => number
  private readonly callers = new Map<string, CallerState>()

  /** @param now milliseconds, from any fixed point */
  constructor(shares: Shares = defaultShares, now: () => number = () => performance.now()) {
    this.shares = shares
    this.now = now
  }

  /** Takes one request off the caller's rate. @throws PdpError `caller.limit` when none is left */
  count(principal: Principal): void {
    const rate = this.shares.requestsPerSecond
    if (rate === null) return
    const state = this.stateOf(principal)
    const now = this.now()
    state.tokens = Math.min(rate * burstSeconds, state.tokens + ((now - state.filledAt) / 1000) * rate)
    state.filledAt = now
    if (state.tokens < 1) throw limited('requests', (1 - state.tokens) / rate)
    state.tokens--
  }

  /**
   * Enters the caller's share; null when it may go on at once, else a promise of its turn. Whoever entered
   * must `leave`.
   *
   * @throws PdpError `caller.limit` when share and queue are full
   */
  enter(principal: Principal, group: ShareGroup): Promise<void> | null {
    const lane = this.stateOf(principal).lanes[group]
    const share = this.shares.groups[group]
    if (lane.running < share.running) {
      lane.running++
      return null
    }
    if (lane.waiting.length >= share.waiting) throw limited(`${group} requests at once`, 1)
    return new Promise((resolve) => lane.waiting.push(resolve))
  }

  leave(principal: Principal, group: ShareGroup): void {
    const lane = this.stateOf(principal).lanes[group]
    const next = lane.waiting.shift()
    if (next === undefined) lane.running--
    else next()
  }

  private stateOf(principal: Principal): CallerState {
    const key = `${principal.caller.issuer}\n${principal.caller.id}`
    const known = this.callers.get(key)
    if (known !== undefined) return known
    if (this.callers.size >= maxIdleCallers) this.forgetIdle()
    const state = new CallerState((this.shares.requestsPerSecond ?? 0) * burstSeconds, this.now())
    this.callers.set(key, state)
    return state
  }

  /** Whoever has nothing under way and a full bucket again is as if never seen. */
  private forgetIdle(): void {
    const full = this.now() - burstSeconds * 1000
    for (const [key, state] of this.callers)
      if (state.idle && state.filledAt <= full) this.callers.delete(key)
  }
}

function limited(what: string, seconds: number): PdpError {
  return new PdpError('caller.limit', `this caller has too many ${what}`, {
    retryAfterSeconds: Math.max(1, Math.ceil(seconds)),
  })
}
