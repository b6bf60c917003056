/** What the parts of the PostgreSQL analysis tell each other: the run, tables read, queries and proofs. */
import type { Facts, TableFacts } from '../../action/action.ts'
import type { AnalysisContext, Unseen } from '../analysis.ts'
import type { Effect, Lineage, Predicate, ResultColumn, Scope } from '../intent.ts'
import type { Node, SelectStmt, SubLink } from './tree.ts'

/** Where names resolve, and what is known of what they name. */
export interface Place {
  /** Schema of a bare name. */
  readonly schema: string
  /** False when the schema is only claimed: names are then guesses, and prove nothing. */
  readonly trusted: boolean
  /** Null: no catalogue is known. */
  readonly tables: Readonly<Record<string, TableFacts>> | null
  readonly functions: NonNullable<Facts['functions']>
  readonly internal: readonly string[]
}

/** How an effect comes about: through which languages, when, and how often. */
export interface Mode {
  readonly via: readonly string[]
  /** Stored now, run later. */
  readonly deferred: boolean
  readonly conditional: boolean
  /** How often: null for an unknown number of times. */
  readonly repeat: number | null
  /** The text has holes, filled at run time. */
  readonly template: boolean
}

/** A setting or object of the session that outlives a statement of the text. */
export interface Session {
  /** Name of what changed how later text is read; null: nothing did. */
  changed: string | null
  /** The statement at hand is in a transaction that this text begins and ends. */
  closed: boolean
  readonly prepared: Map<string, Node>
  readonly cursors: Set<string>
  readonly temporary: Set<string>
  readonly created: Set<string>
  /** Connections that dblink_connect opened: name to connection string. */
  readonly connections: Map<string, string>
}

/** A sensitive column that a result tells something about without showing it. */
export type Inference = Lineage['inference'][number] & { readonly read: TableRead }

/** What has been found so far; the only thing that changes while a text is read. */
export interface Findings {
  readonly effects: Effect[]
  readonly unseen: Unseen[]
  /** Tables read by the statement at hand; they become effects when it ends. */
  readonly reads: TableRead[]
  /** Results of statements that give rows. */
  readonly results: Lineage[]
  readonly inference: Inference[]
  /** Secret strings, as they are after unquoting. */
  readonly secrets: Set<string>
  /** Nesting of expressions and queries. */
  level: number
  /** Queries in expressions, by their node. */
  readonly sublinks: Map<SubLink, Shape>
}

/** Parts that call each other in circles, handed in once. */
export interface Engine {
  select(env: Environment, statement: SelectStmt): Shape
  /** SELECT or DML that stands in a WITH or in COPY. */
  query(env: Environment, node: Node): Shape
  statement(run: Run, node: Node): void
  text(run: Run, text: string): boolean
}

/** One text under analysis. */
export interface Run {
  readonly ctx: AnalysisContext
  readonly engine: Engine
  readonly place: Place
  readonly mode: Mode
  readonly session: Session
  readonly findings: Findings
  /** Values for `$n`, where the text's own are known. */
  readonly parameters: unknown
  /** Variables of PL/pgSQL: constants to the statements in it. */
  readonly variables: ReadonlySet<string>
  /** Values of variables that are assigned once, by a constant. */
  readonly values: ReadonlyMap<string, Node>
  /** The statement's place in the command's text; null inside other texts. */
  readonly span: readonly [number, number] | null
  /** The statement's own text, for the parser of PL/pgSQL. */
  readonly source: string
  /** Texts in texts. */
  readonly depth: number
}

/** A table, view or sequence by its resolved name. */
export interface Relation {
  /** As effects name it: bare in the default schema. */
  readonly shown: string
  readonly schema: string
  readonly name: string
  readonly facts: TableFacts | null
  /** True when it is a guess where the name resolves. */
  readonly inferred: boolean
}

/** What is proven about how many rows of a table. */
export interface Proof {
  readonly scope: Scope
  readonly why: string
  readonly limit: number | null
  readonly predicate: Predicate | null
  readonly inferred: boolean
}

/** A table whose rows are read, or which is the target of a statement. */
export interface TableRead {
  readonly run: Run
  readonly relation: Relation
  /** Columns whose values are shown or compared. */
  readonly used: Set<string>
  whole: boolean
  /** By its own query. */
  proof: Proof
  /** By the queries around it. */
  outer: Proof | null
  /** True when two places use what is read, so that neither bounds it. */
  shared: boolean
}

/** A column of a table; `*` for the whole row. */
export interface ColumnUse {
  readonly read: TableRead
  readonly column: string
}

/** A column of a query's result. */
export interface Output {
  readonly name: string
  readonly kind: ResultColumn['kind']
  readonly uses: readonly ColumnUse[]
  /** The column that it passes on unchanged. */
  readonly plain: ColumnUse | null
}

/** What a query gives. */
export interface Shape {
  readonly outputs: readonly Output[]
  /** False: there may be other columns, with other names. */
  readonly complete: boolean
  /** Most rows; null: unknown. */
  readonly bound: number | null
  /** True when its rows come one by one from its tables, so that a condition on them bounds the tables. */
  readonly open: boolean
  /** Where it is open: most rows for each row of all its `reads` together; null: unknown. */
  readonly factor: number | null
  /** Tables that conditions from outside may bound. */
  readonly reads: readonly TableRead[]
  /** All that an unknown column might show. */
  readonly rest: readonly ColumnUse[]
  readonly correlated: boolean
  /** Could give other rows when run again within the statement. */
  readonly volatile: boolean
  /** Locks its rows: run again, it may pass over those that the statement has changed already. */
  readonly locks: boolean
}

/** An entry of a FROM list. */
export interface Source {
  readonly alias: string
  readonly read: TableRead | null
  readonly shape: Shape | null
  /** Names given to its columns, in order. */
  readonly columns: readonly string[]
  /** Reached only by its alias: `excluded`, `old`, `new`. */
  readonly hidden: boolean
}

/** A WITH entry; a linked list, innermost first. */
export interface Cte {
  readonly name: string
  readonly shape: Shape
  references: number
  readonly next: Cte | null
}

/** Where a query stands. */
export interface Environment {
  readonly run: Run
  readonly parent: Frame | null
  readonly ctes: Cte | null
}

/** Where in a query an expression stands. */
export type Clause = 'select' | Lineage['inference'][number]['place']

/** A query being read. */
export interface Frame {
  readonly run: Run
  readonly parent: Frame | null
  ctes: Cte | null
  readonly sources: Source[]
  readonly quals: Qual[]
  clause: Clause
  /** Columns met since somebody began to collect. */
  collected: ColumnUse[]
  /** What was met since then: a bind parameter, a query, a function whose result is not known. */
  met: { parameter: boolean; query: boolean; unknown: boolean; aggregate: boolean }
  aggregated: boolean
  windowed: boolean
  volatile: boolean
  correlated: boolean
  /** A join merges columns (USING, NATURAL): `*` has another order than its tables. */
  merged: boolean
  /** A full join keeps the rows of both sides: together there may be more than their product. */
  full: boolean
  /** Calls functions that give any number of rows. */
  multiplied: boolean
  /** Effects of function calls: once per row. */
  readonly calls: Effect[]
}

/** Equality of two columns, which links the rows of their sources. */
export interface End {
  readonly source: Source
  readonly use: ColumnUse | null
}

/** A condition, by what it proves. */
export type Cond =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'equal'; readonly use: ColumnUse; readonly dynamic: boolean }
  | {
      readonly kind: 'among'
      readonly read: TableRead
      readonly columns: readonly string[]
      readonly count: number
      readonly dynamic: boolean
      readonly why: string
      /** The values come from a query that may not stay the same. */
      readonly unsteady: boolean
    }
  | { readonly kind: 'link'; readonly ends: readonly [End, End] }
  | { readonly kind: 'holds'; readonly use: ColumnUse }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Cond[] }
  | {
      readonly kind: 'other'
      readonly range: boolean
      readonly uses: readonly ColumnUse[]
      readonly dynamic: boolean
      /** A query in it: it may say something about any table. */
      readonly query: boolean
    }

/** A condition and the tables that it restricts; null: all of the query's. */
export interface Qual {
  readonly cond: Cond
  readonly restricts: readonly TableRead[] | null
}
