import type { AnalysisRequest } from '../../src/intent/analysis.ts'
import { createAnalyser } from '../../src/parsers/analyser.ts'
import type { OpenAnalyser } from '../../src/parsers/analyser.ts'
import { hostileShapes } from '../support/hostile-sql.ts'

const target: AnalysisRequest['target'] = {
  system: 'postgresql',
  id: 'orders-db',
  schema: null,
  cwd: null,
  placeTrusted: true,
  freshSession: false,
  facts: {},
}

const sql = (text: string): AnalysisRequest => ({
  command: { language: 'sql', dialect: 'postgresql', text },
  target,
})
const values = (rows: number): AnalysisRequest =>
  sql(
    `INSERT INTO orders (id, note) VALUES ${Array.from({ length: rows }, (_, row) => `(${row}, 'note')`).join(', ')}`,
  )

const opened: OpenAnalyser[] = []
const open = async (...options: Parameters<typeof createAnalyser>): Promise<OpenAnalyser> => {
  const analyser = await createAnalyser(...options)
  opened.push(analyser)
  return analyser
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((analyser) => analyser.close()))
})

const summary = async (analyser: OpenAnalyser, request: AnalysisRequest, caller = 'a'): Promise<unknown> => {
  const [analysis] = await analyser.analyse([request], caller)
  return analysis?.intent.effects.map(({ action, scope }) => `${action} ${scope}`)
}

const codes = async (analyser: OpenAnalyser, request: AnalysisRequest): Promise<unknown> => {
  const [analysis] = await analyser.analyse([request], 'a')
  expect(analysis?.intent.effects.length).toBeGreaterThan(0)
  return analysis?.intent.opaque_reasons.map(({ code }) => code)
}

test('small and large commands get the same answer, on the main thread or off it', async () => {
  const stages: string[] = []
  const analyser = await open({ watchdogMs: 5000, telemetry: { stage: (stage) => stages.push(stage) } })
  expect(await summary(analyser, sql('DELETE FROM orders'))).toEqual(['delete all'])
  expect(stages).toEqual(['parse', 'analyse'])
  const padded = sql(`DELETE FROM orders /* ${'x'.repeat(10_000)} */`)
  expect(await summary(analyser, padded)).toEqual(['delete all'])
  expect(stages).toHaveLength(2)
  expect(await summary(analyser, sql(`SELECT ${'('.repeat(600)}1${')'.repeat(600)}`))).toEqual([
    'none single',
  ])
})

test('answers come in the order of the questions', async () => {
  const analyser = await open({ watchdogMs: 5000 })
  const analyses = await analyser.analyse([sql('DROP TABLE a'), values(2000), sql('TRUNCATE b')], 'a')
  expect(analyses.map(({ intent }) => intent.effects[0]?.action)).toEqual(['drop', 'insert', 'truncate'])
})

test('what takes too long is stopped, and the next one is answered', async () => {
  const analyser = await open({ watchdogMs: 100 })
  // Nested comments take PostgreSQL's scanner seconds.
  const slow = sql(`${'/*'.repeat(16_000)}${'*/'.repeat(16_000)}SELECT 1`)
  expect(await codes(analyser, slow)).toEqual(['time_limit'])
  expect(await summary(analyser, sql(`DELETE FROM orders /* ${'x'.repeat(5000)} */`))).toEqual(['delete all'])
})

test('no hostile statement of 64 KiB is left without an answer, or harms the next', async () => {
  const analyser = await open({ watchdogMs: 400 })
  const probe = sql(`DELETE FROM orders /* ${'x'.repeat(5000)} */`)
  for (const [name, text] of hostileShapes(65_536)) {
    const [analysis] = await analyser.analyse([sql(text)], 'a')
    expect([name, analysis?.intent.effects.length]).not.toEqual([name, 0])
    expect([name, await summary(analyser, probe)]).toEqual([name, ['delete all']])
  }
}, 60_000)

test('a caller has one thread and a queue of eight; another caller is served meanwhile', async () => {
  const analyser = await open({ watchdogMs: 5000 })
  const large = sql(`SELECT 1 /* ${'x'.repeat(5000)} */`)
  const asked = Array.from({ length: 12 }, () =>
    analyser.analyse([large], 'a').then(
      () => 'answered',
      (error: unknown) => (error as { code: string }).code,
    ),
  )
  const other = summary(analyser, large, 'b')
  const answers = await Promise.all(asked)
  expect(answers.filter((answer) => answer === 'answered')).toHaveLength(9)
  expect(answers.filter((answer) => answer === 'caller.limit')).toHaveLength(3)
  expect(await other).toEqual(['none single'])
})

test('a thread is replaced after many parses', async () => {
  const analyser = await open({ recycleAfter: 2, watchdogMs: 5000 })
  const large = sql(`DELETE FROM orders /* ${'x'.repeat(5000)} */`)
  for (let turn = 0; turn < 8; turn++) expect(await summary(analyser, large)).toEqual(['delete all'])
})

test('closing answers what waits', async () => {
  const analyser = await createAnalyser()
  const slow = sql(`${'/*'.repeat(16_000)}${'*/'.repeat(16_000)}SELECT 1`)
  const asked = [codes(analyser, slow), codes(analyser, slow)]
  await analyser.close()
  expect(await Promise.all(asked)).toEqual([['time_limit'], ['time_limit']])
})

test('a text over the limit is not handed to any parser', async () => {
  const analyser = await open()
  expect(await codes(analyser, sql(`SELECT 1 /* ${'x'.repeat(70_000)} */`))).toEqual(['size_limit'])
})
