/**
 * Identifiers that sort by time: UUIDv7 (RFC 9562 section 5.7). Within a millisecond the twelve bits
 * after the version count up, so the ids of one stream are strictly increasing.
 */

/** Bytes of randomness one id needs. */
export const ID_RANDOM_BYTES = 8
/** Ids that one millisecond can hold at most. */
export const IDS_PER_MS = 4096

const HEX = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const BYTES = 16

/**
 * The sixteen bytes of an id.
 * @param ms Unix time in milliseconds
 * @param count position within the millisecond, below `IDS_PER_MS`
 */
export function uuid7(ms: number, count: number, random: Uint8Array): Buffer {
  const id = Buffer.allocUnsafe(BYTES)
  id.writeUIntBE(ms, 0, 6)
  id.writeUInt16BE(0x7000 | count, 6)
  id.set(random.subarray(0, ID_RANDOM_BYTES), 8)
  id[8] = ((random[0] ?? 0) & 0x3f) | 0x80
  return id
}

/** Text form (RFC 9562 section 4) of sixteen bytes. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The sixteen bytes of an id's text. */
export function uuidBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', ''), 'hex')
}

/** Whether a text is a UUIDv7 in lower case. */
export function isUuid7(text: string): boolean {
  return HEX.test(text)
}

/** Smallest id of an instant: no id of an earlier millisecond sorts behind it. */
export function uuidFloor(instant: Date): string {
  const id = Buffer.alloc(BYTES)
  id.writeUIntBE(Math.max(0, instant.getTime()), 0, 6)
  return uuidText(id)
}

/** The millisecond an id was made in. */
export function uuidInstant(text: string): Date {
  return new Date(uuidBytes(text).readUIntBE(0, 6))
}
