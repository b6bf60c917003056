/** Whether a place that data goes to is the target's own. */
import { globMatches } from '../../action/patterns.ts'
import type { Destination } from '../intent.ts'
import { hostTrust } from '../shell/trust.ts'
import type { Run } from './model.ts'
import { unknownName } from './run.ts'

/** A file on the server: internal where the facts list it or a folder around it. A `..` leads anywhere. */
export function fileTrust(run: Run, path: string): Destination['trust'] {
  if (path.split('/').includes('..')) return 'unknown'
  const listed = run.place.internal.some(
    (entry) =>
      entry.startsWith('/') &&
      (globMatches(entry, path) || path.startsWith(entry.endsWith('/') ? entry : `${entry}/`)),
  )
  return listed ? 'internal' : 'unknown'
}

/** A server that is connected to; a path is a socket on this machine. */
export function serverDestination(run: Run, host: string): Destination {
  const trust = host.startsWith('/')
    ? 'internal'
    : host === unknownName
      ? 'unknown'
      : hostTrust(host, run.place.internal)
  return { kind: 'network', host, trust }
}
