/** Bundles between the wire and the domain. */
import type { components } from '../contract/openapi.d.ts'
import type { BundleRow } from '../policy/bundle.ts'
import type { BundleStore, IdempotencyClaim, Principal } from '../ports.ts'
import { PdpError } from '../errors.ts'
import type { Values } from './contract.ts'
import type { BundleQuestion } from './verbs.ts'

type Schemas = components['schemas']

const maxWaitSeconds = 60

/** A bundle as the contract has it: without its files. */
export function bundleOf(row: BundleRow): Schemas['Bundle'] {
  return {
    id: row.id,
    name: row.name,
    revision: row.revision,
    state: row.state,
    digest: row.digest,
    extends: row.extends,
    postedAt: row.postedAt.toISOString(),
    postedBy: row.postedBy,
    ...(row.activatedAt === null ? {} : { activatedAt: row.activatedAt.toISOString() }),
    report: row.report,
  }
}

/** One page, newest first; the cursor is the last id of the page before. */
export async function bundlePage(store: BundleStore, values: Values): Promise<Schemas['BundlePage']> {
  const limit = Number(values['limit'])
  const before = cursorOf(values['cursor'])
  const rows = await store.list({ limit: limit + 1, before })
  const items = rows.slice(0, limit)
  return { items: items.map(bundleOf), nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

function cursorOf(value: Values[string]): string | null {
  if (value === undefined) return null
  const id = String(value)
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id
  throw new PdpError('request.invalid', 'the request does not fit the contract', {
    faults: [{ pointer: '/cursor', detail: 'is not a cursor of this service' }],
  })
}

/** What was posted, with how long the caller waits for the end (`Prefer: wait=N`, RFC 7240). */
export function postedBundle(
  call: { readonly principal: Principal; readonly body: unknown; readonly values: Values },
  claim: IdempotencyClaim | null,
): BundleQuestion {
  const wait = /(?:^|[,;\s])wait=([0-9]{1,5})(?:$|[,;\s])/.exec(String(call.values['Prefer'] ?? ''))
  return {
    principal: call.principal,
    posted: call.body as Schemas['BundleRequest'] | Buffer,
    claim,
    waitSeconds: Math.min(maxWaitSeconds, Number(wait?.[1] ?? 0)),
  }
}
