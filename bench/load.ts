/** A closed-loop and an open-loop HTTP/1.1 load generator on raw loopback sockets, so that it costs little itself. */
import { connect, type Socket } from 'node:net'

export interface Job {
  readonly port: number
  readonly path: string
  readonly token: string | null
  readonly bodies: readonly Buffer[]
  readonly connections: number
}

export interface LoadResult {
  readonly requests: number
  readonly errors: number
  readonly seconds: number
  /** Sorted, in milliseconds. */
  readonly latenciesMs: Float64Array
}

export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function request(job: Pick<Job, 'path' | 'token'>, body: Buffer, headers = ''): Buffer {
  const authorization = job.token === null ? '' : `authorization: Bearer ${job.token}\r\n`
  const head = `POST ${job.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${authorization}content-type: application/json\r\n${headers}content-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** One keep-alive connection with one request in flight. Answers with the status; 0 when the connection broke. */
export class Lane {
  private readonly socket: Socket
  private pending: ((status: number) => void) | null = null
  private buffered: Buffer = Buffer.alloc(0)
  private needed = -1
  private bodyStart = 0
  private status = 0
  /** The body of the last answer; kept only when asked for. */
  body = ''
  private readonly keepBody: boolean

  constructor(port: number, keepBody = false) {
    this.keepBody = keepBody
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.on('data', (chunk: Buffer) => this.take(chunk))
    const fail = (): void => this.finish(0)
    this.socket.on('error', fail)
    this.socket.on('close', fail)
  }

  send(bytes: Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.pending = resolve
      if (this.socket.destroyed) this.finish(0)
      else this.socket.write(bytes)
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private finish(status: number): void {
    const pending = this.pending
    this.pending = null
    pending?.(status)
  }

  private take(chunk: Buffer): void {
    this.buffered = this.buffered.length === 0 ? chunk : Buffer.concat([this.buffered, chunk])
    if (this.needed < 0 && !this.readHead()) return
    if (this.buffered.length < this.needed) return
    if (this.keepBody) this.body = this.buffered.toString('utf8', this.bodyStart, this.needed)
    this.buffered = this.buffered.subarray(this.needed)
    this.needed = -1
    this.finish(this.status)
  }

  private readHead(): boolean {
    const end = this.buffered.indexOf('\r\n\r\n')
    if (end < 0) return false
    const head = this.buffered.toString('latin1', 0, end)
    this.status = Number(head.slice(9, 12))
    this.bodyStart = end + 4
    this.needed = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    return true
  }
}

/** Each connection asks again as soon as it is answered, for `seconds`. */
export async function closedLoop(job: Job, seconds: number): Promise<LoadResult> {
  const requests = job.bodies.map((body) => request(job, body))
  const latencies: number[] = []
  let next = Math.floor(Math.random() * requests.length)
  let errors = 0
  const started = performance.now()
  const until = started + seconds * 1000
  const lanes = Array.from({ length: job.connections }, () => new Lane(job.port))
  await Promise.all(
    lanes.map(async (lane) => {
      while (performance.now() < until) {
        const bytes = requests[next++ % requests.length] ?? Buffer.alloc(0)
        const sent = performance.now()
        const status = await lane.send(bytes)
        latencies.push(performance.now() - sent)
        if (status !== 200) errors++
        if (status === 0) return
      }
    }),
  )
  for (const lane of lanes) lane.close()
  return {
    requests: latencies.length,
    errors,
    seconds: (performance.now() - started) / 1000,
    latenciesMs: Float64Array.from(latencies).sort(),
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  const made = { resolve: (): void => undefined }
  const promise = new Promise<void>((resolve) => Object.assign(made, { resolve }))
  return { promise, resolve: () => made.resolve() }
}

/** `rate` requests a second whether or not answers come; a latency counts from when the request was due. */
export async function openLoop(job: Job, rate: number, seconds: number): Promise<LoadResult> {
  const requests = job.bodies.map((body) => request(job, body))
  const idle = Array.from({ length: job.connections }, () => new Lane(job.port))
  const lanes = [...idle]
  const waiting: number[] = []
  const latencies: number[] = []
  const total = rate * seconds
  let errors = 0
  let sent = 0
  const done = deferred()
  const answered = (lane: Lane, due: number, status: number): void => {
    latencies.push(performance.now() - due)
    if (status !== 200) errors++
    const next = waiting.shift()
    if (next !== undefined && status !== 0) run(lane, next)
    else if (status !== 0) idle.push(lane)
    if (latencies.length === total) done.resolve()
  }
  const run = (lane: Lane, due: number): void => {
    const bytes = requests[sent++ % requests.length] ?? Buffer.alloc(0)
    lane.send(bytes).then(
      (status) => answered(lane, due, status),
      () => answered(lane, due, 0),
    )
  }
  const started = performance.now()
  let issued = 0
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * rate))
    for (; issued < due; issued++) {
      const at = started + (issued / rate) * 1000
      const lane = idle.pop()
      if (lane === undefined) waiting.push(at)
      else run(lane, at)
    }
    if (issued === total) clearInterval(timer)
  }, 1)
  await done.promise
  for (const lane of lanes) lane.close()
  return {
    requests: latencies.length,
    errors,
    seconds: (performance.now() - started) / 1000,
    latenciesMs: Float64Array.from(latencies).sort(),
  }
}
