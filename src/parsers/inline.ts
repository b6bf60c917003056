/**
 * Parsers on the main thread, for small input only. libpg-query is corrupted for good by a few dozen
 * inputs that overflow the stack. Measured on Node 20 with the shapes of the fuzz test: the parser
 * takes any of 8 KiB and fails first at 12 KB; the one for PL/pgSQL, which walks the tree with large
 * frames, takes any of 1.5 KB and fails first at 1.7 KB. What is larger, or would keep the main thread
 * busy, is put off to a worker.
 */
import { parse as parseBash } from 'unbash'
import type { Parsers } from '../intent/analysis.ts'
import { PostgresSyntaxError } from './postgres.ts'
import type { PostgresParser } from './postgres.ts'

/** UTF-16 units that are parsed on the main thread at most: a third of the smallest that ever overflowed. */
export const inlineLength = 4096
/** The same for PL/pgSQL. */
export const inlinePlpgsqlLength = 1024
/** Below it no shape takes more than about 2 ms. */
const alwaysShallow = 1024
/** Operators and brackets in a text above that: what nests, or is scanned more than once. */
const structureAtMost = 512

/** Parsers that put off what is not theirs, and the verdict on an analysis that used them. */
export interface InlineParsers {
  readonly parsers: Parsers
  /** Forgets the analysis before. */
  readonly begin: () => void
  /** True when something was put off, or a parser failed: the analysis is worth nothing, ask a worker. */
  readonly wasPutOff: () => boolean
  /** Microseconds that the parsers of this analysis took. */
  readonly parseMicros: () => number
}

interface InlineOptions {
  readonly first: PostgresParser
  /** Makes another instance. */
  readonly renew: () => Promise<PostgresParser>
  /** After so many parses an instance is replaced, for what it may have leaked. */
  readonly recycleAfter: number
}

/** Thrown to end an analysis that belongs into a worker. */
class PutOff extends Error {}

/** Parsers for the main thread. A failed instance is never entered again; until there is another, all is put off. */
export function createInlineParsers(options: InlineOptions): InlineParsers {
  const postgres = renewable(options)
  let { putOff, micros } = unused

  const late = (): PutOff => {
    putOff = true
    return new PutOff('too large to be parsed on the main thread')
  }
  const guarded = (text: string, parse: (text: string) => unknown): unknown => {
    if (putOff || text.length > inlineLength || !isShallow(text)) throw late()
    const start = performance.now()
    try {
      return parse(text)
    } finally {
      micros += (performance.now() - start) * 1000
    }
  }
  const use = (sql: string, call: keyof PostgresParser): unknown =>
    guarded(sql, () => {
      try {
        return postgres((parser) => parser[call](sql))
      } catch (error) {
        if (!(error instanceof PostgresSyntaxError)) putOff = true
        throw error
      }
    })

  const parsers: Parsers = {
    postgres: (sql) => use(sql, 'parse'),
    plpgsql(sql) {
      if (sql.length > inlinePlpgsqlLength) throw late()
      return use(sql, 'plpgsql')
    },
    postgresScan: (sql) => use(sql, 'scan'),
    bash: (text) => guarded(text, parseBash),
  }
  const begin = (): void => {
    ;({ putOff, micros } = unused)
  }
  return { parsers, begin, wasPutOff: () => putOff, parseMicros: () => micros }
}

/** Nothing put off, no time spent. */
const unused = { putOff: false, micros: 0 }

/** Calls with the current instance, which is replaced after a fault and after many uses. */
function renewable({ first, renew, recycleAfter }: InlineOptions) {
  let current: PostgresParser | null = first
  let uses = 0
  let isRenewing = false

  const replace = (): void => {
    if (isRenewing) return
    isRenewing = true
    const settle = (parser: PostgresParser | null): void => {
      isRenewing = false
      uses = 0
      current = parser ?? current
    }
    renew().then(settle, () => settle(null))
  }

  return (parse: (parser: PostgresParser) => unknown): unknown => {
    if (current === null || ++uses > recycleAfter) replace()
    if (current === null) throw new PutOff('the parser is being replaced')
    try {
      return parse(current)
    } catch (error) {
      if (!(error instanceof PostgresSyntaxError)) {
        current = null
        replace()
      }
      throw error
    }
  }
}

/** Whether a text is short, or has few signs that nest or repeat. Linear. */
function isShallow(text: string): boolean {
  if (text.length <= alwaysShallow) return true
  let signs = 0
  for (let index = 0; index < text.length; index++) {
    if (isStructure(text.charCodeAt(index)) && ++signs > structureAtMost) return false
  }
  return true
}

const structure = new Set(Array.from('()[]{}+-*/%^<>=!~@#&|:.$`;?', (sign) => sign.charCodeAt(0)))

function isStructure(code: number): boolean {
  return code < 128 && structure.has(code)
}
