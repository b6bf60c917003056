import {
  errorFields,
  openLog,
  withoutSecrets,
  type OpenLog,
  type RequestLine,
} from '../../src/telemetry/log.ts'

function captured(level = 'info'): { readonly log: OpenLog; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  return {
    log: openLog(level, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }),
    lines,
  }
}

const line: RequestLine = {
  requestId: 'r-1',
  traceId: undefined,
  method: 'POST',
  route: '/v1/decide',
  status: 200,
  micros: 1234,
  caller: 'svc"\\\n',
  noted: { decisionId: 'd-1', verdict: 'deny', stages: { parse: 30 } },
  error: undefined,
}

test('a request is one line of JSON with the members of any other line', () => {
  const { log, lines } = captured()
  log.request(line)
  log.log.info('other')
  expect(lines).toEqual([
    {
      level: 30,
      time: expect.any(Number),
      service: 'countersign',
      requestId: 'r-1',
      method: 'POST',
      route: '/v1/decide',
      status: 200,
      micros: 1234,
      caller: 'svc"\\\n',
      decisionId: 'd-1',
      verdict: 'deny',
      stages: { parse: 30 },
      msg: 'request',
    },
    { level: 30, time: expect.any(Number), service: 'countersign', msg: 'other' },
  ])
})

test('requests are left out below the level, faults are not', () => {
  const { log, lines } = captured('warn')
  log.request(line)
  log.request({
    ...line,
    status: 503,
    error: Object.assign(new Error('down'), { code: 'ledger.unavailable' }),
  })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({
    level: 50,
    status: 503,
    code: 'ledger.unavailable',
    err: { message: 'down' },
  })
})

test('members that hold secrets are cut out if somebody logs them all the same', () => {
  const { log, lines } = captured()
  log.log.info(
    {
      authorization: 'Bearer hunter2',
      command: { text: 'hunter2' },
      token: 'hunter2',
      body: 'hunter2',
      headers: { x: 'hunter2' },
    },
    'x',
  )
  expect(JSON.stringify(lines)).not.toContain('hunter2')
  expect(lines[0]).toMatchObject({ command: '‹redacted›' })
})

test('of an error the log has name, code, message, stack and causes, and no other field', () => {
  const driver = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (a)=(hunter2)',
    parameters: ['hunter2'],
  })
  const { log, lines } = captured()
  log.log.error({ err: new Error('outer', { cause: driver }) }, 'x')
  expect(lines[0]?.['err']).toMatchObject({
    type: 'Error',
    message: 'outer',
    cause: { code: '23505', message: 'duplicate key' },
  })
  expect(JSON.stringify(lines)).not.toContain('hunter2')
})

test('a chain of causes that bites its tail ends', () => {
  const error = new Error('a')
  error.cause = error
  expect(JSON.stringify(errorFields(error)).length).toBeLessThan(100_000)
})

test.each([
  ['a token', 'got eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln in it', 'got ‹token› in it'],
  ['a header', 'authorization: Bearer abc.def-1', 'authorization: Bearer ‹token›'],
  ['basic credentials', 'Basic dXNlcjpwdw==', 'Basic ‹token›'],
  ['a URL', 'connect postgres://ana:hunter2@db/x', 'connect postgres://‹userinfo›@db/x'],
  ['a key', 'a -----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY----- b', 'a ‹key› b'],
  ['a key that is cut off', '-----BEGIN EC PRIVATE KEY-----\nMC4C', '‹key›'],
  ['nothing', 'plain text of an error at 10:30', 'plain text of an error at 10:30'],
])('%s in a message', (_, text, expected) => {
  expect(withoutSecrets(text)).toBe(expected)
})
