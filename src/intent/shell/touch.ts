/** Effects on files and directories, as every program reports them. */
import type { Effect, EffectAction, EffectSeed, Scope } from '../intent.ts'
import { meaningOf, rebuild, sensitivityOf, type Place } from './path.ts'
import { emit, opaque, type Frame } from './work.ts'

/** Reports a read of a place's content. An unknown place is no reason to refuse. */
export function readPlace(frame: Frame, place: Place, scope: Scope, type = 'file'): Effect {
  const unknown = !place.known
  return emit(frame, {
    action: 'read',
    resource: { system: 'host', type, name: place.name },
    scope: unknown ? 'unknown' : place.glob && scope === 'single' ? 'bulk' : scope,
    why: place.glob ? 'glob' : '',
    reversible: 'yes',
    sensitivity: sensitivityOf(place, scope === 'bulk' || scope === 'all'),
    confidence: unknown ? 'inferred' : place.confidence,
  })
}

/** Reports that names and dates are read, not content. */
export function listPlace(frame: Frame, place: Place, scope: Scope, type = 'directory'): Effect {
  return emit(frame, {
    action: 'read',
    resource: { system: 'host', type, name: place.name },
    scope: place.known ? scope : 'unknown',
    reversible: 'yes',
    confidence: place.known ? place.confidence : 'inferred',
  })
}

/** How a place is changed. */
export interface Change {
  readonly action: EffectAction
  readonly type?: string
  readonly scope?: Scope
  readonly why?: string
  readonly append?: boolean
  readonly reversible?: Effect['reversible']
}

/** Reports a change of a place. An unknown place is opaque. */
export function writePlace(frame: Frame, place: Place, change: Change): Effect {
  const seed = changeSeed(place, change)
  if (!place.known) return opaque(frame, seed, 'dynamic_argument', 'the path that is changed is not known')
  const found = emit(frame, seed)
  if (grantsAccess.test(place.path)) grantsLogin(frame, place)
  return found
}

function changeSeed(place: Place, change: Change): EffectSeed {
  const special = deviceOrKernel(place.path)
  const meaning = meaningOf(place.path)
  return {
    action: special === 'kernel_setting' ? 'config' : change.action,
    resource: { system: 'host', type: special ?? typeOf(place, change, meaning), name: place.name },
    scope: changeScope(place, change, special !== null),
    why: change.why ?? (meaning || (place.glob ? 'glob' : '')),
    reversible: change.reversible ?? (change.append === true ? 'recoverable' : 'no'),
    sensitivity: sensitivityOf(place, false) === 'secret' ? 'secret' : 'none',
    confidence: place.confidence,
  }
}

function changeScope(place: Place, { scope = 'single' }: Change, special: boolean): Scope {
  if (!place.known) return 'unknown'
  if (special) return 'all'
  return place.glob && (scope === 'single' || scope === 'bounded') ? 'bulk' : scope
}

/** In the workspace a hook or a start-up file is not everyday work: it is told apart by its type. */
function typeOf(place: Place, change: Change, meaning: string): string {
  if (meaning === 'persistence_path' && place.inside) return 'startup'
  return change.type ?? 'file'
}

const grantsAccess = /\/\.ssh\/authorized_keys2?$|^\/etc\/sudoers(?:$|\.d\/)/

/** Who may log in or become root is written in this file. */
function grantsLogin(frame: Frame, place: Place): void {
  const level = place.path.startsWith('/etc/sudoers') ? 'superuser' : null
  emit(frame, {
    action: 'grant',
    resource: { system: 'host', type: 'user', name: '*unknown*' },
    scope: 'unknown',
    why: 'authentication_path',
    privilege: { grantee: null, privileges: ['login'], on: place.name, level, run_as: null },
    confidence: 'inferred',
  })
}

function deviceOrKernel(path: string): 'device' | 'kernel_setting' | null {
  if (path.startsWith('/dev/') && !path.startsWith('/dev/shm/')) return 'device'
  return /^\/(?:proc|sys)\//.test(path) ? 'kernel_setting' : null
}

/** Reports a delete, with what is known of how the place came to be. */
export function deletePlace(frame: Frame, place: Place, recursive: boolean): Effect {
  const built = rebuild(place.path)
  if (!recursive) return deleteFiles(frame, place)
  const tree = recursiveScope(place, built)
  const name = place.contents && place.glob ? parent(place.name) : place.name
  return writePlace(
    frame,
    { ...place, name, glob: false },
    {
      action: 'delete',
      type: 'directory',
      scope: place.glob && tree.scope === 'all' && !place.contents ? 'bulk' : tree.scope,
      why: place.glob && !place.contents ? 'glob' : tree.why,
      reversible: built === 'no' ? 'no' : 'recoverable',
    },
  )
}

function recursiveScope(
  place: Place,
  built: 'itself' | 'below' | 'no',
): { readonly scope: Scope; readonly why: string } {
  if (!place.inside) return { scope: 'all', why: 'recursive' }
  if (built === 'itself' && !place.contents && !place.glob)
    return { scope: 'bounded', why: 'rebuildable_path_in_workspace' }
  const container = place.contents && place.glob ? parent(place.path) : place.path
  const isRebuildable = built === 'below' || rebuild(container) !== 'no'
  return isRebuildable
    ? { scope: 'bulk', why: 'contents_of_rebuildable_path' }
    : { scope: 'all', why: 'recursive' }
}

function deleteFiles(frame: Frame, place: Place): Effect {
  const everything = place.contents && place.glob
  return writePlace(frame, place, {
    action: 'delete',
    scope: everything ? 'all' : 'single',
    reversible: rebuild(place.path) === 'no' ? 'no' : 'recoverable',
  })
}

function parent(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '.' : at === 0 ? '/' : path.slice(0, at)
}
