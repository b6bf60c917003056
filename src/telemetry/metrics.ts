/** Prometheus names in one table. Labels are bounded: nothing that a caller can make up becomes one. */
import { collectDefaultMetrics, Registry } from 'prom-client'
import { Counter, Gauge, Histogram } from './series.ts'

/** Seconds; from a cached answer to a bundle's compilation. */
const requestBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Seconds; stages take microseconds, a commit milliseconds. */
const stageBounds = [
  0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
  0.05, 0.1, 0.25, 1,
]

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const languages = new Set(['sql', 'shell', 'redis', 'mongodb', 'graphql', 'http', 'mcp', 'terraform-plan'])
const verdicts = new Set(['allow', 'deny', 'mask'])

/** An answered request, as far as it is counted. */
interface CountedRequest {
  readonly method: string
  /** Path in the contract; never the path that was asked for. */
  readonly route: string
  readonly status: number
  readonly micros: number
  readonly error?: { readonly code: string } | undefined
}

/** Everything that is measured, from here on. A class: it holds the counts. */
export class Metrics {
  private readonly requests = new Histogram(
    {
      name: 'http_request_duration_seconds',
      help: 'Time from a request head to its answer.',
      labels: ['method', 'route', 'status'],
    },
    requestBounds,
  )
  private readonly problems = new Counter('countersign_problems_total', 'Problems answered, by code.', [
    'code',
  ])
  private readonly decisions = new Counter(
    'countersign_decisions_total',
    'Durable decisions, by verdict and command language.',
    ['verdict', 'language'],
  )
  private readonly stages = new Histogram(
    { name: 'countersign_stage_seconds', help: 'Time of one stage of a decision.', labels: ['stage'] },
    stageBounds,
  )
  private readonly build = new Gauge('countersign_build_info', 'The version that runs.', ['version'])
  /** Followed by whoever has a queue. */
  readonly ledgerQueue = new Gauge('countersign_ledger_queue', 'Waiting for the next commit.', ['unit'])
  /** Followed by whoever has a pool. */
  readonly pool = new Gauge('countersign_pool_connections', 'Database connections.', ['pool', 'state'])
  private readonly process = new Registry()

  constructor(version: string) {
    this.build.follow([version], () => 1)
    collectDefaultMetrics({ register: this.process })
  }

  request({ method, route, status, micros, error }: CountedRequest): void {
    this.requests.observe([methods.has(method) ? method : 'other', route, String(status)], micros / 1e6)
    if (error !== undefined) this.problems.add([error.code])
  }

  stage(stage: string, micros: number): void {
    this.stages.observe([stage], micros / 1e6)
  }

  verdict(verdict: string, language: string): void {
    this.decisions.add([
      verdicts.has(verdict) ? verdict : 'other',
      languages.has(language) ? language : 'other',
    ])
  }

  /** All of it, in the text exposition format. */
  async text(): Promise<string> {
    const own = [
      this.requests,
      this.problems,
      this.decisions,
      this.stages,
      this.build,
      this.ledgerQueue,
      this.pool,
    ]
    return own.map((metric) => metric.text()).join('') + (await this.process.metrics())
  }

  /** Stops watching the process. */
  close(): void {
    this.process.clear()
  }
}
