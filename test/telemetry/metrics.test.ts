import { Metrics } from '../../src/telemetry/metrics.ts'
import { Counter, Gauge, Histogram } from '../../src/telemetry/series.ts'

const open: Metrics[] = []
function metrics(): Metrics {
  const made = new Metrics('1.2.3')
  open.push(made)
  return made
}
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

test('a histogram counts into its buckets, cumulatively, bounds included', () => {
  const histogram = new Histogram({ name: 'h', help: 'Help.', labels: ['a'] }, [1, 2])
  for (const value of [0.5, 1, 1.5, 2, 3]) histogram.observe(['x'], value)
  expect(histogram.text()).toBe(
    [
      '# HELP h Help.',
      '# TYPE h histogram',
      'h_bucket{a="x",le="1"} 2',
      'h_bucket{a="x",le="2"} 4',
      'h_bucket{a="x",le="+Inf"} 5',
      'h_sum{a="x"} 8',
      'h_count{a="x"} 5',
      '',
    ].join('\n'),
  )
})

test('series are apart by every label', () => {
  const counter = new Counter('c', 'Help.', ['a', 'b'])
  counter.add(['1', '2'])
  counter.add(['1', '3'], 2)
  counter.add(['2', '2'])
  counter.add(['1', '2'])
  expect(counter.text().match(/^c\{.*$/gm)).toEqual([
    'c{a="1",b="2"} 2',
    'c{a="1",b="3"} 2',
    'c{a="2",b="2"} 1',
  ])
})

test('label values are escaped', () => {
  const gauge = new Gauge('g', 'Help.', ['a'])
  gauge.follow(['"\\\n'], () => 1)
  expect(gauge.text()).toContain('g{a="\\"\\\\\\n"} 1\n')
})

test('the number of series has a bound', () => {
  const counter = new Counter('c', 'Help.', ['a', 'b'])
  for (let n = 0; n < 10_000; n++) counter.add([`a${n}`, `b${n}`])
  const lines = counter.text().match(/^c\{/gm) ?? []
  expect(lines.length).toBeLessThanOrEqual(2_001)
  expect(counter.text()).toContain('c{a="other",b="other"} 8000')
})

test('what a caller makes up is counted as other', async () => {
  const made = metrics()
  made.verdict('allow', 'sql')
  made.verdict('deny', 'klingon')
  made.verdict('deny', 'a"b\n')
  made.request({
    method: 'BREW',
    route: 'unmatched',
    status: 404,
    micros: 10,
    error: { code: 'request.not_found' },
  })
  const text = await made.text()
  expect(text).toContain('countersign_decisions_total{verdict="allow",language="sql"} 1')
  expect(text).toContain('countersign_decisions_total{verdict="deny",language="other"} 2')
  expect(text).toContain(
    'http_request_duration_seconds_count{method="other",route="unmatched",status="404"} 1',
  )
  expect(text).toContain('countersign_problems_total{code="request.not_found"} 1')
  expect(text).not.toMatch(/klingon|BREW/)
})

test('stages are seconds, gauges are read when asked', async () => {
  const made = metrics()
  made.stage('parse', 30)
  let waiting = 3
  made.ledgerQueue.follow(['records'], () => waiting)
  made.pool.follow(['writer', 'idle'], () => 2)
  waiting = 4
  const text = await made.text()
  expect(text).toContain('countersign_stage_seconds_bucket{stage="parse",le="0.000025"} 0')
  expect(text).toContain('countersign_stage_seconds_bucket{stage="parse",le="0.00005"} 1')
  expect(text).toContain('countersign_stage_seconds_sum{stage="parse"} 0.00003')
  expect(text).toContain('countersign_ledger_queue{unit="records"} 4')
  expect(text).toContain('countersign_pool_connections{pool="writer",state="idle"} 2')
  expect(text).toContain('countersign_build_info{version="1.2.3"} 1')
})

test('every metric has help and a type, once', async () => {
  const text = await metrics().text()
  const names = [...text.matchAll(/^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/gm)].map(
    ([, name]) => name,
  )
  const helped = [...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name)
  expect(names).toEqual(helped)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds']))
})
