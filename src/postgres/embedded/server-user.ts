import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PdpError } from '../../errors.ts'

/** Environment of every server program: nothing of ours, so that no `PG*` variable reaches them. */
const SERVER_ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
} as const

/** A program as it must be spawned. */
interface Command {
  readonly file: string
  readonly args: string[]
  readonly options: { readonly env: Record<string, string>; readonly uid?: number; readonly gid?: number }
}

/** As whom the server runs. PostgreSQL refuses root, and wants a user that the system knows by name. */
export interface ServerUser {
  readonly how: 'as we are' | 'user namespace' | 'unprivileged user'
  command(program: string, args: readonly string[]): Command
  /** Gives a file or folder that we made to the server's user. */
  own(path: string): void
  /** The folder for clusters, made if it is missing. */
  readonly home: string
}

export interface ServerUserOptions {
  /** The folder that was asked for; used unless the server's user can't enter it. */
  readonly folder: string
  /** Where folders for a server that can't enter the one asked for are made. */
  readonly sharedFolder: string
  readonly userNamespaces: boolean
}

/**
 * Finds out as whom the server can run. As root (or as a user without a name) a user namespace lets
 * it appear as an ordinary user while it still owns our files; where namespaces are off, root hands
 * the cluster to an unprivileged account, in a folder which that account can reach.
 */
export function serverUser(options: ServerUserOptions): ServerUser {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const uid = process.getuid?.() ?? -1
  const accounts = readAccounts()
  if (uid !== 0 && (accounts.length === 0 || accounts.some((account) => account.uid === uid))) {
    return plainUser(options.folder)
  }
  const namespaced = options.userNamespaces ? namespacedUser(accounts, options) : undefined
  if (namespaced !== undefined) return namespaced
  if (uid !== 0) {
    throw new PdpError(
      'config.invalid',
      `PostgreSQL can't run as user ${uid}, which has no entry in /etc/passwd, and user namespaces are off: run as a named user, or set DATABASE_URL`,
    )
  }
  return unprivilegedUser(accounts, options)
}

interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

function readAccounts(): readonly Account[] {
  if (process.platform !== 'linux') return []
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}

function plainUser(home: string): ServerUser {
  return {
    how: 'as we are',
    command: (file, args) => ({ file, args: [...args], options: { env: SERVER_ENV } }),
    own: () => undefined,
    home,
  }
}

function namespacedUser(accounts: readonly Account[], options: ServerUserOptions): ServerUser | undefined {
  // initdb asks for the name behind its number, so the number must be one that the system knows.
  const inner = accounts.find(({ uid }) => uid === 1000) ?? accounts.find(({ uid }) => uid > 0)
  if (inner === undefined) return undefined
  const flags = ['--user', `--map-user=${inner.uid}`, `--map-group=${inner.uid}`, '--']
  const command = (program: string, args: readonly string[]): Command => ({
    file: 'unshare',
    args: [...flags, program, ...args],
    options: { env: SERVER_ENV },
  })
  if (!succeeds(command('true', []))) return undefined
  // In the namespace root's privileges over other people's folders are gone.
  const enters = succeeds(command('test', ['-w', options.folder]))
  const home = enters ? options.folder : folderInstead(options)
  return { how: 'user namespace', command, own: () => undefined, home }
}

function unprivilegedUser(accounts: readonly Account[], options: ServerUserOptions): ServerUser {
  const account =
    accounts.find(({ name }) => name === 'postgres') ?? accounts.find(({ name }) => name === 'nobody')
  if (account === undefined) {
    throw new PdpError(
      'config.invalid',
      'PostgreSQL does not run as root, user namespaces are off, and there is no account postgres or nobody: run as another user, or set DATABASE_URL',
    )
  }
  const { uid, gid } = account
  const home = folderInstead(options)
  chownSync(home, uid, gid)
  return {
    how: 'unprivileged user',
    command: (file, args) => ({ file, args: [...args], options: { env: SERVER_ENV, uid, gid } }),
    own: (path) => chownSync(path, uid, gid),
    home,
  }
}

/** The same folder for the same place asked for, so that the next start finds its cluster. */
function folderInstead({ folder, sharedFolder }: ServerUserOptions): string {
  const name = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16)
  const home = join(sharedFolder, name)
  if (!existsSync(sharedFolder)) mkdirSync(sharedFolder, { recursive: true, mode: 0o711 })
  mkdirSync(home, { recursive: true, mode: 0o700 })
  return home
}

function succeeds({ file, args, options }: Command): boolean {
  try {
    execFileSync(file, args, { ...options, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
