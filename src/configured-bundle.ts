/** The bundle that the configuration names: the shipped one, or a folder or tarball that is compiled at the start. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { examinedBundle } from './admit-bundle.ts'
import { PdpError } from './errors.ts'
import { defaultBundle } from './opa/shipped.ts'
import type { PostedBundle } from './policy/admission.ts'
import { postedDigest, type BundleFinding, type BundleRow } from './policy/bundle.ts'
import type { Ports } from './ports.ts'

/**
 * The compiled bundle, not yet in force. Throws `bundle.invalid` with file, line and message of whatever
 * is wrong with it.
 *
 * @param location `default`, or the path of a folder or tarball
 */
export async function configuredBundle(
  ports: Ports,
  location: string,
  regoFolder: string,
): Promise<BundleRow> {
  const now = ports.clock.now()
  if (location === 'default') return defaultBundle(regoFolder, now)
  const post = postedFrom(ports, location)
  const digest = postedDigest(post.files, post.extends)
  const row = await examinedBundle(ports, {
    post,
    row: {
      id: '00000000-0000-7000-8000-000000000001',
      name: post.name,
      revision: post.revision ?? digest.slice('sha256:'.length, 'sha256:'.length + 12),
      extends: post.extends,
      state: 'received',
      digest: null,
      postedAt: now,
      postedBy: 'configuration',
      activatedAt: now,
      report: { findings: [], weaker: [], tests: { passed: 0, failed: 0 } },
      files: post.files,
      wasm: null,
      data: '{}',
      listed: [],
    },
  })
  if (row.state === 'rejected') throw new PdpError('bundle.invalid', told(location, row.report.findings))
  return { ...row, state: 'active' }
}

function postedFrom(ports: Ports, location: string): PostedBundle {
  const base = { name: basename(location), extends: 'default', activate: false } as const
  if (statSync(location).isDirectory()) {
    return { ...base, revision: null, files: filesBelow(location), findings: [] }
  }
  return { ...base, ...ports.archives.unpack(readFileSync(location)) }
}

function filesBelow(folder: string): Readonly<Record<string, string>> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && (entry.name.endsWith('.rego') || entry.name === 'data.json'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  return Object.fromEntries(
    paths.toSorted().map((path) => [path.split(sep).join('/'), readFileSync(join(folder, path), 'utf8')]),
  )
}

function told(location: string, findings: readonly BundleFinding[]): string {
  const lines = findings.map(({ step, file, line, test, message }) => {
    const place = [file, line].filter((part) => part !== undefined).join(':')
    return `  ${[step, place, test, message].filter((part) => part !== undefined && part !== '').join(': ')}`
  })
  return [`the bundle ${location} can't be used:`, ...lines].join('\n')
}
