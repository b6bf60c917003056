/** `echo` and `printf`: what they print is known when their words are. */
import type { Use } from '../call.ts'
import { hole, type Field } from '../field.ts'
import { last, has } from '../options.ts'
import { joined, known, plain, type Stream } from '../stream.ts'
import { forget } from '../variables.ts'
import { nothing, unseen } from '../work.ts'
import { lenient, program, type Row } from './row.ts'

/** dash and bash print backslashes and flags differently: in `sh` such output is not known. */
function echo(use: Use): Stream {
  nothing(use.frame, 'echo')
  const { args } = use
  const first = args.findIndex((word) => !/^-[neE]+$/.test(word.text))
  const words = first < 0 ? [] : args.slice(first)
  const flags = args
    .slice(0, args.length - words.length)
    .map((word) => word.text)
    .join('')
  const data = dataOf(args)
  if (words.some((word) => word.open || word.glob)) return data
  const text = printed(words.map((word) => word.text).join(' '), flags)
  const differs = flags !== '' || text?.includes('\\') === true || args[0]?.dynamic === true
  return text === null || (use.frame.dialect === 'sh' && differs) ? data : { ...data, text }
}

function printed(text: string, flags: string): string | null {
  const escaped = flags.includes('e') ? unescaped(text, true) : text
  return escaped === null || flags.includes('n') ? escaped : `${escaped}\n`
}

/** What the words bring along. */
function dataOf(words: readonly Field[]): Stream {
  let data: Stream = plain
  for (const word of words) {
    if (word.data !== null) data = joined(data, { ...word.data, text: null })
    else if (word.dynamic) data = { ...data, unnamed: true }
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

const escape = /\\(?:0([0-7]{0,3})|([1-7][0-7]{0,2})|x([\da-fA-F]{1,2})|([^]?))/g

/** Backslash escapes of `echo -e` and `printf`; null when one is not followed. */
function unescaped(text: string, zero: boolean): string | null {
  let known = true
  const out = text.replace(escape, (_whole, ...groups: readonly (string | undefined)[]) => {
    const [octal, plainOctal, hex, sign] = groups
    if (octal !== undefined && zero)
      return String.fromCharCode(Number.parseInt(octal === '' ? '0' : octal, 8))
    if (plainOctal !== undefined && !zero) return String.fromCharCode(Number.parseInt(plainOctal, 8))
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    const simple = simpleEscapes[sign ?? ' ']
    if (simple === undefined) known = false
    return simple ?? ''
  })
  return known ? out : null
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
  if (conversions.some((one) => !/^%[sbd%]$/.test(one)) || format.endsWith('%')) return null
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
