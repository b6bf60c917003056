/** Compressors and archivers beside `tar`. */
import type { Use } from '../call.ts'
import { literal, type Field } from '../field.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, plain, type Stream } from '../stream.ts'
import { deletePlace, readPlace, writePlace } from '../touch.ts'
import { nothing, opaqueProgram } from '../work.ts'
import { program, readsOperands, type Row } from './row.ts'

/** Compresses a file in its place, unless it prints or keeps. */
function compresses(use: Use): Stream | undefined {
  const { options, frame } = use
  const { operands } = options
  const deep = has(options, 'r')
  if (operands.every((operand) => operand.text === '-')) {
    nothing(frame, use.name)
    return undefined
  }
  if (['c', 'l', 't'].some((flag) => has(options, flag))) {
    readsOperands(use, operands, deep ? 'bulk' : 'single', deep ? 'directory' : 'file')
    return undefined
  }
  const keeps = has(options, 'o') || has(options, 'k') || use.name.includes('zst')
  for (const operand of operands) {
    if (keeps) writesBeside(use, operand)
    else compressesInPlace(use, operand, deep)
  }
  return empty
}

function writesBeside(use: Use, operand: Field): void {
  const { options, frame } = use
  const output = last(options, 'o')
  const place = placeOf(frame, operand)
  readPlace(frame, place, 'single')
  const target = output === undefined ? { ...place, name: `${place.name}.*` } : placeOf(frame, output)
  writePlace(frame, target, { action: 'write' })
  if (has(options, 'rm')) deletePlace(frame, place, false)
}

function compressesInPlace(use: Use, operand: Field, deep: boolean): void {
  writePlace(use.frame, placeOf(use.frame, operand), {
    action: 'update',
    type: deep ? 'directory' : 'file',
    scope: deep ? 'all' : 'single',
    why: 'compressed_in_place',
    reversible: 'yes',
  })
}

function zip(use: Use): Stream | undefined {
  const { options, frame } = use
  const [archive, ...files] = options.operands
  const deep = has(options, 'r') || has(options, 'R')
  readsOperands(use, files, deep ? 'all' : 'single', deep ? 'directory' : 'file')
  if (has(options, 'm')) for (const file of files) deletePlace(frame, placeOf(frame, file), deep)
  if (has(options, '@')) opaqueProgram(frame, 'zip', 'runtime_input', 'the names of files come from a pipe')
  if (archive === undefined || archive.text === '-') return undefined
  writesArchive(use, archive)
  return plain
}

function writesArchive(use: Use, archive: Field): void {
  const place = placeOf(use.frame, archive)
  const name = /\.[^./]+$/.test(place.name) ? place.name : `${place.name}.zip`
  writePlace(use.frame, { ...place, name }, { action: has(use.options, 'd') ? 'update' : 'write' })
}

function unzip(use: Use): Stream | undefined {
  const { options, frame } = use
  const [archive] = options.operands
  if (archive !== undefined) readPlace(frame, placeOf(frame, archive), 'single')
  if (['l', 't', 'v', 'Z', 'z', 'p', 'c'].some((flag) => has(options, flag))) return undefined
  const directory: Field = last(options, 'd') ?? literal('.')
  writePlace(frame, placeOf(frame, directory), {
    action: 'write',
    type: 'directory',
    scope: 'bulk',
    why: 'unpacks_archive',
  })
  return plain
}

/** `cpio`, `ar`, `7z`: the mode decides, and only listing is followed. */
function otherArchiver(use: Use): undefined {
  const lists = has(use.options, 't')
  if (lists) readsOperands(use, [...all(use.options, 'F'), ...use.options.operands])
  else opaqueProgram(use.frame, use.name, 'unsupported_syntax', `${use.name} is not followed`)
}

const gzipFlags =
  'a|ascii c|stdout|to-stdout d|decompress|uncompress f|force k|keep l|list n|no-name N|name q|quiet r|recursive s|small S|suffix= t|test v|verbose z|compress e|extreme T|threads= 1 2 3 4 5 6 7 8 9 0 fast best rsyncable synchronous M|memlimit= # i p|processes= b= R'

export const archivePrograms: readonly Row[] = [
  ...[
    'gzip',
    'gunzip',
    'bzip2',
    'bunzip2',
    'xz',
    'unxz',
    'lzma',
    'unlzma',
    'pigz',
    'unpigz',
    'lz4',
    'compress',
    'uncompress',
  ].map((name) => program(name, gzipFlags, compresses)),
  ...['zstd', 'unzstd'].map((name) =>
    program(
      name,
      'c|stdout d|decompress|uncompress f|force k|keep l|list q|quiet r t|test v|verbose o= rm T|threads= ultra long? fast? # z|compress',
      compresses,
    ),
  ),
  program(
    'zip',
    'r|recurse-paths R m|move d|delete u|update f|freshen j|junk-paths q|quiet v 0 1 2 3 4 5 6 7 8 9 x|exclude= i|include= y|symlinks e|encrypt P|password= @ g|grow o l X D J A F n= b= s= O= S',
    zip,
  ),
  program('unzip', 'a b c C d= f h j l L M n o p P= q t u v x= X z Z K U V', unzip),
  ...['cpio', 'ar', '7z', 'unrar'].map((name) =>
    program(name, 't i o p d F= v c m H= u q s x a', otherArchiver),
  ),
]
