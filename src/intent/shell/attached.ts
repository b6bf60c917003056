/** Scripts in files: their content counts only where the caller attached it. */
import { createHash } from 'node:crypto'
import { evaluateText, type Manner } from './evaluate.ts'
import { shown, type Field } from './field.ts'
import { placeOf } from './path.ts'
import { unnamed, type Stream } from './stream.ts'
import { emit, opaque, type Dialect, type Frame } from './work.ts'

/** The attached content of a file; null when there is none, or another than its digest says. */
export function attachedText(frame: Frame, field: Field): string | null {
  if (frame.host !== null || field.dynamic || field.glob) return null
  const { path } = placeOf(frame, field)
  const { command } = frame.work.ctx
  const attachments: unknown = 'attachments' in command ? command.attachments : undefined
  if (!Array.isArray(attachments)) return null
  for (const one of attachments as readonly {
    readonly path: string
    readonly sha256: string
    readonly text: string
  }[]) {
    if (one.path !== field.text && one.path !== path) continue
    return createHash('sha256').update(one.text, 'utf8').digest('hex') === one.sha256 ? one.text : null
  }
  return null
}

/** Runs a script by its path, with the interpreter that its first line names. */
export function runScript(frame: Frame, name: Field, args: readonly Field[]): Stream {
  const text = attachedText(frame, name)
  const dialect = text === null ? null : dialectOf(text)
  if (text === null || dialect === null) return runsFile(frame, name)
  return runsAttached(frame, name, { text, manner: { via: [shown(name.text)], dialect, positional: args } })
}

/** Runs a script that an interpreter was given. */
export function runScriptIn(frame: Frame, name: Field, manner: Manner): Stream {
  const text = attachedText(frame, name)
  return text === null ? runsFile(frame, name) : runsAttached(frame, name, { text, manner })
}

function runsAttached(
  frame: Frame,
  name: Field,
  how: { readonly text: string; readonly manner: Manner },
): Stream {
  const resource = { system: 'host', type: 'script', name: placeOf(frame, name).name }
  emit(frame, { action: 'execute', resource, scope: 'single', why: 'attached_content' })
  return evaluateText(frame, how.text, how.manner)
}

function runsFile(frame: Frame, name: Field): Stream {
  const place = placeOf(frame, name)
  const resource = { system: 'host', type: 'script', name: place.name }
  const code = place.known && !place.glob ? 'external_file' : 'dynamic_command'
  opaque(
    frame,
    { action: 'execute', resource, scope: 'unknown' },
    code,
    'the content of the script is not known',
  )
  return unnamed
}

function dialectOf(text: string): Dialect | null {
  if (!text.startsWith('#!')) return 'sh'
  const line = text.slice(2, 200).split('\n', 1)[0]?.trim() ?? ''
  const match = /^(?:\/usr)?\/bin\/(?:env (?:-S )?)?(sh|bash|dash)(?: -[euxo a-z]*)?$/.exec(line)
  if (match === null) return null
  return match[1] === 'bash' ? 'bash' : 'sh'
}
