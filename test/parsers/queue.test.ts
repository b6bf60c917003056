import { PdpError } from '../../src/errors.ts'
import { createFairQueue } from '../../src/parsers/queue.ts'
import type { FairQueue } from '../../src/parsers/queue.ts'

interface Work {
  readonly callerKey: string
  readonly name: string
}

const queueOf = (running: number, ...names: string[]): FairQueue<Work> => {
  const queue = createFairQueue<Work>({ perCaller: 8, inAll: 20, running })
  for (const name of names) queue.add({ callerKey: name.charAt(0), name })
  return queue
}

const taken = (queue: FairQueue<Work>, times: number): (string | undefined)[] =>
  Array.from({ length: times }, () => queue.take()?.name)

test('callers are served in turn, however many of one wait', () => {
  expect(taken(queueOf(9, 'a1', 'a2', 'a3', 'b1', 'c1', 'b2'), 7)).toEqual([
    'a1',
    'b1',
    'c1',
    'a2',
    'b2',
    'a3',
    undefined,
  ])
})

test('no caller runs more than its share, and its next one starts when one has ended', () => {
  const queue = queueOf(1, 'a1', 'a2', 'b1')
  expect(taken(queue, 3)).toEqual(['a1', 'b1', undefined])
  queue.ended({ callerKey: 'a', name: 'a1' })
  expect(taken(queue, 2)).toEqual(['a2', undefined])
})

test('a ninth command of one caller is refused, and another caller is not', () => {
  const queue = queueOf(1, ...Array.from({ length: 8 }, (_, index) => `a${index}`))
  expect(() => queue.add({ callerKey: 'a', name: 'a9' })).toThrow(
    expect.objectContaining({ code: 'caller.limit', retryAfterSeconds: 1 }),
  )
  queue.add({ callerKey: 'b', name: 'b1' })
  expect(queue.take()?.name).toBe('a0')
  queue.add({ callerKey: 'a', name: 'a9' })
})

test('there is a limit to all callers together', () => {
  const queue = queueOf(1, ...Array.from({ length: 20 }, (_, index) => `${String.fromCharCode(97 + index)}1`))
  expect(() => queue.add({ callerKey: 'z', name: 'z1' })).toThrow(PdpError)
})

test('what is drained is not served any more', () => {
  const queue = queueOf(1, 'a1', 'b1')
  expect(queue.drain().map(({ name }) => name)).toEqual(['a1', 'b1'])
  expect(queue.take()).toBeUndefined()
})
