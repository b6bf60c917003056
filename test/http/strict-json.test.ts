import * as fc from 'fast-check'
import { PdpError } from '../../src/errors.ts'
import { maxDepth, parseStrictJson } from '../../src/http/strict-json.ts'

function parse(text: string | Buffer): unknown {
  return parseStrictJson(Buffer.from(text))
}

/** Pointer of the first fault; null when there is none. */
function faultAt(text: string | Buffer): string | null {
  try {
    parse(text)
    return null
  } catch (error) {
    if (!(error instanceof PdpError) || error.code !== 'request.malformed') throw error
    expect(error.faults).toHaveLength(1)
    return error.faults[0]?.pointer ?? 'no pointer'
  }
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe('what it reads', () => {
  test.each([
    '{}',
    ' [1, -2.5e3, true, false, null, "x"] ',
    '"a string"',
    '0',
    '{"":{"":[]}}',
    '{"a":{"b":1},"c":{"b":1}}',
    '{"text":"{\\"a\\":1,\\"a\\":2}"}',
    '{"colon":"::::","quote":"\\"","back":"\\\\"}',
    '"\\ud83d\\ude00"',
    '"\\\\ud800"',
    '"\u{1f600}"',
    '9007199254740991',
    '9007199254740992',
    '9007199254740994',
    '-9007199254740996.0',
    '1e22',
    '123456789012345678901234567890.5',
    '0.1',
    '1e-400',
    '-0',
  ])('%s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test('members named __proto__, constructor and toString are members and no more', () => {
    const value = parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}') as Record<
      string,
      unknown
    >
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(value['admin']).toBeUndefined()
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  test('64 containers inside one another', () => {
    expect(parse(nested(maxDepth))).toEqual(JSON.parse(nested(maxDepth)))
  })
})

describe('what it refuses, and where', () => {
  test.each([
    ['nothing', '', ''],
    ['spaces', '  \n', ''],
    ['two values', '{} {}', ''],
    ['an unfinished object', '{"a":[1,2', '/a'],
    ['a name without quotes', '{a:1}', ''],
    ['a name without a value', '{"a"}', '/a'],
    ['a trailing comma', '{"a":[1,]}', '/a/1'],
    ['single quotes', "{'a':1}", ''],
    ['a comment', '{"a":1}//', ''],
    ['NaN', '{"a":NaN}', '/a'],
    ['a leading zero', '{"a":01}', '/a'],
    ['a leading plus', '{"a":+1}', '/a'],
    ['a hexadecimal number', '{"a":0x10}', '/a'],
    ['a raw control character', '{"a":"\u0001"}', '/a'],
    ['an unknown escape', '{"a":"\\x41"}', '/a'],
    ['a byte order mark', '\ufeff{}', ''],
    ['a name twice', '{"a":1,"b":2,"a":3}', '/a'],
    ['a name twice with the same value', '{"a":1,"a":1}', '/a'],
    ['a name twice, deep inside', '{"x":[0,{"y":{"command":1,"command":2}}]}', '/x/1/y/command'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}', '/a'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['half a pair', '{"a":"\\ud800"}', '/a'],
    ['the other half', '["\\uDC00x"]', '/0'],
    ['halves in the wrong order', '["\\udc00\\ud800"]', '/0'],
    ['half a pair in a name', '{"\\ud800":1}', ''],
    ['an integer beyond 2^53', '{"a":9007199254740993}', '/a'],
    ['a negative one', '[-9007199254740993]', '/0'],
    ['one written with a fraction of zeros', '[9007199254740993.00]', '/0'],
    ['one written with an exponent', '[90071992547409930e-1]', '/0'],
    ['1e23, which no double is', '[1e23]', '/0'],
    ['one that overflows', '[1e400]', '/0'],
    ['65 containers', nested(maxDepth + 1), '/0'.repeat(maxDepth)],
    ['a million open brackets', '['.repeat(1_000_000), '/0'.repeat(maxDepth)],
    ['names with slashes and tildes', '{"a/b~c":{"x":1,"x":2}}', '/a~1b~0c/x'],
  ])('%s', (_, text, pointer) => {
    expect(faultAt(text)).toBe(pointer)
  })

  test.each([
    ['an overlong encoding', [0x22, 0xc0, 0x80, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
  ])('%s', (_, bytes) => {
    expect(faultAt(Buffer.from(bytes))).toBe('')
  })

  test('a value of the text never appears in what it says', () => {
    for (const text of [
      '{"a":hunter2}',
      '{"a":"hunter2","a":"hunter2"}',
      '["hunter2" x]',
      '{"a":"hunter2\\ud800"}',
    ]) {
      expect(() => parse(text)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
      )
      try {
        parse(text)
      } catch (error) {
        expect(JSON.stringify([(error as PdpError).faults, (error as Error).cause])).not.toContain('hunter2')
      }
    }
  })
})

describe('laws', () => {
  const options = { numRuns: 500 }

  test('a value that JSON.stringify wrote is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        if (hasUnsafe(JSON.parse(text) as unknown)) return
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
      options,
    )
  })

  test('what JSON.parse refuses is refused, and what is accepted is what JSON.parse reads', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '\\',
      'u',
      'd',
      '8',
      '0',
      'a',
      '1',
      '.',
      'e',
      '-',
      ' ',
      'true',
      '\u00e9',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (parts) => {
        const text = parts.join('')
        let expected: unknown
        try {
          expected = JSON.parse(text) as unknown
        } catch {
          expect(faultAt(text)).not.toBeNull()
          return
        }
        if (faultAt(text) === null) expect(parse(text)).toEqual(expected)
      }),
      { numRuns: 5_000 },
    )
  })

  test('a member written again anywhere is found', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 }),
        fc.nat(),
        (object, pick) => {
          const members = Object.entries(object).map(
            ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
          )
          const again = members[pick % members.length] ?? ''
          const text = `{"in":[{${[...members, again].join(',')}}]}`
          expect(faultAt(text)).toMatch(/^\/in\/0/)
        },
      ),
      options,
    )
  })

  test('a byte changed in a valid text gives a value or a refusal, never another error', () => {
    const text = Buffer.from(
      '{"actor":{"id":"agent:\\u00e9tl-7"},"n":[1,2.5e3,-0],"t":"a\\\\\\"b","u":"\u20ac"}',
    )
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(text)
        changed[at] = byte
        faultAt(changed)
      }),
      { numRuns: 3_000 },
    )
  })

  test('a megabyte of anything is read or refused in less than two seconds', () => {
    const hostile = [
      `["${'\\u0041'.repeat(170_000)}"]`,
      `["${'\\ud83d\\ude00'.repeat(85_000)}"]`,
      `[${'9'.repeat(1_000_000)}]`,
      `[1${'0'.repeat(300)}.${'0'.repeat(1_000_000)}1]`,
      `{${Array.from({ length: 80_000 }, (_, n) => `"k${n}":0`).join(',')},"k0":0}`,
      `"${'\\'.repeat(1_000_000)}`,
      `[${'1e5,'.repeat(250_000)}1e400]`,
      `${' '.repeat(1_000_000)}x`,
    ]
    for (const text of hostile) {
      const started = performance.now()
      faultAt(text)
      expect(performance.now() - started).toBeLessThan(2_000)
    }
  })
})

function hasUnsafe(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) >= 2 ** 53
  if (typeof value === 'string') return /[\ud800-\udfff]/u.test(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) => hasUnsafe(name) || hasUnsafe(member))
}
