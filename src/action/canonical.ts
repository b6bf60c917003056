/** Canonical JSON: RFC 8785 (JCS). The one text of a value that policy, leaf, digest and answer share. */

/** Canonical JSON text of a value. Only `canonicalJson` and what is assembled of its texts make one. */
export type CanonicalJson = string & { readonly __canonical: true }

/** RFC 8785 text of a JSON value. Members that are undefined are absent. Throws TypeError on what JSON can't say. */
export function canonicalJson(value: unknown): CanonicalJson {
  return text(value) as CanonicalJson
}

/** An object's text from texts that are canonical already. Names must be plain and come in code unit order. */
export function canonicalObject(
  members: readonly (readonly [name: string, text: CanonicalJson | null])[],
): CanonicalJson {
  let json = '{'
  for (const [name, member] of members) {
    if (member === null) continue
    json += `${json.length === 1 ? '' : ','}"${name}":${member}`
  }
  return `${json}}` as CanonicalJson
}

function text(value: unknown): string {
  if (typeof value === 'string') return canonicalString(value)
  if (value === null) return 'null'
  if (typeof value === 'object') {
    return Array.isArray(value) ? arrayText(value) : objectText(value as Record<string, unknown>)
  }
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  // ECMAScript's number to text is the one that RFC 8785 section 3.2.2.3 prescribes, but for -0.
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? '0' : String(value)
  throw new TypeError(`JSON has no such ${typeof value}`)
}

// Most strings need no escape, and a test and two joins are cheaper than the platform's serialiser.
// Surrogates go to the serialiser too: it keeps pairs, and escapes lone ones, which validation refuses.
const escaped = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

/** RFC 8785 text of a string. */
export function canonicalString(value: string): CanonicalJson {
  return (escaped.test(value) ? JSON.stringify(value) : `"${value}"`) as CanonicalJson
}

function arrayText(value: readonly unknown[]): string {
  let json = '['
  for (let index = 0; index < value.length; index++) {
    if (index > 0) json += ','
    json += text(value[index])
  }
  return `${json}]`
}

function objectText(value: Record<string, unknown>): string {
  const names = Object.keys(value)
  if (!inOrder(names)) names.sort()
  let json = '{'
  for (const name of names) {
    const member = value[name]
    if (member === undefined) continue
    json += `${json.length === 1 ? '' : ','}${canonicalString(name)}:${text(member)}`
  }
  return `${json}}`
}

/** By UTF-16 code units, as RFC 8785 section 3.2.3 has it and as JavaScript compares strings. */
function inOrder(names: readonly string[]): boolean {
  let before = ''
  for (const name of names) {
    if (name < before) return false
    before = name
  }
  return true
}
