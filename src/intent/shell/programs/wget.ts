/** `wget`: fetches into files, or to its output. */
import type { Use } from '../call.ts'
import { hole, literal, shown, type Field } from '../field.ts'
import { sendsFile, sendsWord } from '../flow.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, fetched, plain, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { networkDestination } from '../trust.ts'
import type { Destination } from '../../intent.ts'
import { nothing, unseen, type Frame } from '../work.ts'
import { changes, connects } from './request.ts'
import { program, type Row } from './row.ts'
import { remoteName, urlOf, type Url } from './url.ts'

function wget(use: Use): Stream | undefined {
  const { options, frame } = use
  const urls = options.operands.map(urlOf)
  hides(use, urls)
  if (has(options, 'i')) unseen(frame, 'external_file', 'wget reads addresses from a file')
  for (const url of urls) asks(use, url)
  for (const log of [...all(options, 'o'), ...all(options, 'a')])
    writesUnlessNull(frame, log, has(options, 'a'))
  if (urls.length > 0 && !has(options, 'spider')) return writes(use, urls)
  nothing(frame, 'wget')
  return plain
}

function writesUnlessNull(frame: Frame, file: Field, append: boolean): void {
  if (file.text !== '/dev/null') writePlace(frame, placeOf(frame, file), { action: 'write', append })
}

const passwords = ['password', 'http-password', 'ftp-password', 'proxy-password'] as const

function hides({ options, frame }: Use, urls: readonly Url[]): void {
  const { secrets } = frame.work
  for (const flag of passwords)
    for (const { text, dynamic } of all(options, flag)) if (!dynamic) secrets.add(text)
  for (const { userinfo } of urls)
    if (userinfo !== null && userinfo.length > 1 && !userinfo.includes(hole)) secrets.add(userinfo)
}

function asks(use: Use, url: Url): void {
  const { options, frame } = use
  const method = methodOf(use)
  connects(frame, url, method)
  const before = frame.work.effects.length
  sends(use, networkDestination(url.host, frame.work.ctx.target.facts.internal))
  const sent = frame.work.effects.slice(before).some(({ action }) => action === 'export')
  if (!sent || has(options, 'method')) changes(frame, url, method)
}

function methodOf({ options }: Use): string {
  const given = last(options, 'method')
  if (given !== undefined) return given.dynamic ? hole : given.text.toUpperCase()
  return has(options, 'post-data') || has(options, 'post-file') ? 'POST' : 'GET'
}

function sends({ options, frame }: Use, to: Destination): void {
  for (const file of [...all(options, 'post-file'), ...all(options, 'body-file')]) sendsFile(frame, file, to)
  for (const word of [...all(options, 'post-data'), ...all(options, 'body-data')]) sendsWord(frame, word, to)
  for (const word of options.operands)
    if (word.data !== null && !word.data.numeric) sendsWord(frame, word, to)
}

function writes(use: Use, urls: readonly Url[]): Stream {
  const { options, frame } = use
  const output = last(options, 'O')
  if (output !== undefined && /^(?:-|\/dev\/stdout)$/.test(output.text)) return fetched(urls[0]?.name ?? '')
  if (output === undefined) for (const url of urls) writesNamed(use, url)
  else writesUnlessNull(frame, output, false)
  return empty
}

function writesNamed({ options, frame }: Use, url: Url): void {
  const place = placeOf(frame, last(options, 'P') ?? literal('.'))
  const deep = ['r', 'm', 'p'].some((flag) => has(options, flag))
  const name = deep ? place.name : `${place.name.replace(/\/$/, '')}/${shown(remoteName(url))}`
  writePlace(
    frame,
    { ...place, name },
    { action: 'write', type: deep ? 'directory' : 'file', scope: deep ? 'bulk' : 'single' },
  )
}

const wgetFlags =
  'b|background d|debug q|quiet v|verbose nv|no-verbose i|input-file= F|force-html B|base= t|tries= O|output-document= c|continue progress= show-progress N|timestamping no-clobber S|server-response spider T|timeout= w|wait= waitretry= random-wait limit-rate= 4|inet4-only 6|inet6-only user= password= o|output-file= a|append-output= P|directory-prefix= x|force-directories no-host-directories no-directories cut-dirs= header= U|user-agent= referer= http-user= http-password= ftp-password= proxy-password= no-cache no-check-certificate ca-certificate= certificate= post-data= post-file= method= body-data= body-file= r|recursive l|level= k|convert-links m|mirror p|page-requisites A|accept= R|reject= D|domains= H|span-hosts L|relative I|include-directories= X|exclude-directories= no-parent np nd nH nc no-proxy E|adjust-extension compression= dns-timeout= connect-timeout= read-timeout= prefer-family= retry-connrefused max-redirect= no-hsts https-only secure-protocol= K|backup-converted'

export const wgetPrograms: readonly Row[] = [program('wget', `${wgetFlags} n=`, wget)]
