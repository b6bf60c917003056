/** Connection strings: where they lead, and the password in them. Words or a URI, as libpq reads them. */
import type { Endpoint } from '../intent.ts'
import type { Run } from './model.ts'

/** Where a connection string leads. */
export interface Connection {
  readonly host: string
  readonly endpoint: Endpoint
}

/** Reads a connection string; null if it is neither words nor a URI. Marks its password as a secret. */
export function readConnection(run: Run, text: string): Connection | null {
  const words = /^postgres(?:ql)?:\/\//i.test(text) ? fromUri(text) : fromWords(text)
  if (words === null) return null
  for (const name of ['password', 'sslpassword', 'passfile']) {
    const value = words.get(name)
    if (value !== undefined && value !== '') run.findings.secrets.add(value)
  }
  const host = words.get('hostaddr') || words.get('host') || 'localhost'
  const word = (name: string): string | null => words.get(name) ?? null
  const endpoint = { host, port: word('port'), database: word('dbname'), profile: word('service') }
  return { host, endpoint }
}

/** `key = value` pairs; a value in single quotes may hold blanks, a backslash keeps the next character. */
function fromWords(text: string): ReadonlyMap<string, string> | null {
  const words = new Map<string, string>()
  const pattern = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))/gy
  let end = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    words.set(match[1] ?? '', (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/g, '$1'))
    end = pattern.lastIndex
  }
  return text.slice(end).trim() === '' ? words : null
}

function fromUri(text: string): ReadonlyMap<string, string> | null {
  const match = /^[a-z]+:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is.exec(text)
  if (match === null) return null
  const words = new Map<string, string>()
  const [, user = '', place = '', database = '', query = ''] = match
  const colon = user.indexOf(':')
  if (colon >= 0) words.set('password', user.slice(colon + 1))
  addPlace(words, place)
  if (database !== '') words.set('dbname', database)
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    if (equals > 0) words.set(pair.slice(0, equals), pair.slice(equals + 1))
  }
  return words
}

/** `host:port`; of several, which are tried in turn, the host is all of them. */
function addPlace(words: Map<string, string>, place: string): void {
  const several = place.includes(',')
  const [, host = '', port] = /^(\[[^\]]*\]|[^:,]*)(?::(\d+))?/.exec(place) ?? []
  words.set('host', several ? place : host.replaceAll(/[[\]]/g, ''))
  if (port !== undefined && !several) words.set('port', port)
}
