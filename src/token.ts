/** `npm run token`: makes another token from the evaluation key, as narrow, foreign or expired as a test needs. */
import { parseArgs } from 'node:util'
import { stateFolder } from './config.ts'
import { ensureState } from './evaluation/state.ts'
import { AUDIENCE, lifetime, signedToken } from './evaluation/tokens.ts'

const USAGE = `usage: npm run token -- --sub <subject> --scope "<scopes>" [options]

  --scope "decide outcome"     what the token may do (default: decide)
  --actors 'agent:x*'          for whom it speaks: ids, or prefixes that end in *
  --actor-types agent          types that it may name
  --actor-roles analyst        roles that it vouches for
  --targets 'orders-*'         targets that it may name
  --evidence 'agent:*'         actors whose records it may read
  --ttl 60                     seconds to live (default: 3600); negative: it has expired already
  --expired                    the same as --ttl=-60
  --issuer, --audience         another iss or aud than the service accepts

Lists are separated by commas, or an option is given several times. The key is that of COUNTERSIGN_STATE_DIR.`

const OPTIONS = {
  sub: { type: 'string' },
  scope: { type: 'string', default: 'decide' },
  actors: { type: 'string', multiple: true },
  'actor-types': { type: 'string', multiple: true },
  'actor-roles': { type: 'string', multiple: true },
  targets: { type: 'string', multiple: true },
  evidence: { type: 'string', multiple: true },
  ttl: { type: 'string', default: '3600' },
  expired: { type: 'boolean', default: false },
  issuer: { type: 'string' },
  audience: { type: 'string', default: AUDIENCE },
} as const

/** The token that the arguments ask for. Throws TypeError with a sentence for the user. */
function tokenFor(args: readonly string[], folder: string): string {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  if (values.sub === undefined) throw new TypeError('--sub is missing')
  const seconds = values.expired ? -60 : Number(values.ttl)
  if (!Number.isInteger(seconds)) throw new TypeError('--ttl must be a whole number of seconds')
  const state = ensureState(folder)
  return signedToken(state.tokenKey, {
    iss: values.issuer ?? state.issuer,
    aud: values.audience,
    sub: values.sub,
    ...lifetime(new Date(), seconds),
    scope: values.scope,
    ...listClaim('actors', values.actors),
    ...listClaim('actor_types', values['actor-types']),
    ...listClaim('actor_roles', values['actor-roles']),
    ...listClaim('targets', values.targets),
    ...listClaim('evidence', values.evidence),
  })
}

/** An option that was not given makes no claim at all: an empty list would allow nothing. */
function listClaim(
  name: string,
  given: readonly string[] | undefined,
): Readonly<Record<string, readonly string[]>> {
  if (given === undefined) return {}
  return { [name]: given.flatMap((value) => value.split(',')).filter((value) => value !== '') }
}

try {
  process.stdout.write(`${tokenFor(process.argv.slice(2), stateFolder())}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`)
  process.exitCode = 2
}
