/** Builtins that change the shell itself: its directory, variables, options, names. */
import type { Call, Handler } from '../call.ts'
import { entersEnvironment } from '../environment.ts'
import { anything, hole, literal, withText, type Field } from '../field.ts'
import { evaluatesText } from '../arithmetic.ts'
import { placeOf } from '../path.ts'
import { empty, unnamed, type Stream } from '../stream.ts'
import { assign, forget } from '../variables.ts'
import { divergent, emit, keeps, nothing, opaque, unseen, unsupported, type Frame } from '../work.ts'

/** `cd`, `pushd`: where relative paths start from here on. */
function changeDirectory(call: Call): Stream {
  const { frame, args } = call
  const operands = args.filter((arg) => !/^-[LPe@n]+$|^--$/.test(arg.text))
  const [to] = operands
  nothing(frame, call.name)
  if (to === undefined) moveTo(frame, call.name === 'cd' ? '~' : hole)
  else if (to.dynamic || to.glob || /^[-+]\d*$/.test(to.text)) moveTo(frame, hole)
  else moveTo(frame, placeOf(frame, to).path)
  return empty
}

function moveTo(frame: Frame, path: string): void {
  const { shell } = frame
  shell.cwdBefore = shell.cwdDoubt ? hole : shell.cwd
  shell.cwd = path
}

function popDirectory(call: Call): Stream {
  nothing(call.frame, call.name)
  moveTo(call.frame, hole)
  return empty
}

/** `export`, `declare`, `readonly`, `local`: each word a name or an assignment. */
function declareNames(call: Call): Stream | undefined {
  const { frame, name, args } = call
  const flags = args
    .filter((arg) => isFlag(arg))
    .map((arg) => arg.text)
    .join('')
  const words = args.filter((arg) => !isFlag(arg) && arg.text !== '--')
  if (name === 'declare' || name === 'typeset') divergent(frame, name)
  if (words.length === 0) return printsVariables(call)
  const exported = name === 'export' || flags.includes('x')
  nothing(frame, name)
  if (/[fF]/.test(flags)) {
    if (exported) exportsFunctions(frame, words)
    return empty
  }
  if (flags.includes('n') && name !== 'export') unsupported(frame, 'name references')
  for (const word of words) declareWord(frame, word, { exported, integer: flags.includes('i') })
  return empty
}

function isFlag(word: Field): boolean {
  return /^[-+][a-zA-Z]+$/.test(word.text)
}

/** Every bash that is started from here on has these functions. */
function exportsFunctions(frame: Frame, words: readonly Field[]): void {
  for (const word of words) keeps(frame, 'function', word.text)
  frame.shell.hijacked ??= 'an exported function'
}

function declareWord(
  frame: Frame,
  word: Field,
  how: { readonly exported: boolean; readonly integer: boolean },
): void {
  const match = /^([A-Za-z_]\w*)(?:\[[\d@*]*\])?(?:\+?=([\s\S]*))?$/.exec(word.text)
  const [, name, text] = match ?? []
  if (name === undefined) {
    unseen(frame, 'dynamic_command', 'a declaration evaluates a name that is not known')
    forget(frame)
    return
  }
  if (text !== undefined) declareValue(frame, name, { value: withText(word, text), integer: how.integer })
  const held = frame.shell.variables.get(name) ?? anything(unnamed)
  if (how.exported) frame.shell.exported.set(name, held)
  entersEnvironment(frame, name, { value: text === undefined ? held : withText(word, text), stays: true })
}

function declareValue(
  frame: Frame,
  name: string,
  how: { readonly value: Field; readonly integer: boolean },
): void {
  if (how.integer) checkInteger(frame, how.value)
  assign(frame, name, how.value)
}

function checkInteger(frame: Frame, value: Field): void {
  if (!value.dynamic) evaluatesText(frame, value.text)
  else if (value.data?.numeric !== true)
    unseen(frame, 'dynamic_command', 'an integer variable evaluates its value')
}

function printsVariables(call: Call): undefined {
  const resource = { system: 'host', type: 'environment', name: '*' }
  emit(call.frame, { action: 'read', resource, scope: 'bulk', sensitivity: 'unknown', reversible: 'yes' })
}

/** `unset`: takes names away, a function's or a variable's. */
function unset(call: Call): Stream {
  const { frame, args } = call
  for (const arg of args) {
    if (/^-[vfn]$/.test(arg.text)) continue
    if (!/^\w+$/.test(arg.text)) unseen(frame, 'dynamic_command', 'unset evaluates a subscript')
    if (frame.shell.functions.has(arg.text)) unsupported(frame, 'a function that is taken away')
    if (frame.shell.variables.has(arg.text)) frame.shell.variables.set(arg.text, anything(unnamed))
    if (/^(?:PATH|IFS|HISTFILE|BASH_ENV|LD_.*)$/.test(arg.text)) keeps(frame, 'variable', arg.text)
  }
  nothing(frame, 'unset')
  return empty
}

const harmlessOptions = new Set([
  'errexit',
  'nounset',
  'pipefail',
  'xtrace',
  'verbose',
  'errtrace',
  'functrace',
  'monitor',
  'notify',
  'noclobber',
])

/** `set`: options of the shell, or new positional words. */
function set(call: Call): Stream | undefined {
  const { frame, args } = call
  if (args.length === 0) return printsVariables(call)
  nothing(frame, 'set')
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]
    if (arg === undefined || arg.text === '--' || !/^[-+]./.test(arg.text)) break
    if (!/^[-+][euxvEThmbCo]+$/.test(arg.text)) keeps(frame, 'option', arg.text)
    if (arg.text.endsWith('o')) namedOption(frame, args[++at])
    if (arg.text.includes('e')) frame.shell.stopsOnError = arg.text.startsWith('-') && !frame.conditional
  }
  frame.shell.positional = null
  return empty
}

function namedOption(frame: Frame, arg: Field | undefined): void {
  if (arg === undefined || harmlessOptions.has(arg.text)) return
  keeps(frame, 'option', arg.text)
  unseen(frame, 'session_state', 'an option changes how later commands are read')
}

/** What of these only asks. */
const asking: Readonly<Record<string, RegExp>> = {
  shopt: /^(?!.*(?:^| )-[a-z]*[su])/,
  hash: /^(?:-[rtl]( \w+)*)?$/,
  enable: /^(?:-[ap]*)?$/,
  bind: /^-[lpPsSvVq]+$/,
}

/** `shopt`, `enable`, `hash -p`, `bind`: how later words are read. */
function changesReading(call: Call): Stream {
  const { frame, name } = call
  const words = call.args.map((arg) => arg.text).join(' ')
  if (asking[name]?.test(words) === true) nothing(frame, name)
  else {
    keeps(frame, name, words)
    unseen(frame, 'session_state', `${name} changes how later commands are read`)
  }
  return empty
}

/** `alias`: a later command word may become other text, where aliases are expanded. */
function alias(call: Call): Stream {
  const { frame, args } = call
  const defined = args.filter((arg) => arg.text.includes('='))
  nothing(frame, 'alias')
  for (const arg of defined) {
    const at = arg.text.indexOf('=')
    const name = arg.text.slice(0, at)
    keeps(frame, 'alias', name)
    if (arg.dynamic) unseen(frame, 'dynamic_command', 'an alias of unknown text')
    else {
      const inner = {
        ...frame,
        via: [...frame.via, 'alias'],
        deferred: true,
        straight: false,
        depth: frame.depth + 4,
      }
      frame.work.engine.source(inner, withText(literal(''), arg.text.slice(at + 1)).text)
    }
  }
  if (defined.length > 0) frame.shell.hijacked ??= 'an alias'
  return empty
}

function unalias(call: Call): Stream {
  nothing(call.frame, 'unalias')
  keeps(call.frame, 'alias', call.args.map((arg) => arg.text).join(' '))
  return empty
}

/** `history -c`: takes away the record of what was run. */
function history(call: Call): Stream | undefined {
  const { frame, args } = call
  if (args.every((arg) => /^\d+$/.test(arg.text))) {
    const resource = { system: 'host', type: 'file', name: '~/.bash_history' }
    emit(frame, { action: 'read', resource, scope: 'single', sensitivity: 'secret', reversible: 'yes' })
    return undefined
  }
  const resource = { system: 'host', type: 'file', name: '~/.bash_history' }
  emit(frame, { action: 'delete', resource, scope: 'all', why: 'audit_log_path', reversible: 'no' })
  return empty
}

/** `fc -s` runs an earlier command again. */
function fc(call: Call): Stream {
  const resource = { system: 'host', type: 'shell', name: 'fc' }
  opaque(
    call.frame,
    { action: 'execute', resource, scope: 'unknown' },
    'session_state',
    'an earlier command is run again',
  )
  return unnamed
}

export const stateBuiltins: readonly (readonly [string, Handler])[] = [
  ['cd', changeDirectory],
  ['chdir', changeDirectory],
  ['pushd', changeDirectory],
  ['popd', popDirectory],
  ['export', declareNames],
  ['readonly', declareNames],
  ['declare', declareNames],
  ['typeset', declareNames],
  ['local', declareNames],
  ['unset', unset],
  ['set', set],
  ['shopt', changesReading],
  ['enable', changesReading],
  ['hash', changesReading],
  ['bind', changesReading],
  ['compopt', changesReading],
  ['alias', alias],
  ['unalias', unalias],
  ['history', history],
  ['fc', fc],
]
