/** One word of a command after expansion, with what is not known about it. */
import type { Stream } from './stream.ts'

/** Stands for text that only run time knows. A command that holds it itself is refused. */
export const hole = '\uFFFC'

/** A word as the program receives it. */
export interface Field {
  /** Its text, `hole` for each unknown part. */
  readonly text: string
  readonly dynamic: boolean
  /** May become no word at all, or several. */
  readonly open: boolean
  /** Has an unquoted glob: stands for the paths that match. */
  readonly glob: boolean
  /** A leading `~` that the shell expands. */
  readonly tilde: boolean
  /** What the commands and variables in it bring along; null: nothing. */
  readonly data: Stream | null
  /** A process substitution: `in` is `<(…)`, which `data` can be read from. */
  readonly pipe: 'in' | 'out' | null
  /** UTF-16 offsets in the text that it stands in. */
  readonly start: number
  readonly end: number
}

/** A word that is exactly this text. */
export function literal(text: string, start = 0, end = 0): Field {
  return { text, dynamic: false, open: false, glob: false, tilde: false, data: null, pipe: null, start, end }
}

/** A word of which nothing is known. */
export function anything(data: Stream | null, open = false): Field {
  return { text: hole, dynamic: true, open, glob: false, tilde: false, data, pipe: null, start: 0, end: 0 }
}

/** The word with other text; globs, tilde and unknown parts are judged anew. */
export function withText(field: Field, text: string): Field {
  return { ...field, text, dynamic: text.includes(hole), tilde: field.tilde && text.startsWith('~') }
}

/** For people and policies: unknown parts are named as such. */
export function shown(text: string): string {
  return text.includes(hole) ? text.replaceAll(hole, '*unknown*') : text
}
