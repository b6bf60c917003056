/** After all tests: stops what the setup started. Jest runs both in one process. */
const KEY = Symbol.for('countersign.tests.teardown')

export function keepForTeardown(stop: () => Promise<void>): void {
  Object.assign(globalThis, { [KEY]: stop })
}

export default async function teardown(): Promise<void> {
  const stop: unknown = Reflect.get(globalThis, KEY)
  if (typeof stop === 'function') await stop()
}
