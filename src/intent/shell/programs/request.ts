/** One request to a URL: the connection, and what its method asks the other side to do. */
import { hole } from '../field.ts'
import { networkDestination } from '../trust.ts'
import { emit, unseen, type Frame } from '../work.ts'
import type { Url } from './url.ts'

const reading = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT'])

/** Reports the connection. */
export function connects(frame: Frame, url: Url, method: string): void {
  const destination = networkDestination(url.host, frame.work.ctx.target.facts.internal)
  const resource = { system: 'host', type: 'url', name: url.name }
  const why = method === hole ? '' : method
  const found = emit(frame, { action: 'network', resource, scope: 'single', why, destination })
  if (!url.known) unseen(frame, 'dynamic_argument', 'the host is not known', found)
}

/** Reports what the method changes there: any that is not known to read may change anything. */
export function changes(frame: Frame, url: Url, method: string): void {
  if (reading.has(method)) return
  const change = emit(frame, {
    action: method === 'DELETE' ? 'delete' : 'update',
    resource: { system: 'host', type: 'url', name: url.name },
    scope: 'unknown',
    why: 'http_method',
    confidence: 'inferred',
    endpoint: { host: url.known ? url.host : null, port: url.port },
  })
  if (method === hole) unseen(frame, 'dynamic_argument', 'the method is not known', change)
}
