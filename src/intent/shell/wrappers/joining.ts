/** Wrappers that hand a text to a shell: `watch`, `script -c`, `flock -c`. And applets. */
import type { Call, Handler } from '../call.ts'
import { evaluateField, joinedWords } from '../evaluate.ts'
import { has, last, options, spec, type Options } from '../options.ts'
import { placeOf } from '../path.ts'
import { plain, unnamed, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { emit, nothing, opaqueProgram, type Frame } from '../work.ts'

const shell = { via: ['sh'], dialect: 'sh' } as const

function read(call: Call, flags: string): Options | null {
  const found = options(call.args, spec(flags))
  if (found.unknown === null) return found
  opaqueProgram(call.frame, call.name, 'unknown_flag', `${call.name} ${found.unknown}`)
  return null
}

function under(call: Call, more: Partial<Frame> = {}): Frame {
  return { ...call.frame, via: [...call.frame.via, call.name], straight: false, ...more }
}

/** Runs its words again and again, through a shell. */
function watch(call: Call): Stream | undefined {
  const found = read(
    call,
    'b|beep c|color d|differences? e|errexit g|chgexit n|interval= p|precise q|equexit= r|no-rerun t|no-title w|no-wrap x|exec +',
  )
  if (found === null) return undefined
  const inner = under(call, { repeat: null })
  if (found.operands.length === 0) nothing(call.frame, call.name)
  else if (has(found, 'x')) return inner.work.engine.program(inner, found.operands)
  else return evaluateField(inner, joinedWords(found.operands), shell)
  return plain
}

/** Records a session into a file. */
function script(call: Call): Stream | undefined {
  const found = read(
    call,
    'a|append c|command= e|return E|echo= f|flush force q|quiet t|timing? T|log-timing= B|log-io= I|log-in= O|log-out= m|logging-format= o|output-limit=',
  )
  if (found === null) return undefined
  const [file] = found.operands
  for (const log of [file, last(found, 'T'), last(found, 'B'), last(found, 'I'), last(found, 'O')])
    if (log !== undefined) writePlace(call.frame, placeOf(call.frame, log), { action: 'write' })
  const command = last(found, 'c')
  if (command !== undefined) return evaluateField(under(call), command, shell)
  opaqueProgram(call.frame, 'script', 'interactive_session', 'a recorded session')
  return unnamed
}

/** Holds a lock while a command runs. */
function flock(call: Call): Stream | undefined {
  const found = read(
    call,
    's|shared x|e|exclusive n|nb|nonblock u|unlock w|wait|timeout= E|conflict-exit-code= o|close F|no-fork v|verbose c|command= +',
  )
  if (found === null) return undefined
  const [file, ...words] = found.operands
  if (file === undefined) return plain
  if (!/^\d+$/.test(file.text)) {
    const { name } = placeOf(call.frame, file)
    emit(call.frame, {
      action: 'lock',
      resource: { system: 'host', type: 'file', name },
      scope: 'single',
      reversible: 'yes',
    })
  }
  const [flag, text] = words
  if (flag !== undefined && text !== undefined && /^(?:-c|--command)$/.test(flag.text))
    return evaluateField(under(call), text, shell)
  return words.length === 0 ? plain : call.frame.work.engine.program(under(call), words)
}

/** `busybox rm …` is `rm …`. */
function busybox(call: Call): Stream | undefined {
  const { frame, args } = call
  const [applet] = args
  if (applet === undefined || /^--(?:list|help|list-full)$/.test(applet.text)) {
    nothing(frame, call.name)
    return plain
  }
  if (applet.text.startsWith('-') || applet.text === 'busybox') {
    opaqueProgram(frame, call.name, 'unknown_flag', `${call.name} ${applet.text}`)
    return undefined
  }
  return frame.work.engine.program(under(call), args)
}

export const joiningWrappers: readonly (readonly [string, Handler])[] = [
  ['watch', watch],
  ['script', script],
  ['flock', flock],
  ['busybox', busybox],
  ['toybox', busybox],
]
