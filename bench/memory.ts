/**
 * `npm run bench:memory`: resident memory of the service over many decisions. Prints a line per twentieth;
 * the last half should be flat. `--decisions 1000000`.
 */
import { parseArgs } from 'node:util'
import { bodies } from './bodies.ts'
import { closedLoop } from './load.ts'
import { residentMegabytes, startService } from './processes.ts'

const { values: options } = parseArgs({ options: { decisions: { type: 'string', default: '1000000' } } })
const wanted = Number(options.decisions)
const corpus = bodies(10_000)
const service = await startService()
try {
  const pid = service.process.pid ?? 0
  const { port, token } = service
  let done = 0
  let errors = 0
  let next = 0
  let halfway = Number.NaN
  while (done < wanted) {
    const result = await closedLoop({ port, path: '/v1/decide', token, bodies: corpus, connections: 64 }, 5)
    done += result.requests
    errors += result.errors
    if (done < next) continue
    next += wanted / 20
    const resident = residentMegabytes(pid)
    if (Number.isNaN(halfway) && done >= wanted / 2) halfway = resident
    console.log(
      `${String(done).padStart(9)} decisions ${resident.toFixed(0).padStart(5)} MB, ${errors} errors`,
    )
  }
  console.log(`grew by ${(residentMegabytes(pid) - halfway).toFixed(0)} MB over the last half`)
} finally {
  await service.stop()
}
