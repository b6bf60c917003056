/** The process: configuration, connections, listen, stop. `--check` validates the configuration and ends. */
import { loadConfig, type Config, type EvaluationConfig, type ProductionConfig } from './config.ts'
import { PdpError } from './errors.ts'
import { startEvaluation } from './evaluation.ts'
import { verifierKey } from './ledger/verifier-key.ts'
import { holdFolder } from './postgres/embedded/folder-lock.ts'
import { pendingMigrations } from './postgres/migrate.ts'
import type { Service, ServiceSettings } from './service.ts'
import { readSecretKey, readSigningKey } from './signing/key-files.ts'
import { createReceiptSigner } from './signing/receipt-signer.ts'
import { jwksLoader } from './signing/token-keys.ts'
import { openLog, type OpenLog } from './telemetry/log.ts'

/** Something that runs until it is stopped. */
interface Running {
  /** Stops it in order; a second call does nothing more. */
  stop(): Promise<void>
}

async function start(config: Config, log: OpenLog): Promise<Running> {
  for (const warning of config.warnings) log.log.warn(warning)
  return config.mode === 'evaluation' ? evaluate(config, log) : produce(config, log)
}

async function evaluate(config: EvaluationConfig, log: OpenLog): Promise<Running> {
  const begun = performance.now()
  // Half a second of loading, while the database is made or started.
  const loading = import('./service.ts')
  const evaluation = await startEvaluation(config, (message) => log.log.warn(message))
  try {
    const { createService } = await loading
    const { jwks, ...rules } = evaluation.tokens
    const service = await createService({
      mode: 'evaluation',
      databaseUrl: evaluation.serviceUrl,
      origin: evaluation.origin,
      tenant: 'default',
      logVerifierKey: evaluation.logVerifierKey,
      keys: evaluation.keys,
      tokens: { ...rules, load: () => Promise.resolve(jwks) },
      stateDir: config.stateDir,
      compiler: config.compiler,
      bundle: 'default',
      signatureRequired: false,
      log,
    })
    const port = await listening(service, config)
    evaluation.noteStep('ready', performance.now() - begun)
    evaluation.announce({ host: config.host, port })
    return {
      async stop() {
        evaluation.withdraw()
        await service.close()
        await evaluation.stop()
      },
    }
  } catch (error) {
    await evaluation.stop()
    throw error
  }
}

async function produce(config: ProductionConfig, log: OpenLog): Promise<Running> {
  const release = holdFolder(config.stateDir, 'service.lock')
  try {
    const pending = await pendingMigrations(config.databaseUrl)
    if (pending.length > 0) {
      throw new PdpError(
        'config.invalid',
        `the database lacks ${pending.join(', ')}: run npm run migrate first`,
      )
    }
    const { createService } = await import('./service.ts')
    const service = await createService(productionSettings(config, log))
    const port = await listening(service, config)
    log.log.info({ host: config.host, port, origin: config.origin }, 'listening')
    return {
      async stop() {
        await service.close()
        release()
      },
    }
  } catch (error) {
    release()
    throw error
  }
}

function productionSettings(config: ProductionConfig, log: OpenLog): ServiceSettings {
  const logKey = createReceiptSigner(readSigningKey(config.keyFiles.log))
  return {
    ...config,
    logVerifierKey: verifierKey(config.origin, logKey.publicKey),
    keys: {
      receipt: readSigningKey(config.keyFiles.receipt),
      audit: readSecretKey(config.keyFiles.audit),
      payload: readSecretKey(config.keyFiles.payload),
    },
    tokens: {
      issuer: config.issuer,
      audience: config.audience,
      algorithms: config.algorithms,
      load: jwksLoader(config.jwks),
    },
    signatureRequired: true,
    log,
  }
}

async function listening(service: Service, { host, port }: Config): Promise<number> {
  try {
    await service.app.listen({ host, port })
  } catch (cause) {
    await service.close()
    throw new PdpError('config.invalid', `can't listen on ${host}:${port}: choose another PORT`, { cause })
  }
  const address = service.app.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** The first signal stops in order, once the start is through; the second one at once. */
function stopOnSignal(starting: Promise<Running>, log: OpenLog): void {
  let stopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1)
    stopping = true
    log.log.info({ signal }, 'stopping')
    starting
      .then((running) => running.stop())
      .catch((error: unknown) => {
        log.log.error({ err: error }, 'stopped with an error')
        process.exitCode = 1
      })
      .finally(() => log.close())
      .catch(() => undefined)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

/** An operator reads the sentence; a fault of ours also needs its stack. */
function told(error: unknown): string {
  if (error instanceof PdpError && error.code !== 'internal') return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function main(args: readonly string[]): Promise<void> {
  const config = loadConfig()
  if (args.includes('--check')) {
    for (const warning of config.warnings) process.stdout.write(`warning: ${warning}\n`)
    process.stdout.write(`the configuration is complete (${config.mode})\n`)
    return
  }
  const log = openLog(config.logLevel)
  const starting = start(config, log)
  stopOnSignal(starting, log)
  await starting
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`countersign: ${told(error)}\n`)
  process.exitCode = 1
})
