/** Programs that change who may do what with files. */
import type { Use } from '../call.ts'
import { shown, type Field } from '../field.ts'
import { has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { emit, unseen } from '../work.ts'
import { program, type Row } from './row.ts'
import type { Effect } from '../../intent.ts'

interface Widening {
  readonly privileges: readonly string[]
  readonly level: string | null
}

/** What a mode gives to everybody, or to whoever runs the file; null when it gives nothing. */
function widening(mode: string): Widening | null {
  return /^[0-7]{1,5}$/.test(mode) ? octal(mode) : symbolic(mode)
}

function octal(mode: string): Widening | null {
  const bits = Number.parseInt(mode, 8)
  const special = bits >> 9
  if ((special & 6) !== 0) return { privileges: ['execute'], level: 'setuid' }
  return (bits & 2) === 0 ? null : { privileges: names(bits & 7), level: null }
}

function names(bits: number): readonly string[] {
  return [bits & 4 ? 'read' : '', bits & 2 ? 'write' : '', bits & 1 ? 'execute' : ''].filter(
    (name) => name !== '',
  )
}

function symbolic(mode: string): Widening | null {
  for (const clause of mode.split(',')) {
    const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause)
    if (match === null) return { privileges: ['unknown'], level: null }
    const [, who = '', what = ''] = match
    const given = (what.match(/[+=][rwxXstugo]*/g) ?? []).join('')
    if (given.includes('s')) return { privileges: ['execute'], level: 'setuid' }
    const others = who === '' || /[oa]/.test(who)
    if (others && /[wug]/.test(given)) return { privileges: ['write'], level: null }
  }
  return null
}

function chmod(use: Use): Stream {
  const { frame, options } = use
  const deep = has(options, 'R')
  const reference = last(options, 'reference')
  const minus = use.args.find((arg) => /^-[rwxXst]/.test(arg.text))
  const [first, ...rest] = options.operands
  const mode = reference === undefined && minus === undefined ? first : undefined
  const files = mode === undefined ? options.operands : rest
  if (mode?.dynamic === true) unseen(frame, 'dynamic_argument', 'the mode is not known')
  const gives = mode === undefined ? null : widening(mode.text)
  for (const file of files) {
    if (gives !== null)
      grants(use, file, { grantee: '*', privileges: gives.privileges, level: gives.level, type: 'user' })
    else changes(use, file, deep)
  }
  return empty
}

function changes(use: Use, file: Field, deep: boolean): void {
  writePlace(use.frame, placeOf(use.frame, file), {
    action: 'update',
    type: deep ? 'directory' : 'file',
    scope: deep ? 'all' : 'single',
    why: 'mode',
    reversible: 'recoverable',
  })
}

interface Grant {
  readonly grantee: string
  readonly privileges: readonly string[]
  readonly level: string | null
  readonly type: string
}

function grants(use: Use, file: Field, grant: Grant): Effect {
  const { frame, options } = use
  const place = placeOf(frame, file)
  const deep = has(options, 'R')
  const found = emit(frame, {
    action: 'grant',
    resource: { system: 'host', type: grant.type, name: grant.grantee },
    scope: !place.known ? 'unknown' : deep ? 'all' : place.glob ? 'bulk' : 'single',
    why: deep ? 'recursive' : '',
    reversible: 'recoverable',
    privilege: {
      grantee: grant.grantee,
      privileges: [...grant.privileges],
      on: place.name,
      level: grant.level,
      run_as: null,
    },
    confidence: place.confidence,
  })
  if (!place.known) unseen(frame, 'dynamic_argument', 'the path is not known', found)
  return found
}

function chown(use: Use): Stream {
  const { options, frame } = use
  const reference = last(options, 'reference')
  const [owner, ...rest] = reference === undefined ? options.operands : [reference, ...options.operands]
  if (owner === undefined) return empty
  if (owner.dynamic || reference !== undefined) unseen(frame, 'dynamic_argument', 'the owner is not known')
  const name = reference === undefined ? shown(owner.text) : '*unknown*'
  const type = use.name === 'chgrp' || name.startsWith(':') ? 'group' : 'user'
  const grantee = name.replace(/^:/, '')
  for (const file of rest) grants(use, file, { grantee, privileges: ['own'], level: 'owner', type })
  return empty
}

/** `setfacl`, `chattr`, `setcap`, `chcon`: rights by other means. */
function others(use: Use): Stream {
  for (const file of use.options.operands.slice(use.name === 'setfacl' ? 0 : 1))
    grants(use, file, { grantee: '*unknown*', privileges: ['unknown'], level: use.name, type: 'user' })
  return empty
}

export const modePrograms: readonly Row[] = [
  program(
    'chmod',
    'c|changes f|silent|quiet v|verbose R|recursive reference= preserve-root no-preserve-root r w x X s t h|no-dereference dereference',
    chmod,
  ),
  ...['chown', 'chgrp'].map((name) =>
    program(
      name,
      'c|changes f|silent|quiet v|verbose R|recursive H L P h|no-dereference dereference from= reference= preserve-root no-preserve-root',
      chown,
    ),
  ),
  program('setfacl', 'm|modify= x|remove= b|remove-all k|remove-default R|recursive d|default n L P', others),
  program('setcap', 'q v n= r', others),
]
