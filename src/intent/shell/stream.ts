/** What flows through a pipe, as far as it is known without running anything. */
import type { Effect } from '../intent.ts'

/** The data on a standard input or output. */
export interface Stream {
  /** The bytes as text, with `hole` where only run time knows; null: not known at all. */
  readonly text: string | null
  /** The URL that the data was fetched from, through whatever filters. */
  readonly remote: string | null
  /** The reads whose data may be in it. */
  readonly reads: readonly Effect[]
  /** True when it may hold data that no read effect stands for: a variable, a function's argument. */
  readonly unnamed: boolean
  /** False: the terminal, or whatever the caller of the command connects. */
  readonly connected: boolean
  /** True when it can only be a number. */
  readonly numeric: boolean
}

const base: Stream = {
  text: null,
  remote: null,
  reads: [],
  unnamed: false,
  connected: true,
  numeric: false,
}

/** Nothing was connected: the terminal, or what the caller has there. */
export const unconnected: Stream = { ...base, connected: false }
/** Connected, and always empty. */
export const empty: Stream = { ...base, text: '' }
/** Output that is not known but holds nothing that was read. */
export const plain: Stream = base
/** Output that is not known, and may hold anything. */
export const unnamed: Stream = { ...base, unnamed: true }
/** Output that can only be a number. */
export const number: Stream = { ...base, numeric: true }

/** Known data. */
export function known(text: string): Stream {
  return { ...base, text }
}

/** Data fetched from a URL. */
export function fetched(url: string): Stream {
  return { ...base, remote: url }
}

/** Reads that are followed by name; what is more is data of unknown origin. */
const readsAtMost = 64

/** The stream with more reads in it. */
export function withReads(stream: Stream, more: readonly Effect[]): Stream {
  if (more.length === 0) return stream
  const reads = stream.reads.length === 0 ? more : [...stream.reads, ...more]
  if (reads.length <= readsAtMost) return { ...stream, reads }
  return { ...stream, reads: reads.slice(0, readsAtMost), unnamed: true }
}

/** The data of both, in no known order. */
export function joined(one: Stream, other: Stream): Stream {
  if (other === plain) return one.text === null ? one : { ...one, text: null }
  const both = {
    text: null,
    remote: one.remote ?? other.remote,
    reads: one.reads,
    unnamed: one.unnamed || other.unnamed,
    connected: one.connected || other.connected,
    numeric: false,
  }
  return withReads(both, other.reads)
}
