/** What the service finds wrong with a target before any policy: a recorded deny each, never an error. */
import type { Action, Command } from '../action/action.ts'
import type { PinnedTarget } from './bundle.ts'
import { dialectOf, fitsSystem } from './dialects.ts'

/** A contradiction, in words. Every check denies. */
export interface Check {
  readonly rule: 'target.mismatch' | 'target.dialect'
  readonly message: string
  readonly hint: string
}

/** @param system the one that holds: the bundle's, or else the request's */
export function targetChecks(action: Action, pin: PinnedTarget, system: string): readonly Check[] {
  return [...pinChecks(action, pin), ...dialectChecks(action.command, system)]
}

function pinChecks({ target, command }: Action, pin: PinnedTarget): readonly Check[] {
  const labels = Object.entries(pin.labels ?? {}).map(([name, held]) =>
    contradiction(`labels.${name}`, ownMember(target.labels, name), held),
  )
  const found = [
    contradiction('environment', target.environment, pin.environment),
    contradiction('system', target.system, pin.system),
    contradiction('schema', target.schema, pin.schema),
    contradiction('owner', target.owner, pin.owner),
    dialectContradiction(command, pin.dialects),
    ...labels,
  ]
  return found.filter((check) => check !== null)
}

function ownMember(members: Readonly<Record<string, unknown>> | undefined, name: string): unknown {
  return members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined
}

function contradiction(member: string, claimed: unknown, held: string | undefined): Check | null {
  return claimed === undefined || held === undefined || claimed === held
    ? null
    : mismatch(member, claimed, held)
}

function dialectContradiction(command: Command, dialects: readonly string[] | undefined): Check | null {
  const dialect = dialectOf(command)
  if (dialects === undefined || dialect === null || dialects.includes(dialect)) return null
  return mismatch('dialect', dialect, dialects.join(', '))
}

function mismatch(member: string, claimed: unknown, held: string): Check {
  const said = (JSON.stringify(claimed) ?? '').slice(0, 256)
  return {
    rule: 'target.mismatch',
    message: `The request says ${member} ${said}; the bundle pins ${JSON.stringify(held)} for this target.`,
    hint: 'Send the target as it is registered, or have its row in the bundle changed.',
  }
}

function dialectChecks(command: Command, system: string): readonly Check[] {
  if (fitsSystem(command, system)) return []
  const dialect = dialectOf(command)
  const language = dialect === null ? command.language : `${command.language} (${dialect})`
  const message = `A command in ${language} does not fit a target of the system ${JSON.stringify(system)}.`
  const hint = 'Name the target that the command runs on, in the language that this target reads.'
  return [{ rule: 'target.dialect', message, hint }]
}
