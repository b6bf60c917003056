/** `scp`, `rsync`, `sftp`: files from machine to machine. */
import type { Use } from '../call.ts'
import { evaluateField, onHost } from '../evaluate.ts'
import { shown, withText, type Field } from '../field.ts'
import { exportOf } from '../flow.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, type Stream } from '../stream.ts'
import { readPlace, writePlace } from '../touch.ts'
import { networkDestination } from '../trust.ts'
import { emit, opaqueProgram, unseen, type Frame } from '../work.ts'
import { sshOption } from '../wrappers/ssh.ts'
import { program, type Row } from './row.ts'
import type { Effect } from '../../intent.ts'

interface End {
  readonly host: string | null
  readonly path: Field
  readonly frame: Frame
}

/** `host:path`, `user@host:path`, `rsync://host/path`, or a local path. */
function endOf(frame: Frame, word: Field): End {
  const url = /^(?:rsync|scp|sftp):\/\/(?:([^@/]*)@)?([^/:]+)(?::\d+)?\/?([\s\S]*)$/.exec(word.text)
  const short = /^(?:([^@/:]*)@)?([^/:]+|\[[^\]]+\])::?([\s\S]*)$/.exec(word.text)
  const match = url ?? short
  if (match === null) return { host: null, path: word, frame }
  const [, user, host = '', path = ''] = match
  const remote = onHost(frame, host, { user: user ?? null, port: null })
  if (host.includes('\uFFFC')) unseen(remote, 'dynamic_argument', 'the host is not known')
  return {
    host,
    path: { ...withText(word, path === '' ? '.' : path), tilde: path.startsWith('~') },
    frame: { ...remote, via: frame.via },
  }
}

interface Manner {
  readonly deep: boolean
  readonly mirrors: boolean
  readonly moves: boolean
}

function copies(use: Use, manner: Manner): Stream {
  const { frame, options } = use
  const target = options.operands.at(-1)
  const sources = options.operands.slice(0, -1)
  if (target === undefined || sources.length === 0) return empty
  const to = endOf(frame, target)
  for (const source of sources) {
    const from = endOf(frame, source)
    const type = manner.deep ? 'directory' : 'file'
    const place = placeOf(from.frame, from.path)
    const read = readPlace(from.frame, place, manner.deep ? 'all' : 'single', type)
    if (manner.moves)
      writePlace(from.frame, place, {
        action: 'delete',
        type,
        scope: manner.deep ? 'all' : 'single',
        why: 'moved',
        reversible: 'recoverable',
      })
    leaves(frame, read, { from, to })
    lands(to, source, manner)
  }
  return empty
}

/** Data that goes to another machine than it was on is exported. */
function leaves(frame: Frame, read: Effect, ends: { readonly from: End; readonly to: End }): void {
  const { from, to } = ends
  if (to.host === null) {
    if (from.host !== null) connects(frame, from.host)
  } else exportOf(frame, read, networkDestination(to.host, frame.work.ctx.target.facts.internal))
}

function connects(frame: Frame, host: string): void {
  const destination = networkDestination(host, frame.work.ctx.target.facts.internal)
  emit(frame, {
    action: 'network',
    resource: { system: 'host', type: 'host', name: shown(host) },
    scope: 'single',
    destination,
  })
}

function lands(to: End, source: Field, manner: Manner): void {
  const place = placeOf(to.frame, manner.deep ? to.path : inDirectory(to.path, source))
  const type = manner.deep ? 'directory' : 'file'
  writePlace(to.frame, place, { action: 'write', type, scope: manner.deep ? 'bulk' : 'single' })
  if (manner.mirrors)
    writePlace(to.frame, place, {
      action: 'delete',
      type: 'directory',
      scope: 'all',
      why: 'sync_delete',
      reversible: 'no',
    })
}

/** A file that is copied to a directory keeps its name. */
function inDirectory(target: Field, source: Field): Field {
  const base = /([^/:]+)\/*$/.exec(source.text)?.[1]
  if (base === undefined || !/(?:^|\/)\.{0,2}$/.test(target.text)) return target
  return { ...withText(target, `${target.text.replace(/\/$/, '')}/${base}`), tilde: target.tilde }
}

function scp(use: Use): Stream {
  const { options, frame } = use
  for (const option of all(options, 'o')) sshOption(frame, option)
  if (has(options, 'F')) unseen(frame, 'external_file', 'a configuration of ssh')
  for (const flag of ['S', 'D'])
    for (const value of all(options, flag)) evaluateField(frame, value, { via: ['scp', 'sh'], dialect: 'sh' })
  return copies(use, { deep: has(options, 'r'), mirrors: false, moves: false })
}

function rsync(use: Use): Stream {
  const { options, frame } = use
  remoteShell(use)
  if (has(options, 'n') || has(options, 'list-only')) return dry(use)
  if (has(options, 'files-from')) unseen(frame, 'external_file', 'rsync reads the names of files from a file')
  for (const flag of ['log-file', 'write-batch'])
    for (const file of all(options, flag))
      writePlace(frame, placeOf(frame, file), { action: 'write', append: true })
  const mirrors = [
    'del',
    'delete',
    'delete-before',
    'delete-during',
    'delete-delay',
    'delete-after',
    'delete-excluded',
    'delete-missing-args',
  ].some((flag) => has(options, flag))
  const deep = ['a', 'r', 'd'].some((flag) => has(options, flag))
  return copies(use, { deep, mirrors, moves: has(options, 'remove-source-files') })
}

/** A dry run reads both sides and changes none. */
function dry(use: Use): Stream {
  for (const operand of use.options.operands) {
    const end = endOf(use.frame, operand)
    readPlace(end.frame, placeOf(end.frame, end.path), 'all', 'directory')
  }
  return empty
}

/** `-e` is a command on this side, `--rsync-path` one on the other. */
function remoteShell(use: Use): void {
  const { options, frame } = use
  const shell = last(options, 'e')
  if (
    shell !== undefined &&
    !/^(?:\/usr\/bin\/)?ssh(?: -(?:p ?\d+|i ?[\w./~-]+|l ?\w+|[46CqTxav]+|o ?(?:StrictHostKeyChecking|UserKnownHostsFile|ConnectTimeout|BatchMode)=[\w./-]+))*$/.test(
      shell.text,
    )
  ) {
    unseen(frame, 'dynamic_command', 'rsync -e runs a command')
    if (!shell.dynamic) evaluateField(frame, shell, { via: ['rsync', 'sh'], dialect: 'sh' })
  }
  const path = last(options, 'rsync-path')
  if (path !== undefined && !/^(?:sudo )?(?:\/usr\/(?:local\/)?bin\/)?rsync$/.test(path.text))
    opaqueProgram(frame, shown(path.text), 'dynamic_command', 'rsync --rsync-path runs a command')
}

/** `sftp`: commands from its input or a file. */
function sftp(use: Use): Stream {
  const code = has(use.options, 'b')
    ? 'external_file'
    : use.frame.stdin.connected
      ? 'runtime_input'
      : 'interactive_session'
  opaqueProgram(use.frame, 'sftp', code, 'commands of a transfer session')
  return empty
}

const rsyncFlags =
  'v|verbose q|quiet c|checksum a|archive r|recursive R|relative no-implied-dirs b|backup backup-dir= suffix= u|update inplace append append-verify d|dirs mkpath l|links L|copy-links copy-unsafe-links safe-links k|copy-dirlinks K|keep-dirlinks H|hard-links p|perms E|executability chmod= A|acls X|xattrs o|owner g|group devices specials D t|times U|atimes O|omit-dir-times J super S|sparse preallocate n|dry-run W|whole-file x|one-file-system B|block-size= e|rsh= rsync-path= existing ignore-non-existing ignore-existing remove-source-files del delete delete-before delete-during delete-delay delete-after delete-excluded delete-missing-args ignore-errors force max-delete= max-size= min-size= partial partial-dir= delay-updates m|prune-empty-dirs numeric-ids usermap= groupmap= chown= timeout= contimeout= I|ignore-times size-only modify-window= T|temp-dir= y|fuzzy compare-dest= copy-dest= link-dest= z|compress compress-level= compress-choice= skip-compress= C|cvs-exclude f|filter= F exclude= exclude-from= include= include-from= files-from= 0|from0 s|protect-args|secluded-args address= port= stats 8 h|human-readable progress P i|itemize-changes out-format= log-file= log-file-format= password-file= list-only bwlimit= write-batch= 4|ipv4 6|ipv6 no-perms no-owner no-group no-times no-o no-g no-p no-D no-l no-links no-r no-compress info= debug= stop-after= trust-sender'

export const remotePrograms: readonly Row[] = [
  program('scp', '3 4 6 A B C O p q R r s T v c= D= F= i= J= l= o= P= S= X=', scp),
  program('rsync', rsyncFlags, rsync),
  program('sftp', '4 6 A a C f N p q r v B= b= c= D= F= i= J= l= o= P= R= S= s= X=', sftp),
]
