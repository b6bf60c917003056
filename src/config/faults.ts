/** What can be wrong with one setting: each answers what to do about it, or nothing. */
import { accessSync, constants, existsSync, statSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { PdpError } from '../errors.ts'
import { isOrigin } from '../ledger/origin.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** linux/magic.h: TMPFS_MAGIC, RAMFS_MAGIC. */
const RAM_FILE_SYSTEMS = [0x01021994, 0x858458f6]

/** A folder that exists and can be written to, or can be made. */
export function folderFault(folder: string): string | undefined {
  try {
    const existing = nearestExisting(folder)
    accessSync(existing, constants.W_OK | constants.X_OK)
    if (statSync(existing).isDirectory()) return undefined
  } catch {
    // Told below.
  }
  return `${folder} can't be written to: choose another folder, or give this user access`
}

/** Whether what lies there is gone after a restart of the machine. */
export function isRamBacked(path: string): boolean {
  return RAM_FILE_SYSTEMS.includes(statfsSync(nearestExisting(path)).type)
}

/** Whether others may clean up there. */
export function isTemporary(path: string): boolean {
  const folders = [tmpdir(), '/tmp', '/var/tmp'].map((folder) => resolve(folder))
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`))
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path))
}

/** 0 means any free one. */
export function portFault(value: string): string | undefined {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? undefined : 'must be a number from 0 to 65535'
}

/** The log's own level names. */
export function logLevelFault(value: string): string | undefined {
  return LOG_LEVELS.includes(value) ? undefined : `must be one of ${LOG_LEVELS.join(', ')}`
}

/** Who may read the log. */
export function logEndpointsFault(value: string): string | undefined {
  return ['private', 'public'].includes(value) ? undefined : 'must be private or public'
}

/** One deployment is one tenant. */
export function tenantFault(value: string): string | undefined {
  return /^[a-z0-9][a-z0-9._-]{0,63}$/.test(value)
    ? undefined
    : 'must be 1 to 64 of a-z, 0-9, dot, dash, underscore'
}

/** Policies to start with. */
export function bundleFault(value: string): string | undefined {
  return value === 'default' ? undefined : pathFault(value)
}

/** A file or folder that exists. */
export function pathFault(value: string): string | undefined {
  return existsSync(value) ? undefined : `${value} does not exist`
}

/** The guard remembers what the log key has signed. */
export function guardFault(value: string): string | undefined {
  const path = resolve(value)
  const wrong = folderFault(dirname(path))
  if (wrong !== undefined) return wrong
  return isRamBacked(path) || isTemporary(path)
    ? `${path} is on temporary storage: a lost guard lets the log be rewound`
    : undefined
}

/** A name for the log that lasts (c2sp.org/tlog-checkpoint). */
export function originFault(value: string): string | undefined {
  if (value.startsWith('evaluation.invalid')) return 'is one of evaluation mode: choose a name that you own'
  // A port is a place, not a name, and the log outlives the place.
  return isOrigin(value) && !value.includes(':')
    ? undefined
    : 'must be a URL prefix without scheme and port, like log.example.com/countersign: lower case, no slash at its end, no blank, no plus'
}

/** A connection URL of PostgreSQL. */
export function databaseUrlFault(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  return url?.protocol === 'postgresql:' || url?.protocol === 'postgres:'
    ? undefined
    : 'must be a URL like postgresql://<login>@<host>/<database>'
}

/** Where the issuer publishes its keys. */
export function jwksFault(value: string): string | undefined {
  if (value.startsWith('https://')) return URL.canParse(value) ? undefined : 'is not a URL'
  if (/^[a-z]+:\/\//i.test(value) && !value.startsWith('file://')) {
    return 'must be an https URL or a file: whoever can change the key set on its way can make tokens'
  }
  return pathFault(value.startsWith('file://') ? new URL(value).pathname : value)
}

/** A key file as its reader finds it: format, and that nobody else may read it. */
export function keyFault(read: (path: string) => unknown): (path: string) => string | undefined {
  return (path) => {
    try {
      read(path)
      return undefined
    } catch (error) {
      return error instanceof PdpError ? `can't be used: ${error.message}` : `can't be read: ${path}`
    }
  }
}
