import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { OpaPolicyHost } from '../../src/opa/host.ts'
import { largestInput, typicalInput } from '../../src/opa/sample.ts'
import { defaultBundle, inputSchema, shippedPolicies } from '../../src/opa/shipped.ts'
import { verdictOf } from '../../src/policy/raw-verdict.ts'
import type { BundleRow } from '../../src/policy/bundle.ts'
import { compiled, decision } from '../support/rego.ts'

const rego = new URL('../../rego/', import.meta.url).pathname
const now = new Date('2026-01-01T00:00:00Z')

async function bundle(id: string, body: string): Promise<BundleRow> {
  return {
    id,
    name: id,
    revision: 'r1',
    extends: null,
    state: 'candidate',
    digest: `sha256:${'0'.repeat(64)}`,
    postedAt: now,
    postedBy: 'ci',
    activatedAt: null,
    report: { findings: [], weaker: [], tests: { passed: 0, failed: 0 } },
    files: {},
    wasm: await compiled(decision(body)),
    data: '{}',
    listed: [],
  }
}

const verdict = (message: string): string =>
  `decision := {"verdict": "deny", "reasons": [{"rule": "x", "severity": "low", "effect": null, "message": "${message}", "controls": []}], "masks": [], "obligations": []}`

describe('the default bundle', () => {
  test('is compiled as committed, loads without a compiler, and judges', async () => {
    const host = new OpaPolicyHost()
    expect(host.inForce()).toBeNull()
    const row = defaultBundle(rego, now)
    expect((await host.load(row)).evaluationMicros).toBeGreaterThan(0)
    await host.swap(row)
    const policy = host.inForce()
    expect(policy?.ref).toEqual({ bundle: 'default', revision: row.revision, digest: row.digest })
    expect(policy?.listed.has('sql.bulk_delete')).toBe(true)
    expect(policy?.listed.has('command.malformed')).toBe(true)
    const raw = (await policy?.evaluate([typicalInput(), largestInput()])) ?? []
    expect(raw.map(({ ok }) => ok)).toEqual([true, true])
    for (const one of raw) {
      const { reasons } = verdictOf(one, { effects: 256, lineage: null })
      expect(reasons[0]?.rule).not.toBe('policy.ill_typed')
    }
  })

  test.each(['default.policy.wasm', 'default/data.json', 'default.manifest.json'])(
    'is refused when %s is not what was committed',
    (file) => {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-test-'))
      try {
        cpSync(rego, folder, { recursive: true })
        const path = join(folder, file)
        const text = readFileSync(path, 'latin1')
        const changed = file.endsWith('.wasm') ? `${text}\0` : text.replace('sql.drop"', 'sql.dropped"')
        expect(changed).not.toBe(text)
        writeFileSync(path, changed, 'latin1')
        expect(() => defaultBundle(folder, now)).toThrow('is not the committed')
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )

  test('has data that fits its own schema', () => {
    const shipped = shippedPolicies(rego)
    expect(shipped.checkData(shipped.data)).toEqual([])
    expect(shipped.checkData({ ...shipped.data, enviroments: {} })[0]?.message).toContain('enviroments')
  })
})

test('what bundles are measured with are inputs as the service makes them', () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(
    JSON.parse(inputSchema(rego)) as object,
  )
  for (const { json } of [typicalInput(), largestInput()]) {
    validate(JSON.parse(json))
    // The schema is for the compiler's type checker, which has no word for "an object or null".
    expect((validate.errors ?? []).filter(({ keyword }) => keyword !== 'type')).toEqual([])
  }
  expect(largestInput().effects).toBe(256)
})

describe('a policy host', () => {
  test('swaps for the next decision; one that began before ends with its own bundle', async () => {
    const host = new OpaPolicyHost()
    await host.swap(await bundle('one', verdict('one')))
    const before = host.inForce()
    const pending = before?.evaluate([typicalInput()])
    await host.swap(await bundle('two', verdict('two')))
    expect(JSON.stringify(await pending)).toContain('"message":"one"')
    expect(before?.ref.bundle).toBe('one')
    expect(JSON.stringify(await host.inForce()?.evaluate([typicalInput()]))).toContain('"message":"two"')
  })

  test.each([
    ['is no policy', async () => ({ ...(await bundle('x', verdict('x'))), wasm: Uint8Array.of(0) })],
    ['is not compiled', async () => ({ ...(await bundle('x', verdict('x'))), wasm: null })],
    [
      'faults on a usual input',
      () => bundle('x', 'decision := 1 if input.actor\n\ndecision := 2 if input.time'),
    ],
    [
      'is too slow',
      () =>
        bundle(
          'x',
          'decision := count([1 | some a in numbers.range(1, 400); some b in numbers.range(1, 400); a + b < 0])',
        ),
    ],
    [
      'is too slow with many effects',
      () =>
        bundle(
          'x',
          'decision := count([1 | some a in input.intent.effects; some b in input.intent.effects; some c in input.intent.effects; a.limit + b.limit + c.limit < 0])',
        ),
    ],
  ])('refuses a bundle that %s, and keeps the one in force', async (_name, row) => {
    const host = new OpaPolicyHost()
    await host.swap(await bundle('good', verdict('good')))
    await expect(host.load(await row())).rejects.toMatchObject({ code: 'bundle.invalid' })
    expect(host.inForce()?.ref.bundle).toBe('good')
  })
})
