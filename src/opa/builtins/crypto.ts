/** Digests and encodings of texts, as lower-case hexadecimal. */
import { createHash, createHmac } from 'node:crypto'
import type { HostBuiltin } from '../library.ts'
import { ofStrings } from './arguments.ts'

function digest(algorithm: string): HostBuiltin {
  return ofStrings((text = '') => createHash(algorithm).update(text).digest('hex'))
}

function keyedDigest(algorithm: string): HostBuiltin {
  return ofStrings((text = '', key = '') => createHmac(algorithm, key).update(text).digest('hex'))
}

export const cryptoBuiltins: Readonly<Record<string, HostBuiltin>> = {
  'crypto.md5': digest('md5'),
  'crypto.sha1': digest('sha1'),
  'crypto.sha256': digest('sha256'),
  'crypto.hmac.md5': keyedDigest('md5'),
  'crypto.hmac.sha1': keyedDigest('sha1'),
  'crypto.hmac.sha256': keyedDigest('sha256'),
  'crypto.hmac.sha512': keyedDigest('sha512'),
  'crypto.hmac.equal': ofStrings((one, other) => one === other),
  'hex.encode': ofStrings((text = '') => Buffer.from(text).toString('hex')),
  'hex.decode': ofStrings((text = '') =>
    /^(?:[0-9a-fA-F]{2})*$/.test(text) ? Buffer.from(text, 'hex').toString() : undefined,
  ),
  'base64url.encode_no_pad': ofStrings((text = '') => Buffer.from(text).toString('base64url')),
}
