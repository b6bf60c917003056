/** A private folder on disk for one compilation, gone when it is over. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { tmpdir } from 'node:os'
import type { BundleFiles } from '../../policy/bundle.ts'

export interface Workspace {
  /** Home and temporary folder of the compiler. */
  readonly home: string
  /** Writes files below a new folder and gives its path. Throws on a path that leads out of it. */
  folder(name: string, files: BundleFiles): Promise<string>
  path(name: string): string
}

/** Does `work` in a folder that only this user may enter. */
export async function inWorkspace<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'countersign-rego-'))
  try {
    const home = join(root, 'home')
    await mkdir(home, { mode: 0o700 })
    return await work({
      home,
      path: (name) => join(root, name),
      folder: (name, files) => writeFiles(join(root, name), files),
    })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

async function writeFiles(folder: string, files: BundleFiles): Promise<string> {
  await mkdir(folder, { mode: 0o700 })
  for (const [path, text] of Object.entries(files)) {
    const place = join(folder, path)
    // The layout was checked long before; a file outside of the folder must be impossible, not unlikely.
    if (normalize(path) !== path || !place.startsWith(`${folder}/`))
      throw new Error('a path leads out of the bundle')
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    await writeFile(place, text, { mode: 0o600, flag: 'wx' })
  }
  return folder
}
