/** Semantic versions: https://semver.org, section 11 for their order. A leading `v` is accepted, as OPA does. */
import type { HostBuiltin } from '../library.ts'
import { ofStrings } from './arguments.ts'

interface Version {
  readonly core: readonly bigint[]
  readonly pre: readonly string[]
}

const numeric = '(0|[1-9][0-9]*)'
const labels = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const shape = new RegExp(`^v?${numeric}\\.${numeric}\\.${numeric}(?:-(${labels}))?(?:\\+${labels})?$`)
const digits = /^[0-9]+$/
const largest = 2n ** 63n - 1n

function version(text: string): Version | undefined {
  const match = text.length > 256 ? null : shape.exec(text)
  if (match === null) return undefined
  const core = match.slice(1, 4).map((part) => BigInt(part ?? '0'))
  const pre = match[4]?.split('.') ?? []
  if (core.some((part) => part > largest)) return undefined
  if (pre.some((part) => digits.test(part) && part.length > 1 && part.startsWith('0'))) return undefined
  return { core, pre }
}

function compare(one: Version, other: Version): number {
  for (const [at, part] of one.core.entries()) {
    const order = sign(part, other.core[at] ?? 0n)
    if (order !== 0) return order
  }
  if (one.pre.length === 0 || other.pre.length === 0) return sign(other.pre.length, one.pre.length)
  for (const [at, part] of one.pre.entries()) {
    const counterpart = other.pre[at]
    if (counterpart === undefined) return 1
    const order = compareLabels(part, counterpart)
    if (order !== 0) return order
  }
  return sign(one.pre.length, other.pre.length)
}

/** Numbers come before words. */
function compareLabels(one: string, other: string): number {
  if (digits.test(one) && digits.test(other)) return sign(BigInt(one), BigInt(other))
  if (digits.test(one)) return -1
  if (digits.test(other)) return 1
  return sign(one, other)
}

function sign<T extends string | number | bigint>(one: T, other: T): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

export const semverBuiltins: Readonly<Record<string, HostBuiltin>> = {
  'semver.is_valid': (text) => typeof text === 'string' && version(text) !== undefined,
  'semver.compare': ofStrings((a = '', b = '') => {
    const [one, other] = [version(a), version(b)]
    return one === undefined || other === undefined ? undefined : compare(one, other)
  }),
}
