/** Programs that copy, move and link. */
import type { Use } from '../call.ts'
import { literal, withText, type Field } from '../field.ts'
import { has, last } from '../options.ts'
import { placeOf, type Place } from '../path.ts'
import { empty, type Stream } from '../stream.ts'
import { readPlace, writePlace } from '../touch.ts'
import { emit, unseen } from '../work.ts'
import { program, type Row } from './row.ts'

interface Ends {
  readonly sources: readonly Field[]
  readonly target: Field | null
  /** Into a directory for sure: `-t`, several sources, a trailing slash. */
  readonly into: boolean
}

function ends(use: Use): Ends {
  const { operands } = use.options
  const directory = last(use.options, 't')
  if (directory !== undefined) return { sources: operands, target: directory, into: true }
  const target = operands.at(-1)
  if (operands.length < 2 || target === undefined) return { sources: operands, target: null, into: false }
  const into = operands.length > 2 || /\/$|^\.{1,2}$/.test(target.text)
  return { sources: operands.slice(0, -1), target, into }
}

/** The place that a source gets: below the target if that is a directory. */
function landing(use: Use, source: Field, to: Ends): Place {
  const target = to.target ?? literal('.')
  const base = source.text.replace(/\/+$/, '').split('/').at(-1) ?? ''
  if (!to.into || /^\.{0,2}$/.test(base)) return placeOf(use.frame, target)
  const text = `${target.text.replace(/(?!^)\/+$/, '')}/${base}`
  return placeOf(use.frame, { ...withText(target, text), glob: target.glob || source.glob })
}

function cp(use: Use): Stream {
  const { options } = use
  if (has(options, 's') || has(options, 'l')) return links(use, has(options, 's'))
  const to = ends(use)
  for (const source of to.sources) copies(use, source, to)
  return empty
}

function copies(use: Use, source: Field, to: Ends): void {
  const { frame, options } = use
  const deep = has(options, 'r') || has(options, 'a')
  const type = deep ? 'directory' : 'file'
  readPlace(frame, placeOf(frame, source), deep ? 'all' : 'single', type)
  if (to.target === null) return
  writePlace(frame, unknownName(landing(use, source, to), to.target), {
    action: 'write',
    type,
    scope: deep ? 'bulk' : 'single',
    reversible: has(options, 'b') || has(options, 'n') ? 'recoverable' : 'no',
  })
}

/** Only an unknown directory makes a write unknown: a name that is read is a name that is known there. */
function unknownName(place: Place, target: Field): Place {
  return target.dynamic || place.known ? place : { ...place, known: false }
}

function mv(use: Use): Stream {
  const { frame } = use
  const to = ends(use)
  for (const source of to.sources) {
    const from = placeOf(frame, source)
    if (to.target === null) continue
    const landed = landing(use, source, to)
    const isFile = /[^/.][^/]*\.[A-Za-z0-9]{1,8}$/.test(source.text)
    if (from.inside && landed.inside) {
      writePlace(frame, from, { action: 'update', type: 'file', why: 'renamed', reversible: 'yes' })
      writePlace(frame, landed, { action: 'write', reversible: 'no' })
      continue
    }
    writePlace(frame, from, {
      action: 'delete',
      type: isFile ? 'file' : 'directory',
      scope: isFile ? 'single' : 'all',
      why: 'moved',
      reversible: 'recoverable',
    })
    brings(use, from, landed)
  }
  return empty
}

/** A path from outside that appears inside the workspace makes names there lie. */
function brings(use: Use, from: Place, landed: Place): void {
  const outside = landed.inside && !from.inside
  if (outside) use.frame.work.linked.push(landed.path)
  writePlace(
    use.frame,
    landed,
    outside ? { action: 'write', scope: 'unknown', why: 'outside_path_into_workspace' } : { action: 'write' },
  )
}

function ln(use: Use): Stream {
  return links(use, has(use.options, 's'))
}

function links(use: Use, symbolic: boolean): Stream {
  const to = ends(use)
  for (const source of to.sources) link(use, source, { to, symbolic })
  return empty
}

function link(use: Use, source: Field, how: { readonly to: Ends; readonly symbolic: boolean }): void {
  const { frame } = use
  const base = source.text.replace(/\/+$/, '').split('/').at(-1) ?? ''
  const landed = how.to.target === null ? placeOf(frame, literal(base)) : landing(use, source, how.to)
  const from = placeOf(frame, source)
  // A relative link starts from where it lies, not from where one stands.
  const climbs = how.symbolic && /(?:^|\/)\.\.(?:\/|$)/.test(source.text)
  const outside = !from.inside || from.glob || climbs
  const found = writePlace(frame, landed, {
    action: 'create',
    type: how.symbolic ? 'symlink' : 'file',
    scope: outside ? 'unknown' : 'single',
    why: outside ? 'outside_path_into_workspace' : '',
    reversible: 'yes',
  })
  frame.work.linked.push(landed.path)
  if (!from.known) unseen(frame, 'dynamic_argument', 'what is linked is not known', found)
}

function install(use: Use): Stream {
  if (!has(use.options, 'd')) return cp(use)
  for (const operand of use.options.operands)
    writePlace(use.frame, placeOf(use.frame, operand), {
      action: 'create',
      type: 'directory',
      reversible: 'yes',
    })
  return empty
}

/** A clone of `cat` into a file by descriptor: `mkfifo`, `mknod`. */
function makesNode(use: Use): Stream {
  const [path] = use.options.operands
  if (path === undefined) return empty
  const { name } = placeOf(use.frame, path)
  const isDevice = use.name === 'mknod' && !/^p$/.test(use.options.operands[1]?.text ?? '')
  emit(use.frame, {
    action: 'create',
    resource: { system: 'host', type: isDevice ? 'device' : 'pipe', name },
    scope: isDevice ? 'unknown' : 'single',
    reversible: 'yes',
  })
  if (path.dynamic) unseen(use.frame, 'dynamic_argument', 'the path is not known')
  return empty
}

export const copyPrograms: readonly Row[] = [
  program(
    'cp',
    'a|archive b backup? copy-contents d f|force i|interactive H l|link L|dereference n|no-clobber P|no-dereference p preserve? no-preserve= parents r|R|recursive reflink? remove-destination sparse= strip-trailing-slashes s|symbolic-link S|suffix= t|target-directory= T|no-target-directory u|update? v|verbose x|one-file-system Z debug attributes-only',
    cp,
  ),
  program(
    'mv',
    'b backup? f|force i|interactive n|no-clobber S|suffix= t|target-directory= T|no-target-directory u|update? v|verbose strip-trailing-slashes Z exchange no-copy debug',
    mv,
  ),
  program(
    'ln',
    'b backup? d|F|directory f|force i|interactive L|logical n|no-dereference P|physical r|relative s|symbolic S|suffix= t|target-directory= T|no-target-directory v|verbose',
    ln,
  ),
  program(
    'install',
    'b backup? c C|compare d|directory D g|group= m|mode= o|owner= p|preserve-timestamps S|suffix= t|target-directory= T|no-target-directory v|verbose',
    install,
  ),
  program('mkfifo', 'm|mode=', makesNode),
  program('mknod', 'm|mode=', makesNode),
]
