import { readFileSync, readdirSync } from 'node:fs'
import type { AnalysisTarget } from '../../../src/intent/analysis.ts'
import type { Effect } from '../../../src/intent/intent.ts'
import { analysed } from './support/context.ts'

/** An expected effect: action, type and name of the resource, scope, and whatever else is said of it. */
type Expected = readonly [
  action: string,
  type: string,
  name: string,
  scope: string,
  more?: {
    readonly via?: readonly string[]
    readonly conditional?: boolean
    readonly deferred?: boolean
    readonly sensitivity?: string
    readonly confidence?: string
    readonly runAs?: string
    readonly to?: readonly [host: string, trust: string]
    readonly endpoint?: Effect['endpoint']
    readonly reversible?: string
  },
]

interface Case {
  readonly command: string
  readonly why: string
  readonly dialect?: 'bash' | 'sh'
  readonly target?: Partial<AnalysisTarget>
  readonly effects: readonly Expected[]
  /** The codes of all reasons; absent: nothing is unseen. */
  readonly opaque?: readonly string[]
  readonly secrets?: readonly string[]
}

const folder = new URL('./', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.cases.json'))

describe.each(files)('%s', (file) => {
  const cases = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly Case[]

  test.each(cases.map((one) => [one.command, one.why, one] as const))('%s (%s)', (command, _why, one) => {
    const { dialect, target } = one
    const found = analysed(command, {
      ...(dialect === undefined ? {} : { dialect }),
      ...(target === undefined ? {} : { target }),
    })
    for (const expected of one.effects) {
      expect(found.effects.map((effect) => described(effect, expected[4]))).toContainEqual(expected)
    }
    const extra = found.effects.filter(
      ({ action, resource }) =>
        action !== 'none' &&
        !one.effects.some(([a, t, n]) => a === action && t === resource.type && n === resource.name),
    )
    expect(extra).toEqual([])
    expect([...new Set(found.unseen.map(({ code }) => code))]).toEqual(one.opaque ?? [])
    expect(found.secrets.map(({ start, end }) => command.slice(start, end))).toEqual(one.secrets ?? [])
  })
})

function described(effect: Effect, more: Expected[4]): Expected {
  const whole = {
    via: effect.via,
    conditional: effect.conditional,
    deferred: effect.deferred,
    sensitivity: effect.sensitivity,
    confidence: effect.confidence,
    runAs: effect.privilege?.run_as,
    to: [effect.destination?.host, effect.destination?.trust],
    endpoint: effect.endpoint,
    reversible: effect.reversible,
  }
  const { action, resource, scope } = effect
  const named = [action, resource.type, resource.name, scope] as const
  if (more === undefined) return named
  const asked = Object.entries(whole).filter(([key]) => key in more)
  return [...named, Object.fromEntries(asked)] as unknown as Expected
}
