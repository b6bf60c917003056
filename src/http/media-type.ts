/** Which of an operation's bodies a request carries. */
import { PdpError } from '../errors.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * The media type of a body, one of those that the operation reads.
 *
 * @throws PdpError `request.media_type` for any other, for another charset than UTF-8, and for a body that
 *   is compressed: its size would not be what its length says
 */
export function mediaTypeOf(headers: Headers, readable: ReadonlyMap<string, unknown>): string {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw refused('the body must not be compressed', readable)
  const header = headers['content-type']
  if (typeof header !== 'string') throw refused('a content type is expected', readable)
  if (readable.has(header)) return header
  const [type = '', ...parameters] = header.split(';')
  const plain = type.trim().toLowerCase()
  if (!readable.has(plain)) throw refused('the content type cannot be read', readable)
  if (!parameters.every(isHarmless)) throw refused('the charset must be utf-8', readable)
  return plain
}

function isHarmless(parameter: string): boolean {
  const [name = '', value = ''] = parameter.toLowerCase().split('=')
  return name.trim() !== 'charset' || /^\s*"?utf-8"?\s*$/.test(value)
}

function refused(what: string, readable: ReadonlyMap<string, unknown>): PdpError {
  return new PdpError(
    'request.media_type',
    `${what}; this operation reads ${[...readable.keys()].join(' and ')}`,
  )
}
