/** The first records of a stream: itself, and its receipt key and the settings where they are news. */
import { canonicalJson } from '../action/canonical.ts'
import type { EventRecord } from '../ledger/record.ts'
import type { LedgerOptions } from './ledger.ts'
import type { PreviousStream } from './previous-stream.ts'
import { keyCertificate } from './receipt-keys.ts'
import { readSetting, writeSetting } from './settings.ts'
import type { StreamIdentity } from './stream-head.ts'

/** What is to be recorded, and what to do once it is. */
export interface StreamNews {
  readonly records: readonly EventRecord[]
  /** Remembers that it was told. After the leaves: a key's row without a leaf would never have been announced. */
  told(): Promise<void>
}

const NO_SEARCH = {
  actor: null,
  actorType: null,
  target: null,
  system: null,
  environment: null,
  language: null,
  session: null,
  task: null,
  ticket: null,
  text: '',
}

/** An event of the ledger's own. */
export function streamEvent(kind: EventRecord['kind'], ref: string, body: unknown): EventRecord {
  return { kind, ref, body: canonicalJson(body), search: NO_SEARCH }
}

/** The records that open a stream. */
export async function streamNews(
  options: LedgerOptions,
  identity: StreamIdentity,
  previous: PreviousStream | null,
): Promise<StreamNews> {
  const { pools, logId, settings, mode } = options
  const newKey = await isNewKey(options)
  const newSettings = (await readSetting(pools.writer, logId, 'settings')) !== settings
  const records = [opened(options, identity, previous)]
  if (newKey) records.push(keyAdded(options))
  if (newSettings) records.push({ ...streamEvent('ledger.settings', mode, {}), body: settings })
  return {
    records,
    told: async () => {
      if (newKey) await insertKey(options)
      if (newSettings) await writeSetting(pools.writer, logId, 'settings', settings)
    },
  }
}

function opened(
  options: LedgerOptions,
  identity: StreamIdentity,
  previous: PreviousStream | null,
): EventRecord {
  const { stream, publicKey, certificate } = identity
  return streamEvent('stream.opened', stream, {
    stream,
    publicKey: publicKey.toString('base64url'),
    certificate: certificate.toString('base64url'),
    kid: options.keys.signer.kid,
    ...(previous === null ? {} : { previous }),
  })
}

function keyAdded({ keys }: LedgerOptions): EventRecord {
  const { kid, publicKey } = keys.signer
  const x = Buffer.from(publicKey).toString('base64url')
  return streamEvent('key.added', kid, { kid, kty: 'OKP', crv: 'Ed25519', x, use: 'receipt' })
}

async function isNewKey({ pools, logId, keys }: LedgerOptions): Promise<boolean> {
  const { rowCount } = await pools.writer.query('SELECT FROM ledger_key WHERE log_id = $1 AND kid = $2', [
    logId,
    keys.signer.kid,
  ])
  return rowCount === 0
}

async function insertKey({ pools, logId, keys }: LedgerOptions): Promise<void> {
  const { kid, publicKey } = keys.signer
  await pools.writer.query(
    `INSERT INTO ledger_key (log_id, kid, use, algorithm, public_key, added_at, certificate)
     VALUES ($1, $2, 'receipt', 'EdDSA', $3, now(), $4) ON CONFLICT DO NOTHING`,
    [logId, kid, publicKey, keyCertificate(keys.auditKey, { logId, kid, publicKey })],
  )
}
