/** Filters whose output is known when their input is: decoders and copies. */
import type { Use } from '../call.ts'
import { hole, type Field } from '../field.ts'
import { has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import type { Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { nothing } from '../work.ts'
import { lenient, program, readsOperands, type Row } from './row.ts'

/** The input that a filter has: its only file, or the pipe. Undefined where that is not one known text. */
function inputOf(use: Use, files: readonly Field[]): Stream | undefined {
  const [file] = files
  if (files.length > 1) return undefined
  if (file === undefined || file.text === '-') return use.frame.stdin
  return file.pipe === 'in' ? (file.data ?? undefined) : undefined
}

type Change = (text: string) => string | null

function filtered(use: Use, files: readonly Field[], change: Change): Stream | undefined {
  readsOperands(use, files)
  const input = inputOf(use, files)
  if (input === undefined || input.text === null || input.text.includes(hole)) return undefined
  use.frame.work.ctx.spendBytes(input.text.length)
  const text = change(input.text)
  return text === null ? undefined : { ...input, text }
}

function cat(use: Use): Stream | undefined {
  const { operands, values } = use.options
  if (operands.every((operand) => operand.text === '-')) nothing(use.frame, use.name)
  readsOperands(use, operands)
  if (operands.length > 1 || values.size > 0) return undefined
  return inputOf(use, operands)
}

/** Decoded bytes that are text, and nothing else. */
function utf8(bytes: Buffer): string | null {
  const text = bytes.toString('utf8')
  return text.includes('\uFFFD') || text.includes('\u0000') ? null : text
}

function base64(use: Use): Stream | undefined {
  const files = use.options.operands
  if (!has(use.options, 'd'))
    return filtered(use, files, (text) => `${Buffer.from(text, 'utf8').toString('base64')}\n`)
  return filtered(use, files, (text) =>
    /^[A-Za-z0-9+/=\s]*$/.test(text) ? utf8(Buffer.from(text, 'base64')) : null,
  )
}

function xxd(use: Use): Stream | undefined {
  const [file, output] = use.options.operands
  if (output !== undefined) writePlace(use.frame, placeOf(use.frame, output), { action: 'write' })
  const files = file === undefined ? [] : [file]
  if (!has(use.options, 'r') || !has(use.options, 'p')) return filtered(use, files, () => null)
  return filtered(use, files, (text) => {
    const digits = text.replace(/\s+/g, '')
    return /^(?:[\da-fA-F]{2})*$/.test(digits) ? utf8(Buffer.from(digits, 'hex')) : null
  })
}

function rev(use: Use): Stream | undefined {
  return filtered(use, use.options.operands, (text) =>
    text
      .split('\n')
      .map((line) => Array.from(line).reverse().join(''))
      .join('\n'),
  )
}

function tac(use: Use): Stream | undefined {
  return filtered(use, use.options.operands, () => null)
}

const classes: Readonly<Record<string, string>> = {
  '[:upper:]': 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  '[:lower:]': 'abcdefghijklmnopqrstuvwxyz',
  '[:digit:]': '0123456789',
}

/** Signs of a `tr` set; null when it uses more than signs, ranges and plain classes. */
function signs(set: string): readonly string[] | null {
  const whole = classes[set]
  if (whole !== undefined) return Array.from(whole)
  if (/\[[:=*]|\\[^\\nt]/.test(set)) return null
  const text = Array.from(set.replace(/\\n/g, '\n').replace(/\\t/g, '\t').replace(/\\\\/g, '\\'))
  const out: string[] = []
  for (let at = 0; at < text.length; at++) {
    const from = text[at] ?? ''
    const to = text[at + 1] === '-' ? text[at + 2] : undefined
    if (to === undefined) out.push(from)
    else {
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++)
        out.push(String.fromCharCode(code))
      at += 2
    }
    if (out.length > 1024) return null
  }
  return out
}

function tr(use: Use): Stream | undefined {
  nothing(use.frame, 'tr')
  const change = translation(use)
  return change === null ? undefined : filtered(use, [], change)
}

/** What `tr` does to a text; null when it is not followed. */
function translation(use: Use): Change | null {
  const { options } = use
  const [from, to] = options.operands
  const isPlain = !['c', 's', 't'].some((flag) => has(options, flag))
  if (from === undefined || !isPlain || options.operands.some((set) => set.dynamic || set.glob)) return null
  const first = signs(from.text)
  if (first === null) return null
  if (has(options, 'd')) return (text) => each(text, (sign) => (first.includes(sign) ? '' : sign))
  const second = to === undefined ? null : signs(to.text)
  if (second === null || second.length === 0) return null
  const map = new Map(first.map((sign, at) => [sign, second[at] ?? second.at(-1) ?? ''] as const))
  return (text) => each(text, (sign) => map.get(sign) ?? sign)
}

/** The text with each code point changed. */
function each(text: string, change: (sign: string) => string): string {
  return Array.from(text, change).join('')
}

function tee(use: Use): Stream | undefined {
  const append = has(use.options, 'a')
  const { frame } = use
  for (const operand of use.options.operands) {
    if (/^\/dev\/(?:null|stdout|stderr|tty)$/.test(operand.text) || operand.pipe !== null) continue
    writePlace(frame, placeOf(frame, operand), { action: 'write', append })
  }
  if (use.options.operands.length === 0) nothing(frame, 'tee')
  return frame.stdin.connected ? frame.stdin : undefined
}

/** Decoders whose output is not computed here: what they feed is unknown. */
function decoder(use: Use): Stream | undefined {
  readsOperands(use, use.options.operands)
  if (last(use.options, 'o') !== undefined || use.options.operands.length === 0) nothing(use.frame, use.name)
  return filtered(use, use.options.operands, () => null)
}

export const transformPrograms: readonly Row[] = [
  lenient(
    'cat',
    'A|show-all b|number-nonblank e E|show-ends n|number s|squeeze-blank t T|show-tabs u v|show-nonprinting',
    cat,
  ),
  lenient('base64', 'd|D|decode i|ignore-garbage w|wrap=', base64),
  lenient('base32', 'd|D|decode i|ignore-garbage w|wrap=', decoder),
  program(
    'xxd',
    'a|autoskip b|bits c|cols= C|capitalize d e E g|groupsize= i|include l|len= n|name= o= p|ps|plain r|revert s|seek= u',
    xxd,
  ),
  lenient('rev', '', rev),
  lenient('tac', 'b|before r|regex s|separator=', tac),
  lenient('tr', 'c|C|complement d|delete s|squeeze-repeats t|truncate-set1', tr),
  program('tee', 'a|append i|ignore-interrupts p output-error?', tee),
]
