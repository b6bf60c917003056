/** A wire between the service and PostgreSQL that a test can cut, and that can lose answers. */
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

export interface Proxy {
  /** The database's URL by way of the proxy. */
  readonly url: string
  /** Requests pass; the next answer is lost, and both ends are cut after it. */
  loseNextAnswer(): void
  /** Keeps the connections there are, and refuses others. */
  refuse(): void
  /** Cuts all connections and refuses others. */
  cut(): void
  /** Lets connections through. */
  restore(): void
  close(): Promise<void>
}

export async function proxyTo(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl)
  const pairs = new Set<readonly [Socket, Socket]>()
  let losing = false
  let refusing = false
  const server = createServer((near) => {
    if (refusing) {
      near.destroy()
      return
    }
    const far = connect(Number(target.port), target.hostname)
    const pair = [near, far] as const
    pairs.add(pair)
    const end = (): void => {
      near.destroy()
      far.destroy()
      pairs.delete(pair)
    }
    near.on('data', (bytes) => {
      // Only the commits' connection calls this function.
      if (losing && bytes.includes('ledger_flush')) {
        losing = false
        far.removeAllListeners('data')
        far.once('data', end)
      }
      far.write(bytes)
    })
    far.on('data', (bytes) => near.write(bytes))
    for (const socket of pair) socket.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' ? address?.port : '')
  const cut = (): void => {
    refusing = true
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
  }
  return {
    url: url.href,
    loseNextAnswer: () => {
      losing = true
    },
    refuse: () => {
      refusing = true
    },
    cut,
    restore: () => {
      refusing = false
    },
    close: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
