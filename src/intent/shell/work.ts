/** The state of one analysis: what was found, and where in the command one is. */
import type { Function as FunctionNode, Statement } from 'unbash'
import type { AnalysisContext, Unseen } from '../analysis.ts'
import type { Effect, EffectSeed, Endpoint, OpaqueCode } from '../intent.ts'
import type { Field } from './field.ts'
import type { Stream } from './stream.ts'

/** `sh` is some POSIX shell: where dash and bash differ, nothing is believed. */
export type Dialect = 'bash' | 'sh'

/** What one analysis has found. Grows while the command is walked. */
export interface Work {
  readonly ctx: AnalysisContext
  /** The command's own text; its words when it came as an argv. */
  readonly sources: readonly string[]
  /** Whether what the shell keeps can be met by a later command. */
  readonly lasting: boolean
  /** The shell process that reads the command itself; null for an argv. */
  outermost: Shell | null
  readonly effects: Effect[]
  readonly unseen: Unseen[]
  /** The first command that neither changed nor read anything: the effect when there is no other. */
  harmless: string | null
  /** Paths that became links or mounts by this command: names below them lie. */
  readonly linked: string[]
  /** Strings that must be seen by nobody. */
  readonly secrets: Set<string>
  readonly languages: Set<string>
  readonly engine: Engine
  /** Functions whose body is being walked. */
  readonly active: Set<FunctionNode>
  statements: number
  /** Commands inside commands, and terms inside terms, at this moment. */
  nesting: number
}

/** How the parts of the walk call each other without importing each other. */
export interface Engine {
  /** Runs statements in the frame's shell; its output. */
  statements(frame: Frame, statements: readonly Statement[]): Stream
  /** Runs a command whose words are already expanded: a function, builtin or program. */
  argv(frame: Frame, argv: readonly Field[]): Stream
  /** The same, past functions and builtins: what another program starts. */
  program(frame: Frame, argv: readonly Field[]): Stream
  /** Parses and runs text in the frame's shell. */
  source(frame: Frame, text: string): Stream
  /** Parses one word and expands it. */
  word(frame: Frame, text: string): readonly Field[]
}

/** One shell process: what it remembers between its commands. */
export interface Shell {
  /** All text that this process reads: a name is constant if this assigns it once. */
  text: string
  /** Null: not known and never was; with a hole: not known after a `cd`. */
  cwd: string | null
  /** Where one was before the last `cd`, and still is if it failed. */
  cwdBefore: string | null
  /** Whether a `cd` may have failed. */
  cwdDoubt: boolean
  readonly variables: Map<string, Field>
  readonly exported: Map<string, Field>
  readonly functions: Map<string, FunctionNode>
  /** Null: whatever the caller gave. */
  positional: readonly Field[] | null
  /** Whether `set -e` is on. */
  stopsOnError: boolean
  /** A variable that was set and changes which code commands run. */
  hijacked: string | null
  /** Names found constant or numeric, or not. */
  readonly proven: Map<string, boolean>
  /** Its text without quoting, once it was asked for. */
  bare: string | null
}

/** Where one is: what surrounds the command in hand. Never changed, only derived from. */
export interface Frame {
  readonly work: Work
  readonly shell: Shell
  readonly dialect: Dialect
  readonly via: readonly string[]
  readonly runAs: string | null
  readonly endpoint: Endpoint | null
  /** Name of the machine that paths are on, when it is not the target: `host:path`. */
  readonly host: string | null
  readonly conditional: boolean
  readonly deferred: boolean
  /** How often it runs; null: not known. */
  readonly repeat: number | null
  /** Runs exactly once, in order, in the shell process itself: what it assigns holds afterwards. */
  readonly straight: boolean
  /** Texts inside texts, and functions inside functions. */
  readonly depth: number
  /** Offsets of the outermost simple command; null for an argv. */
  readonly span: readonly [number, number] | null
  readonly stdin: Stream
  /** Variables that a prefix or `env` gave this one command. */
  readonly environment: ReadonlyMap<string, Field> | null
}

/** Reports one effect, with all that the frame adds to it. Hot: one literal, no spreading. */
export function emit(frame: Frame, seed: EffectSeed): Effect {
  const { resource } = seed
  const times = multiplied(seed, frame.repeat)
  const found: Effect = {
    action: seed.action,
    resource: {
      system: resource.system,
      type: resource.type,
      name: resource.name,
      schema: or(resource.schema, null),
      columns: or(resource.columns, []),
    },
    scope: times.scope,
    why: times.why,
    limit: times.limit,
    predicate: null,
    reversible: or(seed.reversible, 'unknown'),
    destination: or(seed.destination, null),
    privilege: privilegeOf(frame, seed),
    sensitivity: or(seed.sensitivity, 'none'),
    cascade: null,
    deferred: frame.deferred || seed.deferred === true,
    conditional: frame.conditional,
    confidence: or(seed.confidence, 'exact'),
    via: frame.via as string[],
    span: frame.span as Effect['span'],
    endpoint: seed.endpoint ?? frame.endpoint,
  }
  keep(frame, found)
  return found
}

/** Several times what an intent holds: the rest only adds to a reason that is there already. */
const effectsAtMost = 1024

function keep(frame: Frame, found: Effect): void {
  const { effects, ctx } = frame.work
  ctx.spend(1)
  if (effects.length < effectsAtMost) effects.push(found)
  else if (effects.length === effectsAtMost) {
    effects.push(found)
    unseen(frame, 'node_limit', `more than ${effectsAtMost} effects`)
  }
}

function or<T>(value: T | undefined, otherwise: T): T {
  return value === undefined ? otherwise : value
}

function privilegeOf(frame: Frame, seed: EffectSeed): Effect['privilege'] {
  if (frame.runAs === null) return seed.privilege ?? null
  const own = seed.privilege ?? { grantee: null, privileges: [], on: null, level: null, run_as: null }
  return { ...own, run_as: own.run_as ?? frame.runAs }
}

type Extent = Pick<Effect, 'scope' | 'limit' | 'why'>

/** A limit counts once for each time round; without a count there is none. */
function multiplied(seed: EffectSeed, repeat: number | null): Extent {
  const { scope } = seed
  const once: Extent = { scope, limit: or(seed.limit, null), why: or(seed.why, '') }
  if (repeat === 1 || (scope !== 'single' && scope !== 'bounded')) return once
  const count = scope === 'single' ? 1 : once.limit
  // One directory that a build makes again is no more when it is removed twice.
  if (count === null) return once
  if (repeat === null) return { scope: 'bulk', limit: null, why: 'repeated' }
  return { scope: 'bounded', limit: count * repeat, why: 'repeated' }
}

/** Far more than are kept: any of them is enough. */
const reasonsAtMost = 1024

/** Reports something that could not be seen; without an effect it is about the whole command. */
export function unseen(frame: Frame, code: OpaqueCode, detail: string, about: Effect | null = null): void {
  if (frame.work.unseen.length >= reasonsAtMost) return
  frame.work.unseen.push({ code, via: [...frame.via], effect: about, detail })
}

/** An effect that is opaque, and why. */
export function opaque(frame: Frame, seed: EffectSeed, code: OpaqueCode, detail: string): Effect {
  const found = emit(frame, { ...seed, confidence: 'opaque' })
  unseen(frame, code, detail, found)
  return found
}

/** A program of which nothing more can be said than that it runs. */
export function opaqueProgram(frame: Frame, name: string, code: OpaqueCode, detail: string): Effect {
  const resource = { system: 'host', type: 'program', name }
  return opaque(frame, { action: 'execute', resource, scope: 'unknown' }, code, detail)
}

/** A construct that dash and bash read differently: in `sh` nothing of the command is believed. */
export function divergent(frame: Frame, what: string): void {
  if (frame.dialect === 'sh') unsupported(frame, `dash and bash read ${what} differently`)
}

/** A construct that this analysis does not follow. Reported once. */
export function unsupported(frame: Frame, what: string): void {
  const had = frame.work.unseen.some((u) => u.code === 'unsupported_syntax' && u.detail === what)
  if (!had) unseen(frame, 'unsupported_syntax', what)
}

/** Something that later commands of the same session read differently for. */
export function keeps(frame: Frame, kind: string, name: string): void {
  if (!frame.work.lasting || frame.shell !== frame.work.outermost) return
  const resource = { system: 'host', type: 'session', name: `${kind} ${name}` }
  emit(frame, { action: 'config', resource, scope: 'single', why: 'outlives_the_command', reversible: 'yes' })
}

/** A command changes and reads nothing: that is worth an effect only when there is no other. */
export function nothing(frame: Frame, name: string): void {
  frame.work.harmless ??= name
}
