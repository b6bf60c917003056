/** Wrappers that run a command as somebody else. */
import type { Call, Handler } from '../call.ts'
import { evaluateField, evaluateStream, joinedWords, needsKnown } from '../evaluate.ts'
import { literal, shown, type Field } from '../field.ts'
import { has, last, options, spec, type Options } from '../options.ts'
import { placeOf } from '../path.ts'
import { plain, type Stream } from '../stream.ts'
import { writePlace } from '../touch.ts'
import { entersEnvironment } from '../environment.ts'
import { nothing, opaqueProgram, unseen, type Frame } from '../work.ts'

const sudoSpec = spec(
  'u|user= g|group= h|host= p|prompt= C|close-from= r|role= t|type= T|command-timeout= D|chdir= R|chroot= U|other-user= A|askpass b|background B|bell E|preserve-env? e|edit H|set-home i|login K|remove-timestamp k|reset-timestamp l|list N|no-update n|non-interactive P|preserve-groups S|stdin s|shell V|version v|validate help +',
)
const doasSpec = spec('u= C= a= n s L +')

/** `sudo`, `doas`. */
function elevated(call: Call): Stream | undefined {
  const { frame, name } = call
  const read = options(call.args, name === 'sudo' ? sudoSpec : doasSpec)
  const refused = read.unknown ?? ['R', 'h', 'C'].find((flag) => has(read, flag))
  if (refused !== undefined || read.doubtful !== null) {
    const code = refused === undefined ? 'dynamic_command' : 'unknown_flag'
    opaqueProgram(frame, name, code, `${name} ${refused ?? 'words'}`)
    return undefined
  }
  const inner = asUser(frame, last(read, 'u') ?? literal('root'), name)
  startsIn(inner, frame, read)
  return has(read, 'e') ? edits(inner, read.operands) : runs(inner, read)
}

function startsIn(inner: Frame, frame: Frame, read: Options): void {
  if (has(read, 'i')) atHome(inner)
  const directory = last(read, 'D')
  if (directory !== undefined) inner.shell.cwd = placeOf(frame, directory).path
}

function runs(frame: Frame, read: Options): Stream {
  const words = withoutAssignments(frame, read.operands)
  const throughShell = has(read, 'i') || has(read, 's')
  if (words.length > 0) return runsWords(frame, words, throughShell)
  if (throughShell) return evaluateStream(frame, frame.stdin, { via: ['sh'], dialect: 'sh' })
  if (['l', 'v', 'k', 'K', 'V', 'L'].some((flag) => has(read, flag))) nothing(frame, 'sudo')
  else opaqueProgram(frame, 'sudo', 'interactive_session', 'no command')
  return plain
}

/** With a login shell the words go through the user's start-up files, and are quoted again. */
function runsWords(frame: Frame, words: readonly Field[], throughShell: boolean): Stream {
  return frame.work.engine.program(throughShell ? { ...frame, via: [...frame.via, 'sh'] } : frame, words)
}

function asUser(frame: Frame, user: Field, name: string): Frame {
  needsKnown(frame, user, 'the user')
  const shell = { ...frame.shell, exported: new Map(frame.shell.exported) }
  return {
    ...frame,
    shell,
    via: [...frame.via, name],
    runAs: shown(user.text),
    environment: null,
    straight: false,
  }
}

/** A login starts in the user's home directory. */
function atHome(frame: Frame): void {
  frame.shell.cwd = `~${frame.runAs ?? ''}`
}

function withoutAssignments(frame: Frame, words: readonly Field[]): readonly Field[] {
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at]
    const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word?.text ?? '')
    if (word === undefined || match === null) break
    const [, name = '', text = ''] = match
    const value = { ...word, text }
    entersEnvironment(frame, name, { value, stays: false })
    frame.shell.exported.set(name, value)
  }
  return words.slice(at)
}

function edits(frame: Frame, files: readonly Field[]): Stream {
  for (const file of files) writePlace(frame, placeOf(frame, file), { action: 'write', scope: 'single' })
  opaqueProgram(frame, 'sudoedit', 'interactive_session', 'an editor')
  return plain
}

const suSpec = spec(
  'c|command= session-command= l|login m|p|preserve-environment s|shell= g|group= G|supp-group= w|whitelist-environment= f|fast P|pty T|no-pty u|user= help version',
)

/** `su`, `runuser`: a login, or one command text. */
function switched(call: Call): Stream | undefined {
  const { frame, name } = call
  const endsAt =
    call.name === 'runuser' && call.args.some((arg) => /^-u|^--user/.test(arg.text))
      ? spec(
          'u|user= l|login g|group= G|supp-group= m|p|preserve-environment s|shell= w|whitelist-environment= P|pty +',
        )
      : suSpec
  const read = options(call.args, endsAt)
  if (read.unknown !== null) {
    opaqueProgram(frame, name, 'unknown_flag', `${name} ${read.unknown}`)
    return undefined
  }
  const direct = last(read, 'u')
  if (direct !== undefined) return frame.work.engine.program(asUser(frame, direct, name), read.operands)
  const operands = read.operands.filter((word) => word.text !== '-')
  const inner = asUser(frame, operands[0] ?? literal('root'), name)
  if (has(read, 'l') || operands.length < read.operands.length) atHome(inner)
  return runsShell(
    inner,
    [last(read, 'c') ?? last(read, 'session-command'), ...operands.slice(1)],
    last(read, 's'),
  )
}

function runsShell(frame: Frame, words: readonly (Field | undefined)[], shell: Field | undefined): Stream {
  const [command, ...rest] = words
  if (shell !== undefined && !/^(?:\/usr)?\/bin\/(?:ba|da)?sh$/.test(shell.text)) {
    opaqueProgram(frame, shown(shell.text), 'unknown_command', 'another shell')
    return plain
  }
  if (rest.length > 0) unseen(frame, 'unsupported_syntax', 'words for the shell of su')
  const manner = { via: ['sh'], dialect: 'sh' } as const
  if (command === undefined) return evaluateStream(frame, frame.stdin, manner)
  return evaluateField(frame, joinedWords([command]), manner)
}

export const privilegeWrappers: readonly (readonly [string, Handler])[] = [
  ['sudo', elevated],
  ['doas', elevated],
  ['sudoedit', (call) => edits(asUser(call.frame, literal('root'), 'sudoedit'), call.args)],
  ['su', switched],
  ['runuser', switched],
]
