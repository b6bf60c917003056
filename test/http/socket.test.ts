import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { drain } from '../../src/app.ts'
import { action, testApp, verbs, type TestApp } from '../support/app.ts'

async function listening(t: TestApp): Promise<number> {
  await t.app.listen({ host: '127.0.0.1', port: 0 })
  return (t.app.server.address() as AddressInfo).port
}

/** Sends bytes and reads until the other side closes. */
async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  socket.on('error', () => undefined)
  socket.write(bytes)
  await new Promise((resolve) => socket.on('close', resolve))
  return text
}

function problemIn(answer: string): { readonly status: number; readonly code: unknown } {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toMatch(/content-type: application\/problem\+json/)
  expect(head).toMatch(/x-request-id: \S+/)
  const problem = JSON.parse(body) as { readonly code: string; readonly requestId: string }
  expect(head).toContain(problem.requestId)
  return { status: Number(head.slice(9, 12)), code: problem.code }
}

function requestHead(more: readonly string[]): string {
  return [
    'POST /v1/decide HTTP/1.1',
    'Host: x',
    'Authorization: Bearer service',
    'Content-Type: application/json',
    ...more,
    '',
    '',
  ].join('\r\n')
}

test('what is no HTTP, or too much of it, is answered with a problem too', async () => {
  const t = await testApp()
  const port = await listening(t)
  expect(problemIn(await exchange(port, 'BREW /pot HTTP/1.1\r\n\r\n'))).toEqual({
    status: 400,
    code: 'request.malformed',
  })
  expect(problemIn(await exchange(port, Buffer.from([0x16, 3, 1, 0, 0xa5, 1, 0, 0])))).toEqual({
    status: 400,
    code: 'request.malformed',
  })
  const large = `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`
  expect(problemIn(await exchange(port, large))).toEqual({ status: 431, code: 'request.headers_too_large' })
  const smuggled = requestHead(['Content-Length: 5', 'Transfer-Encoding: chunked'])
  expect(problemIn(await exchange(port, smuggled))).toEqual({ status: 400, code: 'request.malformed' })
  await t.close()
  expect(t.lines.map((line) => line['status'])).toEqual([400, 400, 431, 400])
})

test('a body in chunks that grows beyond the limit is cut off with 413', async () => {
  const t = await testApp()
  const port = await listening(t)
  const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`
  const answer = await exchange(port, requestHead(['Transfer-Encoding: chunked']) + chunk.repeat(17))
  expect(problemIn(answer)).toEqual({ status: 413, code: 'request.too_large' })
  expect(answer.toLowerCase()).toContain('connection: close')
  await t.close()
})

test('a declared length beyond the limit is refused before a byte of it is sent', async () => {
  const t = await testApp()
  const port = await listening(t)
  const answer = await exchange(port, requestHead(['Content-Length: 1048577']))
  expect(problemIn(answer)).toEqual({ status: 413, code: 'request.too_large' })
  await t.close()
})

test('heads and bodies that trickle are ended with 408', async () => {
  const t = await testApp({ timeouts: { headers: 150, request: 300 } })
  const port = await listening(t)
  const [head, body] = await Promise.all([
    exchange(port, 'POST /v1/decide HTTP/1.1\r\nHost: x\r\nX-A: '),
    exchange(port, `${requestHead(['Content-Length: 100'])}{"actor":`),
  ])
  expect(problemIn(head)).toEqual({ status: 408, code: 'request.timeout' })
  expect(problemIn(body)).toEqual({ status: 408, code: 'request.timeout' })
  await t.close()
})

test('requests of one connection are answered in order, whatever each of them is', async () => {
  const t = await testApp()
  const port = await listening(t)
  const body = JSON.stringify(action())
  const good = requestHead([`Content-Length: ${body.length}`]) + body
  const bad = requestHead(['Content-Length: 2']) + '[]'
  const last = 'GET /v1/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const answer = await exchange(port, good + bad + good + last)
  expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
    '200',
    '400',
    '200',
    '404',
  ])
  await t.close()
})

test('a caller that goes away before its answer harms nobody', async () => {
  const answers: (() => void)[] = []
  const gate = new Promise<void>((resolve) => answers.push(resolve))
  const t = await testApp({
    verbs: { ...verbs, decide: (ports, question) => gate.then(() => verbs.decide(ports, question)) },
  })
  const port = await listening(t)
  const body = JSON.stringify(action())
  const socket = connect(port, '127.0.0.1')
  socket.write(requestHead([`Content-Length: ${body.length}`]) + body)
  const [request] = (await once(t.app.server, 'request')) as [{ readonly socket: NodeJS.EventEmitter }]
  socket.destroy()
  await once(request.socket, 'close')
  for (const answer of answers) answer()
  expect((await t.post('/v1/decide', action())).status).toBe(200)
  await t.close()
})

test('a stop refuses new connections, answers what is under way, and then is done', async () => {
  const answers: (() => void)[] = []
  const gate = new Promise<void>((resolve) => answers.push(resolve))
  const t = await testApp({
    verbs: { ...verbs, decide: (ports, question) => gate.then(() => verbs.decide(ports, question)) },
  })
  const port = await listening(t)
  const body = JSON.stringify(action())
  const under = exchange(port, requestHead([`Content-Length: ${body.length}`]) + body)
  await once(t.app.server, 'request')
  const stopped = drain(t.app, 5_000)
  await once(t.app.server, 'close', { signal: AbortSignal.timeout(20) }).catch(() => undefined)
  await expect(exchange(port, 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).resolves.toBe(
    '',
  )
  for (const answer of answers) answer()
  expect(await under).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*connection: close/i)
  await stopped
})

test('a stop cuts what does not end in time', async () => {
  const t = await testApp({ verbs: { ...verbs, decide: () => new Promise(() => undefined) } })
  const port = await listening(t)
  const body = JSON.stringify(action())
  const under = exchange(port, requestHead([`Content-Length: ${body.length}`]) + body)
  await once(t.app.server, 'request')
  await drain(t.app, 50)
  expect(await under).toBe('')
})
