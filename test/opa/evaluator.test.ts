import { PolicyEvaluator } from '../../src/opa/evaluator.ts'
import { compiled, decision } from '../support/rego.ts'

const time = '2026-11-21T03:00:00.123Z'
const asked = (fields: object, effects = 1): { json: string; effects: number } => ({
  json: JSON.stringify({ ...fields, time }),
  effects,
})

/** Exponential in `input.work`: what a hostile or careless bundle can do within Rego's rules. */
const slow = `decision := {"n": n} if {
  not input.work
  n := data.answer
}

decision := {"n": n} if {
  input.work
  xs := numbers.range(1, input.work)
  n := count([1 | some a in xs; some b in xs; some c in xs; some d in xs; a + b + c + d < 0])
}`

const faulty = `decision := input.value if input.value

decision := 1 if input.conflict
decision := 2 if input.conflict

decision := json.unmarshal(input.lone) if input.lone

decision := concat("", [input.text | some _ in numbers.range(1, input.times)]) if input.times`

let slowWasm: Uint8Array
let faultyWasm: Uint8Array

beforeAll(async () => {
  slowWasm = await compiled(decision(slow))
  faultyWasm = await compiled(decision(faulty))
}, 300_000)

describe('an evaluator', () => {
  test('answers in the order of the questions, with the bundle data', async () => {
    const evaluator = await PolicyEvaluator.load(slowWasm, '{"answer":42}')
    const answers = await Promise.all([
      evaluator.evaluate([asked({}), asked({ work: 2 })]),
      evaluator.evaluate([asked({})]),
    ])
    expect(answers).toEqual([
      [
        { ok: true, value: { n: 42 } },
        { ok: true, value: { n: 0 } },
      ],
      [{ ok: true, value: { n: 42 } }],
    ])
  })

  test('says undefined when the policy has no decision', async () => {
    const evaluator = await PolicyEvaluator.load(slowWasm, '{}')
    expect(await evaluator.evaluate([asked({})])).toEqual([{ ok: true, value: undefined }])
  })

  test('judges what came in one turn of the event loop together, and answers a lone question', async () => {
    const evaluator = await PolicyEvaluator.load(slowWasm, '{"answer":1}')
    const order: string[] = []
    const first = evaluator.evaluate([asked({})]).then(() => order.push('first'))
    await Promise.resolve()
    const second = evaluator.evaluate([asked({})]).then(() => order.push('second'))
    setImmediate(() => order.push('next turn'))
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
  })

  test('cuts off a policy that does not end, and harms none of those beside it', async () => {
    const evaluator = await PolicyEvaluator.load(slowWasm, '{"answer":7}', { timeoutMs: 100 })
    const good = { ok: true, value: { n: 7 } }
    const verdicts = await evaluator.evaluate([
      asked({}),
      asked({ work: 2000 }),
      asked({}),
      asked({ work: 2001 }),
      asked({}),
    ])
    const timeout = { ok: false, rule: 'policy.timeout', detail: expect.any(String) }
    expect(verdicts).toEqual([good, timeout, good, timeout, good])
    expect(await evaluator.evaluate([asked({})])).toEqual([good])
  })

  test('judges inputs of many effects alone', async () => {
    const evaluator = await PolicyEvaluator.load(slowWasm, '{"answer":7}', { timeoutMs: 100 })
    const verdicts = await evaluator.evaluate([asked({}), asked({ work: 2000 }, 33), asked({})])
    expect(verdicts.map((verdict) => verdict.ok)).toEqual([true, false, true])
  })

  test.each([
    ['a rule conflict', { conflict: true }],
    ['a lone surrogate', { value: '\ud800' }],
    ['more memory than it may have', { text: 'x'.repeat(50_000), times: 5_000 }],
  ])('turns %s into a fault, and judges the next one', async (_name, fields) => {
    const evaluator = await PolicyEvaluator.load(faultyWasm, '{}', { timeoutMs: 10_000 })
    const verdicts = await evaluator.evaluate([asked(fields), asked({ value: 'fine' })])
    expect(verdicts).toEqual([
      { ok: false, rule: 'policy.fault', detail: expect.any(String) },
      { ok: true, value: 'fine' },
    ])
  })

  test('survives a thousand faults: an instance that has thrown is never used again', async () => {
    const evaluator = await PolicyEvaluator.load(faultyWasm, '{}')
    for (let round = 0; round < 12; round++) {
      const verdicts = await evaluator.evaluate(Array.from({ length: 100 }, () => asked({ conflict: true })))
      expect(verdicts.every((verdict) => !verdict.ok)).toBe(true)
    }
    expect(await evaluator.evaluate([asked({ value: 'fine' })])).toEqual([{ ok: true, value: 'fine' }])
  }, 120_000)

  test('gives back the memory of an evaluation that needed much', async () => {
    const evaluator = await PolicyEvaluator.load(faultyWasm, '{}', { timeoutMs: 10_000 })
    const [large] = await evaluator.evaluate([asked({ text: 'x'.repeat(50_000), times: 200 })])
    expect(large).toMatchObject({ ok: true })
    expect(evaluator.memoryBytes).toBe(0)
    await evaluator.evaluate([asked({ value: 1 })])
    expect(evaluator.memoryBytes).toBeLessThan(16 * 1024 * 1024)
  })

  test('keeps nothing of one input for the next', async () => {
    const evaluator = await PolicyEvaluator.load(faultyWasm, '{}')
    const values = Array.from({ length: 500 }, (_, at) => 'v'.repeat((at * 37) % 900) + String(at))
    const verdicts = await evaluator.evaluate(values.map((value) => asked({ value })))
    expect(verdicts).toEqual(values.map((value) => ({ ok: true, value })))
  })

  test('reads the bytes of every script as they are', async () => {
    const evaluator = await PolicyEvaluator.load(faultyWasm, '{}')
    const value = {
      'ключ ‹secret:1›': ['日本語', '😀', '\u0000\u001f', 'a"\\/b', 1e21, -0.5, 9007199254740991],
    }
    expect(await evaluator.evaluate([asked({ value })])).toEqual([{ ok: true, value }])
  })
})

describe('loading', () => {
  test('refuses what is no WebAssembly', async () => {
    await expect(PolicyEvaluator.load(new Uint8Array([1, 2, 3]), '{}')).rejects.toThrow()
  })

  test('refuses a policy that calls a builtin which this host does not provide', async () => {
    // As a bundle compiled elsewhere, without our capabilities, could be.
    const changed = Buffer.from(await compiled(decision('decision := sprintf("%d", [input.value])')))
    const at = changed.indexOf('sprintf')
    changed.write('sprinty', at)
    await expect(PolicyEvaluator.load(changed, '{}')).rejects.toThrow('sprinty')
  })

  test('refuses data that is larger than the memory', async () => {
    const data = JSON.stringify({ text: 'x'.repeat(140 * 1024 * 1024) })
    await expect(PolicyEvaluator.load(slowWasm, data)).rejects.toThrow()
  })
})
