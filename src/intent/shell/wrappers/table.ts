/** Programs that run another command, by name. */
import type { Handler } from '../call.ts'
import { envWrappers } from './env.ts'
import { joiningWrappers } from './joining.ts'
import { prefixWrappers } from './prefix.ts'
import { privilegeWrappers } from './privilege.ts'
import { repeatWrappers } from './repeat.ts'
import { shellWrappers } from './shells.ts'
import { sshWrappers } from './ssh.ts'

export const wrappers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ...prefixWrappers,
  ...privilegeWrappers,
  ...envWrappers,
  ...joiningWrappers,
  ...repeatWrappers,
  ...shellWrappers,
  ...sshWrappers,
])
