/** `npm run migrate`: brings the database up to date with an owner's login, and lets the service's login serve. */
import { migrationTarget } from './config.ts'
import { migrate } from './postgres/migrate.ts'
import { letServe } from './postgres/service-login.ts'

async function main(): Promise<void> {
  const { url, service } = migrationTarget()
  const { applied, unknown } = await migrate(url)
  for (const name of applied) process.stdout.write(`applied ${name}\n`)
  if (applied.length === 0) process.stdout.write('nothing to do: the database is up to date\n')
  if (unknown.length > 0) {
    process.stdout.write(`a later version was here: ${unknown.join(', ')} are not known to this one\n`)
  }
  if (service !== null) {
    await letServe(url, service)
    process.stdout.write(`${service.name} may serve\n`)
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
