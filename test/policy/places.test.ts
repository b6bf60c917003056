import { effect } from '../../src/intent/intent.ts'
import type { Endpoint } from '../../src/intent/intent.ts'
import type { BundleData } from '../../src/policy/bundle.ts'
import { isProtected, placeOf } from '../../src/policy/places.ts'
import type { OwnPlace, Place } from '../../src/policy/places.ts'

const data: BundleData = {
  targets: {
    'orders-prod': { environment: 'production', endpoints: ['orders-prod', '*.prod.internal'] },
    'orders-dev': { environment: 'development', endpoints: ['orders-dev', 'shared'] },
    'shared-prod': { environment: 'production', endpoints: ['shared'] },
    'no-environment': { endpoints: ['bare'] },
  },
  environments: {
    development: { protected: false, default: 'allow' },
    production: { protected: true, default: 'deny' },
  },
}

const dev: OwnPlace = { system: 'host', id: 'dev-1', environment: 'development', protected: false }
const prod: OwnPlace = { system: 'host', id: 'app-1', environment: 'production', protected: true }

const place = (endpoint: Endpoint | null, own = dev, system = 'postgresql'): Place =>
  placeOf(
    effect({ action: 'read', scope: 'all', endpoint, resource: { system, type: 'table', name: 't' } }),
    own,
    data,
  )

test('without an endpoint an effect lands on the target', () => {
  expect(place(null)).toEqual({
    target: 'dev-1',
    environment: 'development',
    protected: false,
    why: 'target',
  })
})

test('an endpoint of production on a development host is judged as production', () => {
  const expected = { target: 'orders-prod', environment: 'production', protected: true, why: 'endpoint' }
  expect(place({ host: 'orders-prod' })).toEqual(expected)
  expect(place({ host: 'DB.Prod.Internal.' })).toEqual(expected)
  expect(place({ context: 'orders-prod' })).toEqual(expected)
})

test('an endpoint of development on a production host stays protected', () => {
  expect(place({ host: 'orders-dev' }, prod)).toEqual({
    target: 'orders-dev',
    environment: 'production',
    protected: true,
    why: 'endpoint',
  })
  expect(place({ host: 'orders-dev' })).toMatchObject({ protected: false, environment: 'development' })
})

test('an endpoint that nobody knows is protected, and on no target', () => {
  expect(place({ host: 'elsewhere' })).toEqual({
    target: null,
    environment: 'unresolved',
    protected: true,
    why: 'unresolved_endpoint',
  })
  expect(place({ host: 'elsewhere' }, prod).environment).toBe('production')
  expect(place({ host: 'orders-dev', profile: 'unheard-of' })).toMatchObject({ why: 'unresolved_endpoint' })
})

test('an ambient endpoint is the target on its own system, and protected on another', () => {
  const ambient = { host: null, port: null, database: null, context: null }
  expect(place(ambient)).toMatchObject({ protected: true, why: 'unresolved_endpoint' })
  expect(place({})).toMatchObject({ protected: true, why: 'unresolved_endpoint' })
  expect(place({}, dev, 'host')).toMatchObject({ protected: false, why: 'target' })
  expect(place({ namespace: 'x' }, dev, 'host')).toMatchObject({ protected: false, why: 'target' })
  expect(place({ database: 'orders-dev' }, dev, 'host')).toMatchObject({ protected: true })
})

test('of several targets behind one name the strictest holds', () => {
  expect(place({ host: 'shared' })).toMatchObject({ target: 'shared-prod', protected: true })
  expect(place({ host: 'bare' })).toMatchObject({ target: 'no-environment', protected: true })
})

test('only listed environments are unprotected, whatever their name', () => {
  expect(isProtected(data, 'development')).toBe(false)
  for (const name of ['production', 'staging', 'constructor', '__proto__', 'toString', undefined]) {
    expect(isProtected(data, name)).toBe(true)
  }
})
