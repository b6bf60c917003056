import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { BudgetExceeded } from '../../../src/intent/analysis.ts'
import type { Effect } from '../../../src/intent/intent.ts'
import { analysed, host, type Analysed } from './support/context.ts'

/** What must never be called harmless: a path goes as a whole, or something was not seen. */
function isDangerous({ effects, unseen }: Analysed): boolean {
  return unseen.length > 0 || effects.some((effect) => effect.action === 'delete' && effect.scope === 'all')
}

describe('words of a command without a shell', () => {
  test('are exact: nothing in them is expanded', () => {
    const { effects, unseen } = analysed(['rm', '-rf', '$HOME/*.log; ls'])
    expect(effects.map(({ action, resource }) => [action, resource.name])).toEqual([
      ['delete', '/srv/app/$HOME/*.log; ls'],
    ])
    expect(unseen).toEqual([])
  })

  test('have neither builtins nor functions', () => {
    expect(analysed(['eval', 'rm -rf /']).unseen.map(({ code }) => code)).toEqual(['unknown_command'])
    expect(analysed(['cd', '/']).unseen.map(({ code }) => code)).toEqual(['unknown_command'])
  })

  test('are followed into wrappers and shells', () => {
    const { effects } = analysed(['sudo', 'sh', '-c', 'rm -rf /srv/data'])
    expect(effects[0]).toMatchObject({ action: 'delete', scope: 'all', via: ['sudo', 'sh'] })
  })

  test('name the word that holds a secret', () => {
    const { secrets } = analysed(['curl', '-u', 'bob:s3cretpw', 'https://example.com'])
    expect(secrets).toEqual([{ argv: 2, start: 0, end: 12 }])
  })
})

describe('attached scripts', () => {
  const text = '#!/bin/sh\nrm -rf "$1"\n'
  const sha256 = createHash('sha256').update(text).digest('hex')

  test('are read in the place of the file', () => {
    const { effects, unseen } = analysed('./clean.sh /srv/data', {
      attachments: [{ path: '/srv/app/clean.sh', sha256, text }],
    })
    expect(unseen).toEqual([])
    expect(effects.map(({ action, resource }) => [action, resource.name])).toEqual([
      ['execute', '/srv/app/clean.sh'],
      ['delete', '/srv/data'],
    ])
  })

  test('count for nothing under another digest', () => {
    const { unseen } = analysed('./clean.sh', {
      attachments: [{ path: './clean.sh', sha256: sha256.replace(/./g, '0'), text }],
    })
    expect(unseen.map(({ code }) => code)).toEqual(['external_file'])
  })

  test('need an interpreter that is read', () => {
    const python = '#!/usr/bin/python3\nprint(1)\n'
    const digest = createHash('sha256').update(python).digest('hex')
    const { unseen } = analysed('./x.py', { attachments: [{ path: './x.py', sha256: digest, text: python }] })
    expect(unseen.map(({ code }) => code)).toEqual(['external_file'])
  })

  test('are SQL for psql', () => {
    const sql = 'DELETE FROM users;'
    const digest = createHash('sha256').update(sql).digest('hex')
    const { children } = analysed('psql -f clean.sql', {
      attachments: [{ path: 'clean.sql', sha256: digest, text: sql }],
    })
    expect(children.map(({ command }) => ('text' in command ? command.text : ''))).toEqual([sql])
  })
})

function codes(text: string): readonly string[] {
  return analysed(text).unseen.map(({ code }) => code)
}

describe('limits', () => {
  test('refuse texts that would make the parser slow', () => {
    expect(analysed(`echo ${'$('.repeat(300)}`).unseen[0]?.code).toBe('depth_limit')
    expect(analysed(`cat ${'<<a '.repeat(100)}\n`).unseen[0]?.code).toBe('depth_limit')
  })

  test('refuse shells inside shells without end', () => {
    let text = 'rm -rf /srv/data'
    for (let turn = 0; turn < 12; turn++) text = `eval ${JSON.stringify(text)}`
    expect(isDangerous(analysed(text))).toBe(true)
    const nested = Array.from({ length: 10 }).reduce<string>(
      (inner) => `sh -c '${inner.replaceAll("'", "'\\''")}'`,
      'ls',
    )
    expect(analysed(nested).unseen.map(({ code }) => code)).toContain('depth_limit')
  })

  test('refuse what is long without end, and say so', () => {
    expect(codes('sudo '.repeat(12_000))).toContain('depth_limit')
    expect(codes('ls; '.repeat(300))).toContain('node_limit')
    expect(codes('ls | '.repeat(300) + 'ls')).toContain('node_limit')
    expect(codes(`rm ${'a '.repeat(2000)}`)).toContain('node_limit')
    expect(codes(`echo $((${'1+'.repeat(20_000)}1))`)).toContain('unsupported_syntax')
  })

  test('are told to whoever counts', () => {
    expect(() => analysed('ls; '.repeat(200), { nodes: 100 })).toThrow(BudgetExceeded)
  })

  test('hold for braces that multiply', () => {
    const { unseen } = analysed(`rm ${'{a,b}'.repeat(6)} ${'{a,b}'.repeat(40)}`)
    expect(unseen.map(({ code }) => code)).toContain('unsupported_syntax')
  })
})

test('bytes that decoding makes are read with the same suspicion as the text', () => {
  const hidden = Buffer.from('rm -rf /srv/data\u0007').toString('base64')
  expect(analysed(`echo ${hidden} | base64 -d | sh`).unseen.map(({ code }) => code)).toEqual([
    'malformed_bytes',
  ])
})

test('what a nested shell keeps is gone with it', () => {
  expect(analysed('sh -c "f() { ls; }; f"').effects.filter(({ action }) => action === 'config')).toEqual([])
  expect(analysed('(export PATH=/tmp/x)').effects.filter(({ action }) => action === 'config')).toEqual([])
})

test('the sensitive place is found through every spelling of it', () => {
  for (const path of [
    '/etc/shadow',
    '/etc/../etc/shadow',
    '//etc//shadow',
    '/etc/./shadow',
    '/etc/sha*w',
    '/etc/[s]hadow',
    '/etc/*',
  ]) {
    expect(analysed(`cat ${path}`).effects.map(({ sensitivity }) => sensitivity)).toEqual(['secret'])
  }
})

test('a child is told where its parent stands', () => {
  const { children } = analysed('if a; then ssh root@db-1 "psql -h localhost -c \'DELETE FROM t\'"; fi')
  expect(children).toHaveLength(1)
  expect(children[0]).toMatchObject({
    via: ['ssh:db-1', 'sh', 'psql'],
    endpoint: { host: 'db-1' },
    runAs: 'root',
    system: 'postgresql',
    conditional: true,
    repeat: 1,
  })
  expect(analysed('while a; do psql -c "DELETE FROM t WHERE id = 1"; done').children[0]).toMatchObject({
    repeat: null,
  })
})

test('spliced SQL still parses, and proves nothing', () => {
  const { children, effects, unseen } = analysed('psql -c "DELETE FROM $T WHERE id = $ID"')
  expect(children.map(({ command }) => ('text' in command ? command.text : ''))).toEqual([
    'DELETE FROM unknown_at_run_time WHERE id = unknown_at_run_time',
  ])
  expect(effects[0]).toMatchObject({
    resource: { name: '*unknown*' },
    scope: 'unknown',
    confidence: 'inferred',
  })
  expect(unseen[0]).toMatchObject({ code: 'spliced_variable', effect: effects[0] })
})

/** The same command in other clothes. */
const clothes: readonly ((command: string) => string)[] = [
  (c) => `sudo ${c}`,
  (c) => `env ${c}`,
  (c) => `command ${c}`,
  (c) => `nohup ${c} &`,
  (c) => `timeout 5 ${c}`,
  (c) => `nice -n 3 ${c}`,
  (c) => `true && ${c}`,
  (c) => `false || ${c}`,
  (c) => `(${c})`,
  (c) => `{ ${c}; }`,
  (c) => `! ${c}`,
  (c) => `if :; then ${c}; fi`,
  (c) => `while :; do ${c}; done`,
  (c) => `for i in 1 2; do ${c}; done`,
  (c) => `case x in *) ${c};; esac`,
  (c) => `f() { ${c}; }; f`,
  (c) => `echo "$(${c})"`,
  (c) => `ls | ${c}`,
  (c) => `${c} > /dev/null 2>&1`,
  (c) => `bash -c ${quoted(c)}`,
  (c) => `sh -c ${quoted(c)}`,
  (c) => `eval ${quoted(c)}`,
  (c) => `echo ${quoted(c)} | bash`,
  (c) => `bash <<'X'\n${c}\nX`,
  (c) => `trap ${quoted(c)} EXIT`,
  (c) => `ssh prod ${quoted(c)}`,
  (c) => `xargs -I% ${c}`,
  (c) => `echo ${Buffer.from(c).toString('base64')} | base64 -d | sh`,
  (c) => `ls;${c};ls`,
  (c) => `ls\n${c}\nls`,
  (c) => `# a comment\n${c}`,
  (c) => `X=1 ${c}`,
  (c) => `cat < <(${c})`,
  (c) => `su -c ${quoted(c)}`,
  (c) => `watch ${quoted(c)}`,
  (c) => `busybox ${c}`,
  (c) => `find . -exec ${c} \\;`,
]

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** The same word, quoted otherwise. */
const spelling = fc.constantFrom<(word: string) => string>(
  (w) => w,
  (w) => `'${w}'`,
  (w) => `"${w}"`,
  (w) => `\\${w}`,
  (w) => `${w.slice(0, 1)}''${w.slice(1)}`,
  (w) => `${w.slice(0, 1)}""${w.slice(1)}`,
  (w) => `${w.slice(0, 1)}\\${w.slice(1)}`,
  (w) => `${w.slice(0, 1)}\\\n${w.slice(1)}`,
  (w) => `$'${w}'`,
  (w) => `$'\\x${w.charCodeAt(0).toString(16)}${w.slice(1)}'`,
  (w) => `"${w.slice(0, 1)}"'${w.slice(1)}'`,
  (w) => `$(echo ${w})`,
  (w) => `\`printf ${w}\``,
  (w) => `$UNSET${w}`,
)

test('a dangerous command stays dangerous in other clothes and other quotes', () => {
  const dressed = fc.tuple(
    fc.tuple(spelling, spelling, spelling),
    fc.array(fc.constantFrom(...clothes), { maxLength: 3 }),
    fc.constantFrom('bash' as const, 'sh' as const),
  )
  fc.assert(
    fc.property(dressed, ([spellings, worn, dialect]) => {
      const words = ['rm', '-rf', '/srv/data'].map((word, at) => spellings[at]?.(word) ?? word)
      const command = worn.reduce((inner, wear) => wear(inner), words.join(' '))
      expect({ command, dangerous: isDangerous(analysed(command, { dialect })) }).toEqual({
        command,
        dangerous: true,
      })
    }),
    { numRuns: 1500 },
  )
})

/** Pieces that shell commands are made of, put together without sense. */
const pieces = fc.constantFrom(
  ..."rm -rf /srv/data;ls;|;&&;||;&;(;);{;};<;>;>>;<<EOF;\n;\";';`;$(;${x};$x;$((1+;));[[;]];if;then;fi;for x in;do;done;case;esac;a=1;*;?;~;\\;#;sudo;sh -c;eval;xargs;find . -exec;psql -c;curl;=;!;function f;2>&1;<(;EOF;{a,b};$';-;--;@;:".split(
    ';',
  ),
)

test('any text is analysed to something', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join(' ')),
    fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(texts, fc.constantFrom('bash' as const, 'sh' as const), (text, dialect) => {
      const found = analysed(text, { dialect })
      expect(found.effects.length).toBeGreaterThan(0)
      expect(found.parse.ok || found.unseen.length > 0).toBe(true)
      for (const { effect } of found.unseen)
        expect(effect === null || found.effects.includes(effect)).toBe(true)
      for (const effect of found.effects) expect(isExplained(found, effect)).toBe(true)
    }),
    { numRuns: 3000 },
  )
})

/** An opaque effect has its reason. */
function isExplained({ unseen }: Analysed, effect: Effect): boolean {
  return effect.confidence !== 'opaque' || unseen.some((one) => one.effect === effect || one.effect === null)
}

test('any words without a shell are analysed to something', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 8 }), (argv) => {
      expect(analysed(argv).effects.length).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})

test('a claimed directory never makes a path the workspace', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('rm x', 'echo a > x', 'rm -rf node_modules', 'cd sub && rm x'),
      fc.constantFrom('/srv/app', '/srv/app/sub'),
      (command, cwd) => {
        const { effects } = analysed(command, { target: { cwd, placeTrusted: false } })
        const inside = effects.filter(({ resource }) => resource.name.startsWith(`${host.facts.workspace}/`))
        expect(inside).toEqual([])
      },
    ),
  )
})

function marked(command: string): readonly string[] {
  return analysed(command).secrets.map(({ start, end }) => command.slice(start, end))
}

describe('secrets', () => {
  test('are marked where they stand', () => {
    expect(marked('docker login -u bob --password s3cretpw r.example')).toEqual(['s3cretpw'])
    expect(marked("mysql -ps3cretpw -e 'SELECT 1'")).toEqual(['s3cretpw'])
    expect(marked("PGPASSWORD=s3cretpw psql -c 'SELECT 1'")).toEqual(['s3cretpw'])
    expect(marked("ssh a 'curl -u bob:s3cretpw https://example.com'")).toEqual(['bob:s3cretpw'])
    expect(marked('curl -u "$USER:$PASS" https://example.com')).toEqual([])
  })

  test('that are put together from pieces hide the whole text', () => {
    const command = 'curl -u bob:s3"cret"pw https://example.com'
    expect(marked(command)).toEqual([command])
  })
})
