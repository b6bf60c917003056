/**
 * Every builtin that a policy may call: what the compiler turns into WebAssembly itself, and what
 * this host adds. Anything else (network, environment, chance, unbounded work) is refused when a
 * bundle is checked, and once more when it is loaded.
 *
 * Not provided on purpose: builtins whose answer depends on whether they got a set or an array
 * (`object.subset`, `net.cidr_expand`, …), since sets reach a host as arrays.
 */
import type { HostBuiltin } from '../library.ts'
import { cryptoBuiltins } from './crypto.ts'
import { regexBuiltins } from './regex.ts'
import { semverBuiltins } from './semver.ts'
import { sprintf } from './sprintf.ts'
import { stringBuiltins } from './strings.ts'
import { timeBuiltins } from './time.ts'

/** @param judging canonical JSON text of the input that is being judged */
export function hostBuiltins(judging: () => string): Readonly<Record<string, HostBuiltin>> {
  return {
    ...cryptoBuiltins,
    ...regexBuiltins,
    ...semverBuiltins,
    ...stringBuiltins,
    ...timeBuiltins(judging),
    sprintf,
  }
}

/** Compiled to WebAssembly by opa v1.22.0 itself. */
const nativeBuiltins = `
  abs all and any array.concat array.flatten array.reverse array.slice base64.decode base64.encode
  base64.is_valid base64url.decode base64url.encode bits.and bits.lsh bits.negate bits.or bits.rsh
  bits.xor ceil concat contains count div endswith equal floor format_int glob.match graph.reachable
  gt gte indexof internal.member_2 internal.member_3 internal.template_string intersection is_array
  is_boolean is_null is_number is_object is_set is_string json.filter json.is_valid json.marshal
  json.remove json.unmarshal lower lt lte max min minus mul neq net.cidr_contains net.cidr_intersects
  net.cidr_overlap numbers.range object.filter object.get object.keys object.remove object.union
  object.union_n or plus product regex.find_all_string_submatch_n regex.is_valid regex.match rem
  replace round set_diff sort split startswith strings.replace_n strings.reverse substring sum
  to_number trim trim_left trim_prefix trim_right trim_space trim_suffix type_name union upper walk
`

/** Rewritten by the compiler, or there for tests only; none of them is left in the WebAssembly. */
const compilerBuiltins =
  'assign eq internal.print internal.test_case print rego.metadata.chain rego.metadata.rule'

/** Names that the compiler accepts in a bundle. */
export function allowedBuiltins(): ReadonlySet<string> {
  const words = `${nativeBuiltins} ${compilerBuiltins}`.trim().split(/\s+/)
  return new Set([...words, ...Object.keys(hostBuiltins(() => ''))])
}
