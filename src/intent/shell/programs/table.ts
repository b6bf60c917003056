/** Programs that are known, by name. A name that is not here is opaque. */
import type { Program } from '../call.ts'
import { accountPrograms } from './accounts.ts'
import { archivePrograms } from './archive.ts'
import { awkPrograms } from './awk.ts'
import { copyPrograms } from './copy.ts'
import { curlPrograms } from './curl.ts'
import { devicePrograms } from './device.ts'
import { filePrograms } from './files.ts'
import { findPrograms } from './find.ts'
import { modePrograms } from './mode.ts'
import { networkPrograms } from './network.ts'
import { printPrograms } from './print.ts'
import { psqlPrograms } from './psql.ts'
import { purePrograms } from './pure.ts'
import { readPrograms } from './read.ts'
import { remotePrograms } from './remote.ts'
import { sedPrograms } from './sed.ts'
import { systemPrograms } from './system.ts'
import { tarPrograms } from './tar.ts'
import { transformPrograms } from './transform.ts'
import { wgetPrograms } from './wget.ts'

export const programs: ReadonlyMap<string, Program> = new Map<string, Program>([
  ...purePrograms,
  ...printPrograms,
  ...readPrograms,
  ...transformPrograms,
  ...filePrograms,
  ...copyPrograms,
  ...modePrograms,
  ...findPrograms,
  ...sedPrograms,
  ...awkPrograms,
  ...tarPrograms,
  ...archivePrograms,
  ...systemPrograms,
  ...devicePrograms,
  ...accountPrograms,
  ...curlPrograms,
  ...wgetPrograms,
  ...networkPrograms,
  ...remotePrograms,
  ...psqlPrograms,
])
