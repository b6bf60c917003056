/** The builtins that no program stands for, by name. */
import type { Handler } from '../call.ts'
import { inputBuiltins } from './input.ts'
import { quietBuiltins } from './quiet.ts'
import { runningBuiltins } from './running.ts'
import { stateBuiltins } from './state.ts'

export const builtins: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ...quietBuiltins,
  ...stateBuiltins,
  ...runningBuiltins,
  ...inputBuiltins,
])
