/** An analysis in the few words that a case needs: one line per effect, column and reason. */
import type { Fragment } from '../../../../src/intent/analysis.ts'
import type { Effect, Lineage } from '../../../../src/intent/intent.ts'

/** `delete table:users bounded(3) unique_key_in`, and what is not as usual behind it. */
export function effectLine(found: Effect): string {
  const { action, destination, privilege, resource, scope } = found
  return [
    action,
    `${resource.type}:${resource.name}`,
    found.limit === null ? scope : `${scope}(${found.limit})`,
    found.why,
    found.sensitivity === 'none' ? '' : found.sensitivity,
    found.confidence === 'exact' ? '' : found.confidence,
    found.reversible === usual(action) ? '' : `reversible:${found.reversible}`,
    found.deferred ? 'deferred' : '',
    found.conditional ? 'conditional' : '',
    found.cascade === true ? 'cascade' : '',
    found.via.length > 0 ? `via ${found.via.join('>')}` : '',
    privilege === null ? '' : privilegeWord(privilege),
    destination === null
      ? ''
      : `to ${destination.host ?? destination.path ?? destination.kind} (${destination.trust})`,
    found.endpoint === null ? '' : `at ${found.endpoint.host ?? ''}/${found.endpoint.database ?? ''}`,
  ]
    .filter((word) => word !== '')
    .join(' ')
}

function usual(action: Effect['action']): Effect['reversible'] {
  return action === 'read' || action === 'none' ? 'yes' : 'tx'
}

function privilegeWord({ level, on, privileges, run_as: runAs }: NonNullable<Effect['privilege']>): string {
  if (runAs !== null) return `as ${runAs}`
  return `[${[privileges.join(','), on === null ? '' : `on ${on}`, level ?? ''].filter((word) => word !== '').join(' ')}]`
}

/** `email plain users.email!` for a sensitive source, `?` for one whose sensitivity is unknown. */
export function columnLines(lineage: Lineage | null): readonly string[] {
  return (lineage?.columns ?? []).map(({ kind, name, sources }) =>
    [
      name,
      kind,
      ...sources.map(({ column, sensitivity, table }) => `${table}.${column}${marks[sensitivity]}`),
    ].join(' '),
  )
}

const marks = { none: '', sensitive: '!', unknown: '?' } as const

/** `where users.email unique_key`. */
export function inferenceLines(lineage: Lineage | null): readonly string[] {
  return (lineage?.inference ?? []).map(
    ({ column, place, proof, table }) => `${place} ${table}.${column} ${proof}`,
  )
}

/** What a fragment says, as the rows of the cases say it. */
export function compact(fragment: Fragment, text: string): Record<string, unknown> {
  const { lineage } = fragment
  return {
    effects: fragment.effects.map(effectLine),
    opaque: [...new Set(fragment.unseen.map(({ code }) => code))].sort(),
    columns: columnLines(lineage),
    inference: inferenceLines(lineage),
    lineage:
      lineage === null
        ? 'none'
        : `${lineage.complete ? 'complete' : 'incomplete'}${lineage.maskable ? '' : ' stream'}`,
    secrets: fragment.secrets.map(({ end, start }) => text.slice(start, end)),
  }
}
