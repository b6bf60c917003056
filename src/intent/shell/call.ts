/** A command with its words expanded, as the tables of builtins, wrappers and programs receive it. */
import type { Field } from './field.ts'
import type { Options, Spec } from './options.ts'
import type { Stream } from './stream.ts'
import type { Frame } from './work.ts'

/** A command in hand. Its input is `frame.stdin`. */
export interface Call {
  readonly frame: Frame
  /** Without its directory. */
  readonly name: string
  readonly args: readonly Field[]
}

/** Says what a command does; the stream that it prints, or undefined for what its input and reads suggest. */
export type Handler = (call: Call) => Stream | undefined

/** A program whose flags were read. */
export interface Use extends Call {
  readonly options: Options
}

/** One program's row. */
export interface Program {
  readonly spec: Spec
  /** No flag of it can do more than its other words say: an unknown one is no reason to refuse. */
  readonly lenient: boolean
  readonly run: (use: Use) => Stream | undefined
}
