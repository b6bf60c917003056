/** `curl`: what it fetches, what it sends, what it writes. */
import type { Use } from '../call.ts'
import { hole, literal, shown, withText, type Field } from '../field.ts'
import { sendsFile, sendsTo, sendsWord } from '../flow.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, fetched, plain, type Stream } from '../stream.ts'
import { readPlace, writePlace } from '../touch.ts'
import { networkDestination } from '../trust.ts'
import type { Destination } from '../../intent.ts'
import { emit, nothing, unseen } from '../work.ts'
import { changes, connects } from './request.ts'
import { program, type Row } from './row.ts'
import { remoteName, urlOf, type Url } from './url.ts'

function curl(use: Use): Stream | undefined {
  const { options, frame } = use
  const urls = [...all(options, 'url'), ...options.operands].map(urlOf)
  hides(use, urls)
  if (has(options, 'K')) unseen(frame, 'external_file', 'curl reads its flags from a file')
  if (all(options, 'w').some((word) => word.text.startsWith('@') || word.text.includes('%output')))
    unseen(frame, 'unsupported_syntax', 'such an output format')
  if (urls.length === 0) nothing(frame, 'curl')
  for (const url of urls) asks(use, url)
  return writes(use, urls)
}

/** One request: what it asks for, and what leaves with it. */
function asks(use: Use, url: Url): void {
  const { options, frame } = use
  if (url.scheme === 'file') {
    readPlace(frame, placeOf(frame, withText(literal(''), url.path)), 'single')
    return
  }
  const method = methodOf(use)
  connects(frame, url, method)
  const before = frame.work.effects.length
  sends(use, networkDestination(url.host, frame.work.ctx.target.facts.internal))
  const sent = frame.work.effects.slice(before).some(({ action }) => action === 'export')
  // What is sent away says all of an upload; a method that was asked for by name may do more.
  if (!sent || has(options, 'X')) changes(frame, url, method)
}

const secretFlags = ['u', 'U', 'oauth2-bearer', 'pass'] as const

const secretHeader =
  /^(?:proxy-authorization|authorization|cookie|x-api-key|x-auth-token|private-token|x-vault-token)\s*:\s*(?:\w+\s+)?(\S[^\r\n]*)$/i

function hides(use: Use, urls: readonly Url[]): void {
  const { options } = use
  for (const flag of secretFlags) for (const { text } of all(options, flag)) hide(use, text)
  for (const { text } of all(options, 'H')) hide(use, secretHeader.exec(text)?.[1] ?? '')
  for (const { text } of all(options, 'b')) if (text.includes('=')) hide(use, text)
  for (const { userinfo } of urls) hide(use, userinfo ?? '')
}

function hide(use: Use, secret: string): void {
  if (secret.length > 1 && !secret.includes(hole)) use.frame.work.secrets.add(secret)
}

const dataFlags = ['d', 'data-binary', 'data-urlencode', 'json'] as const

const bodyFlags = [...dataFlags, 'F', 'form-string', 'data-raw'] as const

function methodOf({ options }: Use): string {
  const given = last(options, 'X')
  if (given !== undefined) return given.dynamic ? hole : given.text.toUpperCase()
  if (has(options, 'T')) return 'PUT'
  if (has(options, 'I')) return 'HEAD'
  if (has(options, 'G')) return 'GET'
  return bodyFlags.some((flag) => has(options, flag)) ? 'POST' : 'GET'
}

/** Everything in the flags and in the URL that leaves with a request. */
function sends(use: Use, to: Destination): void {
  const { options, frame } = use
  for (const flag of dataFlags) for (const word of all(options, flag)) sendsData(use, word, { flag, to })
  for (const word of [...all(options, 'data-raw'), ...all(options, 'form-string')]) sendsWord(frame, word, to)
  for (const word of all(options, 'F')) sendsForm(use, word, to)
  for (const word of all(options, 'T')) uploads(use, word, to)
  for (const word of all(options, 'H')) sendsHeader(use, word, to)
  for (const word of all(options, 'b')) sendsCookies(use, word, to)
  for (const word of [...all(options, 'url'), ...options.operands])
    if (carriesData(word)) sendsWord(frame, word, to)
}

function uploads({ frame }: Use, word: Field, to: Destination): void {
  if (word.text === '-' || word.text === '.') sendsTo(frame, frame.stdin, to)
  else sendsFile(frame, word, to)
}

function sendsCookies({ frame }: Use, word: Field, to: Destination): void {
  if (word.text.includes('=')) sendsWord(frame, word, to)
  else if (word.text !== '') sendsFile(frame, word, to)
}

/** A substitution in the path or the query takes its data along. */
function carriesData(word: Field): boolean {
  return word.data !== null && (word.data.reads.length > 0 || word.dynamic) && !word.data.numeric
}

function sendsHeader(use: Use, word: Field, to: Destination): void {
  if (word.text.startsWith('@')) sendsFile(use.frame, withText(word, word.text.slice(1)), to)
  else if (word.data !== null && word.data.reads.length > 0) sendsWord(use.frame, word, to)
}

function sendsData(use: Use, word: Field, how: { readonly flag: string; readonly to: Destination }): void {
  const at = how.flag === 'data-urlencode' ? word.text.indexOf('@') : word.text.startsWith('@') ? 0 : -1
  if (at >= 0 && !(how.flag === 'data-urlencode' && word.text.slice(0, at).includes('=')))
    sendsNamed(use, withText(word, word.text.slice(at + 1)), how.to)
  else sendsWord(use.frame, word, how.to)
}

/** `name=@file`, `name=<file`. */
function sendsForm(use: Use, word: Field, to: Destination): void {
  const match = /^[^=]*=[@<]([^;]*)/.exec(word.text)
  if (match === null) sendsWord(use.frame, word, to)
  else
    for (const file of (match[1] ?? '').split(','))
      sendsNamed(use, withText(word, file.replace(/^"|"$/g, '')), to)
}

function sendsNamed(use: Use, file: Field, to: Destination): void {
  if (file.pipe === 'in' && file.data !== null) sendsTo(use.frame, file.data, to)
  else if (file.text === '-' || file.text === '/dev/stdin') sendsTo(use.frame, use.frame.stdin, to)
  else sendsFile(use.frame, file, to)
}

const sideFiles = ['c', 'D', 'trace', 'trace-ascii', 'stderr', 'etag-save'] as const

/** Files that curl writes; what it prints. */
function writes(use: Use, urls: readonly Url[]): Stream | undefined {
  const { options, frame } = use
  const outputs = all(options, 'o')
  for (const file of [
    ...sideFiles.flatMap((flag) => all(options, flag)),
    ...outputs.map((one) => inOutputDir(use, one)),
  ])
    if (!isPrinted(file)) writePlace(frame, placeOf(frame, file), { action: 'write' })
  if (has(options, 'O') || has(options, 'remote-name-all')) {
    for (const url of urls) writesNamed(use, url)
    return empty
  }
  const [url] = urls
  const toFiles =
    outputs.length >= urls.length && !outputs.some((file) => /^(?:-|\/dev\/stdout)$/.test(file.text))
  return url === undefined || toFiles ? plain : fetched(url.name)
}

function inOutputDir({ options }: Use, file: Field): Field {
  const directory = last(options, 'output-dir')
  if (directory === undefined || isPrinted(file) || file.text.startsWith('/')) return file
  return { ...withText(directory, `${directory.text}/${file.text}`), tilde: directory.tilde }
}

function isPrinted(file: Field): boolean {
  return /^[-%]?$|^\/dev\/(?:null|stdout|stderr)$/.test(file.text)
}

/** With `-J` the server names the file. */
function writesNamed(use: Use, url: Url): void {
  const { frame, options } = use
  const directory = last(options, 'output-dir')
  const text = has(options, 'J') ? hole : remoteName(url)
  const base = directory === undefined ? '' : `${directory.text}/`
  const field = withText({ ...literal(''), tilde: directory?.tilde ?? false }, base + text)
  const place = placeOf(frame, field)
  if (has(options, 'J')) {
    const resource = { system: 'host', type: 'file', name: shown(place.name) }
    const found = emit(frame, { action: 'write', resource, scope: 'single', confidence: 'opaque' })
    unseen(frame, 'dynamic_argument', 'the server names the file', found)
  } else writePlace(frame, place, { action: 'write' })
}

const curlFlags =
  '0|http1.0 1 2 3 4|ipv4 6|ipv6 a|append A|user-agent= b|cookie= B|use-ascii c|cookie-jar= C|continue-at= d|data|data-ascii= data-binary= data-raw= data-urlencode= D|dump-header= e|referer= E|cert= f|fail fail-with-body F|form= form-string= g|globoff G|get H|header= i|include|show-headers I|head J|remote-header-name j|junk-session-cookies json= k|insecure K|config= l|list-only L|location location-trusted m|max-time= M|manual n|netrc netrc-optional N|no-buffer o|output= O|remote-name remote-name-all output-dir= create-dirs p|proxytunnel q|disable r|range= R|remote-time s|silent S|show-error no-progress-meter t|telnet-option= T|upload-file= u|user= U|proxy-user= v|verbose w|write-out= X|request= y|speed-time= Y|speed-limit= z|time-cond= Z|parallel parallel-max= progress-bar url= connect-timeout= retry= retry-delay= retry-max-time= retry-all-errors retry-connrefused max-redirs= compressed http1.1 http2 http2-prior-knowledge http3 tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tls-max= cacert= capath= key= cert-type= key-type= pass= ciphers= post301 post302 post303 max-filesize= limit-rate= keepalive-time= no-keepalive interface= local-port= anyauth basic digest ntlm negotiate oauth2-bearer= aws-sigv4= trace= trace-ascii= trace-time stderr= etag-save= etag-compare= path-as-is tcp-nodelay rate= fail-early no-sessionid ssl-reqd ssl-no-revoke styled-output no-styled-output raw tr-encoding proto= proto-default= proto-redir= remove-on-error skip-existing'

export const curlPrograms: readonly Row[] = [program('curl', curlFlags, curl)]
