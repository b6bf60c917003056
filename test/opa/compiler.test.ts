import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OpaCompiler } from '../../src/opa/compiler.ts'
import { defaultContainment, runContained } from '../../src/opa/compiler/contained.ts'
import { publishedDigest, releaseUrl } from '../../src/opa/compiler/release.ts'
import { findCompiler, verifyToolchain } from '../../src/opa/compiler/toolchain.ts'
import { withLock } from '../../src/opa/compiler/lock.ts'
import { packageFindings } from '../../src/policy/admission.ts'
import { compilerOptions, decision, testCompiler } from '../support/rego.ts'

const base = decision('decision := {"verdict": "deny"}')
const own = (body: string): Record<string, string> => ({
  ...base,
  'bundle/own.rego': `package guardrails.own\n\n${body}\n`,
})

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The network, replaced: what the release's server answers. */
function replacedFetch(answer: (url: string) => Promise<Response>): { restore: () => void } {
  const original = globalThis.fetch
  globalThis.fetch = (url) => answer(url as string)
  return { restore: () => (globalThis.fetch = original) }
}

let folder: string

beforeAll(async () => {
  await testCompiler.toolchain()
  folder = await mkdtemp(join(tmpdir(), 'countersign-test-'))
}, 900_000)

afterAll(() => rm(folder, { recursive: true }))

describe('compiling', () => {
  test('gives the policy, the test count, and the ids that METADATA lists', async () => {
    const { findings, tests, compiled } = await testCompiler.compile({
      ...own(
        [
          '# METADATA',
          '# title: x',
          '# custom:',
          '#   rule: own.rule',
          '#   controls: ["soc2:CC6.1", "not a control", 7]',
          'deny contains "no" if input.bad',
        ].join('\n'),
      ),
      'bundle/own_test.rego':
        'package guardrails.own_test\n\ntest_one if data.guardrails.own.deny == {"no"} with input as {"bad": true}\n',
      'data.json': '{"a":1}',
    })
    expect(findings).toEqual([])
    expect(tests).toEqual({ passed: 1, failed: 0 })
    expect(compiled?.listed).toEqual(['own.rule', 'soc2:CC6.1'])
    expect(Buffer.from(compiled?.wasm.subarray(0, 4) ?? []).toString()).toBe('\u0000asm')
  })

  test('gives the same bytes for the same files, wherever it ran, whatever the data and the tests are', async () => {
    const files = own('deny contains "no" if input.bad')
    const [one, other] = await Promise.all([
      testCompiler.compile({ ...files, 'data.json': '{"thresholds":{"rows":1}}' }),
      testCompiler.compile({
        ...files,
        'bundle/a_test.rego': 'package guardrails.a_test\n\ntest_x if true\n',
      }),
    ])
    expect(Buffer.compare(one.compiled?.wasm ?? Buffer.of(1), other.compiled?.wasm ?? Buffer.of(2))).toBe(0)
  })

  test('names file and line of what does not parse or check, as they were posted', async () => {
    const { findings, compiled } = await testCompiler.compile(own('deny contains x if {\n  y := 1\n}'))
    expect(compiled).toBeNull()
    expect(findings[0]).toMatchObject({ step: 'check', file: 'own.rego', line: expect.any(Number) })
    const broken = await testCompiler.compile(own('deny contains }'))
    expect(broken.findings[0]).toMatchObject({ step: 'check', file: 'own.rego', line: 3 })
  })

  test('refuses a field that the input does not have', async () => {
    const schema = { type: 'object', additionalProperties: false, properties: { actor: { type: 'string' } } }
    const compiler = new OpaCompiler({ ...compilerOptions(), inputSchema: JSON.stringify(schema) })
    expect((await compiler.compile(own('deny contains "x" if input.actor == "a"'))).findings).toEqual([])
    const { findings } = await compiler.compile(own('deny contains "x" if input.actro == "a"'))
    expect(findings[0]).toMatchObject({
      step: 'check',
      file: 'own.rego',
      line: 3,
      message: expect.stringContaining('input.actro'),
    })
  })

  test.each([
    'http.send({"method": "get", "url": "http://127.0.0.1/"})',
    'opa.runtime()',
    'rand.intn("x", 10)',
    'net.lookup_ip_addr("localhost")',
    'yaml.unmarshal("a: 1")',
    'object.subset({1}, {1})',
    'io.jwt.decode("x")',
    'rego.parse_module("x", "y")',
    'uuid.rfc4122("x")',
  ])('refuses %s, in rules and in tests', async (call) => {
    const { findings, tests } = await testCompiler.compile({
      ...own(`deny contains "x" if ${call}`),
      'bundle/x_test.rego': `package guardrails.x_test\n\ntest_x if ${call}\n`,
    })
    expect(findings).toContainEqual({ step: 'check', file: 'own.rego', line: 3, message: expect.any(String) })
    expect(findings).toContainEqual({
      step: 'check',
      file: 'x_test.rego',
      line: 3,
      message: expect.any(String),
    })
    expect(tests).toEqual({ passed: 0, failed: 0 })
  })

  test('fetches nothing for a schema that a bundle refers to', async () => {
    const remote =
      '# METADATA\n# schemas:\n#   - input: {"$ref": "http://127.0.0.1:9/schema.json"}\ndeny contains "x" if input.y'
    const { findings, compiled } = await testCompiler.compile(own(remote))
    expect(compiled).toBeNull()
    expect(findings[0]?.message).toMatch(/not in allowed|remote reference|allow_net/i)
  })

  test('names the test that fails, and tells invariants from the tests of the bundle', async () => {
    const { findings, tests, compiled } = await testCompiler.compile({
      ...base,
      'bundle/x_test.rego': 'package guardrails.x_test\n\ntest_good if true\n\ntest_bad if 1 == 2\n',
      'invariants/i_test.rego':
        'package invariants\n\ntest_closed if data.countersign.decision.verdict == "allow"\n',
    })
    expect(compiled).toBeNull()
    expect(tests).toEqual({ passed: 1, failed: 2 })
    const byStep = [...findings].sort((a, b) => a.step.localeCompare(b.step))
    expect(byStep).toEqual([
      {
        step: 'invariants',
        file: 'invariants/i_test.rego',
        line: 3,
        test: 'invariants.test_closed',
        message: expect.any(String),
      },
      {
        step: 'test',
        file: 'x_test.rego',
        line: 5,
        test: 'guardrails.x_test.test_bad',
        message: expect.any(String),
      },
    ])
  })

  test('asks about packages as the compiler read them', async () => {
    const posted = {
      ...base,
      'bundle/a.rego': 'package countersign\n\nx := 1\n',
      'bundle/b.rego': 'package guardrails["own"].deep\n\nx := 1\n',
      'bundle/c.rego': '#package guardrails.own\npackage guardrails\n\nsql.deny contains "x"\n',
      'bundle/d.rego': 'package guardrails.taken\n\nx := 1\n',
      'bundle/e.rego': 'package guardrails["a.b"]\n\nx := 1\n',
      'bundle/f.rego': 'package system.authz\n\nx := 1\n',
    }
    const { findings, compiled } = await testCompiler.compile(posted, (modules) =>
      packageFindings(modules, new Set(['taken'])),
    )
    expect(compiled).toBeNull()
    expect(findings.every(({ step }) => step === 'layout')).toBe(true)
    const files = findings.map(({ file = '' }) => file)
    expect(new Set(files)).toEqual(new Set(['a.rego', 'c.rego', 'd.rego', 'f.rego']))
  })

  test('refuses to write outside of its folder', async () => {
    await expect(testCompiler.compile({ ...base, '../../evil.rego': 'package x' })).rejects.toThrow(
      'leads out',
    )
  })

  test('leaves nothing behind', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('countersign-rego-'))
    await testCompiler.compile(own('deny contains }'))
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('countersign-rego-'))
    expect(after.filter((name) => !before.includes(name))).toEqual([])
  })

  test('lets a bounded number of jobs wait', async () => {
    const compiler = new OpaCompiler({ ...compilerOptions(), waitingJobs: 1 })
    const jobs = [1, 2, 3].map(() => compiler.compile(base))
    const results = await Promise.allSettled(jobs)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    await expect(jobs[2]).rejects.toMatchObject({ code: 'caller.limit' })
  })

  test('stops a test that runs for ever', async () => {
    const limits = { ...defaultContainment, timeoutMs: 3_000 }
    const compiler = new OpaCompiler({ ...compilerOptions(), limits })
    const xs = 'numbers.range(1, 3000)'
    const { findings } = await compiler.compile({
      ...base,
      'bundle/x_test.rego': `package guardrails.x_test\n\ntest_slow if count([1 | some a in ${xs}; some b in ${xs}; some c in ${xs}; a + b + c < 0]) == 0\n`,
    })
    expect(findings[0]).toMatchObject({ step: 'test' })
  }, 60_000)
})

function run(script: string, limits = {}): ReturnType<typeof runContained> {
  return runContained({
    file: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    home: folder,
    limits: { ...defaultContainment, ...limits },
  })
}

/** A process that nobody has reaped yet does not run any more. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => 'x (gone) Z')
  return !/\) [ZX]/.test(stat)
}

describe('a contained run', () => {
  test('sees nothing of the environment but a private home', async () => {
    const { stdout } = await run('env')
    const names = stdout.split('\n').map((line) => line.split('=')[0])
    const ownOfTheShell = ['', 'PWD', 'SHLVL', '_', 'OLDPWD']
    expect(new Set(names.filter((name = '') => !ownOfTheShell.includes(name)))).toEqual(
      new Set(['GOMEMLIMIT', 'HOME', 'TMPDIR']),
    )
    expect(stdout).toContain(`HOME=${folder}`)
  })

  test('is killed with what it started when its time is over', async () => {
    const mark = join(folder, 'child')
    const started = performance.now()
    const result = await run(`(sleep 30; touch ${mark}) & echo $!; wait`, { timeoutMs: 300 })
    expect(result).toMatchObject({ code: null, exceeded: 'time' })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(await isRunning(Number(result.stdout))).toBe(false)
  })

  test('is killed when it prints too much', async () => {
    expect(await run('yes', { outputBytes: 10_000 })).toMatchObject({ code: null, exceeded: 'output' })
  })

  test('is killed when it takes too much memory', async () => {
    const hungry = `exec ${process.execPath} -e "const a=[];setInterval(()=>a.push(Buffer.alloc(5e6,1)),1)"`
    expect(await run(hungry, { memoryBytes: 150_000_000 })).toMatchObject({ code: null, exceeded: 'memory' })
  })

  test('is niced', async () => {
    expect((await run('sleep 0.2; cut -d" " -f19 /proc/$$/stat')).stdout.trim()).toBe('19')
  })
})

describe('the toolchain', () => {
  test('refuses to run a compiler that has changed since it was found', async () => {
    const toolchain = await testCompiler.toolchain()
    await expect(verifyToolchain(toolchain)).resolves.toBeUndefined()
    await expect(verifyToolchain({ ...toolchain, digest: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'bundle.compiler_unavailable',
    })
  })

  test('takes an explicit compiler of the pinned version only', async () => {
    const { path, digest } = await testCompiler.toolchain()
    const found = await findCompiler({ ...compilerOptions(), opaBin: path })
    expect(found).toEqual({ path, digest, source: 'OPA_BIN', origin: 'OPA_BIN' })
    const fake = join(folder, 'opa-old')
    await writeFile(fake, '#!/bin/sh\necho "Version: 0.42.0"\n', { mode: 0o700 })
    await expect(findCompiler({ ...compilerOptions(), opaBin: fake })).rejects.toThrow('0.42.0')
  })

  test('names all the ways when there is none', async () => {
    const nothing = { PATH: '', HOME: folder }
    const options = {
      ...compilerOptions(),
      opaBin: null,
      cacheDir: join(folder, 'empty'),
      environment: nothing,
    }
    const fetched = replacedFetch(() => Promise.reject(new Error('no network')))
    try {
      await expect(findCompiler(options)).rejects.toThrow(
        /OPA_BIN.*PATH.*Go.*github\.com.*go:.*release: no network/,
      )
    } finally {
      fetched.restore()
    }
  })

  test('keeps a downloaded release only if it is what was published, and remembers its origin', async () => {
    const binary = Buffer.from('#!/bin/sh\necho "Version: 1.22.0"\n')
    const options = { ...compilerOptions(), opaBin: null, environment: { PATH: '' } }
    const serve = (digest: string): { restore: () => void } =>
      replacedFetch((url) =>
        Promise.resolve(new Response(url.endsWith('.sha256') ? `${digest}  opa\n` : new Uint8Array(binary))),
      )
    const wrong = serve('0'.repeat(64))
    const cacheDir = join(folder, 'tools')
    await expect(findCompiler({ ...options, cacheDir })).rejects.toThrow('not what was published')
    wrong.restore()
    const right = serve(sha256(binary))
    const made = await findCompiler({ ...options, cacheDir })
    right.restore()
    expect(made).toMatchObject({
      source: 'release',
      digest: sha256(binary),
      origin: expect.stringContaining('github.com'),
    })
    const cached = await findCompiler({ ...options, cacheDir })
    expect(cached).toMatchObject({ source: 'cache', origin: made.origin })
    // A cache that others may write to is none, and neither is one whose binary has changed.
    const place = join(cacheDir, 'opa-1.22.0')
    const offline = replacedFetch(() => Promise.reject(new Error('no network')))
    await writeFile(join(place, 'opa'), 'changed')
    await expect(findCompiler({ ...options, cacheDir })).rejects.toThrow('no network')
    offline.restore()
  })

  test('knows the releases and their digests', () => {
    expect(releaseUrl('linux', 'x64')).toBe(
      'https://github.com/open-policy-agent/opa/releases/download/v1.22.0/opa_linux_amd64_static',
    )
    expect(releaseUrl('plan9', 'x64')).toBeUndefined()
    expect(publishedDigest(`${'a'.repeat(64)}  opa_linux_amd64_static\n`)).toBe('a'.repeat(64))
    expect(publishedDigest('<html>')).toBeUndefined()
  })

  test('is made by one process at a time, and a lock whose owner is gone holds nobody up', async () => {
    const lock = join(folder, 'lock')
    const order: string[] = []
    const work = (name: string) => async (): Promise<void> => {
      order.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${name} ends`)
    }
    await Promise.all([withLock(lock, () => {}, work('one')), withLock(lock, () => {}, work('two'))])
    expect(order[0]?.split(' ')[0]).toBe(order[1]?.split(' ')[0])
    await writeFile(lock, '999999999')
    await withLock(lock, () => {}, work('three'))
    expect(order.at(-1)).toBe('three ends')
  })
})
