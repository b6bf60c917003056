/**
 * Verifies a bundle of policies, stores it, and puts it in force if that was asked for. Each step is a
 * leaf; a bundle that fails one changes nothing, and its report says which file, line and test.
 */
import { canonicalJson } from './action/canonical.ts'
import type { components } from './contract/openapi.d.ts'
import { PdpError } from './errors.ts'
import { callerKey } from './judge.ts'
import type { EventRecord } from './ledger/record.ts'
import {
  assembledFiles,
  layoutFindings,
  packageFindings,
  postedData,
  resultingData,
  weakerThan,
} from './policy/admission.ts'
import type { PostedBundle } from './policy/admission.ts'
import { bundleDigest, postedDigest } from './policy/bundle.ts'
import type { BundleData, BundleFinding, BundleRow } from './policy/bundle.ts'
import type { Compiled, IdempotencyClaim, Ports, Principal } from './ports.ts'

type BundlePorts = Pick<
  Ports,
  'archives' | 'bundles' | 'clock' | 'compiler' | 'ledger' | 'loader' | 'policy' | 'shipped'
>

export interface BundlePost {
  readonly principal: Principal
  /** JSON of files, or the bytes of an OPA bundle tarball. */
  readonly posted: components['schemas']['BundleRequest'] | Uint8Array
  readonly claim: IdempotencyClaim | null
  /** How long the caller waits for the final state; 0: not at all. */
  readonly waitSeconds: number
}

const noReport: BundleRow['report'] = { findings: [], weaker: [], tests: { passed: 0, failed: 0 } }

/**
 * The verb, for a deployment that demands signatures or one that does not. It resolves to the bundle in
 * its final state, or as `received` when that takes longer than the caller waits.
 *
 * Rejects with `bundle.signature_required`, `auth.scope` (activation needs a scope of its own),
 * `idempotency.conflict`, and what the ledger rejects with. A bad bundle is no fault: its row says
 * `rejected`.
 */
export function bundleAdmission(settings: {
  readonly signatureRequired: boolean
}): (ports: BundlePorts, question: BundlePost) => Promise<BundleRow> {
  return async (ports, question) => {
    if (settings.signatureRequired) {
      throw new PdpError(
        'bundle.signature_required',
        'bundles must be signed here, and signatures are not read yet',
      )
    }
    const post = postOf(ports, question.posted)
    if (post.activate && !question.principal.scopes.has('bundle:activate')) {
      throw new PdpError('auth.scope', 'activating a bundle needs the scope bundle:activate')
    }
    const { row, isNew } = await received(ports, question, post)
    if (!isNew) return row
    return finalState(
      examined(ports, { row, post, principal: question.principal }),
      question.waitSeconds,
      row,
    )
  }
}

interface Admission {
  readonly row: BundleRow
  readonly post: PostedBundle
  readonly principal: Principal
}

function postOf(ports: BundlePorts, posted: BundlePost['posted']): PostedBundle {
  if (posted instanceof Uint8Array) {
    return { name: 'bundle', extends: 'default', activate: false, ...ports.archives.unpack(posted) }
  }
  const files = Object.entries(posted.files).map(([path, content]) => [
    path,
    typeof content === 'string' ? content : canonicalJson(content),
  ])
  return {
    name: posted.name,
    revision: posted.revision ?? null,
    extends: posted.extends === null ? null : 'default',
    files: Object.fromEntries(files) as Record<string, string>,
    activate: isTrue(posted.activate),
    findings: [],
  }
}

/** A body is validated and not changed, so a member that has a default may be absent all the same. */
function isTrue(member: unknown): boolean {
  return member === true
}

/**
 * Records that a bundle was posted, then stores it. The record's id is the bundle's: whoever claims the
 * same idempotency key again finds the same bundle by it.
 */
async function received(
  ports: BundlePorts,
  { principal, claim }: BundlePost,
  post: PostedBundle,
): Promise<{ readonly row: BundleRow; readonly isNew: boolean }> {
  const digest = postedDigest(post.files, post.extends)
  const revision = post.revision ?? digest.slice('sha256:'.length, 'sha256:'.length + 12)
  const { name, activate } = post
  const body = { activate, by: who(principal), extends: post.extends, files: digest, name, revision }
  const outcome = await ports.ledger.append({
    records: [event('bundle.posted', digest, body)],
    claim,
    callerKey: callerKey(principal),
  })
  if (outcome.status === 'claimed' && !outcome.matches) {
    throw new PdpError('idempotency.conflict', 'the idempotency key was used with another bundle')
  }
  const id = outcome.status === 'claimed' ? outcome.ids[0] : outcome.sealed[0]?.id
  if (id === undefined) throw new PdpError('internal', 'expected a record of the posted bundle')
  const known = outcome.status === 'claimed' ? await ports.bundles.read(id) : undefined
  if (known !== undefined) return { row: known, isNew: false }
  const row = newRow(ports, { id, revision, post, principal })
  await ports.bundles.insert(row)
  return { row, isNew: true }
}

function newRow(
  ports: BundlePorts,
  {
    id,
    revision,
    post,
    principal,
  }: Omit<Admission, 'row'> & { readonly id: string; readonly revision: string },
): BundleRow {
  return {
    id,
    name: post.name,
    revision,
    extends: post.extends,
    state: 'received',
    digest: null,
    postedAt: ports.clock.now(),
    postedBy: principal.caller.id,
    activatedAt: null,
    report: noReport,
    files: post.files,
    wasm: null,
    data: '{}',
    listed: [],
  }
}

/** The final state if it comes in time. One that comes later is stored all the same. */
async function finalState(
  settled: Promise<BundleRow>,
  waitSeconds: number,
  row: BundleRow,
): Promise<BundleRow> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<BundleRow>((resolve) => {
    timer = setTimeout(() => resolve(row), waitSeconds * 1000)
  })
  // Nobody may be waiting any more when it fails; the bundle then stays as it was last stored.
  settled.catch(() => {})
  try {
    return await Promise.race([settled, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

async function examined(ports: BundlePorts, admission: Admission): Promise<BundleRow> {
  const candidate = await examinedBundle(ports, admission)
  await ports.bundles.update(candidate)
  if (candidate.state === 'rejected') {
    const { id, name, revision, report } = candidate
    const body = { findings: report.findings.slice(0, 20), name, revision }
    await record(ports, admission.principal, [event('bundle.rejected', id, body)])
    return candidate
  }
  return admission.post.activate ? activated(ports, candidate, admission.principal) : candidate
}

/** Every step that can find something wrong, in order; the first that does ends it. */
export async function examinedBundle(
  ports: Pick<BundlePorts, 'shipped' | 'compiler' | 'loader'>,
  { row, post }: Pick<Admission, 'row' | 'post'>,
): Promise<BundleRow> {
  const layout = [...post.findings, ...layoutFindings(post.files)]
  if (layout.length > 0) return rejected(row, layout)
  const posted = postedData(post.files)
  if ('finding' in posted) return rejected(row, [posted.finding])
  const data = resultingData(post.extends === 'default' ? ports.shipped.data : null, posted.data)
  const faults = ports.shipped.checkData(data)
  if (faults.length > 0) return rejected(row, faults)

  const taken = post.extends === 'default' ? ports.shipped.guardrails : new Set<string>()
  const compiling = ports.compiler.compile(assembledFiles(ports.shipped, post, data), (modules) =>
    packageFindings(modules, taken),
  )
  const result = await compiling.catch((error: unknown) => ({ ...failure('check', error), compiled: null }))
  const report = {
    findings: [...result.findings],
    tests: result.tests,
    weaker: [...weakerThan(ports.shipped.data, data)],
  }
  if (result.compiled === null) return { ...row, state: 'rejected', report }
  return loaded(ports, compiledRow({ ...row, report }, data, result.compiled))
}

function compiledRow(row: BundleRow, data: BundleData, { wasm, listed }: Compiled): BundleRow {
  const digest = bundleDigest({ wasm, data, listed })
  return { ...row, state: 'candidate', digest, wasm, listed, data: canonicalJson(data) }
}

async function loaded(ports: Pick<BundlePorts, 'loader'>, row: BundleRow): Promise<BundleRow> {
  try {
    const { evaluationMicros } = await ports.loader.load(row)
    return { ...row, report: { ...row.report, evaluationMicros } }
  } catch (error) {
    return rejected(row, failure('load', error).findings)
  }
}

/** What the service itself says is for the caller; anything else is not. */
function failure(
  step: BundleFinding['step'],
  error: unknown,
): { readonly findings: readonly BundleFinding[]; readonly tests: BundleRow['report']['tests'] } {
  const message =
    error instanceof PdpError ? error.message : 'this step failed for a reason of the service itself'
  return { findings: [{ step, message }], tests: noReport.tests }
}

function rejected(row: BundleRow, findings: readonly BundleFinding[]): BundleRow {
  return { ...row, state: 'rejected', report: { ...row.report, findings: [...findings] } }
}

/**
 * The leaf comes first: a bundle may be recorded as activated and then fail to be, which is a leaf
 * again, but none is ever in force unrecorded.
 */
async function activated(ports: BundlePorts, row: BundleRow, principal: Principal): Promise<BundleRow> {
  const before = ports.policy.inForce()?.ref
  const { id, name, revision, digest } = row
  const { weaker, tests } = row.report
  const body = { by: who(principal), digest, name, revision, tests, weaker }
  const retired =
    before === undefined ? [] : [event('bundle.retired', before.digest, { ...before, successor: id })]
  await record(ports, principal, [event('bundle.activated', id, body), ...retired])
  try {
    await ports.bundles.activate(id)
    const active = (await ports.bundles.read(id)) ?? {
      ...row,
      state: 'active',
      activatedAt: ports.clock.now(),
    }
    await ports.loader.swap(active)
    return active
  } catch (error) {
    const { findings } = failure('activate', error)
    await record(ports, principal, [event('bundle.rejected', id, { findings, name, revision })])
    throw error
  }
}

async function record(
  ports: BundlePorts,
  principal: Principal,
  records: readonly EventRecord[],
): Promise<void> {
  await ports.ledger.append({ records, claim: null, callerKey: callerKey(principal) })
}

function event(kind: EventRecord['kind'], ref: string, body: object): EventRecord {
  const nothing = { actor: null, actorType: null, target: null, system: null, environment: null }
  const search = { ...nothing, language: null, session: null, task: null, ticket: null, text: '' }
  return { kind, ref, body: canonicalJson(body), search }
}

function who(principal: Principal): { readonly id: string; readonly issuer: string } {
  return { id: principal.caller.id, issuer: principal.caller.issuer }
}
