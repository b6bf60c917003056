import { isOrigin, logIdOf } from '../../src/ledger/origin.ts'
import { Recent } from '../../src/ledger/recent.ts'
import { verifierKey } from '../../src/ledger/verifier-key.ts'

test.each(['log.example/a', 'evaluation.invalid/4f2a', 'localhost:8080/x'])('%s can name a log', (origin) => {
  expect(isOrigin(origin)).toBe(true)
})

test.each(['', 'a/', 'a b', 'a+b', 'https://LOG', `a${'b'.repeat(300)}`])(
  '%j cannot name a log',
  (origin) => {
    expect(isOrigin(origin)).toBe(false)
  },
)

test('the number of a log depends on its origin alone and fits a bigint', () => {
  expect(logIdOf('log.example/a')).toBe(logIdOf('log.example/a'))
  expect(logIdOf('log.example/a')).not.toBe(logIdOf('log.example/b'))
  expect(BigInt(logIdOf('log.example/a')) < 1n << 63n).toBe(true)
})

test('a verifier key is the one that signed notes use', () => {
  // The example key of golang.org/x/mod/sumdb/note.
  const known = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
  const key = Buffer.from(known.split('+').at(2) ?? '', 'base64').subarray(1)
  expect(verifierKey('PeterNeumann', key)).toBe(known)
})

test('what was asked for lately is remembered, the rest forgotten', () => {
  const recent = new Recent<number, number>(10)
  for (let i = 0; i < 100; i++) {
    recent.set(i, i)
    expect(recent.get(0)).toBe(0)
  }
  expect(recent.get(99)).toBe(99)
  expect(recent.get(50)).toBeUndefined()
})
