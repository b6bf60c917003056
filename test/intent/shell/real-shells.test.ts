/**
 * Against real bash and dash: small commands run in a throw-away directory where every program is a
 * stub that logs its words. Whatever ran was reported, or the command was said to be opaque.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import * as fc from 'fast-check'
import type { Effect } from '../../../src/intent/intent.ts'
import { analysed } from './support/context.ts'

const shells = ['bash', 'dash'].filter((name) => existsSync(`/bin/${name}`))
const stubs = ['p1', 'p2', 'p3', 'rm']
const real = ['cat', 'env', 'xargs', 'base64', 'rev', 'tr', 'nohup', 'timeout', 'nice']
const runs = Number(process.env['SHELL_RUNS'] ?? 120)

/** One write for each start, so that lines of a pipeline don't mix. */
const stub =
  '#!/bin/sh\nset -- "$PWD" "${0##*/}" "$@"\nIFS=$(printf "\\037")\nprintf "%s\\037\\036" "$*" >> "$LOG"\n'

let folder: string
let bin: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shells-'))
  bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of stubs) {
    writeFileSync(join(bin, name), stub)
    chmodSync(join(bin, name), 0o755)
  }
  for (const name of real)
    if (existsSync(`/usr/bin/${name}`)) symlinkSync(`/usr/bin/${name}`, join(bin, name))
  symlinkSync('/bin/sh', join(bin, 'sh'))
  symlinkSync('/bin/bash', join(bin, 'bash'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Started {
  /** As if the throw-away directory were `cwd`. */
  readonly directory: string
  readonly name: string
  readonly words: readonly string[]
}

/** All stubs that a shell started for a text. */
function started(shell: string, text: string): readonly Started[] {
  const place = mkdtempSync(join(folder, 'run-'))
  const log = `${place}.log`
  for (const name of ['a.log', 'b.log', 'c', '-x']) writeFileSync(join(place, name), 'p3 from-file\n')
  mkdirSync(join(place, 'd'))
  spawnSync(`/bin/${shell}`, ['-c', text], {
    cwd: place,
    env: { PATH: bin, LOG: log, HOME: '/home/nobody' },
    input: 'p3 from-stdin\n',
    timeout: 3000,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\u001e') : []
  rmSync(place, { recursive: true, force: true })
  return lines
    .map((line) => line.split('\u001f').slice(0, -1))
    .filter((line) => line.length > 1)
    .map(([directory = '', name = '', ...words]) => ({
      directory: directory.replace(place, cwd),
      name,
      words,
    }))
}

const cwd = '/throw/away'

/** What ran and was not reported. */
function missed(text: string, dialect: 'bash' | 'sh'): readonly Started[] {
  const { effects, unseen } = analysed(text, { dialect, target: { cwd, facts: { workspace: cwd } } })
  if (unseen.some(({ code }) => code !== 'unknown_command')) return []
  const programs = new Set(
    effects.filter(({ action }) => action === 'execute').map(({ resource }) => resource.name),
  )
  const deleted = effects.filter(({ action }) => action === 'delete')
  return shells
    .filter((shell) => dialect === 'sh' || shell === 'bash')
    .flatMap((shell) => started(shell, text))
    .filter((run) =>
      run.name === 'rm'
        ? !operands(run.words).every((word) => word === '' || isCovered(run.directory, word, deleted))
        : !programs.has(run.name),
    )
}

function operands(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--')
  const flags = words.slice(0, end < 0 ? undefined : end)
  return [
    ...flags.filter((word) => !word.startsWith('-') || word === '-'),
    ...(end < 0 ? [] : words.slice(end + 1)),
  ]
}

/** An inferred effect is one whose directory is not certain: its last name counts. */
function isCovered(directory: string, word: string, deleted: readonly Effect[]): boolean {
  const path = resolve(directory, word)
  return deleted.some(({ resource, confidence }) => {
    const name = resource.name.startsWith('~') ? resource.name : resolve(cwd, resource.name)
    const pattern = name
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')
    if (path === name || path.startsWith(`${name}/`) || matches(pattern, path)) return true
    if (word.startsWith('/')) return resource.name.startsWith('~')
    return confidence === 'inferred' && matches(basename(pattern), basename(path))
  })
}

function matches(pattern: string, path: string): boolean {
  try {
    return new RegExp(`^${pattern}$`).test(path)
  } catch {
    return false
  }
}

const word = fc.constantFrom(
  'a',
  'b.log',
  '"c"',
  "'d'",
  '*.log',
  '"*"',
  '\\*',
  '?',
  '[a-c]*',
  '$X',
  '"$X"',
  '${X}',
  '${X:-z}',
  '${Y:-z}',
  '${#X}',
  '{a,b}',
  '{1..2}',
  'x{a,"b c"}y',
  "$'q\\x41'",
  '$"l"',
  '~',
  "'~'",
  '$(echo a b)',
  '"$(echo a b)"',
  '`echo c`',
  '$((1+1))',
  '-f',
  '--',
  '""',
  "''",
  'a\\ b',
  '"a b"',
  'a"b"c',
  '$(printf "%s" a)',
  '$*',
  '"$@"',
  '$1',
  '"${1}"',
  '#c',
  'a#b',
  'x=1',
  './a',
  'd/../c',
  '$(cat c)',
  '${X%a}',
  '${X/a/b}',
  '!',
  '$?',
  '${X+set}',
  '\\\na',
  '"\\a\\$"',
)

const program = fc.constantFrom(
  'p1',
  'p2',
  'rm',
  'p\\1',
  "'p2'",
  '"r"m',
  '$P',
  '${P}',
  '$(echo p1)',
  '`echo rm`',
  'command p1',
  '\\rm',
  "$'\\x701'",
  'env p2',
  'env Z=1 rm',
  'nice rm',
  'nohup p1',
  'timeout 1 p2',
  'exec p1',
  '{p1,x}',
  'Q=1 p2',
  'f',
  'builtin echo',
  'xargs p1',
  'xargs rm',
)

const simple = fc
  .tuple(program, fc.array(word, { maxLength: 3 }))
  .map(([name, words]) => [name, ...words].join(' '))

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const command = fc.letrec<{ any: string; compound: string }>((tie) => ({
  any: fc.oneof({ maxDepth: 3, withCrossShrink: true }, simple, tie('compound')),
  compound: fc.oneof(
    fc
      .tuple(tie('any'), fc.constantFrom('; ', ' && ', ' || ', ' | ', '\n', ' & ', ' |& ', ' # '), tie('any'))
      .map((p) => p.join('')),
    tie('any').map((c) => `( ${c} )`),
    tie('any').map((c) => `{ ${c}; }`),
    tie('any').map((c) => `! ${c}`),
    tie('any').map((c) => `if true; then ${c}; fi`),
    tie('any').map((c) => `for i in a b; do ${c} $i; done`),
    tie('any').map((c) => `for i in *.log; do ${c} "$i"; done`),
    tie('any').map((c) => `while read l; do ${c} $l; done < c`),
    tie('any').map((c) => `case a in a) ${c};; esac`),
    tie('any').map((c) => `f() { ${c}; }; f a`),
    tie('any').map((c) => `X=a; ${c}`),
    tie('any').map((c) => `X="a b"; P=rm; ${c}`),
    tie('any').map((c) => `P=p1; ${c}`),
    tie('any').map((c) => `set -- a b; ${c}`),
    tie('any').map((c) => `cd d && ${c}`),
    tie('any').map((c) => `cd nowhere || ${c}`),
    tie('any').map((c) => `cd nowhere; ${c}`),
    tie('any').map((c) => `IFS=.; ${c}`),
    tie('any').map((c) => `alias f=${quoted(c)}\nf`),
    tie('any').map((c) => `eval ${quoted(c)}`),
    tie('any').map((c) => `sh -c ${quoted(c)} x y`),
    tie('any').map((c) => `bash -c ${quoted(c)}`),
    tie('any').map((c) => `trap ${quoted(c)} EXIT`),
    tie('any').map((c) => `echo ${quoted(c)} | sh`),
    tie('any').map((c) => `printf '%s\\n' ${quoted(c)} | bash`),
    tie('any').map((c) => `sh <<'E'\n${c}\nE\n`),
    tie('any').map((c) => `sh <<E\n${c}\nE\n`),
    tie('any').map((c) => `cat <<E\n$(${c})\nE\n`),
    tie('any').map((c) => `echo "$(${c})"`),
    tie('any').map((c) => `echo $'\\'; ${c} #'`),
    tie('any').map((c) => `echo "\${Y:-$(${c})}"`),
    tie('any').map((c) => `: $((1 + $(${c}; echo 1)))`),
    tie('any').map((c) => `cat <(${c})`),
    tie('any').map((c) => `[[ -n "$(${c})" ]]`),
    tie('any').map((c) => `echo ${Buffer.from(c).toString('base64')} | base64 -d | sh`),
    tie('any').map((c) => `${c} > o 2>&1`),
    tie('any').map((c) => `< c ${c}`),
    tie('any').map((c) => `function f { ${c}; }; f`),
    tie('any').map((c) => `source <(echo ${quoted(c)})`),
    tie('any').map((c) => `coproc ${c}`),
  ),
})).any

test('what a real shell starts was reported, or the command was opaque', () => {
  fc.assert(
    fc.property(command, fc.constantFrom('bash' as const, 'sh' as const), (text, dialect) => {
      expect({ text, dialect, missed: missed(text, dialect) }).toEqual({ text, dialect, missed: [] })
    }),
    {
      numRuns: runs,
      ...(process.env['SHELL_SEED'] === undefined
        ? { seed: 7 }
        : { seed: Number(process.env['SHELL_SEED']) }),
    },
  )
}, 120_000)
