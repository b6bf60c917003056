/** Programs on processes, services, logs, time and the machine itself. */
import type { Use } from '../call.ts'
import { evaluateStream } from '../evaluate.ts'
import { literal, shown, type Field } from '../field.ts'
import { has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, number, plain, unnamed, type Stream } from '../stream.ts'
import { readPlace } from '../touch.ts'
import { emit, nothing, opaque, opaqueProgram, unseen } from '../work.ts'
import { lenient, program, type Row } from './row.ts'
import type { EffectAction, Scope } from '../../intent.ts'

interface On {
  readonly type: string
  readonly name: Field
  readonly scope?: Scope
  readonly why?: string
}

function acts(use: Use, action: EffectAction, on: On): void {
  const resource = { system: 'host', type: on.type, name: shown(on.name.text) }
  const scope = on.name.dynamic ? 'unknown' : (on.scope ?? 'single')
  const found = emit(use.frame, { action, resource, scope, why: on.why ?? '' })
  if (on.name.dynamic && action !== 'read')
    unseen(use.frame, 'dynamic_argument', 'what is acted on is not known', found)
}

/** `kill`: one process, a group, or every one. */
function kill(use: Use): Stream {
  const words = use.args.map((arg) => arg.text)
  if (words.some((word) => /^-[lL]|^--(?:list|table)/.test(word)) || words[0] === '-0') {
    nothing(use.frame, 'kill')
    return empty
  }
  const targets = signalled(use.args)
  for (const target of targets) {
    const isAll = target.text === '-1' || target.text === '0'
    const scope = isAll ? 'all' : target.text.startsWith('-') ? 'bulk' : 'single'
    acts(use, 'process', { type: 'process', name: isAll ? literal('*') : target, scope, why: 'signal' })
  }
  if (targets.length === 0) nothing(use.frame, 'kill')
  return empty
}

/** The words after the signal: `-9`, `-s TERM`, `--`. */
function signalled(args: readonly Field[]): readonly Field[] {
  const [first, second] = args
  if (first === undefined) return []
  if (first.text === '--') return args.slice(1)
  if (/^(?:-s|-n|--signal|-q)$/.test(first.text)) return args.slice(2).filter((arg) => arg.text !== '--')
  if (first.text.startsWith('-')) return args.slice(second?.text === '--' ? 2 : 1)
  return args
}

/** `pkill`, `killall`: by name, so as many as match. */
function killsByName(use: Use): Stream {
  const { options } = use
  if (use.name === 'pgrep') {
    acts(use, 'read', { type: 'process', name: literal('*'), scope: 'bulk' })
    return plain
  }
  const names = options.operands
  for (const name of names) acts(use, 'process', { type: 'process', name, scope: 'bulk', why: 'by_name' })
  if (names.length === 0)
    acts(use, 'process', { type: 'process', name: literal('*'), scope: 'all', why: 'by_name' })
  return empty
}

function lists(use: Use): Stream {
  acts(use, 'read', { type: 'process', name: literal('*'), scope: 'bulk' })
  return plain
}

const serviceReads =
  /^(?:status|show|cat|list-[\w-]+|is-(?:active|enabled|failed|system-running)|get-default|help|show-environment)$/
const serviceActs =
  /^(?:start|stop|restart|reload|try-restart|reload-or-restart|try-reload-or-restart|condrestart|force-reload|kill|isolate|freeze|thaw|reset-failed)$/
const serviceConfigures =
  /^(?:enable|disable|reenable|mask|unmask|preset|preset-all|revert|link|set-default|set-property|daemon-reload|daemon-reexec|add-wants|add-requires|set-environment|unset-environment|import-environment|clean)$/
const startsLater = /^(?:enable|reenable|unmask|preset|preset-all|link|set-default|add-wants|add-requires)$/
const machineVerbs =
  /^(?:poweroff|reboot|halt|kexec|soft-reboot|suspend|hibernate|hybrid-sleep|suspend-then-hibernate|rescue|emergency|default|exit|switch-root)$/

function systemctl(use: Use): Stream {
  const [verb, ...units] = use.options.operands
  const name = verb?.text ?? 'list-units'
  if (has(use.options, 'H') || has(use.options, 'M'))
    unseen(use.frame, 'dynamic_argument', 'services of another machine')
  if (machineVerbs.test(name)) machine(use)
  else for (const unit of units.length === 0 ? [literal('*')] : units) onUnit(use, name, unit)
  return plain
}

function onUnit(use: Use, verb: string, unit: Field): void {
  const scope = scopeOf(unit)
  if (serviceReads.test(verb)) acts(use, 'read', { type: 'service', name: unit, scope })
  else if (serviceActs.test(verb)) acts(use, 'process', { type: 'service', name: unit, scope, why: verb })
  else if (serviceConfigures.test(verb)) {
    const type = startsLater.test(verb) ? 'systemd_unit' : 'service'
    acts(use, 'config', { type, name: unit, scope, why: verb })
  } else opaqueProgram(use.frame, 'systemctl', 'unknown_command', `systemctl ${shown(verb)}`)
}

function scopeOf(unit: Field): Scope {
  return unit.text === '*' ? 'all' : unit.glob || /[*?[]/.test(unit.text) ? 'bulk' : 'single'
}

function service(use: Use): Stream {
  const [unit, verb] = use.options.operands
  if (has(use.options, 'status-all'))
    acts(use, 'read', { type: 'service', name: literal('*'), scope: 'bulk' })
  else if (unit !== undefined && has(use.options, 'full-restart'))
    acts(use, 'process', { type: 'service', name: unit, why: 'restart' })
  else if (unit === undefined || verb === undefined) nothing(use.frame, 'service')
  else if (verb.text === 'status') acts(use, 'read', { type: 'service', name: unit })
  else if (serviceActs.test(verb.text)) acts(use, 'process', { type: 'service', name: unit, why: verb.text })
  else opaqueProgram(use.frame, 'service', 'unknown_command', 'an unknown verb')
  return plain
}

/** The machine itself goes down. */
function machine(use: Use): Stream {
  if (has(use.options, 'c') && use.name === 'shutdown') nothing(use.frame, use.name)
  else
    acts(use, 'process', { type: 'machine', name: literal('localhost'), scope: 'all', why: 'stops_machine' })
  return empty
}

/** `crontab`: commands that run later, from a file or the input. */
function crontab(use: Use): Stream {
  const { options, frame } = use
  const user = last(options, 'u') ?? literal('self')
  const resource = { system: 'host', type: 'cron', name: shown(user.text) }
  if (has(options, 'l')) emit(frame, { action: 'read', resource, scope: 'single', reversible: 'yes' })
  else if (has(options, 'r')) emit(frame, { action: 'delete', resource, scope: 'all', reversible: 'no' })
  else if (has(options, 'e'))
    opaque(frame, { action: 'config', resource, scope: 'unknown' }, 'interactive_session', 'an editor')
  else {
    const [file] = options.operands
    const code = file === undefined || file.text === '-' ? 'runtime_input' : 'external_file'
    const seed = {
      action: 'config',
      resource,
      scope: 'all',
      why: 'persistence_path',
      deferred: true,
    } as const
    opaque(frame, seed, code, 'commands that run later')
  }
  return plain
}

/** `at`, `batch`: the input runs later. */
function at(use: Use): Stream {
  const { options, frame } = use
  if (has(options, 'l') || use.name === 'atq') nothing(frame, use.name)
  else if (has(options, 'd') || has(options, 'r') || use.name === 'atrm')
    acts(use, 'delete', { type: 'job', name: options.operands[0] ?? literal('*') })
  else if (has(options, 'f')) opaqueProgram(frame, use.name, 'external_file', 'commands that run later')
  else evaluateStream({ ...frame, deferred: true }, frame.stdin, { via: [use.name, 'sh'], dialect: 'sh' })
  return empty
}

/** `date -s`, `hostname name`: settings of the machine; else they only print. */
function date(use: Use): Stream {
  const setting = has(use.options, 's') || use.options.operands.some((word) => /^\d{8,}/.test(word.text))
  if (setting) acts(use, 'config', { type: 'clock', name: literal('system'), why: 'clock' })
  else nothing(use.frame, 'date')
  const file = last(use.options, 'f')
  if (file !== undefined) readPlace(use.frame, placeOf(use.frame, file), 'single')
  const format = use.options.operands.find((word) => word.text.startsWith('+'))?.text
  return format !== undefined && /^\+%[sYmdHMSjuyV]$/.test(format) ? number : plain
}

function hostname(use: Use): Stream {
  const name = use.options.operands[0] ?? last(use.options, 'F')
  if (name === undefined) nothing(use.frame, 'hostname')
  else acts(use, 'config', { type: 'hostname', name })
  return plain
}

const logVerbs = [
  'vacuum-size',
  'vacuum-time',
  'vacuum-files',
  'rotate',
  'flush',
  'sync',
  'relinquish-var',
  'setup-keys',
  'update-catalog',
]

/** Logs are read; `--vacuum-*` takes them away. */
function journal(use: Use): Stream {
  const verb = logVerbs.find((name) => has(use.options, name))
  if (verb === undefined) acts(use, 'read', { type: 'log', name: literal('/var/log/journal'), scope: 'bulk' })
  else if (verb.startsWith('vacuum'))
    acts(use, 'delete', {
      type: 'log',
      name: literal('/var/log/journal'),
      scope: 'bulk',
      why: 'audit_log_path',
    })
  else acts(use, 'config', { type: 'log', name: literal('/var/log/journal'), why: 'audit_log_path' })
  return { ...plain, reads: [] }
}

function kernelLog(use: Use): Stream | undefined {
  const clears = ['C', 'c', 'D', 'E', 'n'].some((flag) => has(use.options, flag))
  if (clears)
    acts(use, 'delete', { type: 'log', name: literal('/var/log/dmesg'), scope: 'all', why: 'audit_log_path' })
  acts(use, 'read', { type: 'log', name: literal('/var/log/dmesg'), scope: 'bulk' })
  return undefined
}

/** Who is and was here; open files; sockets. */
function observes(use: Use): undefined {
  acts(use, 'read', { type: 'system_state', name: literal(use.name), scope: 'bulk' })
}

function logger(use: Use): Stream {
  acts(use, 'write', { type: 'log', name: literal('syslog') })
  const file = last(use.options, 'f')
  if (file !== undefined) readPlace(use.frame, placeOf(use.frame, file), 'single')
  return use.frame.stdin.connected ? empty : unnamed
}

function renice(use: Use): Stream {
  for (const operand of use.options.operands.slice(1))
    acts(use, 'process', { type: 'process', name: operand, why: 'priority' })
  return empty
}

const pkillFlags =
  'c|count d= e|echo f|full g= G= i|ignore-case l|list-name a|list-full L n|newest o|oldest O= P= s= t= u= U= v|inverse w x|exact F= A r= signal= q= ns= nslist= H # k I y w z Z= V n= s= o= y='

export const systemPrograms: readonly Row[] = [
  lenient('kill', '', kill),
  ...['pkill', 'killall', 'pgrep', 'pidof', 'killall5'].map((name) => lenient(name, pkillFlags, killsByName)),
  ...['ps', 'top', 'htop', 'pstree', 'atop'].map((name) => lenient(name, '', lists)),
  ...[
    'lsof',
    'who',
    'w',
    'last',
    'lastb',
    'lastlog',
    'netstat',
    'ss',
    'fuser',
    'ipcs',
    'getent',
    'locate',
    'pmap',
    'lsns',
  ].map((name) => program(name, readerFlags(name), observes)),
  program(
    'systemctl',
    'a|all l|full n|lines= o|output= p|property= P= q|quiet r|recursive s|signal= t|type= f|force H|host= M|machine= T i no-pager no-legend no-block now user system state= global runtime no-reload no-ask-password kill-who= kill-whom= failed value plain wait show-types reverse before after with-dependencies job-mode= firmware-setup message= timestamp= root= no-wall ignore-inhibitors check-inhibitors=',
    systemctl,
  ),
  program('service', 'status-all full-restart', service),
  ...['reboot', 'poweroff', 'halt', 'shutdown', 'telinit', 'init'].map((name) => lenient(name, 'c', machine)),
  program('crontab', 'u= l r e i s n c', crontab),
  ...['at', 'batch', 'atq', 'atrm'].map((name) => program(name, 'q= m M f= l d r v t= c b V', at)),
  lenient(
    'date',
    'd|date= f|file= I|iso-8601? r|reference= R|rfc-email rfc-3339= s|set= u|utc|universal debug',
    date,
  ),
  program(
    'hostname',
    'a|alias A|all-fqdns b|boot d|domain f|fqdn|long F|file= i|ip-address I|all-ip-addresses s|short y|yp|nis',
    hostname,
  ),
  program(
    'journalctl',
    'a|all A b|boot? c|cursor= D|directory= e|pager-end f|follow F|field= g|grep= k|dmesg l|full m|merge M|machine= n|lines? N|fields o|output= p|priority= q|quiet r|reverse S|since= t|identifier= u|unit= U|until= x|catalog list-boots disk-usage no-pager no-full no-tail no-hostname utc user system user-unit= file= root= case-sensitive? facility= output-fields= vacuum-size= vacuum-time= vacuum-files= rotate flush sync relinquish-var setup-keys update-catalog list-catalog verify header show-cursor after-cursor= namespace= since= until=',
    journal,
  ),
  program(
    'dmesg',
    'C|clear c|read-clear D|console-off d|show-delta E|console-on e|reltime F|file= f|facility= H|human k|kernel L|color? l|level= n|console-level= P|nopager p|force-prefix r|raw S|syslog s|buffer-size= T|ctime t|notime u|userspace w|follow W x|decode',
    kernelLog,
  ),
  program(
    'logger',
    'e f|file= i id? journald? msgid= n|server= no-act octet-count P|port= p|priority= prio-prefix s|stderr S|size= T|tcp t|tag= u|socket= d|udp',
    logger,
  ),
  lenient('renice', 'n= p g u', renice),
]

/** Flags of programs that only look; `fuser -k` is none of them. */
function readerFlags(name: string): string {
  const letters = Array.from('abcdefghilmnopqrstuvwxyABCDEFGHIJLMNOPRSTUVWXYZ46').filter(
    (letter) => !(name === 'fuser' && letter === 'k'),
  )
  const valued: Readonly<Record<string, string>> = {
    lsof: 'c d g i? p s? u',
    ss: 'A f',
    last: 'f n p s t',
    who: '',
    getent: 's',
  }
  const withValue = new Map(
    (valued[name] ?? '').split(' ').map((flag) => [flag.charAt(0), flag.endsWith('?') ? '?' : '=']),
  )
  return `${letters.map((letter) => letter + (withValue.get(letter) ?? '')).join(' ')} # numeric listening all tcp udp processes since= until= color? help no-header`
}
