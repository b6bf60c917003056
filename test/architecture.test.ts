/** Who may import whom, and what pure code may not do: the tables of ARCHITECTURE.md, enforced. */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src')
const pure = ['action', 'intent', 'policy', 'grant', 'ledger', 'evidence']
const verbs = readdirSync(root).filter((name) =>
  /^(decide|judge|(explain|search|report|admit|issue|export|publish)[a-z-]*)\.ts$/.test(name),
)
const world = ['ports.ts', ...pure]
const everything = readdirSync(root)

/** Left: a folder or file directly below src. Everybody may import `contract` and `errors.ts` besides. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  'errors.ts': [],
  action: [],
  intent: ['action'],
  grant: ['action'],
  policy: ['action', 'intent', 'grant'],
  ledger: ['action', 'policy'],
  evidence: ['action', 'ledger'],
  'ports.ts': pure,
  ...Object.fromEntries(verbs.map((verb) => [verb, [...world, ...verbs]])),
  http: [...world, ...verbs],
  opa: world,
  parsers: world,
  postgres: world,
  signing: world,
  telemetry: [],
  'app.ts': ['http', 'telemetry', 'ports.ts'],
  'config.ts': ['config', 'ledger', 'signing'],
  config: ['ledger', 'signing'],
  'evaluation.ts': ['config.ts', 'evaluation', 'ledger', 'postgres', 'signing'],
  evaluation: ['signing'],
  'migrate.ts': ['config.ts', 'postgres'],
  'token.ts': ['config.ts', 'evaluation'],
  'service.ts': everything,
  'configured-bundle.ts': [...world, 'admit-bundle.ts', 'opa'],
  'version.ts': [],
  'main.ts': everything,
  'keys.ts': ['signing'],
  pep: [],
  auditor: ['ledger'],
}

const impure =
  /\b(async|await|Promise|Worker)\b|\b(process|console|performance)\.|\.then\(|\bset(Timeout|Interval)\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandom(UUID|Bytes|Int)\b/
const pureCrypto = ['createHash', 'createHmac', 'hash', 'timingSafeEqual', 'hkdfSync']

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.includes('/generated/'))

const topOf = (path: string): string => path.split('/')[0] ?? ''
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Code without comments; strings stay, since imports are strings. */
function codeOf(path: string): string {
  return textOf(path).replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$|(?<=[;,{}()\s])\/\/ .*$/gm, '')
}

function importsOf(path: string): readonly string[] {
  return [...codeOf(path).matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'([^']+)'/g)].map(
    ([, name]) => name ?? '',
  )
}

test('every folder and file of src has its row', () => {
  const without = [...new Set(files.map(topOf))].filter((top) => !(top in mayImport))
  expect(without).toEqual([])
})

test('imports go only where the table allows', () => {
  const forbidden = files.flatMap((path) =>
    importsOf(path)
      .filter((name) => name.startsWith('.'))
      .map((name) => posix.normalize(posix.join(posix.dirname(path), name)))
      .filter((target) => {
        const [from, to] = [topOf(path), topOf(target)]
        return from !== to && !['contract', 'errors.ts', ...(mayImport[from] ?? [])].includes(to)
      })
      .map((target) => `${path} imports ${relative('.', target)}`),
  )
  expect(forbidden).toEqual([])
})

test('pure folders have no clock, randomness, input, output or waiting', () => {
  const offences = files
    .filter((path) => pure.includes(topOf(path)))
    .flatMap((path) => {
      const code = codeOf(path).replaceAll(
        /'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/(?![/*])(?:[^/\\\n]|\\.)+\/[a-z]*(?=[\s.,;)\]])/g,
        "''",
      )
      const word = impure.exec(code)?.[0]
      return word === undefined ? [] : [`${path}: ${word}`]
    })
  expect(offences).toEqual([])
})

test('of Node, pure folders use hashing only', () => {
  const offences = files
    .filter((path) => pure.includes(topOf(path)))
    .flatMap((path) => {
      const modules = importsOf(path).filter((name) => name.startsWith('node:') && name !== 'node:crypto')
      const taken = /import \{([^}]*)\} from 'node:crypto'/.exec(codeOf(path))?.[1] ?? ''
      const names = taken.split(',').map((name) => name.trim())
      return [...modules, ...names.filter((name) => name !== '' && !pureCrypto.includes(name))].map(
        (what) => `${path}: ${what}`,
      )
    })
  expect(offences).toEqual([])
})

test('only config.ts reads the environment', () => {
  const readers = files.filter(
    (path) => /\bprocess\.env\b/.test(codeOf(path)) && !['pep', 'auditor'].includes(topOf(path)),
  )
  expect(readers).toEqual(['config.ts'])
})

test('npm checks what it installs: every package of the lock file has an integrity hash, and no script runs', () => {
  const lock = JSON.parse(readFileSync(join(root, '..', 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string; link?: boolean }>
  }
  const unchecked = Object.entries(lock.packages).filter(
    ([path, entry]) => path !== '' && entry.integrity === undefined,
  )
  expect(unchecked.map(([path]) => path)).toEqual([])
  expect(readFileSync(join(root, '..', '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m)
})
