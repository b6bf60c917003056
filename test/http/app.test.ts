import { PdpError, type PdpErrorCode } from '../../src/errors.ts'
import {
  action,
  allScopes,
  bundleRow,
  decisionJson,
  principal,
  testApp,
  verbs,
  type TestApp,
} from '../support/app.ts'

let t: TestApp

beforeAll(async () => {
  t = await testApp()
  t.world.principals.set('reader', principal('reader', ['evidence:read']))
})

afterAll(() => t.close())

const id = bundleRow.id
const none = { authorization: '' }

describe('the order of checks', () => {
  const bad = '{"actor":'
  test.each([
    ['an unknown path is 404 before anything', 'POST', '/v1/nothing', none, bad, 404, 'request.not_found'],
    ['an unknown method is 405 before the token', 'PUT', '/v1/decide', none, bad, 405, 'request.method'],
    ['no token is 401 before the body', 'POST', '/v1/decide', none, bad, 401, 'auth.missing'],
    [
      'another scheme is 401',
      'POST',
      '/v1/decide',
      { authorization: 'Basic eDp5' },
      bad,
      401,
      'auth.missing',
    ],
    ['a bad token is 401', 'POST', '/v1/decide', { authorization: 'Bearer x' }, bad, 401, 'auth.invalid'],
    [
      'a scope that lacks is 403 before the body',
      'POST',
      '/v1/decide',
      { authorization: 'Bearer reader' },
      bad,
      403,
      'auth.scope',
    ],
    [
      'another content type is 415 before the body',
      'POST',
      '/v1/decide',
      { 'content-type': 'text/plain' },
      bad,
      415,
      'request.media_type',
    ],
    [
      'a compressed body is 415',
      'POST',
      '/v1/decide',
      { 'content-encoding': 'gzip' },
      bad,
      415,
      'request.media_type',
    ],
    [
      'another charset is 415',
      'POST',
      '/v1/decide',
      { 'content-type': 'application/json; charset=utf-16' },
      bad,
      415,
      'request.media_type',
    ],
    [
      'a tarball is 415 where none is read',
      'POST',
      '/v1/decide',
      { 'content-type': 'application/gzip' },
      bad,
      415,
      'request.media_type',
    ],
    [
      'a large body is 413 before it is read',
      'POST',
      '/v1/decide',
      {},
      ' '.repeat(1_048_577),
      413,
      'request.too_large',
    ],
    ['no JSON is 400', 'POST', '/v1/decide', {}, bad, 400, 'request.malformed'],
    ['an empty body is 400', 'POST', '/v1/decide', {}, '', 400, 'request.malformed'],
    ['another shape is 400', 'POST', '/v1/decide', {}, '{}', 400, 'request.invalid'],
    [
      'an id of another shape is 400 before 404',
      'GET',
      '/v1/evidence/x',
      {},
      undefined,
      400,
      'request.invalid',
    ],
    [
      'an unknown id is 404',
      'GET',
      `/v1/evidence/${id.replace('1', '2')}`,
      {},
      undefined,
      404,
      'evidence.not_found',
    ],
    [
      'an unknown bundle is 404',
      'GET',
      `/v1/bundles/${id.replace('1', '2')}`,
      {},
      undefined,
      404,
      'bundle.not_found',
    ],
  ] as const)('%s', async (...row) => {
    const [, method, url, headers, payload, status, code] = row
    const type = { 'content-type': 'application/json' }
    const answer = await t.ask({
      method,
      url,
      headers: { ...(payload === undefined ? {} : type), ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    expect([answer.status, answer.json().code]).toEqual([status, code])
  })

  test('a body without content type is 415', async () => {
    const answer = await t.ask({ method: 'POST', url: '/v1/decide', payload: Buffer.from('{}') })
    expect(answer.json().code).toBe('request.media_type')
  })

  test('parameters in a content type do no harm', async () => {
    for (const type of [
      'application/json; charset=UTF-8',
      'Application/JSON;charset="utf-8"',
      'application/json; x=1',
    ]) {
      expect((await t.post('/v1/decide', action(), { 'content-type': type })).status).toBe(200)
    }
  })

  test('the scheme of a token may be written in any case', async () => {
    expect((await t.post('/v1/decide', action(), { authorization: 'bearer service' })).status).toBe(200)
  })

  test('a 401 challenges, and says why only when there was a token', async () => {
    const missing = await t.ask({ url: '/v1/evidence', headers: none })
    const wrong = await t.ask({ url: '/v1/evidence', headers: { authorization: 'Bearer x' } })
    expect(missing.headers['www-authenticate']).toBe('Bearer realm="countersign"')
    expect(wrong.headers['www-authenticate']).toBe('Bearer realm="countersign", error="invalid_token"')
  })
})

describe('methods', () => {
  const all = [
    '/v1/decide',
    '/v1/decide/batch',
    '/v1/explain',
    '/v1/evidence',
    `/v1/evidence/${id}`,
    '/v1/bundles',
    '/livez',
    '/metrics',
    '/openapi.json',
    '/.well-known/jwks.json',
  ]

  test.each(all)('%s answers OPTIONS and every unknown method with Allow', async (url) => {
    const options = await t.ask({ method: 'OPTIONS', url, headers: none })
    expect(options.status).toBe(204)
    const allowed = String(options.headers['allow']).split(', ')
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'] as const) {
      if (allowed.includes(method)) continue
      const answer = await t.ask({ method: method as 'PUT', url, headers: none })
      expect([method, answer.status, answer.headers['allow']]).toEqual([
        method,
        405,
        options.headers['allow'],
      ])
    }
  })

  test.each(['/livez', '/readyz', '/v1/evidence', `/v1/evidence/${id}`, '/openapi.json'])(
    'HEAD %s is GET without the content',
    async (url) => {
      const [head, get] = [await t.ask({ method: 'HEAD', url }), await t.ask({ url })]
      expect(head.status).toBe(get.status)
      expect(head.body).toBe('')
      expect(head.headers['content-length']).toBe(get.headers['content-length'])
    },
  )

  test('HEAD asks for a token like GET', async () => {
    expect((await t.ask({ method: 'HEAD', url: '/v1/evidence', headers: none })).status).toBe(401)
  })

  test('HEAD where there is no GET is 405', async () => {
    expect((await t.ask({ method: 'HEAD', url: '/v1/decide' })).status).toBe(405)
  })

  test.each([
    '/v1/decide/',
    '/V1/decide',
    '/v1//decide',
    '//',
    '/v1/evidence/',
    '/v1/evidence/a/b',
    '/v1/decide%2f',
    '/.well-known/',
    '/docs',
    `/v1/evidence/${'a'.repeat(600)}`,
  ])('%s is no path', async (url) => {
    const answer = await t.ask({ url })
    expect(answer.json().code).toBe('request.not_found')
  })

  test.each(['/v1/%zz', '/%', '/v1/evidence/%ff'])('%s can not be decoded', async (url) => {
    const answer = await t.ask({ url })
    expect([answer.status, answer.json().code]).toEqual([400, 'request.malformed'])
  })
})

describe('decide', () => {
  test('sends the text of the verb as it is', async () => {
    const answer = await t.post('/v1/decide', action())
    expect(answer.body).toBe(decisionJson)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['idempotent-replayed']).toBeUndefined()
  })

  test('hands the verb the action, the caller and the claim', async () => {
    const asked: unknown[] = []
    const mine = await testApp({
      verbs: {
        ...verbs,
        decide: (ports, question) => {
          asked.push(question)
          return verbs.decide(ports, question)
        },
      },
    })
    await mine.post('/v1/decide', { target: action()['target'], ...action() }, { 'idempotency-key': 'k-1' })
    await mine.post('/v1/decide', action())
    await mine.close()
    const caller = principal()
    const body =
      '{"actor":{"id":"agent:etl-7","type":"agent"},"command":{"dialect":"postgresql","language":"sql","text":"SELECT 1"},"target":{"environment":"production","id":"orders-db","system":"postgresql"}}'
    const claim = { issuer: caller.caller.issuer, subject: 'svc', operation: 'decide', key: 'k-1', body }
    expect(asked).toEqual([
      { principal: caller, actions: [action()], claim, batch: false },
      { principal: caller, actions: [action()], claim: null, batch: false },
    ])
  })

  test.each(['', ' ', 'with space', 'ümlaut', 'x'.repeat(256)])(
    'refuses the idempotency key %p',
    async (key) => {
      const answer = await t.post('/v1/decide', action(), { 'idempotency-key': key })
      expect(answer.json().errors?.[0]?.pointer).toBe('/Idempotency-Key')
    },
  )

  test('says when it is a replay', async () => {
    const replaying = await testApp({
      verbs: {
        ...verbs,
        decide: () =>
          Promise.resolve([{ json: decisionJson, decisionId: id, verdict: 'allow', replayed: true }]),
      },
    })
    const answer = await replaying.post('/v1/decide', action(), { 'idempotency-key': 'k' })
    await replaying.close()
    expect(answer.headers['idempotent-replayed']).toBe('true')
  })
})

describe('a batch', () => {
  test('answers each action in its place, and its faults there too', async () => {
    const denied: string[] = []
    const mine = await testApp({
      verbs: {
        ...verbs,
        decide: (_, { actions }) =>
          Promise.resolve(
            actions.map(({ actor }) => {
              denied.push(actor.id)
              return actor.id === 'other'
                ? { problem: new PdpError('actor.forbidden', 'the token does not speak for this actor') }
                : { json: decisionJson, decisionId: id, verdict: 'allow', replayed: false }
            }),
          ),
      },
    })
    const items = [action(), {}, action({ actor: { id: 'other' } }), 7, action({ actor: { id: 'last' } })]
    const answer = await mine.post('/v1/decide/batch', { actions: items })
    await mine.close()
    const { decisions } = answer.json() as unknown as {
      readonly decisions: readonly { readonly problem?: { readonly code: string; readonly status: number } }[]
    }
    expect(decisions.map(({ problem }) => problem?.code)).toEqual([
      undefined,
      'request.invalid',
      'actor.forbidden',
      'request.invalid',
      undefined,
    ])
    expect(denied).toEqual(['agent:etl-7', 'other', 'last'])
  })

  test('of nothing but faults asks no verb', async () => {
    const answer = await t.post('/v1/decide/batch', { actions: [{}, []] })
    expect(answer.status).toBe(200)
  })

  test.each([
    [{}, '/actions'],
    [{ actions: [] }, '/actions'],
    [{ actions: Array.from({ length: 101 }, () => action()) }, '/actions'],
    [{ actions: [action()], more: 1 }, '/more'],
    [[], ''],
  ])('is refused as a whole: %#', async (body, pointer) => {
    const answer = await t.post('/v1/decide/batch', body)
    expect([answer.status, answer.json().errors?.[0]?.pointer]).toEqual([400, pointer])
  })
})

describe('every fault of a verb', () => {
  const statuses: Readonly<Record<string, number>> = {
    'actor.forbidden': 403,
    'target.forbidden': 403,
    'facts.forbidden': 403,
    'caller.limit': 429,
    'idempotency.conflict': 409,
    'decision.expired': 409,
    'decision.spent': 409,
    'ledger.unavailable': 503,
    'ledger.busy': 503,
    'policy.missing': 503,
    'auth.unavailable': 503,
  }
  test.each(Object.entries(statuses))('%s is %i', async (code, status) => {
    const mine = await testApp({
      verbs: {
        ...verbs,
        decide: () =>
          Promise.reject(new PdpError(code as PdpErrorCode, 'a message', { retryAfterSeconds: 2.2 })),
      },
    })
    const answer = await mine.post('/v1/decide', action())
    await mine.close()
    expect([answer.status, answer.json()['type']]).toEqual([status, `urn:countersign:problem:${code}`])
    if (status === 429 || status === 503) expect(answer.headers['retry-after']).toBe('3')
    if (status >= 500) expect(answer.body).not.toContain('a message')
  })

  test.each([
    ['an error of its own', () => Promise.reject(new Error('SELECT secret FROM t at /srv/x.ts'))],
    ['something that is no error', () => Promise.reject('boom')],
    [
      'a thrown error',
      () => {
        throw new TypeError('x is not a function')
      },
    ],
    ['no answer', () => Promise.resolve([])],
  ])('%s is a 500 that says nothing but an id, with all of it in the log', async (_, decide) => {
    const mine = await testApp({ verbs: { ...verbs, decide: decide as unknown as typeof verbs.decide } })
    const answer = await mine.post('/v1/decide', action())
    await mine.close()
    const { detail, requestId } = answer.json()
    expect(answer.status).toBe(500)
    expect(detail).toBe('the service could not answer; quote the request id to its operators')
    const line = mine.lines.find((each) => each['requestId'] === requestId)
    expect(line).toMatchObject({ status: 500, code: 'internal', level: 50 })
    expect(line?.['err']).toHaveProperty('stack')
  })
})

describe('evidence and bundles', () => {
  test('an unknown parameter, one given twice and one of another type are refused', async () => {
    for (const [query, pointer] of [
      ['actr=x', '/actr'],
      ['limit=0', '/limit'],
      ['limit=501', '/limit'],
      ['limit=0x10', '/limit'],
      ['limit=1e2', '/limit'],
      ['limit=', '/limit'],
      ['limit=1&limit=2', '/limit'],
      ['proof=yes', '/proof'],
      ['order=up', '/order'],
      ['verdict=maybe', '/verdict'],
      ['from=yesterday', '/from'],
      ['from=2026-02-30T00:00:00Z', '/from'],
      ['actor=', '/actor'],
      ['actor=a%00b', '/actor'],
      ['__proto__=x', '/__proto__'],
    ]) {
      const answer = await t.ask({ url: `/v1/evidence?${query}` })
      expect([query, answer.status, answer.json().errors?.[0]?.pointer]).toEqual([query, 400, pointer])
    }
  })

  test('parameters arrive typed, with the defaults of the contract', async () => {
    const asked: unknown[] = []
    const mine = await testApp({
      verbs: {
        ...verbs,
        searchEvidence: (ports, caller, parameters) => {
          asked.push(parameters)
          return verbs.searchEvidence(ports, caller, parameters)
        },
      },
    })
    await mine.ask({ url: '/v1/evidence?limit=7&proof=true&actor=agent%3Ax' })
    await mine.close()
    expect(asked).toEqual([
      expect.objectContaining({ limit: 7, proof: true, actor: 'agent:x', order: 'desc' }),
    ])
  })

  test('a bundle is 201 with its place, 202 while it is examined, 422 when it is rejected', async () => {
    for (const [state, status] of [
      ['candidate', 201],
      ['active', 201],
      ['received', 202],
      ['rejected', 422],
    ] as const) {
      const mine = await testApp({
        verbs: { ...verbs, admitBundle: () => Promise.resolve({ ...bundleRow, state }) },
      })
      const answer = await mine.post('/v1/bundles', { name: 'mine', files: { 'a.rego': 'package a' } })
      await mine.close()
      expect([state, answer.status, answer.headers['location']]).toEqual([
        state,
        status,
        status === 422 ? undefined : `/v1/bundles/${id}`,
      ])
    }
  })

  test('a tarball reaches the verb as bytes, and how long to wait as a number', async () => {
    const asked: unknown[] = []
    const mine = await testApp({
      verbs: {
        ...verbs,
        admitBundle: (_, { posted, waitSeconds }) => {
          asked.push([Buffer.isBuffer(posted) ? posted.toString() : posted, waitSeconds])
          return Promise.resolve(bundleRow)
        },
      },
    })
    for (const prefer of ['wait=30', 'respond-async, wait=9999', 'wait=x']) {
      await mine.post('/v1/bundles', Buffer.from('bytes'), { 'content-type': 'application/gzip', prefer })
    }
    await mine.close()
    expect(asked).toEqual([
      ['bytes', 30],
      ['bytes', 60],
      ['bytes', 0],
    ])
  })

  test('a page of bundles has a cursor while there are more', async () => {
    const mine = await testApp()
    mine.world.rows = [bundleRow, { ...bundleRow, id: id.replace('1', '2') }]
    const first = (await mine.ask({ url: '/v1/bundles?limit=1' })).json()
    const whole = (await mine.ask({ url: '/v1/bundles?limit=2' })).json()
    const wrong = await mine.ask({ url: '/v1/bundles?cursor=x' })
    await mine.close()
    expect([first['nextCursor'], whole['nextCursor'], wrong.status]).toEqual([id, null, 400])
  })
})

describe('operations', () => {
  test('readyz names what is missing, and not why', async () => {
    const mine = await testApp({ checks: { database: () => undefined } })
    const ready = await mine.ask({ url: '/readyz', headers: none })
    mine.world.bundleLoaded = false
    mine.world.ledgerFault = 'password authentication failed for user countersign'
    const unready = await mine.ask({ url: '/readyz', headers: none })
    await mine.close()
    expect([ready.status, ready.json()['checks']]).toEqual([
      200,
      { server: 'ok', bundle: 'ok', writer: 'ok', database: 'ok' },
    ])
    expect([unready.status, unready.json()['checks']]).toEqual([
      503,
      { server: 'ok', bundle: 'unavailable', writer: 'unavailable', database: 'ok' },
    ])
  })

  test.each(['/livez', '/metrics', '/openapi.json', '/.well-known/jwks.json', '/.well-known/countersign'])(
    '%s asks for no token',
    async (url) => {
      expect((await t.ask({ url, headers: none })).status).toBe(200)
    },
  )

  test('metrics count requests by route, not by path, and problems by code', async () => {
    await t.ask({ url: '/v1/evidence/x' })
    const { body } = await t.ask({ url: '/metrics' })
    expect(body).toContain(
      'http_request_duration_seconds_count{method="GET",route="/v1/evidence/{id}",status="400"}',
    )
    expect(body).toContain('countersign_problems_total{code="request.invalid"}')
    expect(body).toContain('process_resident_memory_bytes')
  })
})

describe('request ids and the log', () => {
  test('a request id is echoed, and one that could forge a line is replaced', async () => {
    const kept = await t.post('/v1/decide', action(), { 'x-request-id': 'req-1:a/b' })
    expect(kept.headers['x-request-id']).toBe('req-1:a/b')
    for (const bad of ['a b', '"x"', 'ü', 'x'.repeat(129), '']) {
      const replaced = await t.post('/v1/decide', action(), { 'x-request-id': bad })
      expect(replaced.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    }
  })

  test('one line per request says who asked what and what came out', async () => {
    const mine = await testApp()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await mine.post('/v1/decide', action(), { 'x-request-id': 'one', traceparent })
    await mine.post('/v1/decide', {}, { 'x-request-id': 'two' })
    await mine.ask({ url: '/v1/nothing?token=hunter2', headers: { 'x-request-id': 'three' } })
    await mine.close()
    expect(mine.lines).toHaveLength(3)
    expect(mine.lines[0]).toMatchObject({
      requestId: 'one',
      traceId: traceparent.slice(3, 35),
      method: 'POST',
      route: '/v1/decide',
      status: 200,
      caller: 'svc',
      decisionId: id,
      verdict: 'allow',
    })
    expect(mine.lines[1]).toMatchObject({
      requestId: 'two',
      status: 400,
      code: 'request.invalid',
      caller: 'svc',
    })
    expect(mine.lines[2]).toMatchObject({ requestId: 'three', status: 404, route: 'unmatched' })
    expect(JSON.stringify(mine.lines)).not.toMatch(/hunter2|SELECT 1|Bearer|service"?:"?svc/)
  })
})

test('every scope of the contract is asked for', async () => {
  const mine = await testApp()
  for (const [method, url, scope] of [
    ['POST', '/v1/decide', 'decide'],
    ['POST', '/v1/decide/batch', 'decide'],
    ['POST', '/v1/explain', 'decide'],
    ['GET', '/v1/evidence', 'evidence:read'],
    ['GET', `/v1/evidence/${id}`, 'evidence:read'],
    ['POST', '/v1/bundles', 'bundle:write'],
    ['GET', '/v1/bundles', 'bundle:write'],
    ['GET', `/v1/bundles/${id}`, 'bundle:write'],
  ] as const) {
    mine.world.principals.set(
      'narrow',
      principal(
        'narrow',
        allScopes.filter((each) => each !== scope),
      ),
    )
    const answer = await mine.ask({ method, url, headers: { authorization: 'Bearer narrow' } })
    expect([url, answer.status, answer.json().code]).toEqual([url, 403, 'auth.scope'])
  }
  await mine.close()
})
