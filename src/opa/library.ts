/**
 * The one file that touches `@open-policy-agent/opa-wasm`: a policy module with its memory, its data
 * and the host builtins that we provide.
 *
 * The package has builtins of its own that win over those it is given, and that are not OPA's
 * (`sprintf`, `regex.split` on JavaScript's backtracking engine, `yaml.*` without a limit). They are
 * taken out of its table here, so that every host builtin is one of ours, or refused.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A builtin of Rego: JSON values in, a JSON value out. Undefined is Rego's undefined; a throw ends the evaluation. */
export type HostBuiltin = (...args: readonly unknown[]) => unknown

/** A compiled WebAssembly module. */
export interface WasmModule {
  readonly __wasmModule: true
}

/** One instance of a policy, as the package has it. */
export interface LoadedPolicy {
  readonly entrypoints: Readonly<Record<string, number>>
  readonly mem: { readonly buffer: ArrayBuffer }
  readonly wasmInstance: {
    readonly exports: { builtins(): number; opa_json_dump(address: number): number }
  }
  /** @param input JSON text in UTF-8; anything but an ArrayBuffer would be serialised again */
  evaluate(input: ArrayBuffer, entrypoint: string): unknown
  setData(data: ArrayBuffer): void
}

interface Package {
  loadPolicySync(
    module: WasmModule,
    memory: { readonly initial: number; readonly maximum: number },
    builtins: Readonly<Record<string, HostBuiltin>>,
  ): LoadedPolicy
}

interface WasmApi {
  compile(bytes: Uint8Array): Promise<WasmModule>
}

const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly
const opaWasm = loadPackage()

function loadPackage(): Package {
  const require = createRequire(import.meta.url)
  const entry = require.resolve('@open-policy-agent/opa-wasm')
  const own = require(join(dirname(entry), 'builtins', 'index.js')) as Record<string, unknown>
  for (const name of Object.keys(own)) delete own[name]
  return require('@open-policy-agent/opa-wasm') as Package
}

/** Compiles a policy's WebAssembly; rejects when it is none. */
export function compileModule(bytes: Uint8Array): Promise<WasmModule> {
  return wasm.compile(bytes)
}

/** A new instance (about 1 ms). Memory is counted in pages of 64 KiB and never grows above `maximum`. */
export function instantiate(
  module: WasmModule,
  memory: { readonly initial: number; readonly maximum: number },
  builtins: Readonly<Record<string, HostBuiltin>>,
): LoadedPolicy {
  return opaWasm.loadPolicySync(module, memory, builtins)
}

/** Names of the host builtins that a policy calls: what the module says, not what its source says. */
export function requiredBuiltins(policy: LoadedPolicy): readonly string[] {
  const { exports } = policy.wasmInstance
  const start = exports.opa_json_dump(exports.builtins())
  const memory = new Uint8Array(policy.mem.buffer)
  const text = new TextDecoder().decode(memory.subarray(start, memory.indexOf(0, start)))
  return Object.keys(JSON.parse(text) as Record<string, number>).sort()
}
