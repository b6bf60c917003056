/** A log's name, and the number its rows carry. */
import { hash } from 'node:crypto'

/** Signs of an origin: a schema-less URL prefix without trailing slash, space or plus (c2sp.org/tlog-checkpoint). */
const ORIGIN = /^[a-z0-9](?:[a-z0-9._:/-]{0,253}[a-z0-9])?$/

/** Whether a text can name a log. */
export function isOrigin(text: string): boolean {
  return ORIGIN.test(text)
}

/**
 * The number that every key of the log's rows begins with: the first 63 bits of
 * `SHA-256("countersign/log/v1\n" ‖ origin)`, in decimal. Replicas agree on it without asking.
 */
export function logIdOf(origin: string): string {
  const digest = hash('sha256', `countersign/log/v1\n${origin}`, 'buffer')
  return (digest.readBigUInt64BE(0) >> 1n).toString()
}
