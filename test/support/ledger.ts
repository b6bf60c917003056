/** A ledger on a test database, with keys of its own, and records to append to it. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson } from '../../src/action/canonical.ts'
import { logIdOf } from '../../src/ledger/origin.ts'
import type { DecisionRecord, SearchTerms } from '../../src/ledger/record.ts'
import type { LedgerUnit } from '../../src/ports.ts'
import { openPools } from '../../src/postgres/client.ts'
import type { Pools } from '../../src/postgres/client.ts'
import { createLedger } from '../../src/postgres/ledger.ts'
import type { LedgerHandle, LedgerOptions } from '../../src/postgres/ledger.ts'
import { createPayloadKeys } from '../../src/signing/data-keys.ts'
import { createReceiptSigner } from '../../src/signing/receipt-signer.ts'

export const ORIGIN = 'test.invalid/log'
export const LOG_ID = logIdOf(ORIGIN)

export interface LedgerKit {
  readonly options: LedgerOptions
  readonly pools: Pools
  readonly alarms: string[]
  /** Opens a ledger; its keys and state folder are the kit's, as after a restart. */
  open(change?: Partial<LedgerOptions>): Promise<LedgerHandle>
  /** Opens a ledger as another replica: the same keys, a state folder of its own. */
  openReplica(): Promise<LedgerHandle>
  /** Closes what was opened and the pools. */
  close(): Promise<void>
}

/** Keys, pools and a state folder for one log. */
export function ledgerKit(url: string): LedgerKit {
  const pools = openPools(url)
  const stateDir = mkdtempSync(join(tmpdir(), 'countersign-state-'))
  const alarms: string[] = []
  const payloadKey = randomBytes(32)
  const options: LedgerOptions = {
    url,
    pools,
    logId: LOG_ID,
    origin: ORIGIN,
    tenant: 'default',
    engine: 'countersign/test',
    mode: 'evaluation',
    keys: {
      signer: createReceiptSigner(generateKeyPairSync('ed25519').privateKey),
      payloads: createPayloadKeys(payloadKey, LOG_ID),
      auditKey: randomBytes(32),
    },
    settings: canonicalJson({ observe: false }),
    stateDir,
    clock: { now: () => new Date() },
    telemetry: { stage: () => undefined },
    onAlarm: (message) => alarms.push(message),
  }
  const opened: LedgerHandle[] = []
  const folders = [stateDir]
  const open = async (change: Partial<LedgerOptions> = {}): Promise<LedgerHandle> => {
    // Each incarnation has its own cache of data keys.
    const payloads = createPayloadKeys(payloadKey, LOG_ID)
    const ledger = await createLedger({ ...options, keys: { ...options.keys, payloads }, ...change })
    opened.push(ledger)
    return ledger
  }
  return {
    options,
    pools,
    alarms,
    open,
    openReplica() {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-state-'))
      folders.push(folder)
      return open({ stateDir: folder })
    },
    async close() {
      for (const ledger of opened) await ledger.close()
      await pools.close()
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface DecisionChange {
  readonly actor?: string
  readonly target?: string
  readonly text?: string
  readonly secret?: string
  readonly decidedAt?: Date
  readonly reason?: string
  readonly record?: Partial<DecisionRecord>
  readonly search?: Partial<SearchTerms>
}

/** A decision as the drafts make them: an agent's DELETE that was denied. */
export function decision(change: DecisionChange = {}): DecisionRecord {
  const actor = change.actor ?? 'agent:etl-7'
  const target = change.target ?? 'orders-db'
  const message = change.reason ?? 'DELETE on public.customers has no WHERE clause'
  const question = {
    actor: { id: actor, type: 'agent' },
    command: { language: 'sql', text: change.text ?? 'DELETE FROM customers' },
    context: { session: 's-17', task: 'nightly', ticket: 'OPS-4412' },
    target: { system: 'postgresql', id: target, environment: 'production' },
  }
  const { command, ...context } = question
  const decidedAt = change.decidedAt ?? new Date()
  const reasons = [
    { rule: 'sql.bulk_delete', severity: 'critical', effect: 0, message, controls: ['nist:AC-3'] },
  ]
  return {
    kind: 'decision',
    decidedAt,
    verdict: 'deny',
    categories: ['destruction'],
    rules: ['sql.bulk_delete'],
    controls: ['nist:AC-3'],
    policy: { bundle: 'default', revision: '1', digest: `sha256:${'b'.repeat(64)}` },
    facts: `sha256:${'a'.repeat(64)}`,
    actorId: actor,
    targetId: target,
    parts: {
      context: canonicalJson({ ...context, caller: { id: 'gateway', issuer: ORIGIN, scopes: ['decide'] } }),
      input: canonicalJson({
        command,
        facts: null,
        intent: { summary: { categories: ['destruction'] } },
        lineage: null,
        time: decidedAt.toISOString(),
      }),
      output: canonicalJson({
        columns: null,
        masks: [],
        obligations: [],
        reasons,
        rewrite: null,
        verdict: 'deny',
      }),
      secret: change.secret === undefined ? null : canonicalJson({ values: [change.secret] }),
    },
    receipt: {
      azp: 'gateway',
      sub: actor,
      action: canonicalJson(question),
      masks: null,
      obligations: null,
      lifeSeconds: 60,
    },
    search: {
      actor,
      actorType: 'agent',
      target,
      system: 'postgresql',
      environment: 'production',
      language: 'sql',
      session: 's-17',
      task: 'nightly',
      ticket: 'OPS-4412',
      text: message,
      ...change.search,
    },
    ...change.record,
  }
}

/** A unit of one decision. */
export function unitOf(change: DecisionChange = {}, unit: Partial<LedgerUnit> = {}): LedgerUnit {
  return { records: [decision(change)], claim: null, callerKey: 'gateway', ...unit }
}
