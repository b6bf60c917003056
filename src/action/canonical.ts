/** Canonical JSON: RFC 8785 (JCS). The one text of a value that policy, leaf, digest and answer share. */

/** Canonical JSON text of a value. Only `canonicalJson` makes one. */
export type CanonicalJson = string & { readonly __canonical: true }

/** RFC 8785 text of a JSON value. Members that are undefined are absent. Throws TypeError on what JSON can't say. */
export function canonicalJson(value: unknown): CanonicalJson {
  return text(value) as CanonicalJson
}

function text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(text).join(',')}]`
  if (value !== null && typeof value === 'object') return objectText(value as Record<string, unknown>)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('JSON has no such number')
  const json = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`JSON has no ${typeof value}`)
  return json
}

function objectText(value: Record<string, unknown>): string {
  const members: string[] = []
  for (const name of Object.keys(value).sort()) {
    if (value[name] !== undefined) members.push(`${JSON.stringify(name)}:${text(value[name])}`)
  }
  return `{${members.join(',')}}`
}
