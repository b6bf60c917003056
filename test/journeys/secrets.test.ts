/** Secrets planted in commands are found nowhere afterwards but in their own encrypted part. */
import { Client } from 'pg'
import { testService, type TestService } from '../support/service.ts'
import { secretCommands } from './secret-commands.ts'

let running: TestService
beforeAll(async () => {
  running = await testService()
})
afterAll(() => running.close())

/** Everything that the database holds, as text; ciphertext is in it as it lies there. */
async function everyRow(url: string): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const tables = await client.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
    )
    const texts: string[] = []
    for (const { name } of tables.rows) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`)
      for (const row of rows) {
        const values = Object.values(row).map((value) =>
          Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value),
        )
        texts.push(values.join('\n'))
      }
    }
    return texts.join('\n')
  } finally {
    await client.end()
  }
}

test('in no answer, error, log, leaf, search row, record or metric', async () => {
  const planted = secretCommands(200)
  const seen: { readonly place: string; readonly text: string }[] = []
  for (const { action } of planted) {
    const answer = await running.post('/v1/decide', action)
    expect(answer.status).toBe(200)
    seen.push({ place: 'answer', text: answer.text })
    const record = await running.get(`/v1/evidence/${String(answer.body['decisionId'])}`)
    expect(record.status).toBe(200)
    seen.push({ place: 'record', text: record.text })
    const explained = await running.post('/v1/explain', action)
    seen.push({ place: 'explanation', text: explained.text })
  }
  seen.push({ place: 'log', text: running.lines.join('\n') })
  seen.push({ place: 'metrics', text: (await running.get('/metrics')).text })
  seen.push({ place: 'database', text: await everyRow(running.deployment.database.url) })
  const everything = new Map<string, string>()
  for (const { place, text } of seen) everything.set(place, `${everything.get(place) ?? ''}\n${text}`)
  const leaks = planted.flatMap(({ secret, action }) =>
    [...everything]
      .filter(([, text]) => text.includes(secret))
      .map(([place]) => ({ place, command: action.command })),
  )
  expect(leaks).toEqual([])
}, 120_000)
