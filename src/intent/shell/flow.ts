/** Data that leaves: what was read upstream is exported by whatever sends it away. */
import type { Destination, Effect } from '../intent.ts'
import type { Field } from './field.ts'
import { placeOf } from './path.ts'
import { readPlace } from './touch.ts'
import type { Stream } from './stream.ts'
import { emit, type Frame } from './work.ts'

/** Reports that the data of a stream goes to a destination. */
export function sendsTo(frame: Frame, data: Stream, destination: Destination): void {
  if (!data.connected) return
  for (const read of data.reads) exportOf(frame, read, destination)
  if (data.unnamed) exportUnknown(frame, destination)
}

/** Reports that something that was read goes to a destination. */
export function exportOf(frame: Frame, read: Effect, destination: Destination): void {
  emit(frame, {
    action: 'export',
    resource: read.resource,
    scope: read.scope,
    why: read.why,
    reversible: 'no',
    sensitivity: read.sensitivity,
    confidence: read.confidence,
    destination,
  })
}

function exportUnknown(frame: Frame, destination: Destination): void {
  emit(frame, {
    action: 'export',
    resource: { system: 'host', type: 'data', name: '*unknown*' },
    scope: 'unknown',
    why: 'data_of_unknown_origin',
    reversible: 'no',
    sensitivity: 'unknown',
    confidence: 'inferred',
    destination,
  })
}

/** Reports that a file is read and goes to a destination. */
export function sendsFile(frame: Frame, field: Field, destination: Destination): void {
  exportOf(frame, readPlace(frame, placeOf(frame, field), 'single'), destination)
}

/** Reports that a word's own data goes to a destination: what its substitutions and variables hold. */
export function sendsWord(frame: Frame, field: Field, destination: Destination): void {
  if (field.data !== null) sendsTo(frame, field.data, destination)
  else if (field.dynamic) exportUnknown(frame, destination)
}
