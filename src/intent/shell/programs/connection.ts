/** Where a psql command says that it lands: flags, a connection text, a URI, the environment. */
import type { Endpoint } from '../../intent.ts'
import type { Use } from '../call.ts'
import type { Field } from '../field.ts'
import { last } from '../options.ts'
import { unseen } from '../work.ts'

type Part = 'host' | 'port' | 'database'

interface Found {
  host: string | null
  port: string | null
  database: string | null
  /** Whether anything of it was said. */
  said: boolean
}

/**
 * The endpoint of a psql command. All null: it was named and is not known, or it is whatever the
 * machine's defaults say. Null: the target itself, when that is the database.
 */
export function connectionOf(use: Use): Endpoint | null {
  const found: Found = { host: null, port: null, database: null, said: false }
  fromEnvironment(use, found)
  const name = last(use.options, 'd') ?? use.options.operands[0]
  if (name !== undefined) fromName(use, name, found)
  set(found, 'host', last(use.options, 'h'))
  set(found, 'port', last(use.options, 'p'))
  if (!found.said && use.frame.host === null && use.frame.work.ctx.target.system === 'postgresql') return null
  if (found.host !== null && use.frame.host !== null && /^(?:localhost|127\..*|::1)$/.test(found.host))
    found.host = use.frame.host
  return { host: found.host, port: found.port, database: found.database }
}

function set(found: Found, part: Part, field: Field | undefined): void {
  if (field === undefined) return
  found.said = true
  found[part] = field.dynamic ? null : field.text
}

function variable(use: Use, name: string): Field | undefined {
  const { frame } = use
  return frame.environment?.get(name) ?? frame.shell.exported.get(name) ?? frame.shell.variables.get(name)
}

function fromEnvironment(use: Use, found: Found): void {
  set(found, 'host', variable(use, 'PGHOSTADDR') ?? variable(use, 'PGHOST'))
  set(found, 'port', variable(use, 'PGPORT'))
  set(found, 'database', variable(use, 'PGDATABASE'))
  if (variable(use, 'PGSERVICE') !== undefined) found.said = true
  const password = variable(use, 'PGPASSWORD')
  if (password !== undefined && !password.dynamic && password.text.length > 1)
    use.frame.work.secrets.add(password.text)
}

/** `-d` takes a database's name, `key=value` pairs or a URI. */
function fromName(use: Use, name: Field, found: Found): void {
  found.said = true
  const { text } = name
  if (name.dynamic && !/^postgres(?:ql)?:\/\//.test(text)) {
    found.host = null
    found.port = null
    found.database = null
  } else if (/^postgres(?:ql)?:\/\//.test(text)) fromUri(use, text, found)
  else if (text.includes('=')) fromPairs(use, text, found)
  else found.database = text
}

function fromUri(use: Use, text: string, found: Found): void {
  const [, user = '', authority = '', database = '', query = ''] = uri.exec(text) ?? []
  hide(use, user.split(':').slice(1).join(':'))
  const [host = '', port = ''] = authority.split(':')
  found.host = authority.includes(',') ? null : clean(host)
  found.port = clean(port)
  found.database = clean(database)
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    assign(use, found, { key: pair.slice(0, Math.max(0, equals)), value: pair.slice(equals + 1) })
  }
}

const uri = /^\w+:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?([\s\S]*))?$/

function fromPairs(use: Use, text: string, found: Found): void {
  for (const match of text.matchAll(/(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']*)/g)) {
    const [, key = '', value = ''] = match
    assign(use, found, { key, value: value.replace(/^'|'$/g, '') })
  }
}

function assign(use: Use, found: Found, pair: { readonly key: string; readonly value: string }): void {
  const { key, value } = pair
  if (key === 'host' || key === 'hostaddr') found.host = clean(value)
  else if (key === 'port') found.port = clean(value)
  else if (key === 'dbname') found.database = clean(value)
  else if (key === 'password') hide(use, value)
  else if (key === 'service') found.host = null
  else if (key === 'options') unseen(use.frame, 'session_state', 'options of the session')
}

function clean(text: string): string | null {
  return text === '' || text.includes('\uFFFC') ? null : text
}

function hide(use: Use, secret: string): void {
  if (secret.length > 1 && !secret.includes('\uFFFC')) use.frame.work.secrets.add(secret)
}
