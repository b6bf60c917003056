/**
 * `npm run bench`: what a durable, receipted decision costs, as a ratio to a bare echo of the same bodies
 * in the same run. Interleaved rounds; the medians are printed. `--seconds N`, `--rounds N`, `--quick`.
 */
import { cpus } from 'node:os'
import { fsyncSync, openSync, writeSync, closeSync, unlinkSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { bodies } from './bodies.ts'
import { closedLoop, openLoop, percentile, type LoadResult } from './load.ts'
import { cpuSeconds, startEcho, startService, type Contender } from './processes.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    open: { type: 'string', default: '60' },
    quick: { type: 'boolean', default: false },
  },
})
const seconds = options.quick ? 2 : Number(options.seconds)
const rounds = options.quick ? 3 : Number(options.rounds)
const openSeconds = options.quick ? 10 : Number(options.open)
const corpus = bodies(10_000)

interface Round {
  readonly microsPerRequest: number
  readonly databaseMicros: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

function cost(contender: Contender): { readonly service: number; readonly database: number } {
  const database = contender.databasePid === null ? 0 : cpuSeconds(contender.databasePid)
  return { service: cpuSeconds(contender.process.pid ?? 0, contender.databasePid), database }
}

async function round(contender: Contender, connections: number): Promise<Round> {
  const job = {
    port: contender.port,
    path: '/v1/decide',
    token: contender.token,
    bodies: corpus,
    connections,
  }
  const before = cost(contender)
  const result = await closedLoop(job, seconds)
  const after = cost(contender)
  if (result.errors > 0)
    throw new Error(`${contender.name}: ${result.errors} of ${result.requests} requests failed`)
  const database = after.database - before.database
  const service = after.service - before.service
  return {
    microsPerRequest: ((service + database) * 1e6) / result.requests,
    databaseMicros: (database * 1e6) / result.requests,
    perSecond: result.requests / result.seconds,
    p50: percentile(result.latenciesMs, 0.5),
    p99: percentile(result.latenciesMs, 0.99),
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function medians(all: readonly Round[]): Round {
  const of = (pick: (one: Round) => number): number => median(all.map(pick))
  return {
    microsPerRequest: of((one) => one.microsPerRequest),
    databaseMicros: of((one) => one.databaseMicros),
    perSecond: of((one) => one.perSecond),
    p50: of((one) => one.p50),
    p99: of((one) => one.p99),
  }
}

function fixed(value: number, digits: number, width: number): string {
  return value.toFixed(digits).padStart(width)
}

function row(label: string, one: Round): string {
  return `${label.padEnd(26)} ${fixed(one.microsPerRequest, 0, 7)} µs ${fixed(one.databaseMicros, 0, 6)} µs ${fixed(one.perSecond, 0, 7)}/s ${fixed(one.p50, 2, 8)} ms ${fixed(one.p99, 2, 8)} ms`
}

async function compare(echo: Contender, service: Contender, connections: number): Promise<void> {
  const echoes: Round[] = []
  const services: Round[] = []
  for (let turn = 0; turn < rounds; turn++) {
    echoes.push(await round(echo, connections))
    services.push(await round(service, connections))
  }
  const [bare, full] = [medians(echoes), medians(services)]
  console.log(
    `\n${connections} connection${connections === 1 ? '' : 's'}               CPU each  of it db    through       p50         p99`,
  )
  console.log(row('echo', bare))
  console.log(row('countersign', full))
  const ratio = full.microsPerRequest / bare.microsPerRequest
  const spread = services.map(
    (one, at) => one.microsPerRequest / (echoes[at]?.microsPerRequest ?? Number.NaN),
  )
  console.log(
    `ratio: CPU ${ratio.toFixed(2)} × (rounds ${Math.min(...spread).toFixed(2)}–${Math.max(...spread).toFixed(2)}), throughput ${(full.perSecond / bare.perSecond).toFixed(3)} ×, p50 ${(full.p50 / bare.p50).toFixed(2)} ×`,
  )
}

/** What the disk and one bare insert cost here and now. */
async function yardsticks(databaseUrl: string | null): Promise<void> {
  const path = `${process.cwd()}/.bench-fsync`
  const file = openSync(path, 'w')
  const syncs = Array.from({ length: 50 }, () => {
    const started = performance.now()
    writeSync(file, 'x'.repeat(4096))
    fsyncSync(file)
    return performance.now() - started
  })
  closeSync(file)
  unlinkSync(path)
  console.log(`fsync of 4 KiB: p50 ${median(syncs).toFixed(2)} ms`)
  if (databaseUrl === null) return
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('CREATE TABLE IF NOT EXISTS public.bench_insert (x bytea)')
  const inserts: number[] = []
  for (let turn = 0; turn < 100; turn++) {
    const started = performance.now()
    await client.query({
      name: 'bench',
      text: 'INSERT INTO public.bench_insert VALUES ($1)',
      values: [Buffer.alloc(1024)],
    })
    inserts.push(performance.now() - started)
  }
  await client.query('DROP TABLE public.bench_insert')
  await client.end()
  console.log(`one bare insert and its commit: p50 ${median(inserts).toFixed(2)} ms`)
}

async function stages(service: Contender): Promise<void> {
  const text = await (await fetch(`http://127.0.0.1:${service.port}/metrics`)).text()
  const sums = new Map<string, { sum: number; count: number }>()
  for (const [, kind, stage, value] of text.matchAll(
    /countersign_stage_seconds_(sum|count)\{[^}]*stage="(\w+)"[^}]*\} (\S+)/g,
  )) {
    const entry = sums.get(stage ?? '') ?? { sum: 0, count: 0 }
    if (kind === 'sum') entry.sum = Number(value)
    else entry.count = Number(value)
    sums.set(stage ?? '', entry)
  }
  console.log('\nstage        mean')
  for (const [stage, { sum, count }] of sums)
    console.log(`${stage.padEnd(10)} ${((sum / count) * 1e6).toFixed(1).padStart(7)} µs  (${count})`)
}

function report(label: string, result: LoadResult): void {
  const at = (share: number): string => percentile(result.latenciesMs, share).toFixed(2)
  console.log(
    `\n${label}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms, ${result.errors} errors of ${result.requests}`,
  )
}

console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'cpu'}, Node ${process.version}; ${rounds} rounds of ${seconds} s each, ${corpus.length} distinct bodies`,
)
const [echo, service] = await Promise.all([startEcho(), startService()])
try {
  const warm = { path: '/v1/decide', bodies: corpus, connections: 64 }
  await closedLoop({ ...warm, port: echo.port, token: null }, seconds)
  await closedLoop({ ...warm, port: service.port, token: service.token }, seconds)
  await yardsticks(service.databaseUrl)
  for (const connections of [64, 256, 1]) await compare(echo, service, connections)
  const job = { ...warm, port: service.port, token: service.token, connections: 128 }
  report(`open loop, 1,000/s for ${openSeconds} s`, await openLoop(job, 1000, openSeconds))
  await stages(service)
} finally {
  await Promise.all([echo.stop(), service.stop()])
}
