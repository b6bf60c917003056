/** Seals records: gives each its id, time, sequence number, salts, leaf, receipt and encrypted payload. */
import { randomFillSync } from 'node:crypto'
import { blindIndex, quarterKey, quarterOf } from '../ledger/blind.ts'
import { SALT_BYTES } from '../ledger/digest.ts'
import { LeafTexts, MAX_LEAF_BYTES } from '../ledger/entry.ts'
import type { LeafSource } from '../ledger/entry.ts'
import type { DataKey, PayloadKeys, ReceiptSigner } from '../ledger/keys.ts'
import { leafHash } from '../ledger/merkle.ts'
import { PayloadWriter, payloadAad } from '../ledger/payload.ts'
import { receiptEnd, receiptHeader, receiptSigningInput } from '../ledger/receipt.ts'
import { Recent } from '../ledger/recent.ts'
import type { DecisionRecord, EventRecord, LedgerRecord, SealedRecord } from '../ledger/record.ts'
import { termsOf } from '../ledger/terms.ts'
import { ID_RANDOM_BYTES, uuidText } from '../ledger/uuid7.ts'
import { StreamCursor } from './cursor.ts'
import type { StreamMoment } from './cursor.ts'

/** Stage timings of sealing, in microseconds. */
export type StageTimer = (stage: 'encode' | 'encrypt' | 'commit' | 'sign', micros: number) => void

/** What sealing needs to know. */
export interface SealerOptions {
  readonly logId: string
  readonly source: LeafSource
  readonly signer: ReceiptSigner
  readonly payloadKeys: PayloadKeys
  /** 32 bytes from a file. */
  readonly auditKey: Uint8Array
  readonly now: () => number
  readonly stage: StageTimer
}

/** A sealed record and the rows that make it durable. */
export interface SealedEntry {
  readonly record: LedgerRecord
  readonly sealed: SealedRecord
  readonly idBytes: Buffer
  readonly leaf: Buffer
  readonly leafHash: Buffer
  readonly key: DataKey
  readonly body: Buffer
  readonly secretKey: DataKey | null
  readonly secret: Buffer | null
  readonly terms: readonly number[]
}

/** What a leaf's text says, before it is encrypted. */
interface Written {
  readonly text: string
  readonly secret: boolean
}

const POOL_BYTES = 16_384
const REMEMBERED_INDEXES = 10_000
const NO_BYTES = Buffer.alloc(0)

/** Random bytes, drawn many at a time: a call each costs more than what it returns. */
class RandomPool {
  private pool = Buffer.alloc(0)
  private at = 0

  take(bytes: number): Buffer {
    if (this.at + bytes > this.pool.length) {
      this.pool = randomFillSync(Buffer.allocUnsafeSlow(POOL_BYTES))
      this.at = 0
    }
    this.at += bytes
    return this.pool.subarray(this.at - bytes, this.at)
  }
}

/** Seals the records of one stream, in order. */
export class Sealer {
  readonly cursor = new StreamCursor()
  private readonly options: SealerOptions
  private readonly texts: LeafTexts
  private readonly header: string
  private readonly payload = new PayloadWriter()
  private readonly secret = new PayloadWriter()
  private readonly random = new RandomPool()
  private actors = new Recent<string, string>(REMEMBERED_INDEXES)
  private targets = new Recent<string, string>(REMEMBERED_INDEXES)
  private quarter = ''
  private month = ''
  private quarterKey: Uint8Array = NO_BYTES

  constructor(options: SealerOptions) {
    this.options = options
    this.texts = new LeafTexts(options.source)
    this.header = receiptHeader(options.signer.kid)
  }

  /** Gives a record the next place of the stream. */
  seal(record: LedgerRecord): SealedEntry {
    const started = performance.now()
    const decidedAt = record.kind === 'decision' ? record.decidedAt.getTime() : this.options.now()
    const moment = this.cursor.moment(decidedAt)
    const idBytes = this.cursor.id(this.random.take(ID_RANDOM_BYTES))
    const place = { id: uuidText(idBytes), seq: this.cursor.seq, time: moment.iso }
    const written =
      record.kind === 'decision' ? this.decision(record, place, moment) : this.event(record, place)
    const leaf = Buffer.from(written.text)
    if (leaf.length > MAX_LEAF_BYTES) throw new RangeError('a leaf would be too long')
    const hash = leafHash(leaf)
    const encoded = performance.now()
    const answer = this.answer(record, { moment, id: place.id, hash })
    const signed = performance.now()
    const rows = this.rows(record, moment, { hash, secret: written.secret })
    const encrypted = performance.now()
    this.options.stage('encode', (encoded - started) * 1000)
    this.options.stage('sign', (signed - encoded) * 1000)
    this.options.stage('encrypt', (encrypted - signed) * 1000)
    this.cursor.seq += 1
    return { record, sealed: answer, idBytes, leaf, leafHash: hash, terms: termsOf(record), ...rows }
  }

  private decision(
    record: DecisionRecord,
    place: { id: string; seq: number; time: string },
    moment: StreamMoment,
  ): Written {
    const { context, input, output, secret } = record.parts
    this.payload.start()
    let commitments =
      `{"context":"${this.payload.part('context', this.salt(), context)}"` +
      `,"input":"${this.payload.part('input', this.salt(), input)}"` +
      `,"output":"${this.payload.part('output', this.salt(), output)}"`
    if (secret !== null) {
      this.secret.start()
      commitments += `,"secret":"${this.secret.part('secret', this.salt(), secret)}"`
    }
    this.enterQuarter(moment)
    const indexes = {
      actorIx: this.blind('actor', record.actorId),
      targetIx: this.blind('target', record.targetId),
    }
    return {
      text: this.texts.decision(record, place, `${commitments}}`, indexes),
      secret: secret !== null,
    }
  }

  private event(record: EventRecord, place: { id: string; seq: number; time: string }): Written {
    this.payload.start()
    const body = this.payload.part('body', this.salt(), record.body)
    return { text: this.texts.event(record, place, `{"body":"${body}"}`), secret: false }
  }

  /** What goes back to whoever asked; a decision's receipt joins the payload on the way. */
  private answer(
    record: LedgerRecord,
    at: { readonly moment: StreamMoment; readonly id: string; readonly hash: Buffer },
  ): SealedRecord {
    const { source, signer } = this.options
    const stream = source.stream
    const seq = this.cursor.seq
    const known = { id: at.id, time: new Date(at.moment.ms), stream, seq, leafHash: at.hash }
    if (record.kind !== 'decision') return { ...known, receipt: '', receiptSalt: '', expiresAt: null }
    const salt = this.salt()
    const leaf = at.hash.toString('base64url')
    const place = { origin: source.origin, id: at.id, timeMs: at.moment.ms, stream, seq, leaf }
    const input = receiptSigningInput(this.header, record, place, salt)
    const receipt = `${input}.${signer.sign(Buffer.from(input, 'latin1')).toString('base64url')}`
    this.payload.receipt(salt, receipt)
    const expiresAt = new Date(receiptEnd(at.moment.ms, record.receipt.lifeSeconds) * 1000)
    return { ...known, receipt, receiptSalt: salt.toString('base64url'), expiresAt }
  }

  private rows(
    record: LedgerRecord,
    moment: StreamMoment,
    written: { readonly hash: Buffer; readonly secret: boolean },
  ): Pick<SealedEntry, 'key' | 'body' | 'secretKey' | 'secret'> {
    const { logId, payloadKeys } = this.options
    const aad = payloadAad(logId, written.hash)
    const subject = record.search.actor ?? ''
    const key = payloadKeys.keyFor({ class: 'payload', period: moment.month, subject })
    const body = key.encrypt(this.payload.bytes(), aad)
    if (!written.secret) return { key, body, secretKey: null, secret: null }
    const day = moment.iso.slice(0, 10)
    const secretKey = payloadKeys.keyFor({ class: 'secret', period: day, subject })
    return { key, body, secretKey, secret: secretKey.encrypt(this.secret.bytes(), aad) }
  }

  private salt(): Buffer {
    return this.random.take(SALT_BYTES)
  }

  private enterQuarter(moment: StreamMoment): void {
    if (moment.month === this.month) return
    this.month = moment.month
    const quarter = quarterOf(new Date(moment.ms))
    if (quarter === this.quarter) return
    this.quarter = quarter
    this.actors = new Recent(REMEMBERED_INDEXES)
    this.targets = new Recent(REMEMBERED_INDEXES)
    this.quarterKey = quarterKey(this.options.auditKey, this.options.source.tenant, quarter)
  }

  private blind(role: 'actor' | 'target', value: string): string {
    const known = role === 'actor' ? this.actors : this.targets
    const index = known.get(value)
    if (index !== undefined) return index
    const made = blindIndex(this.quarterKey, role, value)
    known.set(value, made)
    return made
  }
}
