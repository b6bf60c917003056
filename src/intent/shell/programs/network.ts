/** Programs that open plain connections, or only ask names and routes. */
import type { Use } from '../call.ts'
import { evaluateField } from '../evaluate.ts'
import { anything, shown, withText, type Field } from '../field.ts'
import { sendsTo, sendsWord } from '../flow.ts'
import { all, has, last } from '../options.ts'
import { fetched, plain, type Stream } from '../stream.ts'
import { networkDestination } from '../trust.ts'
import { emit, nothing, opaque, opaqueProgram, unseen } from '../work.ts'
import { lenient, program, type Row } from './row.ts'

function connects(use: Use, host: Field): void {
  const destination = networkDestination(host.text, use.frame.work.ctx.target.facts.internal)
  const resource = { system: 'host', type: 'host', name: shown(host.text) }
  const found = emit(use.frame, { action: 'network', resource, scope: 'single', destination })
  if (host.dynamic) unseen(use.frame, 'dynamic_argument', 'the host is not known', found)
}

/** `nc`: what comes in goes out; `-e` gives a shell away. */
function nc(use: Use): Stream | undefined {
  const { options, frame } = use
  for (const flag of ['e', 'c']) for (const command of all(options, flag)) givesAway(use, command)
  if (has(options, 'l')) return listens(use)
  const [host, port] = options.operands
  if (host === undefined) return undefined
  connects(use, host)
  if (has(options, 'x')) unseen(frame, 'dynamic_argument', 'a proxy')
  if (has(options, 'z')) return plain
  sendsTo(frame, frame.stdin, networkDestination(host.text, frame.work.ctx.target.facts.internal))
  return fetched(`tcp://${shown(host.text)}:${shown(port?.text ?? '')}`)
}

function givesAway(use: Use, command: Field): void {
  const { frame } = use
  const resource = { system: 'host', type: 'shell', name: shown(command.text) }
  const detail = 'a connection drives a command'
  opaque(frame, { action: 'execute', resource, scope: 'unknown' }, 'runtime_input', detail)
  evaluateField(
    { ...frame, stdin: fetched(`tcp://${shown(use.options.operands[0]?.text ?? '')}`) },
    command,
    { via: [use.name, 'sh'], dialect: 'sh' },
  )
}

function listens(use: Use): Stream {
  const { options, frame } = use
  const port = shown((last(options, 'p') ?? options.operands.at(-1) ?? anything(null)).text)
  const resource = { system: 'host', type: 'port', name: port }
  emit(frame, { action: 'network', resource, scope: 'unknown', why: 'listens' })
  sendsTo(frame, frame.stdin, { kind: 'network', host: '*', trust: 'unknown' })
  return fetched(`tcp://*:${port}`)
}

/** `ping`, `dig`: a name leaves the machine, and data can be in a name. */
function asks(use: Use): Stream {
  const { options, frame } = use
  const hosts = options.operands.filter(
    (word) => !/^[+]|^(?:A|AAAA|ANY|CNAME|MX|NS|PTR|SOA|TXT|SRV|IN|axfr)$/i.test(word.text),
  )
  for (const host of hosts) {
    connects(use, host.text.startsWith('@') ? withText(host, host.text.slice(1)) : host)
    if (host.data !== null && !host.data.numeric) sendsWord(frame, host, networkDestination('', undefined))
  }
  if (hosts.length === 0) nothing(frame, use.name)
  return plain
}

const settings =
  /^(?:add|del|delete|change|replace|append|set|flush|up|down|netmask|mtu|promisc|-?promisc|hw|gw|save|restore|exec|attach|batch)$/

/** `ip`, `ifconfig`, `route`: shown, or set. */
function interfaces(use: Use): Stream {
  const words = use.args.map((arg) => arg.text)
  const isSet = words.some((word) => settings.test(word)) || has(use.options, 'b')
  if (words.includes('exec'))
    opaqueProgram(use.frame, use.name, 'unsupported_syntax', 'a command in another namespace')
  if (isSet || (use.name === 'ifconfig' && words.length > 1)) {
    const scope = words.includes('flush') ? 'all' : 'single'
    emit(use.frame, {
      action: 'config',
      resource: { system: 'host', type: 'network', name: shown(words.join(' ')) },
      scope,
    })
  } else nothing(use.frame, use.name)
  return plain
}

export const networkPrograms: readonly Row[] = [
  ...['nc', 'ncat', 'netcat'].map((name) =>
    program(
      name,
      '4 6 b C d D F h i= I= k l|listen M= m= N n O= P= p= q= r S s= T= t U u V= v W= w|wait= X= x|proxy= Z z c|sh-exec= e|exec= ssl no-shutdown send-only recv-only keep-open',
      nc,
    ),
  ),
  ...['ping', 'ping6', 'traceroute', 'traceroute6', 'tracepath', 'mtr', 'fping'].map((name) =>
    lenient(name, 'c= i= w= W= s= t= I= m= q= p= f= n 4 6 M= Q= l= S= z= g=', asks),
  ),
  ...['dig', 'nslookup', 'host', 'whois'].map((name) =>
    lenient(name, 't= p= x= h= c= q= b= k= y= type= N= R= W=', asks),
  ),
  ...['ip', 'ifconfig', 'route'].map((name) => lenient(name, 'b|batch=', interfaces)),
]
