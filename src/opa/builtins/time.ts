/**
 * Time. The only clock that a policy has is its input's `time`, so that a decision replays. Instants
 * are nanoseconds since 1970; those that arrive as arguments are exact to 256 ns, since they come
 * through a double.
 */
import type { HostBuiltin } from '../library.ts'
import { exactInteger, ofStrings } from './arguments.ts'

const [minNanos, maxNanos] = [-(2n ** 63n), 2n ** 63n - 1n]
const nanosPerMilli = 1_000_000n
const timestamp = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/
const formats = new Map<string, Intl.DateTimeFormat>()

/** Year, month, day, hour, minute, second, and the weekday's name. */
interface Fields {
  readonly date: readonly number[]
  readonly clock: readonly number[]
  readonly weekday: string
}

function inRange(nanos: bigint): ArrayBuffer | undefined {
  return nanos < minNanos || nanos > maxNanos ? undefined : exactInteger(nanos)
}

/** Nanoseconds of an RFC 3339 text; undefined when it is none. */
function parsedTimestamp(text: string): bigint | undefined {
  const match = timestamp.exec(text)
  if (match === null) return undefined
  const day = dayMillis(match.slice(1, 4).map(Number))
  const clock = clockMillis(match.slice(4, 7).map(Number), [23, 59, 59])
  const offset = clockMillis([Number(match[9] ?? '0'), Number(match[10] ?? '0'), 0], [24, 59, 0])
  if (day === undefined || clock === undefined || offset === undefined) return undefined
  const millis = day + clock - (match[8] === '-' ? -offset : offset)
  return BigInt(millis) * nanosPerMilli + fraction(match[7])
}

/** Midnight of a day that exists. */
function dayMillis([year = 0, month = 0, day = 0]: readonly number[]): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined
}

function clockMillis(clock: readonly number[], largest: readonly number[]): number | undefined {
  if (clock.some((part, at) => part > (largest[at] ?? 0))) return undefined
  const [hours = 0, minutes = 0, seconds = 0] = clock
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}

/** Of a second, in nanoseconds. */
function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? '').slice(0, 9).padEnd(9, '0'))
}

const unitNanos: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
  d: 8.64e13,
  w: 6.048e14,
  y: 3.1536e16,
}

const duration = /^(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|[smhdwy]))+$/
const durationPart = /([0-9]*)\.?([0-9]*)([a-zµμ]+)/g

/** Nanoseconds of `1h30m`, `-1.5d`, `0`; undefined when it is no duration. */
function parsedDuration(text: string): bigint | undefined {
  const rest = text.replace(/^[+-]/, '')
  if (rest === '0') return 0n
  if (rest.length > 256 || !duration.test(rest)) return undefined
  let nanos = 0n
  for (const [, whole, decimals, unit] of rest.matchAll(durationPart)) {
    nanos += partNanos(whole ?? '', decimals ?? '', unit ?? '')
  }
  if (nanos > maxNanos) return undefined
  return text.startsWith('-') ? -nanos : nanos
}

function partNanos(whole: string, decimals: string, unit: string): bigint {
  const factor = BigInt(unitNanos[unit] ?? 0)
  return (BigInt(`${whole}${decimals}`) * factor) / 10n ** BigInt(decimals.length)
}

/** The instant and time zone of `ns`, `[ns]` or `[ns, zone]`. */
function moment(value: unknown): { readonly millis: number; readonly zone: string } | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const [nanos, zone = ''] = list
  if (typeof nanos !== 'number' || !Number.isInteger(nanos) || typeof zone !== 'string') return undefined
  if (Math.abs(nanos) >= 2 ** 63) return undefined
  // A machine's own zone is no part of what is recorded.
  if (zone === 'Local') throw new RangeError('a policy has no local time zone')
  return { millis: Math.floor(nanos / 1e6), zone: zone === '' ? 'UTC' : zone }
}

function fieldsOf(value: unknown): Fields | undefined {
  const at = moment(value)
  const format = at === undefined ? undefined : formatFor(at.zone)
  if (at === undefined || format === undefined) return undefined
  const parts = Object.fromEntries(format.formatToParts(at.millis).map((part) => [part.type, part.value]))
  const numbers = (...names: readonly string[]): readonly number[] => names.map((name) => Number(parts[name]))
  return {
    date: numbers('year', 'month', 'day'),
    clock: numbers('hour', 'minute', 'second'),
    weekday: parts['weekday'] ?? '',
  }
}

function formatFor(zone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(zone)
  if (known !== undefined) return known
  if (!/^[A-Z][A-Za-z0-9+_/-]{1,63}$/.test(zone)) return undefined
  try {
    const made = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      weekday: 'long',
    })
    if (formats.size < 1000) formats.set(zone, made)
    return made
  } catch {
    return undefined
  }
}

function addedDate(value: unknown, years: unknown, months: unknown, days: unknown): ArrayBuffer | undefined {
  const at = moment(value)
  const steps = [years, months, days]
  if (at === undefined || !steps.every((step) => Number.isSafeInteger(step))) return undefined
  if (at.zone !== 'UTC') throw new RangeError('dates are added in UTC only')
  const [nanos] = Array.isArray(value) ? (value as readonly number[]) : [Number(value)]
  const date = new Date(at.millis)
  date.setUTCFullYear(
    date.getUTCFullYear() + Number(years),
    date.getUTCMonth() + Number(months),
    date.getUTCDate() + Number(days),
  )
  if (Number.isNaN(date.getTime())) return undefined
  return inRange(BigInt(nanos ?? 0) + BigInt(date.getTime() - at.millis) * nanosPerMilli)
}

/** @param judging canonical JSON text of the input that is being judged */
export function timeBuiltins(judging: () => string): Readonly<Record<string, HostBuiltin>> {
  return {
    'time.now_ns': () => {
      const nanos = parsedTimestamp(decisionTime(judging()))
      if (nanos === undefined) throw new TypeError('the input has no time')
      return exactInteger(nanos)
    },
    'time.parse_rfc3339_ns': ofStrings((text = '') => {
      const nanos = parsedTimestamp(text)
      return nanos === undefined ? undefined : inRange(nanos)
    }),
    'time.parse_duration_ns': ofStrings((text = '') => {
      const nanos = parsedDuration(text)
      return nanos === undefined ? undefined : exactInteger(nanos)
    }),
    'time.date': (value) => fieldsOf(value)?.date,
    'time.clock': (value) => fieldsOf(value)?.clock,
    'time.weekday': (value) => fieldsOf(value)?.weekday,
    'time.add_date': addedDate,
  }
}

/** `time` is the last member of a canonical input: its name comes last. Read only when a policy asks. */
function decisionTime(json: string): string {
  return /"time":"([^"\\]*)"\}$/.exec(json.slice(-64))?.[1] ?? ''
}
