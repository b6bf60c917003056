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
  const kind = kindOf(raw, field)
  const path = resolved(raw, kind, frame.shell.cwd)
  const below = isInWorkspace(frame, path)
  const believed = isBelieved(frame, kind)
  const inside = below && believed && !leadsAway(frame, raw, path)
  // What may lie elsewhere must not bear a name that policies take for the workspace.
  const name = shown(below && !inside ? raw : path)
  return {
    name: onMachine(frame, name),
    path,
    known: !path.includes(hole),
    glob: field.glob,
    inside,
    contents: isContents(raw),
    confidence: believed && inside === below ? confidenceOf(frame, kind) : 'inferred',
  }
}

/** A `cd` that may have failed leaves a doubt even where both places are believed. */
function confidenceOf(frame: Frame, kind: Kind): Place['confidence'] {
  return kind === 'absolute' || !frame.shell.cwdDoubt ? 'exact' : 'inferred'
}

function onMachine({ host }: Frame, name: string): string {
  return host === null ? name : `${host}:${name}`
}

/** Whether it is certain which directory a path starts from. On another machine it is its own. */
function isBelieved(frame: Frame, kind: Kind): boolean {
  if (kind === 'absolute' || frame.host !== null) return true
  return kind === 'relative' && isCwdBelieved(frame)
}

type Kind = 'absolute' | 'relative' | 'unknown'

function kindOf(raw: string, field: Field): Kind {
  if (raw.startsWith(hole)) return 'unknown'
  return raw.startsWith('/') || field.tilde ? 'absolute' : 'relative'
}

function resolved(raw: string, kind: Kind, cwd: string | null): string {
  if (kind !== 'relative' || cwd === null) return normal(raw)
  return normal(raw === '' || raw === '.' ? cwd : `${cwd}/${raw}`)
}

/** Over `..` after a name, out of a directory that the command chose, or through a link that it made. */
function leadsAway(frame: Frame, raw: string, path: string): boolean {
  if (climbs(raw) || (raw.startsWith('..') && frame.shell.cwd !== frame.work.ctx.target.cwd)) return true
  return frame.work.linked.some((link) => path === link || path.startsWith(`${link}/`))
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

function isInWorkspace({ host, work }: Frame, path: string): boolean {
  return host === null && isBelow(path, work.ctx.target.facts.workspace)
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
    if (part === '..') up(kept, absolute)
    else if (part !== '' && part !== '.') kept.push(part)
  }
  if (absolute) return `/${kept.join('/')}`
  return kept.length === 0 ? '.' : kept.join('/')
}

function up(kept: string[], absolute: boolean): void {
  const last = kept.at(-1)
  if (last === undefined) {
    if (!absolute) kept.push('..')
  } else if (last === '..' || last === '~' || /[*?[\uFFFC]/.test(last)) kept.push('..')
  else kept.pop()
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
  for (const [sign] of pattern.matchAll(/\[[^\]]+\]|[^]/g)) ends = after(sign, ends, name)
  return ends.has(name.length)
}

/** Where in the name one may be after one more sign of the pattern. */
function after(sign: string, ends: ReadonlySet<number>, name: string): Set<number> {
  const next = new Set<number>()
  for (const end of ends) {
    if (sign === '*') for (let n = end; n <= name.length; n++) next.add(n)
    else if (end < name.length && (sign === '?' || sign.length > 1 || sign === name[end])) next.add(end + 1)
  }
  return next
}

/** What writing to a place means beyond the file; '' when nothing. */
export function meaningOf(path: string): string {
  for (const [pattern, meaning] of meanings) if (pattern.test(path)) return meaning
  return ''
}
