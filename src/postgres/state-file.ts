/**
 * What a replica last answered for, in its state folder: the database's owner can't remove a stream's
 * tail without this file saying so. One overwrite of a kept descriptor per batch; no fsync, since it
 * guards against the database, not against a power cut.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A place in a stream's chain. */
export interface ChainPlace {
  readonly counter: number
  /** Hexadecimal. */
  readonly digest: string
}

/** The file's content. */
export interface StreamState {
  readonly log: string
  readonly stream: string
  /** Null before the first batch. */
  readonly last: ChainPlace | null
  /** A batch whose fate was not known. */
  readonly unresolved: ChainPlace | null
}

/** One sector: written whole or not at all. */
const FILE_BYTES = 512
const NAME = 'stream-state.json'

/** The state that an earlier incarnation left, if any. */
export function readStreamState(folder: string): StreamState | null {
  try {
    return JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as StreamState
  } catch {
    return null
  }
}

/** Keeps the file of one incarnation. */
export class StateFile {
  private readonly file: number
  private readonly buffer = Buffer.alloc(FILE_BYTES)

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.file = openSync(join(folder, NAME), openFlags(folder), 0o600)
  }

  write(state: StreamState): void {
    this.buffer.fill(0x20)
    this.buffer.write(JSON.stringify(state), 0, 'latin1')
    writeSync(this.file, this.buffer, 0, FILE_BYTES, 0)
  }

  close(): void {
    closeSync(this.file)
  }
}

/** Overwrite an existing file in place, make a missing one. */
function openFlags(folder: string): 'r+' | 'w+' {
  return readStreamState(folder) === null ? 'w+' : 'r+'
}
