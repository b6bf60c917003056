/**
 * The Rego compiler as a contained subprocess: check, inspect, test, build. One job at a time.
 *
 * The same capabilities hold in every step: no network, and no builtin that the WebAssembly host does
 * not provide. Check comes first, since the later steps run or trust what it let through.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { PdpError } from '../errors.ts'
import { isTestFile } from '../policy/bundle.ts'
import type { BundleFiles } from '../policy/bundle.ts'
import type { Compiler } from '../ports.ts'
import { allowedBuiltins } from './builtins/table.ts'
import type { Containment, RunResult } from './compiler/contained.ts'
import { defaultContainment, runContained } from './compiler/contained.ts'
import { inspected, stepFindings, testFindings } from './compiler/findings.ts'
import type { Toolchain, ToolchainOptions } from './compiler/toolchain.ts'
import { findCompiler, verifyToolchain } from './compiler/toolchain.ts'
import type { Workspace } from './compiler/workspace.ts'
import { inWorkspace } from './compiler/workspace.ts'
import { entrypoint } from './instance.ts'
import { unpackArchive } from './tarball.ts'

export interface CompilerOptions extends ToolchainOptions {
  /** JSON Schema of the policies' input: a misspelt field is an error of the check. */
  readonly inputSchema: string
  /** How many jobs may wait for the one that runs. */
  readonly waitingJobs: number
  readonly limits?: Containment
}

type Compilation = Awaited<ReturnType<Compiler['compile']>>
type Layout = NonNullable<Parameters<Compiler['compile']>[1]>

interface Job {
  readonly toolchain: Toolchain
  readonly workspace: Workspace
  readonly folder: string
  readonly files: BundleFiles
}

const noTests = { passed: 0, failed: 0 }

/** Finds the compiler when it is first needed, and keeps one job running at a time. */
export class OpaCompiler implements Compiler {
  readonly #options: CompilerOptions
  #toolchain: Promise<Toolchain> | null = null
  #capabilities: string | null = null
  #last: Promise<unknown> = Promise.resolve()
  #jobs = 0

  constructor(options: CompilerOptions) {
    this.#options = options
  }

  /** The compiler that is used: found, built or downloaded at the first call. */
  toolchain(): Promise<Toolchain> {
    this.#toolchain ??= findCompiler(this.#options).catch((error: unknown) => {
      // The next bundle may find what was missing.
      this.#toolchain = null
      throw error
    })
    return this.#toolchain
  }

  async compile(files: BundleFiles, layout: Layout = () => []): Promise<Compilation> {
    if (this.#jobs > this.#options.waitingJobs) {
      throw new PdpError('caller.limit', 'too many bundles are being compiled', { retryAfterSeconds: 30 })
    }
    this.#jobs += 1
    const job = this.#last.then(() => this.#compile(files, layout))
    this.#last = job.catch(() => {})
    try {
      return await job
    } finally {
      this.#jobs -= 1
    }
  }

  async #compile(files: BundleFiles, layout: Layout): Promise<Compilation> {
    const toolchain = await this.toolchain()
    await verifyToolchain(toolchain)
    return inWorkspace(async (workspace) => {
      const folder = await workspace.folder('bundle', files)
      await writeFile(workspace.path('input.json'), this.#options.inputSchema)
      await writeFile(workspace.path('capabilities.json'), await this.#capabilitiesText(toolchain, workspace))
      return this.#steps({ toolchain, workspace, folder, files }, layout)
    })
  }

  async #steps(job: Job, layout: Layout): Promise<Compilation> {
    const capabilities = ['--capabilities', job.workspace.path('capabilities.json')]
    const schema = ['--schema', job.workspace.path('input.json')]
    const check = await this.#run(job, [
      'check',
      '--strict',
      ...schema,
      ...capabilities,
      '--format',
      'json',
      '-b',
      '.',
    ])
    const inspect = await this.#run(job, ['inspect', '-a', '--format', 'json', '.'])
    const { modules, listed } = inspected(inspect)
    const findings = [...stepFindings('check', check), ...stepFindings('check', inspect), ...layout(modules)]
    if (findings.length > 0) return { findings, tests: noTests, compiled: null }

    const test = testFindings(await this.#run(job, ['test', ...capabilities, '--format', 'json', '-b', '.']))
    if (test.findings.length > 0) return { ...test, compiled: null }

    const built = await this.#build(job, capabilities)
    if ('findings' in built) return { findings: built.findings, tests: test.tests, compiled: null }
    return { findings: [], tests: test.tests, compiled: { wasm: built.wasm, listed } }
  }

  /** From inside a folder that holds what is compiled and nothing else, so that the same files give the same bytes. */
  async #build(
    job: Job,
    capabilities: readonly string[],
  ): Promise<{ readonly wasm: Uint8Array } | Pick<Compilation, 'findings'>> {
    const kept = Object.entries(job.files).filter(([path]) => !isTestFile(path) && path.endsWith('.rego'))
    const folder = await job.workspace.folder('build', Object.fromEntries(kept))
    const archive = job.workspace.path('bundle.tar.gz')
    const args = ['build', '-t', 'wasm', '-e', entrypoint, ...capabilities, '-o', archive, '-b', '.']
    const run = await this.#run({ ...job, folder }, args)
    const findings = stepFindings('build', run)
    if (findings.length > 0) return { findings }
    const wasm = unpackArchive(await readFile(archive)).members.get('policy.wasm')
    if (wasm === undefined) return { findings: [{ step: 'build', message: 'the compiler made no policy' }] }
    return { wasm }
  }

  #run(job: Pick<Job, 'toolchain' | 'workspace' | 'folder'>, args: readonly string[]): Promise<RunResult> {
    return runContained({
      file: job.toolchain.path,
      args,
      cwd: job.folder,
      home: job.workspace.home,
      limits: this.#options.limits ?? defaultContainment,
    })
  }

  /** The compiler's own, less everything that this host refuses. */
  async #capabilitiesText(toolchain: Toolchain, workspace: Workspace): Promise<string> {
    if (this.#capabilities !== null) return this.#capabilities
    const run = await this.#run({ toolchain, workspace, folder: workspace.home }, [
      'capabilities',
      '--current',
    ])
    const own = JSON.parse(run.stdout) as { readonly builtins: readonly { readonly name: string }[] }
    const allowed = allowedBuiltins()
    this.#capabilities = JSON.stringify({
      ...own,
      builtins: own.builtins.filter((builtin) => allowed.has(builtin.name)),
      allow_net: [],
    })
    return this.#capabilities
  }
}
