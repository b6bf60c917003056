/** Counters and histograms that cost a few array accesses to record, and are written out only when asked for. */

/** Label values of a series, in the order of the metric's label names. */
type LabelValues = readonly string[]

/** Distinct label values that a metric holds; whatever comes beyond counts as `other`. */
const maxSeries = 2_000

type Branch<Series> = Map<string, Branch<Series> | Series>

abstract class Metric<Series> {
  readonly name: string
  private readonly help: string
  private readonly type: string
  private readonly labels: readonly string[]
  /** By the first label's value, then by the second's, …: joining them into one key would cost more than counting. */
  private readonly root: Branch<Series> = new Map()
  private readonly all: { readonly values: LabelValues; readonly series: Series }[] = []

  protected constructor(type: string, name: string, help: string, labels: readonly string[]) {
    this.type = type
    this.name = name
    this.help = help
    this.labels = labels
  }

  protected abstract empty(): Series
  protected abstract lines(series: Series, labels: string): readonly string[]

  protected at(values: LabelValues): Series {
    let node: Branch<Series> | Series = this.root
    for (let at = 0; at < values.length; at++) {
      const next: Branch<Series> | Series | undefined = (node as Branch<Series>).get(values[at] as string)
      if (next === undefined) return this.added(values)
      node = next
    }
    return node as Series
  }

  private added(values: LabelValues): Series {
    if (this.all.length >= maxSeries && values[0] !== 'other') return this.at(values.map(() => 'other'))
    const series = this.empty()
    let branch = this.root
    for (const value of values.slice(0, -1)) {
      const next =
        (branch.get(value) as Branch<Series> | undefined) ?? new Map<string, Branch<Series> | Series>()
      branch.set(value, next)
      branch = next
    }
    branch.set(values.at(-1) ?? '', series)
    this.all.push({ values, series })
    return series
  }

  /** The metric in Prometheus' text exposition format. */
  text(): string {
    const rows = this.all.flatMap(({ values, series }) => this.lines(series, this.labelText(values)))
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.type}`, ...rows, ''].join('\n')
  }

  private labelText(values: LabelValues): string {
    return this.labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`).join(',')
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** A number that only grows. */
export class Counter extends Metric<{ count: number }> {
  constructor(name: string, help: string, labels: readonly string[]) {
    super('counter', name, help, labels)
  }

  add(values: LabelValues, by = 1): void {
    this.at(values).count += by
  }

  protected empty(): { count: number } {
    return { count: 0 }
  }

  protected lines({ count }: { count: number }, labels: string): readonly string[] {
    return [`${this.name}${labels === '' ? '' : `{${labels}}`} ${count}`]
  }
}

/** How observations are spread over buckets. */
export class Histogram extends Metric<{ readonly buckets: Float64Array; sum: number }> {
  private readonly bounds: readonly number[]

  /** @param bounds upper bounds of the buckets, rising; one without bound is added */
  constructor(
    {
      name,
      help,
      labels,
    }: { readonly name: string; readonly help: string; readonly labels: readonly string[] },
    bounds: readonly number[],
  ) {
    super('histogram', name, help, labels)
    this.bounds = bounds
  }

  observe(values: LabelValues, value: number): void {
    const series = this.at(values)
    let bucket = 0
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++
    series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1
    series.sum += value
  }

  protected empty(): { readonly buckets: Float64Array; sum: number } {
    return { buckets: new Float64Array(this.bounds.length + 1), sum: 0 }
  }

  protected lines(
    series: { readonly buckets: Float64Array; sum: number },
    labels: string,
  ): readonly string[] {
    const prefix = labels === '' ? '' : `${labels},`
    let total = 0
    const buckets = [...series.buckets].map((count, at) => {
      total += count
      return `${this.name}_bucket{${prefix}le="${this.bounds[at] ?? '+Inf'}"} ${total}`
    })
    const plain = labels === '' ? '' : `{${labels}}`
    return [...buckets, `${this.name}_sum${plain} ${series.sum}`, `${this.name}_count${plain} ${total}`]
  }
}

/** A number that is read when it is asked for. */
export class Gauge {
  private readonly name: string
  private readonly help: string
  private readonly labels: readonly string[]
  private readonly reads: { readonly values: LabelValues; readonly read: () => number }[] = []

  constructor(name: string, help: string, labels: readonly string[]) {
    this.name = name
    this.help = help
    this.labels = labels
  }

  /** From now on a series of this gauge; `read` must not throw. */
  follow(values: LabelValues, read: () => number): void {
    this.reads.push({ values, read })
  }

  text(): string {
    const rows = this.reads.map(({ values, read }) => {
      const labels = this.labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`).join(',')
      return `${this.name}${labels === '' ? '' : `{${labels}}`} ${read()}`
    })
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} gauge`, ...rows, ''].join('\n')
  }
}
