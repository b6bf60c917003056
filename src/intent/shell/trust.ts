/** Whether a place that data goes to is known to be ours. */
import type { Destination } from '../intent.ts'
import { hole } from './field.ts'

type Trust = Destination['trust']

/** Top-level names that no public resolver answers. */
const privateSuffix =
  /\.(?:internal|local|lan|corp|home|intranet|private|localdomain|localhost|test|invalid|svc|cluster\.local|home\.arpa|onion)$/

/**
 * Trust of a host: `internal` if it is on the target's list or loopback, `external` if it is a public
 * address or a public name, `unknown` otherwise. Unknown is not internal.
 */
export function hostTrust(host: string, internal: readonly string[] = []): Trust {
  const name = host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[|\]$/g, '')
  if (name === '' || name.includes(hole)) return 'unknown'
  if (isLoopback(name) || internal.some((pattern) => covers(pattern.toLowerCase(), name))) return 'internal'
  if (/^[0-9.]+$/.test(name)) return addressTrust(name)
  if (name.includes(':')) return /^[23]/.test(name) ? 'external' : 'unknown'
  return isPublicName(name) ? 'external' : 'unknown'
}

function isPublicName(name: string): boolean {
  return name.includes('.') && !privateSuffix.test(name) && !/^0x|\.0x/.test(name)
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

function covers(pattern: string, name: string): boolean {
  if (pattern.startsWith('*.')) return name.endsWith(pattern.slice(1))
  return pattern === name
}

/** Addresses that are not routed in public (RFC 1918, 3927, 6598, multicast). */
const privateAddress =
  /^(?:0|10|22[4-9]|2[345]\d)\.|^172\.(?:1[6-9]|2\d|3[01])\.|^192\.168\.|^169\.254\.|^100\.(?:6[4-9]|[789]\d|1[01]\d|12[0-7])\./

function addressTrust(name: string): Trust {
  return !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) || privateAddress.test(name) ? 'unknown' : 'external'
}

/** A network destination, judged. */
export function networkDestination(host: string, internal: readonly string[] | undefined): Destination {
  const shownHost = host.includes(hole) ? '*unknown*' : host
  return { kind: 'network', host: shownHost, trust: hostTrust(host, internal) }
}
