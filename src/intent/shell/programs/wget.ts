/** `wget`: fetches into files, or to its output. */
import type { Use } from '../call.ts'
import { hole, literal } from '../field.ts'
import { sendsFile, sendsWord } from '../flow.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, fetched, plain, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { networkDestination } from '../trust.ts'
import { nothing, unseen } from '../work.ts'
import { requests } from './request.ts'
import { program, type Row } from './row.ts'
import { remoteName, urlOf, type Url } from './url.ts'

function wget(use: Use): Stream | undefined {
  const { options, frame } = use
  const urls = options.operands.map(urlOf)
  for (const flag of ['password', 'http-password', 'ftp-password', 'proxy-password'])
    for (const { text } of all(options, flag)) frame.work.secrets.add(text)
  for (const url of urls)
    if (url.userinfo !== null && url.userinfo.length > 1) frame.work.secrets.add(url.userinfo)
  if (has(options, 'i')) unseen(frame, 'external_file', 'wget reads addresses from a file')
  for (const url of urls) asks(use, url)
  for (const log of [...all(options, 'o'), ...all(options, 'a')])
    if (log.text !== '/dev/null')
      writePlace(frame, placeOf(frame, log), { action: 'write', append: has(options, 'a') })
  if (urls.length === 0 || has(options, 'spider')) {
    nothing(frame, 'wget')
    return plain
  }
  return writes(use, urls)
}

function asks(use: Use, url: Url): void {
  const { options, frame } = use
  const posts = has(options, 'post-data') || has(options, 'post-file')
  const given = last(options, 'method')
  const method =
    given === undefined ? (posts ? 'POST' : 'GET') : given.dynamic ? hole : given.text.toUpperCase()
  requests(frame, url, method)
  const to = networkDestination(url.host, frame.work.ctx.target.facts.internal)
  for (const file of [...all(options, 'post-file'), ...all(options, 'body-file')]) sendsFile(frame, file, to)
  for (const word of [...all(options, 'post-data'), ...all(options, 'body-data')]) sendsWord(frame, word, to)
  for (const word of options.operands)
    if (word.data !== null && word.data.numeric !== true) sendsWord(frame, word, to)
}

function writes(use: Use, urls: readonly Url[]): Stream {
  const { options, frame } = use
  const output = last(options, 'O')
  const [first] = urls
  if (output?.text === '-' || output?.text === '/dev/stdout')
    return first === undefined ? plain : fetched(first.name)
  if (output !== undefined) {
    if (output.text !== '/dev/null') writePlace(frame, placeOf(frame, output), { action: 'write' })
    return empty
  }
  const directory = last(options, 'P') ?? literal('.')
  const deep = has(options, 'r') || has(options, 'm') || has(options, 'p')
  for (const url of urls) {
    const place = placeOf(frame, directory)
    const name = deep
      ? place.name
      : `${place.name.replace(/\/$/, '')}/${remoteName(url).replaceAll(hole, '*unknown*')}`
    writePlace(
      frame,
      { ...place, name },
      { action: 'write', type: deep ? 'directory' : 'file', scope: deep ? 'bulk' : 'single' },
    )
  }
  return empty
}

const wgetFlags =
  'b|background d|debug q|quiet v|verbose nv|no-verbose i|input-file= F|force-html B|base= t|tries= O|output-document= c|continue progress= show-progress N|timestamping no-clobber S|server-response spider T|timeout= w|wait= waitretry= random-wait limit-rate= 4|inet4-only 6|inet6-only user= password= o|output-file= a|append-output= P|directory-prefix= x|force-directories no-host-directories no-directories cut-dirs= header= U|user-agent= referer= http-user= http-password= ftp-password= proxy-password= no-cache no-check-certificate ca-certificate= certificate= post-data= post-file= method= body-data= body-file= r|recursive l|level= k|convert-links m|mirror p|page-requisites A|accept= R|reject= D|domains= H|span-hosts L|relative I|include-directories= X|exclude-directories= no-parent np nd nH nc no-proxy E|adjust-extension compression= dns-timeout= connect-timeout= read-timeout= prefer-family= retry-connrefused max-redirect= no-hsts https-only secure-protocol= K|backup-converted'

export const wgetPrograms: readonly Row[] = [program('wget', `${wgetFlags} n=`, wget)]
