/**
 * How host builtins read their arguments. What OPA calls a builtin error (an argument of the wrong
 * type, a text that does not parse) is undefined, as in OPA; what OPA could do and this host can't do
 * equally throws, which ends the evaluation with a denial. A rule must never just not fire.
 */
import type { HostBuiltin } from '../library.ts'
import { utf8 } from '../instance.ts'

/** A builtin of which every argument must be a string. */
export function ofStrings(builtin: (...args: string[]) => unknown): HostBuiltin {
  return (...args) => (args.every((arg) => typeof arg === 'string') ? builtin(...args) : undefined)
}

/** An integer result of any size: it crosses into WebAssembly as text, so that no digit is lost. */
export function exactInteger(value: bigint): ArrayBuffer {
  return utf8(value.toString())
}

/** A text that policies make grow. Throws above 256 KiB. */
export function boundedText(text: string): string {
  if (text.length > 262_144) throw new RangeError('a builtin made a text that is too long')
  return text
}
