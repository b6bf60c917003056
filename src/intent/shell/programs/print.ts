/** `echo` and `printf`: what they print is known when their words are. */
import type { Use } from '../call.ts'
import { hole, type Field } from '../field.ts'
import { last, has } from '../options.ts'
import { known, plain, type Stream } from '../stream.ts'
import { forget } from '../variables.ts'
import { nothing, unseen } from '../work.ts'
import { lenient, program, type Row } from './row.ts'

/** dash and bash print backslashes and flags differently: in `sh` such output is not known. */
function echo(use: Use): Stream {
  nothing(use.frame, 'echo')
  let at = 0
  let flags = ''
  for (; /^-[neE]+$/.test(use.args[at]?.text ?? ''); at++) flags += use.args[at]?.text ?? ''
  const words = use.args.slice(at)
  const text = words.map((word) => word.text).join(' ')
  const differs =
    use.frame.dialect === 'sh' && (flags !== '' || text.includes('\\') || use.args[0]?.dynamic === true)
  const data = dataOf(use.args)
  if (differs || words.some((word) => word.open || word.glob)) return { ...data, text: null }
  const escaped = flags.includes('e') && text.includes('\\') ? unescaped(text, true) : text
  if (escaped === null) return { ...data, text: null }
  return { ...data, text: escaped + (flags.includes('n') ? '' : '\n') }
}

/** What the words bring along. */
function dataOf(words: readonly Field[]): Stream {
  let data: Stream = plain
  for (const word of words) {
    if (word.data !== null)
      data = {
        ...word.data,
        reads: [...data.reads, ...word.data.reads],
        remote: word.data.remote ?? data.remote,
        unnamed: data.unnamed || word.data.unnamed,
      }
    else if (word.dynamic) data = { ...data, unnamed: true }
    if (word.glob) data = { ...data, unnamed: data.unnamed }
  }
  return { ...data, text: null, connected: true, numeric: false }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  '\\': '\\',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
  '"': '"',
  "'": "'",
}

/** Backslash escapes of `echo -e` and `printf`; null when one is not followed. */
function unescaped(text: string, zero: boolean): string | null {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at)
    if (sign !== '\\') {
      out += sign
      continue
    }
    const rest = text.slice(at + 1, at + 6)
    const number = (zero ? /^0([0-7]{1,3})/ : /^([0-7]{1,3})/).exec(rest) ?? /^x([\da-fA-F]{1,2})/.exec(rest)
    const simple = simpleEscapes[rest.charAt(0)]
    if (number === null && simple === undefined) return null
    out +=
      number === null
        ? simple
        : String.fromCharCode(Number.parseInt(number[1] ?? '', number[0].startsWith('x') ? 16 : 8))
    at += number === null ? 1 : number[0].length
  }
  return out
}

function printf(use: Use): Stream {
  const { frame, options } = use
  nothing(frame, 'printf')
  const variable = last(options, 'v')
  if (variable !== undefined) assigns(use, variable)
  const [format, ...words] = options.operands
  const data = dataOf(use.args)
  if (format === undefined || has(options, 'v') || format.text.includes(hole)) return { ...data, text: null }
  if (words.some((word) => word.open || word.glob)) return { ...data, text: null }
  const text = formatted(
    format.text,
    words.map((word) => word.text),
  )
  return text === null
    ? { ...data, text: null }
    : { ...known(text), reads: data.reads, remote: data.remote, unnamed: data.unnamed }
}

function assigns(use: Use, name: Field): void {
  if (!/^[A-Za-z_]\w*$/.test(name.text)) unseen(use.frame, 'dynamic_command', 'printf -v evaluates a name')
  forget(use.frame)
}

/** Only what every printf does alike: `%s`, `%d`, `%b`, `%%`; null for anything else. */
function formatted(format: string, words: readonly string[]): string | null {
  const conversions = format.match(/%[^%a-zA-Z]*[a-zA-Z%]/g) ?? []
  if (conversions.some((one) => !/^%[sbd%]$/.test(one)) || /%$/.test(format)) return null
  const perTurn = conversions.filter((one) => one !== '%%').length
  const turns = perTurn === 0 ? 1 : Math.max(1, Math.ceil(words.length / perTurn))
  let at = 0
  let out = ''
  for (let turn = 0; turn < turns; turn++) {
    const once = oneTurn(format, () => words[at++] ?? '')
    if (once === null || out.length > 65_536) return null
    out += once
  }
  return out
}

function oneTurn(format: string, next: () => string): string | null {
  let out = ''
  for (const piece of format.split(/(%[sbd%])/)) {
    const text =
      piece === '%%'
        ? '%'
        : piece === '%s'
          ? next()
          : piece === '%b'
            ? unescaped(next(), true)
            : piece === '%d'
              ? digits(next())
              : unescaped(piece, false)
    if (text === null) return null
    out += text
  }
  return out
}

function digits(text: string): string | null {
  return text === '' ? '0' : /^-?(?:0|[1-9]\d{0,14})$/.test(text) ? text : null
}

export const printPrograms: readonly Row[] = [lenient('echo', '', echo), program('printf', 'v= +', printf)]
