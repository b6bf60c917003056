/** The question: who wants to run what, on which target, in which context. */
import type { components } from '../contract/openapi.d.ts'

type Schemas = components['schemas']

/** The whole question, as the contract has it. Optional members are absent, never undefined. */
export type Action = Schemas['DecideRequest']
export type Actor = Schemas['Actor']
export type ActorType = Schemas['ActorType']
export type Command = Schemas['Command']
export type KnownCommand = Schemas['KnownCommand']
export type Target = Schemas['Target']
/** What is known about a target, after bundle and request were merged. */
export type Facts = Schemas['Facts']
export type TableFacts = Schemas['TableFacts']

/** Who called the service (from the token), not who acts. */
export interface Caller {
  /** Issuer of the token. */
  readonly issuer: string
  /** Subject of the token. */
  readonly id: string
  readonly scopes: readonly string[]
}
