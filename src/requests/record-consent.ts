import { randomUUIDv7 } from 'node:crypto'
import { CONSENTS, type Recorder } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { type Policy, purposesOn } from '../policy/policy.ts'
import type { Identity, IdentityDeps } from './identities.store.ts'
import { markConsent } from './marks.store.ts'

export interface ConsentDeps extends IdentityDeps {
  clock: Clock
  record: Recorder
  policy: Pick<Policy, 'categories'>
}

export interface Consent {
  identities: readonly Identity[]
  purposes?: readonly string[]
  cookies?: readonly string[]
  givenAt: Date
  /** Of where it can be read how and when they said so (Art. 7(1)). On the record, so it names nobody. */
  reference: string
}

const CLOCKS_DIFFER_MS = 60_000

/**
 * Notes that somebody said yes again: gave the consent anew that they had withdrawn, or took an objection back. It counts against what
 * was said before it, in whatever order the two arrive here; where there was nothing to count against, nothing is kept.
 * @throws Problem `unprocessable`
 */
export async function recordConsent(deps: ConsentDeps, tx: Tx, consent: Consent, caller: Caller): Promise<void> {
  const { identities, purposes = [], cookies = [], givenAt, reference } = consent
  refuseUnsayable(deps, { purposes, cookies, givenAt })
  const id = randomUUIDv7()
  const of = [...purposes, ...cookies.map(cookie => `cookie:${cookie}`)]
  const to = await markConsent(deps, tx, { id, identities, of, at: givenAt })
  if (to.length > 0)
    await deps.record(tx, CONSENTS, toActor(caller), 'consent_given_anew', {
      consent: id,
      to,
      givenAt: givenAt.toISOString(),
      reference,
    })
}

/** One can say yes to what one can say no to: what rests on consent, what may be objected to, and marketing. */
function refuseUnsayable(
  { policy, clock }: ConsentDeps,
  { purposes, cookies, givenAt }: { purposes: readonly string[]; cookies: readonly string[]; givenAt: Date },
): void {
  const known = new Set([...purposesOn(policy, 'consent'), ...purposesOn(policy, 'legitimate_interest'), 'marketing'])
  const errors = purposes.flatMap((purpose, i) =>
    known.has(purpose) ? [] : [{ pointer: `/purposes/${i}`, detail: `One of ${[...known].join(', ')}.` }],
  )
  if (purposes.length + cookies.length === 0)
    errors.push({ pointer: '/purposes', detail: 'Say what to: purposes, cookies or both.' })
  if (givenAt.getTime() > clock.now().getTime() + CLOCKS_DIFFER_MS)
    errors.push({ pointer: '/givenAt', detail: 'It lies in the future.' })
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}
