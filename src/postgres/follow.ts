/** Follows a value in the database: told by a notification, and asked for every second in case none comes. */
import type { Client } from 'pg'
import { connectWriter } from './client.ts'

export interface Followed {
  readonly url: string
  /** Channel that is notified when the value changes; a plain identifier. */
  readonly channel: string
  /** The value that is known already. */
  readonly known: string | null
  /** Reads the value; null when there is none. */
  current(): Promise<string | null>
  /** Called with each value that differs from the one before, one call at a time; repeated when it rejects. */
  onChange(value: string): Promise<void>
}

const POLL_MS = 900
const STATEMENT_MS = 5000

/** Follows until it is closed. */
export class Follower {
  private readonly followed: Followed
  private readonly timer: NodeJS.Timeout
  private known: string | null
  private checking: Promise<void> | null = null
  private again = false
  private listener: Client | null = null
  private connecting: Promise<void> | null = null
  private ended = false

  constructor(followed: Followed) {
    this.followed = followed
    this.known = followed.known
    this.timer = setInterval(() => this.tick(), POLL_MS)
    this.timer.unref()
    this.tick()
  }

  async close(): Promise<void> {
    this.ended = true
    clearInterval(this.timer)
    await this.connecting
    await this.checking
    await this.listener?.end()
  }

  private tick(): void {
    this.look()
    if (this.listener !== null) return
    this.connecting ??= this.listen()
      // The database is away: the next tick tries again.
      .catch(() => undefined)
      .finally(() => {
        this.connecting = null
      })
  }

  private look(): void {
    if (this.checking !== null) {
      this.again = true
      return
    }
    this.again = false
    this.checking = this.check()
      // The database is away, or the value could not be used: the next tick tries again.
      .catch(() => undefined)
      .finally(() => {
        this.checking = null
        if (this.again && !this.ended) this.look()
      })
  }

  private async check(): Promise<void> {
    const value = await this.followed.current()
    if (value === null || value === this.known || this.ended) return
    await this.followed.onChange(value)
    this.known = value
  }

  private async listen(): Promise<void> {
    const client = await connectWriter(this.followed.url, STATEMENT_MS)
    client.on('notification', () => this.look())
    client.once('end', () => {
      if (this.listener === client) this.listener = null
    })
    await client.query(`LISTEN ${this.followed.channel}`)
    if (this.ended) await client.end()
    else this.listener = client
  }
}
