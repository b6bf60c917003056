/**
 * What goes into an analysis and what comes out, and the pieces that the languages share: the
 * context that they analyse in, the children that one language hands to another, and the fragment
 * that each gives back.
 */
import type { Command, Facts } from '../action/action.ts'
import type { Effect, Endpoint, Intent, Lineage, OpaqueCode } from './intent.ts'

/** A command and all that may be believed about where it runs. The cache key of an analysis is all of this. */
export interface AnalysisRequest {
  readonly command: Command
  readonly target: AnalysisTarget
}

/** The target after pins and facts were merged. */
export interface AnalysisTarget {
  readonly system: string
  readonly id: string
  /** Default schema of a bare name; null: the system's own (`public` in PostgreSQL). */
  readonly schema: string | null
  readonly cwd: string | null
  /** True when `schema` and `cwd` come from the bundle or a token with `target:facts`; else they prove nothing. */
  readonly placeTrusted: boolean
  /** Verified: each command runs in a session of its own. */
  readonly freshSession: boolean
  /** `{}` when nothing is known. Everything here is believed. */
  readonly facts: Facts
}

/** A place in the command that holds a secret: a JSON pointer into the command (`/text`, `/argv/3`) and UTF-16 offsets. */
export interface SecretSpan {
  readonly pointer: string
  readonly start: number
  /** One past the last. */
  readonly end: number
}

export interface Analysis {
  readonly intent: Intent
  /** Where the result's columns come from; null where there is no result, or none that could be followed. */
  readonly lineage: Lineage | null
  readonly secrets: readonly SecretSpan[]
}

/** Something unseen: `effect` is the effect object of this fragment that it is about; null: the whole command. */
export interface Unseen {
  readonly code: OpaqueCode
  readonly via: readonly string[]
  readonly effect: Effect | null
  readonly detail: string
}

/** What one language found in one text. */
export interface Fragment {
  readonly effects: readonly Effect[]
  readonly unseen: readonly Unseen[]
  readonly lineage: Lineage | null
  /**
   * Offsets in this fragment's own text, or in the argument that `argv` counts to; the parent moves
   * or drops them. Pointer is set by the root.
   */
  readonly secrets: readonly { readonly start: number; readonly end: number; readonly argv?: number }[]
  readonly parse: Intent['parse']
  /** Languages met, itself and its children: `sql.postgresql`, `shell.bash`. */
  readonly languages: readonly string[]
  /** True when every effect is a dry run's. */
  readonly dryRun: boolean
}

/** A command inside a command. */
export interface Child {
  readonly command:
    | {
        readonly language: 'sql'
        readonly dialect: string
        readonly text: string
        readonly parameters?: unknown
      }
    /** `dialect: 'sh'` means some POSIX shell: what dash and bash read differently is read both ways. */
    | { readonly language: 'shell'; readonly dialect: 'bash' | 'sh'; readonly text: string }
    | { readonly language: 'shell'; readonly argv: readonly string[] }
    | { readonly language: string; readonly text: string }
  /** Added in front of each effect's `via`: `['sudo', 'psql']`. */
  readonly via: readonly string[]
  /** Where it lands, if the command says so (`-h`, `ssh host`); null: the target itself. */
  readonly endpoint: Endpoint | null
  readonly runAs: string | null
  /** The system that its effects are on, when not the target's own (`psql` from a host: `postgresql`). */
  readonly system: string | null
  /** Null: the parent's. Unknown directories are null too, with `placeTrusted` false. */
  readonly cwd?: string | null
  readonly conditional: boolean
  /** How often it runs: 1, a constant count, or null for an unknown number of times (loops, xargs). */
  readonly repeat: number | null
}

/** What a language analyser is given beside its text. */
export interface AnalysisContext {
  readonly target: AnalysisTarget
  readonly parsers: Parsers
  readonly command: Command
  /** Analyses a command inside this one, under the same budget. Never throws for hostile input. */
  child(child: Child): Fragment
  /** Counts work: statements, tree nodes, loop turns. Throws `BudgetExceeded`, which the root turns into one opaque effect. */
  spend(nodes: number): void
  /** Counts bytes made by decoding or folding, against their own limit. Throws as `spend`. */
  spendBytes(bytes: number): void
  /** Present parameters of the root command, for proofs by bound values. */
  readonly parameters: unknown
}

/** Parse functions, handed in so that this folder stays pure. They throw on a syntax error. */
export interface Parsers {
  /** libpg-query's `parseSync`: the protobuf JSON of PostgreSQL's parse tree. */
  readonly postgres: (sql: string) => unknown
  /** libpg-query's `parsePlPgSQLSync` of a `DO` or `CREATE FUNCTION` statement. */
  readonly plpgsql: (sql: string) => unknown
  /** libpg-query's scanner: tokens with byte offsets, for secret spans and comments; may be absent. */
  readonly postgresScan: (sql: string) => unknown
  /** unbash's `parse`. */
  readonly bash: (text: string) => unknown
}

/** Thrown by `spend`; caught by the root only. */
export class BudgetExceeded extends Error {
  readonly code: Extract<OpaqueCode, 'time_limit' | 'node_limit' | 'size_limit' | 'depth_limit'>

  constructor(code: BudgetExceeded['code'], message: string) {
    super(message)
    this.name = 'BudgetExceeded'
    this.code = code
  }
}

/** Limits that a caller can reach; reaching one is an opaque effect with its code. */
export const limits = {
  textBytes: 65_536,
  depth: 8,
  decodedBytes: 262_144,
  statements: 200,
  effects: 256,
  nodes: 200_000,
  milliseconds: 150,
} as const
