/**
 * Receipts: a compact JWS (RFC 7515, EdDSA by RFC 8037) that says which action was judged, how, and
 * which leaf records it. Whoever executes recomputes `act` over what is about to run.
 */
import { saltedDigest } from './digest.ts'
import type { DecisionRecord } from './record.ts'

/** What sealing knows about a decision when its receipt is made. */
export interface ReceiptPlace {
  /** Issuer: the log's origin. */
  readonly origin: string
  readonly id: string
  /** Leaf time in milliseconds. */
  readonly timeMs: number
  readonly stream: string
  readonly seq: number
  /** base64url of the leaf's hash. */
  readonly leaf: string
}

/** Claims of a receipt; times in seconds. */
export interface ReceiptClaims {
  readonly act: string
  readonly azp: string
  readonly exp: number
  readonly iat: number
  readonly iss: string
  readonly jti: string
  readonly leaf: string
  readonly msk?: string
  readonly obl?: string
  readonly seq: number
  readonly stream: string
  readonly sub: string
  readonly verdict: string
}

/** A receipt taken apart; nothing in it is verified. */
export interface ParsedReceipt {
  readonly kid: string
  readonly claims: ReceiptClaims
  readonly signingInput: Buffer
  readonly signature: Buffer
}

const ACTION = 'countersign/action/v1\n'
const MASKS = 'countersign/masks/v1\n'
const OBLIGATIONS = 'countersign/obligations/v1\n'
const TYPE = 'countersign-receipt+jwt'
const MAX_LIFE_SECONDS = 300

/** The first segment of every receipt under a key: base64url of its protected header. */
export function receiptHeader(kid: string): string {
  return Buffer.from(`{"alg":"EdDSA","kid":${JSON.stringify(kid)},"typ":"${TYPE}"}`).toString('base64url')
}

/** When a decision's receipt ends, in whole seconds since 1970. */
export function receiptEnd(timeMs: number, lifeSeconds: number): number {
  return Math.floor(timeMs / 1000) + Math.min(Math.max(1, lifeSeconds), MAX_LIFE_SECONDS)
}

/** What is signed: header and claims, each base64url, with a dot between (RFC 7515 section 5.1). */
export function receiptSigningInput(
  header: string,
  record: DecisionRecord,
  place: ReceiptPlace,
  salt: Uint8Array,
): string {
  const { action, masks, obligations, azp, sub, lifeSeconds } = record.receipt
  const msk = masks === null ? '' : `,"msk":"${saltedDigest(MASKS, salt, masks)}"`
  const obl = obligations === null ? '' : `,"obl":"${saltedDigest(OBLIGATIONS, salt, obligations)}"`
  const claims =
    `{"act":"${saltedDigest(ACTION, salt, action)}","azp":${JSON.stringify(azp)}` +
    `,"exp":${receiptEnd(place.timeMs, lifeSeconds)},"iat":${Math.floor(place.timeMs / 1000)}` +
    `,"iss":${JSON.stringify(place.origin)},"jti":"${place.id}","leaf":"${place.leaf}"${msk}${obl}` +
    `,"seq":${place.seq},"stream":"${place.stream}","sub":${JSON.stringify(sub)},"verdict":"${record.verdict}"}`
  return `${header}.${Buffer.from(claims).toString('base64url')}`
}

/** Takes a compact JWS apart. Throws RangeError or SyntaxError when it is no receipt. */
export function parseReceipt(jws: string): ParsedReceipt {
  const [header, claims, signature, more] = jws.split('.')
  if (header === undefined || claims === undefined || signature === undefined || more !== undefined) {
    throw new RangeError('not a compact JWS')
  }
  const head = json(header) as { alg?: unknown; typ?: unknown; kid?: unknown }
  if (head.alg !== 'EdDSA' || head.typ !== TYPE || typeof head.kid !== 'string') {
    throw new RangeError('not a receipt')
  }
  return {
    kid: head.kid,
    claims: json(claims) as ReceiptClaims,
    signingInput: Buffer.from(`${header}.${claims}`, 'latin1'),
    signature: Buffer.from(signature, 'base64url'),
  }
}

function json(segment: string): unknown {
  return JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'))
}
