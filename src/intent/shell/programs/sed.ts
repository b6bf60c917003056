/** `sed`: its scripts can write files and run commands. */
import type { Use } from '../call.ts'
import { evaluateText } from '../evaluate.ts'
import { literal, type Field } from '../field.ts'
import { attachedText } from '../attached.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, type Stream } from '../stream.ts'
import { readPlace, writePlace } from '../touch.ts'
import { nothing, opaqueProgram, unseen, type Frame } from '../work.ts'
import { program, readsOperands, type Row } from './row.ts'

function sed(use: Use): Stream | undefined {
  const { options, frame } = use
  const given = [...all(options, 'e'), ...all(options, 'f')].length > 0
  const files = given ? options.operands : options.operands.slice(1)
  const scripts = given ? all(options, 'e') : options.operands.slice(0, 1)
  for (const script of scripts) reads(frame, script)
  for (const file of all(options, 'f')) {
    const text = attachedText(frame, file)
    if (text === null) opaqueProgram(frame, 'sed', 'external_file', 'a sed script in a file')
    else reads(frame, literal(text))
  }
  if (has(options, 'i')) return inPlace(use, files)
  readsOperands(use, files)
  if (files.length === 0) nothing(frame, 'sed')
  return undefined
}

function inPlace(use: Use, files: readonly Field[]): Stream {
  const suffix = last(use.options, 'i')?.text ?? ''
  const backup = !suffix.startsWith('-') && suffix !== ''
  for (const file of files)
    writePlace(use.frame, placeOf(use.frame, file), {
      action: 'update',
      why: 'in_place',
      reversible: backup ? 'recoverable' : 'no',
    })
  return empty
}

function reads(frame: Frame, script: Field): void {
  if (script.dynamic) {
    // Text that is spliced in may hold `e`, `w` or a newline.
    opaqueProgram(frame, 'sed', 'spliced_variable', 'a sed script with unknown text')
    return
  }
  const reader: Reader = { frame, text: script.text, at: 0 }
  while (reader.at < reader.text.length) {
    if (command(reader)) continue
    opaqueProgram(frame, 'sed', 'unsupported_syntax', 'a sed script that is not followed')
    return
  }
}

interface Reader {
  readonly frame: Frame
  readonly text: string
  at: number
}

/** Reads one command with its addresses; false when it is not understood. */
function command(reader: Reader): boolean {
  skip(reader, /[\s;]/)
  if (reader.at >= reader.text.length) return true
  if (!addresses(reader)) return false
  skip(reader, /[\s!]/)
  const verb = reader.text.charAt(reader.at++)
  if ('{}=dDgGhHlnNpPxzF'.includes(verb) && verb !== '') return rest(reader, /^\s*\d*\s*(?:[;}\n]|$)/)
  if (verb === 's') return substitution(reader)
  if (verb === 'y') return transliteration(reader)
  if ('qQL'.includes(verb)) return rest(reader, /^\s*\d*\s*(?:[;}\n]|$)/)
  return withArgument(reader, verb)
}

const inert = '#aic'

function withArgument(reader: Reader, verb: string): boolean {
  if (verb === '') return false
  const line = toEndOfLine(reader)
  if (inert.includes(verb)) return true
  if ('btT:'.includes(verb)) return label(reader, line)
  if ('rR'.includes(verb)) readPlace(reader.frame, placeOf(reader.frame, literal(line.trim())), 'single')
  else if ('wW'.includes(verb)) writes(reader.frame, line)
  else if (verb === 'e') runs(reader.frame, line)
  else return false
  return true
}

/** A label ends at a semicolon or brace in GNU sed: what follows is read again. */
function label(reader: Reader, line: string): boolean {
  const at = line.search(/[;}]/)
  if (at >= 0) reader.at -= line.length - at + (reader.text.charAt(reader.at - 1) === '\n' ? 1 : 0)
  return true
}

function skip(reader: Reader, signs: RegExp): void {
  while (signs.test(reader.text.charAt(reader.at))) reader.at++
}

function rest(reader: Reader, ending: RegExp): boolean {
  const before = reader.text.charAt(reader.at - 1)
  if (before === '{' || before === '}') return true
  const match = ending.exec(reader.text.slice(reader.at, reader.at + 32))
  if (match === null) return false
  reader.at += match[0].endsWith('}') ? match[0].length - 1 : match[0].length
  return true
}

/** To the end of the line; a backslash at its end goes on, as in `a\`. */
function toEndOfLine(reader: Reader): string {
  let end = reader.text.indexOf('\n', reader.at)
  while (end > 0 && reader.text.charAt(end - 1) === '\\') end = reader.text.indexOf('\n', end + 1)
  const line = reader.text.slice(reader.at, end < 0 ? undefined : end)
  reader.at = end < 0 ? reader.text.length : end + 1
  return line
}

function addresses(reader: Reader): boolean {
  for (let turn = 0; turn < 2; turn++) {
    const sign = reader.text.charAt(reader.at)
    if (sign === '/' || sign === '\\') {
      if (sign === '\\') reader.at++
      const delimiter = reader.text.charAt(reader.at++)
      if (!delimited(reader, delimiter)) return false
      skip(reader, /[IM]/)
    } else skip(reader, /[\d$~+]/)
    skip(reader, /\s/)
    if (reader.text.charAt(reader.at) !== ',') return true
    reader.at++
    skip(reader, /\s/)
  }
  return true
}

/** Moves past the next delimiter that no backslash or bracket protects. */
function delimited(reader: Reader, delimiter: string): boolean {
  if (delimiter === '' || delimiter === '\n' || delimiter === '\\') return false
  for (; reader.at < reader.text.length; reader.at++) {
    const sign = reader.text.charAt(reader.at)
    if (sign === '\\') reader.at++
    else if (sign === delimiter) {
      reader.at++
      return true
    }
  }
  return false
}

function substitution(reader: Reader): boolean {
  const delimiter = reader.text.charAt(reader.at++)
  const from = reader.at
  if (!delimited(reader, delimiter) || !delimited(reader, delimiter)) return false
  // A delimiter inside brackets may end the pattern for us and not for sed, or the other way round.
  if (/\[[^\]]*$/.test(reader.text.slice(from, reader.at).split(delimiter)[0] ?? '')) return false
  const flags = /^[gpiImM\d]*/.exec(reader.text.slice(reader.at, reader.at + 64))?.[0] ?? ''
  reader.at += flags.length
  const sign = reader.text.charAt(reader.at)
  if (sign === 'w') {
    reader.at++
    writes(reader.frame, toEndOfLine(reader))
    return true
  }
  if (sign === 'e') {
    unseen(reader.frame, 'runtime_input', 'sed runs what it makes of its input')
    return false
  }
  return rest(reader, /^\s*(?:[;}\n#]|$)/)
}

function transliteration(reader: Reader): boolean {
  const delimiter = reader.text.charAt(reader.at++)
  return delimited(reader, delimiter) && delimited(reader, delimiter) && rest(reader, /^\s*(?:[;}\n]|$)/)
}

function writes(frame: Frame, line: string): void {
  const file = line.trim()
  if (!/^\/dev\/std(?:out|err)$/.test(file))
    writePlace(frame, placeOf(frame, literal(file)), { action: 'write' })
}

function runs(frame: Frame, line: string): void {
  if (line.trim() === '') unseen(frame, 'runtime_input', 'sed runs its input')
  else evaluateText({ ...frame, repeat: null }, line.trim(), { via: ['sed', 'sh'], dialect: 'sh' })
}

export const sedPrograms: readonly Row[] = [
  program(
    'sed',
    'n|quiet|silent e|expression= f|file= E|r|regexp-extended i|in-place? l|line-length= s|separate u|unbuffered z|null-data debug posix sandbox follow-symlinks b|binary',
    sed,
  ),
]
