/** Programs that make, empty and remove files and directories. */
import type { Use } from '../call.ts'
import { evaluateField } from '../evaluate.ts'
import { literal } from '../field.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, plain, type Stream } from '../stream.ts'
import { deletePlace, writePlace } from '../touch.ts'
import { nothing, unseen } from '../work.ts'
import { program, readsOperands, type Row } from './row.ts'

function rm(use: Use): Stream {
  const { options, frame } = use
  for (const operand of options.operands) deletePlace(frame, placeOf(frame, operand), has(options, 'r'))
  if (options.operands.length === 0) nothing(frame, 'rm')
  return empty
}

/** Removes only what is empty. */
function rmdir(use: Use): Stream {
  for (const operand of use.options.operands)
    writePlace(use.frame, placeOf(use.frame, operand), {
      action: 'delete',
      type: 'directory',
      why: 'only_if_empty',
      reversible: 'yes',
    })
  return empty
}

function unlink(use: Use): Stream {
  for (const operand of use.options.operands) deletePlace(use.frame, placeOf(use.frame, operand), false)
  return empty
}

function shred(use: Use): Stream {
  const action = has(use.options, 'u') ? 'delete' : 'truncate'
  for (const operand of use.options.operands)
    writePlace(use.frame, placeOf(use.frame, operand), { action, why: 'overwritten', reversible: 'no' })
  return empty
}

function truncate(use: Use): Stream {
  readsOperands(use, all(use.options, 'r'))
  for (const operand of use.options.operands)
    writePlace(use.frame, placeOf(use.frame, operand), { action: 'truncate', reversible: 'no' })
  return empty
}

function mkdir(use: Use): Stream {
  for (const operand of use.options.operands)
    writePlace(use.frame, placeOf(use.frame, operand), {
      action: 'create',
      type: 'directory',
      reversible: 'yes',
    })
  return empty
}

function touch(use: Use): Stream {
  for (const operand of use.options.operands)
    writePlace(use.frame, placeOf(use.frame, operand), { action: 'create', reversible: 'yes' })
  return empty
}

function mktemp(use: Use): Stream {
  const directory = last(use.options, 'p') ?? literal('/tmp')
  const template = use.options.operands[0]
  const type = has(use.options, 'd') ? 'directory' : 'file'
  const place = template === undefined ? placeOf(use.frame, directory) : placeOf(use.frame, template)
  const name = template === undefined ? `${place.name}/tmp.*` : place.name
  if (!has(use.options, 'u'))
    writePlace(use.frame, { ...place, name }, { action: 'create', type, reversible: 'yes' })
  return plain
}

/** Writes many files beside each other; `--filter` runs a command for each. */
function split(use: Use): Stream {
  const { options, frame } = use
  const [input, prefix] = use.name === 'split' ? options.operands : [options.operands[0], last(options, 'f')]
  if (input !== undefined) readsOperands(use, [input])
  const filter = last(options, 'filter')
  if (filter !== undefined) {
    unseen(frame, 'runtime_input', 'split feeds a command')
    evaluateField({ ...frame, repeat: null }, filter, { via: ['split', 'sh'], dialect: 'sh' })
    return empty
  }
  const place = placeOf(frame, prefix ?? literal('x'))
  writePlace(
    frame,
    { ...place, name: `${place.name}*` },
    { action: 'write', scope: 'bulk', why: 'many_files' },
  )
  return empty
}

export const filePrograms: readonly Row[] = [
  program(
    'rm',
    'r|R|recursive f|force i I interactive? v|verbose d|dir one-file-system no-preserve-root preserve-root?',
    rm,
  ),
  program('rmdir', 'p|parents v|verbose ignore-fail-on-non-empty', rmdir),
  program('unlink', '', unlink),
  program('shred', 'f|force n|iterations= s|size= u|remove? v|verbose x|exact z|zero random-source=', shred),
  program('truncate', 'c|no-create o|io-blocks r|reference= s|size=', truncate),
  program('mkdir', 'p|parents m|mode= v|verbose Z context?', mkdir),
  program('touch', 'a c|no-create d|date= f h|no-dereference m r|reference= t= time=', touch),
  program('mktemp', 'd|directory u|dry-run q|quiet p|tmpdir? suffix= t', mktemp),
  program(
    'split',
    'a|suffix-length= b|bytes= C|line-bytes= d|numeric-suffixes? x e|elide-empty-files filter= l|lines= n|number= t|separator= u|unbuffered verbose additional-suffix= #',
    split,
  ),
  program(
    'csplit',
    'b|suffix-format= f|prefix= k|keep-files n|digits= s|quiet|silent z|elide-empty-files suppress-matched',
    split,
  ),
]
