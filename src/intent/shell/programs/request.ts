/** One request to a URL: the connection, and what its method asks the other side to do. */
import { hole } from '../field.ts'
import { networkDestination } from '../trust.ts'
import { emit, unseen, type Frame } from '../work.ts'
import type { EffectAction } from '../../intent.ts'
import type { Url } from './url.ts'

const reading = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT'])

/** Reports a request. Any method that is not known to read may change what is there. */
export function requests(frame: Frame, url: Url, method: string): void {
  const destination = networkDestination(url.host, frame.work.ctx.target.facts.internal)
  const resource = { system: 'host', type: 'url', name: url.name }
  const found = emit(frame, {
    action: 'network',
    resource,
    scope: 'single',
    why: method === hole ? '' : method,
    destination,
  })
  if (!url.known) unseen(frame, 'dynamic_argument', 'the host is not known', found)
  if (reading.has(method)) return
  const action: EffectAction = method === 'DELETE' ? 'delete' : 'update'
  const change = emit(frame, {
    action,
    resource,
    scope: 'unknown',
    why: 'http_method',
    confidence: 'inferred',
    endpoint: { host: url.known ? url.host : null, port: url.port },
  })
  if (method === hole) unseen(frame, 'dynamic_argument', 'the method is not known', change)
}
