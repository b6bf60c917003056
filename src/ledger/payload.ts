/**
 * The payload: what a leaf commits to, opened. Its bytes, before encryption, are
 *
 *     "countersign/payload/v1\n" ‖ section*
 *     section  = length (uint32, big-endian) ‖ preimage
 *     preimage = "countersign/commit/v1\n" ‖ role ‖ "\n" ‖ salt (32 bytes) ‖ JCS(part)
 *              | "countersign/receipt/v1\n" ‖ salt (32 bytes) ‖ compact JWS
 *
 * A part's section is exactly what its commitment hashes, so a reader hashes slices and never
 * canonicalises again.
 */
import { hash } from 'node:crypto'
import { SALT_BYTES } from './digest.ts'

/** Names of the committed parts. */
export type Role = 'context' | 'input' | 'output' | 'secret' | 'body'

/** A part that was opened: its bytes hashed to `commitment`. */
export interface OpenedPart {
  readonly salt: Buffer
  /** RFC 8785 text. */
  readonly text: string
  /** base64url. */
  readonly commitment: string
}

export interface OpenedPayload {
  readonly parts: ReadonlyMap<string, OpenedPart>
  /** Null for records without a receipt. */
  readonly receipt: { readonly jws: string; readonly salt: Buffer } | null
}

const MAGIC = Buffer.from('countersign/payload/v1\n', 'latin1')
const RECEIPT = 'countersign/receipt/v1\n'
const COMMIT = 'countersign/commit/v1\n'
const KEPT_BYTES = 1 << 20

/** Domain of a part's commitment. */
const DOMAINS: Readonly<Record<Role, Buffer>> = {
  context: Buffer.from(`${COMMIT}context\n`, 'latin1'),
  input: Buffer.from(`${COMMIT}input\n`, 'latin1'),
  output: Buffer.from(`${COMMIT}output\n`, 'latin1'),
  secret: Buffer.from(`${COMMIT}secret\n`, 'latin1'),
  body: Buffer.from(`${COMMIT}body\n`, 'latin1'),
}
const RECEIPT_DOMAIN = Buffer.from(RECEIPT, 'latin1')

/** Writes payloads one after the other into one buffer, and commits to the parts on the way. */
export class PayloadWriter {
  private buffer = Buffer.allocUnsafe(1 << 14)
  private end = 0

  /** Begins a payload; the bytes of the one before are gone. */
  start(): void {
    if (this.buffer.length > KEPT_BYTES) this.buffer = Buffer.allocUnsafe(1 << 14)
    this.end = MAGIC.copy(this.buffer)
  }

  /** Adds a part; its commitment, base64url. */
  part(role: Role, salt: Uint8Array, text: string): string {
    return hash('sha256', this.section(DOMAINS[role], salt, text), 'base64url')
  }

  receipt(salt: Uint8Array, jws: string): void {
    this.section(RECEIPT_DOMAIN, salt, jws)
  }

  /** The payload's bytes: a view, good until the next `start`. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.end)
  }

  private section(domain: Buffer, salt: Uint8Array, text: string): Buffer {
    this.reserve(4 + domain.length + salt.length + text.length * 3)
    const start = this.end + 4
    let end = start + domain.copy(this.buffer, start)
    this.buffer.set(salt, end)
    end += salt.length
    end += this.buffer.write(text, end, 'utf8')
    this.buffer.writeUInt32BE(end - start, this.end)
    this.end = end
    return this.buffer.subarray(start, end)
  }

  private reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + bytes))
    this.buffer.copy(grown, 0, 0, this.end)
    this.buffer = grown
  }
}

/** Reads a payload's bytes. Throws RangeError when they are not a payload. */
export function openPayload(bytes: Buffer): OpenedPayload {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError('not a payload')
  const parts = new Map<string, OpenedPart>()
  let receipt: OpenedPayload['receipt'] = null
  let at = MAGIC.length
  while (at < bytes.length) {
    const start = at + 4
    if (start > bytes.length) throw new RangeError('a section is cut short')
    at = start + bytes.readUInt32BE(at)
    if (at > bytes.length) throw new RangeError('a section is cut short')
    const section = bytes.subarray(start, at)
    if (section.subarray(0, RECEIPT.length).equals(RECEIPT_DOMAIN)) {
      const { salt, text } = salted(section, RECEIPT.length)
      receipt = { jws: text, salt }
    } else {
      const role = roleOf(section)
      const opened = salted(section, DOMAINS[role].length)
      parts.set(role, { ...opened, commitment: hash('sha256', section, 'base64url') })
    }
  }
  return { parts, receipt }
}

function roleOf(section: Buffer): Role {
  for (const role of Object.keys(DOMAINS) as Role[]) {
    const domain = DOMAINS[role]
    if (section.subarray(0, domain.length).equals(domain)) return role
  }
  throw new RangeError('a section of no known kind')
}

function salted(section: Buffer, domainBytes: number): { salt: Buffer; text: string } {
  const text = domainBytes + SALT_BYTES
  if (section.length < text) throw new RangeError('a section without its salt')
  return { salt: section.subarray(domainBytes, text), text: section.toString('utf8', text) }
}

/** What a payload's encryption is bound to: the log's id (int64, big-endian) and the leaf's hash. */
export function payloadAad(logId: string, leafHash: Uint8Array): Buffer {
  const aad = Buffer.allocUnsafe(8 + leafHash.length)
  aad.writeBigInt64BE(BigInt(logId))
  aad.set(leafHash, 8)
  return aad
}
