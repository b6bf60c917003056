/**
 * `npm run bench:kill`: `kill -9` of the service, then of PostgreSQL, N rounds each at full load. After each
 * round every acknowledged decision must be in the ledger exactly once, and each stream must be dense.
 * Talks to loopback only and ends by itself. `--rounds 50`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { bodies, seeded } from './bodies.ts'
import { Lane, request } from './load.ts'
import { ended, until as untilReady } from './processes.ts'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, seed: { type: 'string', default: '7' } },
})
const rounds = Number(options.rounds)
const random = seeded(Number(options.seed))
const corpus = bodies(2_000)
const state = mkdtempSync(join(tmpdir(), 'countersign-kill-'))

interface Running {
  readonly child: ChildProcess
  readonly port: number
  readonly token: string
  readonly databaseUrl: string
}

async function start(): Promise<Running> {
  const child = spawn(process.execPath, [new URL('../dist/main.js', import.meta.url).pathname], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LOG_LEVEL: 'fatal', PORT: '0', COUNTERSIGN_STATE_DIR: state },
  })
  const file = await untilReady(
    'the service',
    () => {
      const read = evaluationFile()
      return read?.pid === child.pid ? read : null
    },
    child,
  )
  return {
    child,
    port: Number(new URL(file.url).port),
    token: file.tokens.service,
    databaseUrl: file.databaseUrl,
  }
}

function evaluationFile(): {
  url: string
  pid: number
  databaseUrl: string
  tokens: { service: string }
} | null {
  try {
    return JSON.parse(readFileSync(join(state, 'evaluation.json'), 'utf8')) as ReturnType<
      typeof evaluationFile
    >
  } catch {
    return null
  }
}

function postmaster(): number {
  const cluster = readdirSync(state).find((name) => /^pg\d+$/.test(name)) ?? ''
  return Number(readFileSync(join(state, cluster, 'postmaster.pid'), 'latin1').split('\n')[0])
}

/** Questions sent: no more decisions may be recorded than these. */
let asked = 0

/** Acknowledged: ticket of the question -> decision id of the answer. */
type Acknowledged = Map<string, string>

/** Asks on 64 connections until `stop`; a 503 is asked again later as a new question. */
function load(
  running: Running,
  acknowledged: Acknowledged,
  mark: string,
): { stop(): Promise<void>; refused(): number } {
  const until = { stopped: false }
  let refused = 0
  const lanes = Array.from({ length: 64 }, () => new Lane(running.port, true))
  const work = lanes.map(async (lane, at) => {
    for (let turn = 0; !until.stopped; turn++) {
      const ticket = `${mark}-${at}-${turn}`
      const body = JSON.parse(String(corpus[(at * 31 + turn) % corpus.length])) as {
        context: { ticket: string }
      }
      body.context.ticket = ticket
      asked++
      const status = await lane.send(
        request({ path: '/v1/decide', token: running.token }, Buffer.from(JSON.stringify(body))),
      )
      if (status === 0) return
      if (status === 200)
        acknowledged.set(ticket, (JSON.parse(lane.body) as { decisionId: string }).decisionId)
      else refused++
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })
  return {
    refused: () => refused,
    async stop() {
      until.stopped = true
      await Promise.all(work)
      for (const lane of lanes) lane.close()
    },
  }
}

/** Every acknowledged id has its leaf; no more leaves than questions; no stream has a hole. */
async function check(databaseUrl: string, acknowledged: Acknowledged): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  const ids = [...acknowledged.values()]
  const leaves = await client.query<{ id: string }>(
    'SELECT id::text FROM ledger_entry WHERE id = ANY($1::uuid[])',
    [ids],
  )
  const entries = new Set(leaves.rows.map((row) => row.id))
  const lost = ids.filter((id) => !entries.has(id)).length
  const decisions = await client.query<{ n: string }>(
    `SELECT count(*) AS n FROM ledger_entry WHERE convert_from(leaf, 'UTF8')::json ->> 'kind' = 'decision'`,
  )
  const doubled = new Set(ids).size < ids.length || Number(decisions.rows[0]?.n) > asked
  const sparse = await client.query(
    `SELECT stream FROM ledger_batch GROUP BY stream
     HAVING count(*) <> max(counter) - min(counter) + 1 OR sum(n) <> max(first_seq + n) - min(first_seq)`,
  )
  const orphans = await client.query(
    `SELECT b.batch_id FROM ledger_batch b LEFT JOIN ledger_entry e USING (log_id, batch_id) GROUP BY 1, b.n HAVING count(e.id) <> b.n`,
  )
  await client.end()
  const faults = { lost, doubled, sparseStreams: sparse.rows.length, brokenBatches: orphans.rows.length }
  if (lost > 0 || doubled || sparse.rows.length > 0 || orphans.rows.length > 0)
    throw new Error(JSON.stringify(faults))
}

/** Some random moment after the first hundred answers. */
async function underLoad(acknowledged: Acknowledged, before: number): Promise<void> {
  for (let turn = 0; turn < 400 && acknowledged.size < before + 100; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  await new Promise((resolve) => setTimeout(resolve, random() * 600))
}

async function killService(round: number, acknowledged: Acknowledged): Promise<void> {
  const running = await start()
  const before = acknowledged.size
  const work = load(running, acknowledged, `s${round}`)
  await underLoad(acknowledged, before)
  running.child.kill('SIGKILL')
  await ended(running.child)
  await work.stop()
  process.stdout.write(`service ${round + 1}/${rounds}: ${acknowledged.size - before} acknowledged\n`)
}

async function killPostgres(round: number, running: Running, acknowledged: Acknowledged): Promise<void> {
  const before = acknowledged.size
  const work = load(running, acknowledged, `p${round}`)
  await underLoad(acknowledged, before)
  process.kill(postmaster(), 'SIGKILL')
  const killed = acknowledged.size
  for (let turn = 0; turn < 400 && acknowledged.size <= killed + 100; turn++)
    await new Promise((resolve) => setTimeout(resolve, 50))
  await work.stop()
  if (acknowledged.size <= killed + 100) throw new Error('the service did not recover within 20 s')
  process.stdout.write(
    `postgres ${round + 1}/${rounds}: ${acknowledged.size - before} acknowledged, ${work.refused()} refused\n`,
  )
}

const acknowledged: Acknowledged = new Map()
try {
  for (let round = 0; round < rounds; round++) {
    await killService(round, acknowledged)
    if (round % 10 === 9 || round === rounds - 1) {
      const running = await start()
      await check(running.databaseUrl, acknowledged)
      running.child.kill('SIGTERM')
      await ended(running.child)
    }
  }
  const running = await start()
  for (let round = 0; round < rounds; round++) {
    await killPostgres(round, running, acknowledged)
    if (round % 10 === 9 || round === rounds - 1) await check(running.databaseUrl, acknowledged)
  }
  running.child.kill('SIGTERM')
  await ended(running.child)
  console.log(
    `${acknowledged.size} decisions acknowledged over ${2 * rounds} kills: none lost, none doubled, streams dense`,
  )
} finally {
  rmSync(state, { recursive: true, force: true })
}
