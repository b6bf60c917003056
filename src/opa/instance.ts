/** One WebAssembly instance of a policy: fresh, or warm from earlier evaluations, or to be thrown away. */
import type { HostBuiltin, LoadedPolicy, WasmModule } from './library.ts'
import { instantiate } from './library.ts'

/** The entry point that every bundle has: the service's own decision module. */
export const entrypoint = 'countersign/decision'

/** 4 MiB: what a policy and its data usually need, so that it need not grow. */
const initialPages = 64
/** 128 MiB. An evaluation that needs more aborts, which is a denial. */
const maximumPages = 2048
/** What one evaluation may leave behind; WebAssembly memory never shrinks, so the instance is replaced. */
const growthLimitBytes = 16 * 1024 * 1024

const encoder = new TextEncoder()

export interface PolicyInstance {
  readonly policy: LoadedPolicy
  /** Memory right after the data was set. */
  readonly baseBytes: number
}

/**
 * A new instance with its data set, once. Throws when the module can't be instantiated, has no
 * decision, or the data does not fit.
 */
export function newInstance(
  module: WasmModule,
  data: ArrayBuffer,
  builtins: Readonly<Record<string, HostBuiltin>>,
): PolicyInstance {
  const policy = instantiate(module, { initial: initialPages, maximum: maximumPages }, builtins)
  if (policy.entrypoints[entrypoint] === undefined) throw new Error(`no entry point ${entrypoint}`)
  policy.setData(data)
  return { policy, baseBytes: policy.mem.buffer.byteLength }
}

/**
 * What the policy says of a canonical JSON text; undefined when its decision is undefined. Throws on
 * any fault in it, and then the instance is corrupt: after some hundred throws every evaluation of
 * it fails.
 */
export function evaluate(instance: PolicyInstance, json: string): unknown {
  const results = instance.policy.evaluate(utf8(json), entrypoint)
  if (!Array.isArray(results)) throw new TypeError('a policy answers with a result set')
  return (results[0] as { readonly result?: unknown } | undefined)?.result
}

/** Whether an instance grew so much that a new one should take its place. */
export function isOvergrown(instance: PolicyInstance): boolean {
  return instance.policy.mem.buffer.byteLength > instance.baseBytes + growthLimitBytes
}

/** UTF-8 in an ArrayBuffer of exactly its length: the package takes the whole buffer as text. */
export function utf8(text: string): ArrayBuffer {
  const bytes = encoder.encode(text)
  const { buffer } = bytes
  return buffer.byteLength === bytes.byteLength ? buffer : buffer.slice(0, bytes.byteLength)
}
