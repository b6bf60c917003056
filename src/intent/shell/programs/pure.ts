/** Programs that neither read nor change anything that matters. */
import type { Use } from '../call.ts'
import { empty, number, plain, type Stream } from '../stream.ts'
import { nothing, unseen } from '../work.ts'
import { lenient, type Row } from './row.ts'

function quiet(use: Use): Stream {
  nothing(use.frame, use.name)
  return empty
}

function prints(use: Use): Stream {
  nothing(use.frame, use.name)
  return use.args.some((arg) => arg.dynamic) ? { ...plain, unnamed: true } : plain
}

function printsNumber(use: Use): Stream {
  nothing(use.frame, use.name)
  return number
}

/** `test -v name` and its kind evaluate a subscript in the name. */
function test(use: Use): Stream {
  const { frame, args } = use
  nothing(frame, use.name)
  args.forEach((arg, at) => {
    const isName = /^-[vR]$/.test(args[at - 1]?.text ?? '')
    if (isName && !/^(?:\w+|\])$/.test(arg.text)) unseen(frame, 'dynamic_command', '-v evaluates a subscript')
  })
  const [first] = args
  if (first?.open === true && args.length > 2 && (first.data?.reads.length ?? 0) > 0)
    unseen(frame, 'dynamic_command', 'a test whose operator is not known')
  return empty
}

const printing = [
  'seq',
  'basename',
  'dirname',
  'expr',
  'uname',
  'whoami',
  'id',
  'arch',
  'tty',
  'logname',
  'groups',
  'users',
  'uptime',
  'factor',
  'free',
  'vmstat',
  'iostat',
  'mpstat',
  'lscpu',
  'lsblk',
  'lsusb',
  'lspci',
  'lsmod',
  'locale',
  'getconf',
  'tput',
  'numfmt',
  'yes',
  'cal',
  'ncal',
  'figlet',
  'cowsay',
  'hostid',
  'mcookie',
  'uuidgen',
  'pathchk',
  'which',
  'whereis',
]

export const purePrograms: readonly Row[] = [
  ...['true', 'false', 'sleep', 'clear', 'reset', 'sync', 'usleep'].map((name) => lenient(name, '', quiet)),
  ...printing.map((name) => lenient(name, '#', prints)),
  lenient('nproc', 'all ignore=', printsNumber),
  lenient('pwd', 'L P', prints),
  lenient('test', '', test),
  lenient('[', '', test),
]
