/** `ssh`: a command for a shell on another machine. */
import type { Call, Handler } from '../call.ts'
import { evaluateField, evaluateStream, evaluateText, joinedWords, onHost } from '../evaluate.ts'
import { shown, type Field } from '../field.ts'
import { sendsTo } from '../flow.ts'
import { all, has, last, options, spec, type Options } from '../options.ts'
import { placeOf } from '../path.ts'
import { unnamed, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { networkDestination } from '../trust.ts'
import { emit, nothing, opaqueProgram, unseen, type Frame } from '../work.ts'

const sshSpec = spec(
  '4 6 A a C f G g K k M N n q s T t V v X x Y y B= b= c= D= E= e= F= I= i= J= L= l= m= O= o= p= P= Q= R= S= W= w= +',
)

/** Options that start nothing and lead nowhere else. */
const plainOptions =
  /^(?:AddressFamily|BatchMode|BindAddress|CheckHostIP|Ciphers|Compression|ConnectionAttempts|ConnectTimeout|ControlMaster|ControlPath|ControlPersist|EscapeChar|ExitOnForwardFailure|ForwardAgent|ForwardX11|GSSAPI\w+|HostKeyAlgorithms|IdentitiesOnly|IdentityFile|IPQoS|KbdInteractiveAuthentication|KexAlgorithms|LogLevel|MACs|NumberOfPasswordPrompts|PasswordAuthentication|Port|PreferredAuthentications|Pubkey\w+|RequestTTY|SendEnv|ServerAlive\w+|StrictHostKeyChecking|TCPKeepAlive|UpdateHostKeys|User|GlobalKnownHostsFile|UserKnownHostsFile|VerifyHostKeyDNS|VisualHostKey|WarnWeakCrypto)$/i

const runningOptions = /^(?:ProxyCommand|LocalCommand|KnownHostsCommand)$/i

function ssh(call: Call): Stream | undefined {
  const { frame } = call
  const first = options(call.args, sshSpec)
  const [target, ...after] = first.operands
  const second = options(after, sshSpec)
  const unknown = first.unknown ?? second.unknown
  if (unknown !== null || first.doubtful !== null) {
    opaqueProgram(
      frame,
      'ssh',
      unknown === null ? 'dynamic_argument' : 'unknown_flag',
      `ssh ${unknown ?? 'words'}`,
    )
    return undefined
  }
  if (target === undefined) {
    nothing(frame, 'ssh')
    return undefined
  }
  for (const read of [first, second]) localEffects(frame, read)
  return connects(frame, { target, words: second.operands, flags: [first, second] })
}

interface Connection {
  readonly target: Field
  readonly words: readonly Field[]
  readonly flags: readonly Options[]
}

function connects(frame: Frame, to: Connection): Stream | undefined {
  const { host, user, port } = partsOf(to.target.text)
  const value = (flag: string): string | null =>
    to.flags.map((read) => last(read, flag)?.text ?? null).findLast((v) => v !== null) ?? null
  const remote = onHost(frame, host, { user: user ?? value('l'), port: port ?? value('p') })
  if (to.target.dynamic) unseen(remote, 'dynamic_argument', 'the host is not known')
  sendsTo(frame, frame.stdin, networkDestination(host, frame.work.ctx.target.facts.internal))
  const manner = { via: ['sh'], dialect: 'sh' } as const
  if (to.words.length > 0) return runsThere(remote, joinedWords(to.words))
  if (to.flags.some((read) => ['N', 'O', 'W', 'G'].some((flag) => has(read, flag)))) {
    tunnel(frame, shown(host))
    return undefined
  }
  return evaluateStream(remote, frame.stdin, manner)
}

/** `user@host`, `ssh://user@host:port`. */
function partsOf(text: string): {
  readonly host: string
  readonly user: string | null
  readonly port: string | null
} {
  const match = /^(?:ssh:\/\/)?(?:(.*)@)?([^@]*?)$/.exec(text)
  const [, user, rest = ''] = match ?? []
  const url = text.startsWith('ssh://') ? /^(.*?):(\d+)$/.exec(rest) : null
  return { host: url?.[1] ?? rest, user: user ?? null, port: url?.[2] ?? null }
}

/** A bare shell on the other side reads the input as its text. */
function runsThere(frame: Frame, text: Field): Stream {
  const isShell =
    !text.dynamic && /^\s*(?:exec\s+)?(?:\/bin\/)?(?:ba|da)?sh(?:\s+-[se]+)*(?:\s+--)?\s*$/.test(text.text)
  const { stdin } = frame
  if (isShell && stdin.text !== null && !stdin.text.includes('\uFFFC'))
    return evaluateText({ ...frame, stdin: unnamed }, stdin.text, { via: ['sh'], dialect: 'sh' })
  return evaluateField(frame, text, { via: ['sh'], dialect: 'sh' })
}

function localEffects(frame: Frame, read: Options): void {
  for (const option of all(read, 'o')) sshOption(frame, option)
  for (const log of all(read, 'E')) writePlace(frame, placeOf(frame, log), { action: 'write', append: true })
  if (has(read, 'F')) unseen(frame, 'external_file', 'a configuration of ssh')
  if (has(read, 'I')) unseen(frame, 'external_file', 'a library that ssh loads')
  for (const flag of ['L', 'R', 'D', 'w']) for (const { text } of all(read, flag)) tunnel(frame, shown(text))
}

/** One `-o Name=value`; also of scp and rsync. */
export function sshOption(frame: Frame, option: Field): void {
  const match = /^\s*(\w+)\s*[=\s]\s*([\s\S]*)$/.exec(option.text)
  const [, name = '', value = ''] = match ?? []
  if (plainOptions.test(name) && !(option.dynamic && name === '')) return
  if (!runningOptions.test(name)) unseen(frame, 'unknown_flag', `ssh option ${name}`)
  else if (option.dynamic) unseen(frame, 'dynamic_command', `${name} runs a command`)
  else if (value !== 'none')
    evaluateText(frame, value.replace(/^exec\s+/, ''), { via: [`ssh ${name}`, 'sh'], dialect: 'sh' })
}

function tunnel(frame: Frame, name: string): void {
  const resource = { system: 'host', type: 'tunnel', name }
  emit(frame, { action: 'network', resource, scope: 'unknown', why: 'forwards_connections' })
}

/** `sshpass`: a password in front of a command. */
function sshpass(call: Call): Stream | undefined {
  const { frame } = call
  const read = options(call.args, spec('p= f= d= e P= v V h +'))
  if (read.unknown !== null) {
    opaqueProgram(frame, 'sshpass', 'unknown_flag', `sshpass ${read.unknown}`)
    return undefined
  }
  for (const password of all(read, 'p')) if (!password.dynamic) frame.work.secrets.add(password.text)
  return frame.work.engine.program({ ...frame, via: [...frame.via, 'sshpass'] }, read.operands)
}

export const sshWrappers: readonly (readonly [string, Handler])[] = [
  ['ssh', ssh],
  ['sshpass', sshpass],
]
