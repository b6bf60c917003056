/** `find`: tests that filter, and actions that delete, run or write. */
import type { Use } from '../call.ts'
import { anything, hole, literal, withText, type Field } from '../field.ts'
import { placeOf, rebuild, type Place } from '../path.ts'
import type { Stream } from '../stream.ts'
import { listPlace, writePlace } from '../touch.ts'
import { opaqueProgram, unseen, type Frame } from '../work.ts'
import { lenient, type Row } from './row.ts'

/** Words that each test takes. */
const tests: ReadonlyMap<string, number> = new Map([
  ...[
    'amin',
    'anewer',
    'atime',
    'cmin',
    'cnewer',
    'context',
    'ctime',
    'fstype',
    'gid',
    'group',
    'ilname',
    'iname',
    'inum',
    'ipath',
    'iregex',
    'iwholename',
    'links',
    'lname',
    'mmin',
    'mtime',
    'name',
    'newer',
    'newerXY',
    'path',
    'perm',
    'regex',
    'samefile',
    'size',
    'type',
    'uid',
    'used',
    'user',
    'wholename',
    'xtype',
    'maxdepth',
    'mindepth',
    'regextype',
    'newermt',
    'newerat',
    'newerct',
  ].map((name) => [name, 1] as const),
  ...[
    'depth',
    'd',
    'daystart',
    'empty',
    'executable',
    'false',
    'follow',
    'ignore_readdir_race',
    'noignore_readdir_race',
    'mount',
    'nogroup',
    'noleaf',
    'nouser',
    'nowarn',
    'readable',
    'true',
    'warn',
    'writable',
    'xdev',
    'xautofs',
    'prune',
    'print',
    'print0',
    'ls',
    'quit',
    'a',
    'and',
    'help',
    'version',
  ].map((name) => [name, 0] as const),
  ['printf', 1],
])

/** Options and actions: they let everything through. */
const unfiltered =
  /^-(?:depth|d|daystart|follow|ignore_readdir_race|noignore_readdir_race|mount|noleaf|nowarn|true|warn|xdev|xautofs|print|print0|ls|printf|quit|a|and|regextype|mindepth|help|version)$/

interface Walk {
  readonly frame: Frame
  readonly starts: readonly Field[]
  readonly words: readonly Field[]
  at: number
  filtered: boolean
  negated: boolean
  /** The last `-name` before an action, where it says which files. */
  pattern: string | null
  onlyFiles: boolean
  mixed: boolean
}

function find(use: Use): Stream | undefined {
  const { frame, args } = use
  let first = 0
  while (/^-(?:[HLP]|O\d|D)$/.test(args[first]?.text ?? '')) first += args[first]?.text === '-D' ? 2 : 1
  const rest = args.slice(first)
  const end = rest.findIndex((word) => /^(?:-.|[(),!]$)/.test(word.text))
  const paths = end < 0 ? rest : rest.slice(0, end)
  const starts = paths.length === 0 ? [literal('.')] : paths
  for (const start of starts) listsStart(frame, start)
  const walk: Walk = { frame, starts, words: rest.slice(paths.length), at: 0, ...noFilter }
  while (walk.at < walk.words.length) primary(walk)
  return undefined
}

const noFilter = { filtered: false, negated: false, pattern: null, onlyFiles: false, mixed: false }

function listsStart(frame: Frame, start: Field): void {
  listPlace(frame, placeOf(frame, start), 'bulk')
  if (start.open) opaqueProgram(frame, 'find', 'dynamic_argument', 'a word of find may be an action')
}

function primary(walk: Walk): void {
  const word = walk.words[walk.at++]
  if (word === undefined) return
  const { text } = word
  if (word.dynamic || word.open)
    opaqueProgram(walk.frame, 'find', 'dynamic_argument', 'a word of find is not known')
  else if (text === '!' || text === '-not') walk.negated = true
  else if (/^(?:[(),]|-o|-or)$/.test(text)) walk.mixed = true
  else if (text === '-delete') deletes(walk)
  else if (/^-(?:exec|execdir|ok|okdir)$/.test(text)) executes(walk, text.endsWith('dir'))
  else if (/^-(?:fprint|fprint0|fls|fprintf)$/.test(text)) prints(walk, text)
  else test(walk, text)
}

function test(walk: Walk, text: string): void {
  const arity = text.startsWith('-') ? tests.get(text.slice(1)) : undefined
  if (arity === undefined) {
    opaqueProgram(walk.frame, 'find', 'unknown_flag', `find ${text}`)
    return
  }
  filters(walk, text, (arity === 1 ? walk.words[walk.at++] : undefined) ?? literal(''))
}

function filters(walk: Walk, text: string, value: Field): void {
  if (value.open) opaqueProgram(walk.frame, 'find', 'dynamic_argument', 'a word of find may be an action')
  if (text === '-type' && value.text === 'f') walk.onlyFiles = true
  else if (text === '-name') named(walk, value)
  else if (!unfiltered.test(text)) walk.filtered = true
}

/** `-name '*'` filters nothing; a second pattern names less than the first. */
function named(walk: Walk, value: Field): void {
  if (/^\*+$/.test(value.text)) return
  walk.filtered = true
  walk.pattern = walk.pattern === null && !value.dynamic ? value.text : ''
}

/** Everything that the tests so far let through, below one start. */
function found(walk: Walk, start: Field): Place {
  const place = placeOf(walk.frame, start)
  const pattern =
    walk.pattern !== null && walk.pattern !== '' && !walk.negated && !walk.mixed ? walk.pattern : null
  const below = pattern === null ? '/**' : `/**/${pattern}`
  return {
    ...place,
    name: place.name.replace(/\/$/, '') + below,
    glob: true,
    known: place.known && !start.open,
  }
}

function deletes(walk: Walk): void {
  for (const start of walk.starts) {
    const place = found(walk, start)
    const reversible = rebuild(place.path) === 'no' ? 'no' : 'recoverable'
    const filtered = walk.filtered && !walk.mixed
    const whole = placeOf(walk.frame, start)
    if (filtered)
      writePlace(walk.frame, place, { action: 'delete', scope: 'bulk', why: 'find_filter', reversible })
    else if (walk.onlyFiles)
      writePlace(
        walk.frame,
        { ...place, glob: false },
        { action: 'delete', scope: 'all', why: 'no_filter', reversible },
      )
    else
      writePlace(
        walk.frame,
        { ...whole, glob: false },
        { action: 'delete', type: 'directory', scope: 'all', why: 'no_filter', reversible },
      )
  }
}

/** `-exec cmd {} ;` and `+`: the command runs on what was found. */
function executes(walk: Walk, inTheirs: boolean): void {
  const words: Field[] = []
  for (let word = walk.words[walk.at++]; word !== undefined; word = walk.words[walk.at++]) {
    if (word.text === ';') break
    if (word.text === '+' && words.at(-1)?.text === '{}') break
    words.push(word)
  }
  const { shell } = walk.frame
  const frame: Frame = {
    ...walk.frame,
    via: [...walk.frame.via, 'find -exec'],
    repeat: null,
    straight: false,
    shell: inTheirs ? { ...shell, cwd: hole } : shell,
  }
  for (const start of walk.starts)
    frame.work.engine.program(
      frame,
      words.map((word) => substituted(walk, word, start)),
    )
}

function substituted(walk: Walk, word: Field, start: Field): Field {
  if (!word.text.includes('{}')) return word
  if (word.text !== '{}' || start.dynamic)
    return { ...withText(word, word.text.replaceAll('{}', hole)), data: anything(null).data }
  const pattern =
    walk.pattern !== null && walk.pattern !== '' && !walk.negated && !walk.mixed ? walk.pattern : '*'
  const base = start.text === '/' ? '' : start.text.replace(/\/$/, '')
  return {
    ...word,
    text: `${base.startsWith('-') ? './' : ''}${base}/**/${pattern}`,
    glob: true,
    tilde: start.tilde,
  }
}

function prints(walk: Walk, action: string): void {
  const file = walk.words[walk.at++]
  if (action === '-fprintf') walk.at++
  if (file !== undefined) writePlace(walk.frame, placeOf(walk.frame, file), { action: 'write' })
  else unseen(walk.frame, 'unknown_flag', `find ${action}`)
}

export const findPrograms: readonly Row[] = [lenient('find', '', find)]
