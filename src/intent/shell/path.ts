/** Paths as the command means them: absolute where that is known, and what may be believed of them. */
import type { Effect } from '../intent.ts'
import { hole, shown, type Field } from './field.ts'
import { meanings, publicPath, rebuildable, secretPath, secretSamples, secretTree } from './places.ts'
import type { Frame } from './work.ts'

/** A path, resolved. */
export interface Place {
  /** For effects: absolute where known, `host:path` on another machine, unknown parts named. */
  readonly name: string
  /** Absolute path without the host; may hold `hole`. */
  readonly path: string
  readonly known: boolean
  readonly glob: boolean
  /** Strictly inside the workspace, believed: no `..` after a name, no doubtful directory. */
  readonly inside: boolean
  /** `dir/` or `dir/*`: what is in it, wherever a link leads. */
  readonly contents: boolean
  readonly confidence: Effect['confidence']
}

/** Resolves a path as the command in this frame would. */
export function placeOf(frame: Frame, field: Field): Place {
  const raw = field.tilde || !field.text.startsWith('~') ? field.text : `./${field.text}`
  const relative = !raw.startsWith('/') && !field.tilde
  const { cwd } = frame.shell
  const path = normal(relative && cwd !== null ? (raw === '' || raw === '.' ? cwd : `${cwd}/${raw}`) : raw)
  const believed = !relative || isCwdBelieved(frame)
  const below = frame.host === null && isBelow(path, frame.work.ctx.target.facts.workspace)
  const climbsOut = climbs(raw) || (raw.startsWith('..') && cwd !== frame.work.ctx.target.cwd)
  const inside = believed && below && !climbsOut
  // What may lie elsewhere must not bear a name that policies take for the workspace.
  const name = shown(below && !inside ? raw : path)
  return {
    name: frame.host === null ? name : `${frame.host}:${name}`,
    path,
    known: !path.includes(hole),
    glob: field.glob,
    inside,
    contents: isContents(raw),
    confidence: believed || frame.host !== null ? 'exact' : 'inferred',
  }
}

/** The directory is verified, and a `cd` that may have failed leaves one in the workspace all the same. */
function isCwdBelieved(frame: Frame): boolean {
  const { target } = frame.work.ctx
  if (!target.placeTrusted) return false
  const { cwdDoubt, cwdBefore } = frame.shell
  if (!cwdDoubt) return true
  const { workspace } = target.facts
  return cwdBefore !== null && (isBelow(cwdBefore, workspace) || cwdBefore === workspace)
}

/** Ends in a slash, or in a component that is nothing but a glob. */
function isContents(raw: string): boolean {
  if (raw.endsWith('/')) return true
  const last = raw.slice(raw.lastIndexOf('/') + 1)
  return last.includes('*') && /^[*.{},?![\]]+$/.test(last)
}

/** A `..` after a name: where it leads depends on links. */
function climbs(raw: string): boolean {
  if (!raw.includes('..')) return false
  let named = raw.startsWith('/')
  for (const part of raw.split('/')) {
    if (part === '..' && named) return true
    if (part !== '' && part !== '.' && part !== '..') named = true
  }
  return false
}

function isBelow(path: string, directory: string | undefined): boolean {
  if (directory === undefined || !directory.startsWith('/')) return false
  const root = normal(directory)
  return root !== '/' && path.startsWith(`${root}/`)
}

const plainPath = /^(?:\/?[^/.*?[\uFFFC][^/*?[\uFFFC]*)(?:\/[^/.*?[\uFFFC][^/*?[\uFFFC]*)*$/

/** Without `.`, double and trailing slashes; `..` only where a literal name stands before it. */
export function normal(path: string): string {
  if (path === '' || plainPath.test(path)) return path
  const absolute = path.startsWith('/')
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    const last = kept.at(-1)
    if (part !== '..' || last === undefined) pushUnlessRoot(kept, part, absolute)
    else if (last === '..' || last === '~' || /[*?[\uFFFC]/.test(last)) kept.push(part)
    else kept.pop()
  }
  const joined = kept.join('/')
  return absolute ? `/${joined}` : joined === '' ? '.' : joined
}

function pushUnlessRoot(kept: string[], part: string, absolute: boolean): void {
  if (part !== '..' || !absolute) kept.push(part)
}

/** What a build makes again, by name: the path itself, or something below it. */
export function rebuild(path: string): 'itself' | 'below' | 'no' {
  const parts = path.split('/')
  const last = parts.pop()
  if (parts.some((part) => rebuildable.has(part) && part !== 'tmp')) return 'below'
  return last !== undefined && rebuildable.has(last) && parts.length > 1 ? 'itself' : 'no'
}

/** How sensitive reading the content of a place is; `deep` when all below is read too. */
export function sensitivityOf(place: Place, deep: boolean): Effect['sensitivity'] {
  if (place.path === hole) return 'unknown'
  if (secretPath.test(place.path) && !publicPath.test(place.path)) return 'secret'
  if (deep && secretTree.test(place.path)) return 'secret'
  if (!place.known) return unknownReveals(place.path) ? 'unknown' : 'none'
  if (place.glob && globReveals(place.path)) return 'secret'
  return 'none'
}

/** An unknown last component may be any file, unless the name goes on to an ordinary ending. */
function unknownReveals(path: string): boolean {
  const last = path.slice(path.lastIndexOf('/') + 1)
  return last.includes(hole) && !/\.[a-z0-9]{1,8}$/.test(last)
}

function globReveals(path: string): boolean {
  const at = path.lastIndexOf('/')
  const last = path.slice(at + 1)
  const directory = path.slice(0, at)
  if (secretTree.test(directory) || /[*?[]/.test(directory.slice(0, 6))) return true
  if (/^[*?]*$/.test(last) || last.length > 64) return last.length > 64
  return secretSamples.some((sample) => matches(last, sample))
}

/** Whether a glob may match a name; a bracket matches any one sign. */
function matches(pattern: string, name: string): boolean {
  if (name.startsWith('.') && /^[*?]/.test(pattern)) return false
  let ends = new Set([0])
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at]
    const next = new Set<number>()
    const close = sign === '[' ? pattern.indexOf(']', at + 2) : -1
    if (close > 0) at = close
    for (const end of ends) {
      if (sign === '*') for (let n = end; n <= name.length; n++) next.add(n)
      else if (end < name.length && (sign === '?' || close > 0 || sign === name[end])) next.add(end + 1)
    }
    ends = next
  }
  return ends.has(name.length)
}

/** What writing to a place means beyond the file; '' when nothing. */
export function meaningOf(path: string): string {
  for (const [pattern, meaning] of meanings) if (pattern.test(path)) return meaning
  return ''
}
