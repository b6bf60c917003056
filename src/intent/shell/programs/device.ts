/** Programs on disks, mounts and raw data. */
import type { Use } from '../call.ts'
import { anything, literal, shown, withText, type Field } from '../field.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { empty, type Stream } from '../stream.ts'
import { listPlace, readPlace, writePlace } from '../touch.ts'
import { emit, nothing, opaqueProgram, unseen, type Frame } from '../work.ts'
import { harmlessDevice } from '../places.ts'
import { program, type Row } from './row.ts'

const harmlessDd = /^(?:bs|ibs|obs|cbs|count|skip|seek|iseek|oseek|conv|iflag|oflag|status)=/

function dd(use: Use): Stream | undefined {
  const { frame } = use
  let output: Field | null = null
  for (const operand of use.options.operands) {
    const at = operand.text.indexOf('=')
    const value = withText(operand, operand.text.slice(at + 1))
    if (operand.text.startsWith('if=')) readsFrom(frame, value)
    else if (operand.text.startsWith('of=')) output = value
    else if (!harmlessDd.test(operand.text))
      opaqueProgram(frame, 'dd', 'unknown_flag', `dd ${shown(operand.text)}`)
  }
  if (output === null) return undefined
  if (!harmlessDevice.test(output.text)) writePlace(frame, placeOf(frame, output), { action: 'write' })
  return empty
}

function readsFrom(frame: Frame, file: Field): void {
  if (!harmlessDevice.test(file.text)) readPlace(frame, placeOf(frame, file), 'single')
}

/** `mkfs`, `wipefs`, `mkswap`: what was on the device is gone. */
function formats(use: Use): Stream {
  const { frame, options } = use
  const asks = use.name === 'wipefs' && !has(options, 'a') && !has(options, 'o')
  for (const operand of options.operands) {
    const place = placeOf(frame, operand)
    if (asks || has(options, 'n')) listPlace(frame, place, 'single', 'device')
    else wipes(frame, operand, 'drop')
  }
  return empty
}

function wipes(frame: Frame, operand: Field, action: 'drop' | 'alter'): void {
  const place = placeOf(frame, operand)
  const resource = { system: 'host', type: 'device', name: place.name }
  const found = emit(frame, {
    action,
    resource,
    scope: 'all',
    reversible: 'no',
    confidence: place.confidence,
  })
  if (!place.known) unseen(frame, 'dynamic_argument', 'the device is not known', found)
}

function partitions(use: Use): Stream | undefined {
  const { frame, options } = use
  const asks =
    has(options, 'l') ||
    has(options, 's') ||
    (use.name === 'parted' && options.operands.at(-1)?.text === 'print')
  for (const operand of options.operands.slice(0, use.name === 'parted' ? 1 : undefined)) {
    if (asks) listPlace(frame, placeOf(frame, operand), 'single', 'device')
    else wipes(frame, operand, 'alter')
  }
  if (options.operands.length === 0) nothing(frame, use.name)
  return undefined
}

function mount(use: Use): Stream | undefined {
  const { frame, options } = use
  const [source, target = source] = options.operands
  if (target === undefined && !has(options, 'a')) {
    nothing(frame, 'mount')
    return undefined
  }
  const place = placeOf(frame, target ?? literal('*'))
  const binds = has(options, 'B') || place.inside
  const scope = has(options, 'a') || binds ? 'all' : 'single'
  const found = emit(frame, {
    action: 'config',
    resource: { system: 'host', type: 'mount', name: place.name },
    scope,
    why: binds ? 'outside_path_into_workspace' : '',
  })
  frame.work.linked.push(place.path)
  if (!isMountKnown(use)) unseen(frame, 'dynamic_argument', 'what is mounted is not known', found)
  return empty
}

function isMountKnown({ options }: Use): boolean {
  return [...options.operands, ...all(options, 'o')].every((word) => !word.dynamic && !word.open)
}

function unmount(use: Use): Stream {
  const { frame, options } = use
  const targets = has(options, 'a') ? [literal('*')] : options.operands
  for (const target of targets) {
    const scope = has(options, 'a') ? 'all' : 'single'
    const resource = {
      system: 'host',
      type: use.name === 'umount' ? 'mount' : 'swap',
      name: placeOf(frame, target).name,
    }
    const found = emit(frame, { action: 'config', resource, scope, why: 'taken_away' })
    if (target.dynamic) unseen(frame, 'dynamic_argument', 'the target is not known', found)
  }
  return empty
}

function loop(use: Use): Stream | undefined {
  if (has(use.options, 'a') || has(use.options, 'l')) nothing(use.frame, use.name)
  else {
    const device = last(use.options, 'd') ?? use.options.operands[0] ?? anything(null)
    emit(use.frame, {
      action: 'config',
      resource: { system: 'host', type: 'device', name: shown(device.text) },
      scope: 'unknown',
    })
  }
  return undefined
}

const mkfsFlags =
  'a A b= c C= d= D e= E= f F g= G= i= I= j J= k K l= L= m= M= N= n O= o= p= q Q r= R= S s= t|type= T= U= v V'

export const devicePrograms: readonly Row[] = [
  program('dd', '', dd),
  ...[
    'mkfs',
    'mkfs.ext2',
    'mkfs.ext3',
    'mkfs.ext4',
    'mkfs.xfs',
    'mkfs.btrfs',
    'mkfs.vfat',
    'mkfs.fat',
    'mkfs.ntfs',
    'mke2fs',
    'mkswap',
  ].map((name) => program(name, mkfsFlags, formats)),
  program(
    'wipefs',
    'a|all b|backup? f|force i|noheadings J|json l n|no-act o|offset= O|output= p|parsable q|quiet t|types=',
    formats,
  ),
  program('blkdiscard', 'f|force o|offset= l|length= p|step= s|secure z|zeroout v|verbose', formats),
  ...['fdisk', 'sfdisk', 'gdisk', 'sgdisk', 'cfdisk', 'parted'].map((name) =>
    program(
      name,
      'b= B c? C= H= l|list L? o= s|script|getsz S= t= u? w= W= x Z|zap-all zap n= d= J|json',
      partitions,
    ),
  ),
  program(
    'mount',
    'a|all B|bind c f F i l L|label= M|move n N= o|options= O= r R|rbind s t|types= T= U|uuid= v w make-shared make-private make-slave rw read-only source= target=',
    mount,
  ),
  program('umount', 'a|all c d|detach-loop f|force i l|lazy n N= O= q R|recursive r t|types= v', unmount),
  program('swapoff', 'a|all v', unmount),
  program('losetup', 'a|all l|list d|detach= D f|find c o= P r J n', loop),
]
