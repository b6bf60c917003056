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
export function hostTrust(host: string, internal: readonly string[] | undefined): Trust {
  const name = host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[|\]$/g, '')
  if (name === '' || name.includes(hole)) return 'unknown'
  if (isLoopback(name) || (internal ?? []).some((pattern) => covers(pattern.toLowerCase(), name)))
    return 'internal'
  if (/^[0-9.]+$/.test(name)) return addressTrust(name)
  if (name.includes(':')) return /^[23]/.test(name) ? 'external' : 'unknown'
  return name.includes('.') && !privateSuffix.test(name) && !/^0x|\.0x/.test(name) ? 'external' : 'unknown'
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

function covers(pattern: string, name: string): boolean {
  if (pattern.startsWith('*.')) return name.endsWith(pattern.slice(1))
  return pattern === name
}

function addressTrust(name: string): Trust {
  const parts = name.split('.')
  const [a, b] = parts.map(Number)
  if (parts.length !== 4 || a === undefined || b === undefined) return 'unknown'
  const isPrivate =
    a === 10 ||
    a === 0 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254)
  return isPrivate || (a === 100 && b >= 64 && b < 128) || a >= 224 ? 'unknown' : 'external'
}

/** A network destination, judged. */
export function networkDestination(host: string, internal: readonly string[] | undefined): Destination {
  const shownHost = host.includes(hole) ? '*unknown*' : host
  return { kind: 'network', host: shownHost, trust: hostTrust(host, internal) }
}
