/**
 * src -> dist: strips types file by file and only where something changed, so that a start costs
 * milliseconds. Types are checked by `npm run types`, not here.
 *
 * Plain JavaScript, because it makes the JavaScript that everything else runs from.
 */
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'src')
const target = join(root, 'dist')

const options = {
  swcrc: false,
  configFile: false,
  sourceMaps: false,
  jsc: { target: 'es2023', parser: { syntax: 'typescript' }, rewriteRelativeImportExtensions: true },
  module: { type: 'es6' },
}

/**
 * Brings dist up to date.
 *
 * @returns {Promise<number>} how many files were written; rejects, after writing the others, when some don't parse
 */
export async function build() {
  const files = await filesBelow(source)
  const wanted = new Map(files.map((file) => [outputOf(file.path), file]))
  const built = await filesBelow(target)
  const builtAt = new Map(built.map((file) => [file.path, file.changedMs]))
  const recipeMs = (await stat(fileURLToPath(import.meta.url))).mtimeMs
  const stale = [...wanted].filter(
    ([output, file]) => (builtAt.get(output) ?? 0) < Math.max(file.changedMs, recipeMs),
  )
  const swc = stale.length > 0 ? await loadSwc(built.length > 0) : undefined
  if (swc === undefined) return 0
  const results = await Promise.allSettled(stale.map(([output, file]) => writeOutput(swc, file.path, output)))
  const gone = built.filter((file) => !wanted.has(file.path))
  await Promise.all(gone.map((file) => rm(join(target, file.path), { force: true })))
  const faults = results.flatMap((result) =>
    result.status === 'rejected' ? [String(result.reason.message)] : [],
  )
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return stale.length
}

/** An installation without development packages runs what was built before it was shipped. */
async function loadSwc(isBuilt) {
  try {
    return await import('@swc/core')
  } catch (error) {
    if (isBuilt) return undefined
    throw new Error('dist/ is missing and @swc/core is not installed: run npm ci (without --omit=dev)', {
      cause: error,
    })
  }
}

function outputOf(path) {
  return path.replace(/\.ts$/, '.js')
}

async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = entries.filter((entry) => entry.isFile() && !/\.d\.ts$|\.\d+\.tmp$/.test(entry.name))
  return Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath ?? entry.path, entry.name)
      return { path: relative(folder, path), changedMs: (await stat(path)).mtimeMs }
    }),
  )
}

/** Written beside and renamed: whoever starts at the same time reads the old file or the whole new one. */
async function writeOutput(swc, path, output) {
  const destination = join(target, output)
  const draft = `${destination}.${process.pid}.tmp`
  await mkdir(dirname(destination), { recursive: true })
  const content = path.endsWith('.ts')
    ? (await swc.transformFile(join(source, path), options)).code
    : await readFile(join(source, path))
  await writeFile(draft, content)
  await rename(draft, destination)
}

async function main() {
  const started = performance.now()
  const written = await build()
  if (written > 0) {
    process.stdout.write(`dist: ${written} files in ${Math.round(performance.now() - started)} ms\n`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
}
