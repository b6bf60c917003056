/** Wrappers that stand in front of a command and take flags of their own: a row each. */
import type { Call, Handler } from '../call.ts'
import { all, has, last, options, spec, type Options, type Spec } from '../options.ts'
import { placeOf } from '../path.ts'
import { plain, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { emit, nothing, opaqueProgram, unseen, type Frame } from '../work.ts'

interface Row {
  readonly spec: Spec
  /** Operands before the command. */
  readonly lead: number
  /** Effects of the wrapper itself, before the command. */
  readonly own?: (frame: Frame, read: Options) => void
  /** What it does without a command. */
  readonly alone?: (call: Call, read: Options) => void
}

function row(flags: string, lead = 0, more: Pick<Row, 'own' | 'alone'> = {}): Row {
  return { spec: spec(`${flags} help version +`), lead, ...more }
}

const otherRoot = 'paths are those of another root'

function elsewhere(frame: Frame): void {
  unseen(frame, 'unsupported_syntax', otherRoot)
}

function tracedOutput(frame: Frame, read: Options): void {
  for (const file of all(read, 'o')) {
    if (/^[|!]/.test(file.text)) unseen(frame, 'dynamic_command', 'a trace is piped into a command')
    else writePlace(frame, placeOf(frame, file), { action: 'write' })
  }
  if (has(read, 'p')) attaches(frame, last(read, 'p')?.text ?? '')
}

function attaches(frame: Frame, name: string): void {
  emit(frame, {
    action: 'process',
    resource: { system: 'host', type: 'process', name },
    scope: 'single',
    why: 'attaches',
  })
}

function changesProcess(call: Call, read: Options): void {
  const pid = last(read, 'p')
  if (pid === undefined) nothing(call.frame, call.name)
  else attaches(call.frame, pid.text)
}

function startsShell(call: Call): void {
  opaqueProgram(call.frame, call.name, 'interactive_session', `${call.name} starts a shell`)
}

const rows: Readonly<Record<string, Row>> = {
  nice: row('n|adjustment= #'),
  ionice: row('c|class= n|classdata= p|pid= P|pgid= u|uid= t|ignore', 0, { alone: changesProcess }),
  nohup: row(''),
  setsid: row('c|ctty f|fork w|wait'),
  stdbuf: row('i|input= o|output= e|error='),
  timeout: row('k|kill-after= s|signal= f|foreground p|preserve-status v|verbose', 1),
  time: row('f|format= o|output= a|append p|portability v|verbose q|quiet', 0, { own: tracedOutput }),
  chroot: row('userspec= groups= skip-chdir', 1, { own: elsewhere, alone: startsShell }),
  unshare: row(
    'i|ipc? m|mount? n|net? p|pid? u|uts? U|user? C|cgroup? T|time? f|fork r|map-root-user c|map-current-user map-auto map-user= map-group= kill-child? mount-proc? propagation= setgroups= S|setuid= G|setgid= w|wd=',
    0,
    { own: elsewhere, alone: startsShell },
  ),
  nsenter: row(
    't|target= a|all m|mount? u|uts? i|ipc? n|net? p|pid? C|cgroup? U|user? T|time? S|setuid= G|setgid= preserve-credentials r|root? w|wd? W|wdns= e|env F|no-fork Z|follow-context',
    0,
    { own: elsewhere, alone: startsShell },
  ),
  strace: row(
    'c C d D f F i k n q|quiet? r t T v w x y Z a= b= e= E= I= o|output= O= p|attach= P= s= S= u= X=',
    0,
    { own: tracedOutput, alone: changesProcess },
  ),
  ltrace: row('c C f i L r S t T V a= A= D= e= F= l= n= o|output= p= s= u= w= x=', 0, {
    own: tracedOutput,
    alone: changesProcess,
  }),
  taskset: row('a|all-tasks c|cpu-list p|pid', 1, { own: changesPid }),
  chrt: row(
    'a|all-tasks b|batch d|deadline f|fifo i|idle m|max o|other r|rr p|pid R|reset-on-fork T|sched-runtime= P|sched-period= D|sched-deadline= v',
    1,
    { own: changesPid },
  ),
}

function changesPid(frame: Frame, read: Options): void {
  if (has(read, 'p')) attaches(frame, read.operands.at(-1)?.text ?? '')
}

function wrapped(of: Row): Handler {
  return (call: Call): Stream | undefined => {
    const { frame, name } = call
    const read = options(call.args, of.spec)
    if (read.unknown !== null || read.doubtful !== null) {
      const code = read.unknown === null ? 'dynamic_argument' : 'unknown_flag'
      opaqueProgram(frame, name, code, `${name} ${read.unknown ?? 'words'}`)
      return undefined
    }
    of.own?.(frame, read)
    const words = has(read, 'p') && of.own === changesPid ? [] : read.operands.slice(of.lead)
    if (words.length > 0) return frame.work.engine.program({ ...frame, via: [...frame.via, name] }, words)
    if (of.alone === undefined) nothing(frame, name)
    else of.alone(call, read)
    return plain
  }
}

export const prefixWrappers: readonly (readonly [string, Handler])[] = Object.entries(rows).map(
  ([name, of]) => [name, wrapped(of)] as const,
)
