/** `tar`: one mode, an archive, and operands; some of its flags run commands. */
import type { Use } from '../call.ts'
import { evaluateField } from '../evaluate.ts'
import { literal, withText, type Field } from '../field.ts'
import { all, has, last, options, spec, type Options } from '../options.ts'
import { placeOf, type Place } from '../path.ts'
import { empty, plain, unnamed, type Stream } from '../stream.ts'
import { readPlace, writePlace } from '../touch.ts'
import { opaqueProgram, unseen, type Frame } from '../work.ts'
import { lenient, type Row } from './row.ts'

const tarSpec = spec(
  'c|create x|extract|get t|list r|append u|update A|catenate|concatenate d|diff|compare delete test-label f|file= C|directory= z|gzip|gunzip|ungzip j|bzip2 J|xz Z|compress zstd lzma lzip a|auto-compress I|use-compress-program= v|verbose w|interactive p|preserve-permissions P|absolute-names h|dereference k|keep-old-files O|to-stdout m|touch o n s S|sparse W|verify b|blocking-factor= T|files-from= X|exclude-from= F|info-script|new-volume-script= g|listed-incremental= N|newer|after-date= K|starting-file= V|label= L|tape-length= M|multi-volume B G U i l strip-components= exclude= transform|xform= to-command= checkpoint? checkpoint-action= remove-files rsh-command= rmt-command= force-local no-same-owner same-owner no-same-permissions same-permissions no-recursion one-file-system wildcards no-wildcards overwrite skip-old-files keep-newer-files exclude-vcs exclude-vcs-ignores exclude-caches numeric-owner owner= group= mode= mtime= sort= format= warning= totals? null no-null anchored verbatim-files-from hard-dereference xattrs acls selinux no-xattrs no-acls full-time show-transformed-names block-number utc one-top-level? unlink-first recursive-unlink ignore-failed-read level= occurrence? backup? suffix= help version usage H|format=',
)

/** Flags whose value is a command. */
const commandFlags = ['I', 'to-command', 'checkpoint-action', 'F', 'rsh-command', 'rmt-command']

function tar(use: Use): Stream | undefined {
  const { frame } = use
  const read = options(modern(use.args), tarSpec)
  if (read.unknown !== null || read.doubtful !== null || read.operands.some(mayBeFlag)) {
    const code = read.unknown === null ? 'dynamic_argument' : 'unknown_flag'
    opaqueProgram(frame, 'tar', code, `tar ${read.unknown ?? 'words'}`)
    return undefined
  }
  runsCommands(frame, read)
  if (all(read, 'C').length > 1) unseen(frame, 'unsupported_syntax', 'several directories of tar')
  if (has(read, 'T')) unseen(frame, 'external_file', 'tar reads the names of files from a file')
  if (has(read, 'x')) return extracts(frame, read)
  return ['t', 'd', 'test-label'].some((flag) => has(read, flag)) ? lists(frame, read) : creates(frame, read)
}

/** `tar czf a b`: the old style bundles flags without a dash, and their values follow in order. */
function modern(args: readonly Field[]): readonly Field[] {
  const [first, ...rest] = args
  if (first === undefined || first.dynamic || !/^[a-zA-Z]+$/.test(first.text)) return args
  const out: Field[] = []
  for (const letter of first.text) {
    out.push(literal(`-${letter}`))
    if ('fCbTXFgNKVLIH'.includes(letter)) {
      const value = rest.shift()
      if (value !== undefined) out.push(value)
    }
  }
  return [...out, ...rest]
}

/** A file name that a glob finds may look like a flag. */
function mayBeFlag(word: Field): boolean {
  return word.glob && /^[*?[]/.test(word.text)
}

function runsCommands(frame: Frame, read: Options): void {
  for (const flag of commandFlags) {
    for (const value of all(read, flag)) {
      if (flag === 'I' && /^(?:gzip|pigz|bzip2|pbzip2|xz|zstd|lz4|lzop)(?: -[\w-]+)*$/.test(value.text))
        continue
      if (flag === 'checkpoint-action' && !value.text.startsWith('exec=') && !value.dynamic) continue
      const text = withText(value, value.text.replace(/^exec=/, ''))
      evaluateField({ ...frame, repeat: null, via: [...frame.via, 'tar'] }, text, {
        via: ['sh'],
        dialect: 'sh',
      })
    }
  }
}

function inDirectory(frame: Frame, read: Options): Frame {
  const directory = last(read, 'C')
  if (directory === undefined) return frame
  return { ...frame, shell: { ...frame.shell, cwd: placeOf(frame, directory).path } }
}

function archiveOf(frame: Frame, read: Options): Place | null {
  const file = last(read, 'f')
  if (file === undefined || file.text === '-') return null
  if (/^[^/]+:/.test(file.text) && !has(read, 'force-local'))
    unseen(frame, 'unsupported_syntax', 'an archive on another machine')
  return placeOf(frame, file)
}

function lists(frame: Frame, read: Options): Stream {
  const archive = archiveOf(frame, read)
  if (archive !== null) readPlace(frame, archive, 'single')
  return archive === null ? { ...frame.stdin, text: null } : unnamedOf(archive)
}

function unnamedOf(archive: Place): Stream {
  return archive.known ? plain : unnamed
}

function extracts(frame: Frame, read: Options): Stream | undefined {
  const base = inDirectory(frame, read)
  const archive = archiveOf(frame, read)
  if (archive !== null) readPlace(frame, archive, 'single')
  if (has(read, 'O')) return undefined
  const everywhere = has(read, 'P') || has(read, 'transform')
  const place = placeOf(base, literal(everywhere ? '/' : '.'))
  writePlace(base, place, {
    action: 'write',
    type: 'directory',
    scope: everywhere ? 'all' : 'bulk',
    why: 'unpacks_archive',
  })
  return empty
}

function creates(frame: Frame, read: Options): Stream | undefined {
  const base = inDirectory(frame, read)
  for (const operand of read.operands) {
    const place = placeOf(base, operand)
    readPlace(base, place, 'all', 'directory')
    if (has(read, 'remove-files'))
      writePlace(base, place, {
        action: 'delete',
        type: 'directory',
        scope: 'all',
        reversible: 'recoverable',
        why: 'moved',
      })
  }
  const archive = archiveOf(frame, read)
  if (archive === null) return undefined
  const changes = has(read, 'r') || has(read, 'u') || has(read, 'A') || has(read, 'delete')
  writePlace(frame, archive, { action: changes ? 'update' : 'write' })
  return has(read, 'v') ? plain : empty
}

export const tarPrograms: readonly Row[] = ['tar', 'gtar', 'bsdtar'].map((name) => lenient(name, '', tar))
