import { type Recorder, requestStream } from '../audit/record.ts'
import { type Actor, system } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Ladder } from '../policy/ladder.ts'
import { type Addressee, addresseeOf, asAddressee, ownContactsOf } from '../requests/addressee.ts'
import { type IdentityDeps, identityIndex } from '../requests/identities.store.ts'
import { requesterOf } from '../requests/requester.store.ts'
import * as challenges from './challenges.store.ts'
import { newCode, normaliseCode } from './code.ts'

export interface ChallengeDeps extends IdentityDeps {
  vault: IdentityDeps['vault'] & { mac(purpose: string, value: string): Buffer }
  clock: Clock
  policy: { assurance: Ladder }
  record: Recorder
  /** Puts the letter with the code into the outbox, in the caller's transaction. */
  writeCodeLetter(
    tx: Tx,
    request: DsarRequest,
    letter: { challengeId: string; code: string; minutes: number; recipient: Recipient; purpose: challenges.Purpose },
  ): Promise<void>
}

/** Where a code goes, and which contact point of the person that is, if any. */
export type Recipient = Pick<Addressee, 'address' | 'contact'>

export const TRIES = 5
const CODES_PER_HOUR = 3

export const codeMac = (
  deps: { vault: { mac(purpose: string, value: string): Buffer } },
  requestId: string,
  purpose: string,
  code: string,
) => deps.vault.mac('challenge', `${requestId}|${purpose}|${normaliseCode(code)}`)

/**
 * Sends a code. One that is to prove who the person is goes to the first address of theirs that has been on file for a month, never to
 * one that only the request named; one that opens the package to whom the request is answered. False when there is no such address. A new
 * code makes the old one worthless.
 * @throws Problem `too_many_requests` when that mailbox has had its share of codes for this hour. Codes that prove who somebody is
 * are counted by themselves: anybody can ask for those, and nobody shall lock another out of a package that way.
 */
export async function sendChallenge(
  deps: ChallengeDeps,
  tx: Tx,
  request: DsarRequest,
  purpose: challenges.Purpose,
  by: Actor = system('verification'),
): Promise<boolean> {
  const recipient = await recipientOf(deps, tx, request, purpose)
  if (recipient === undefined) return false
  const [now, minutes] = [deps.clock.now(), deps.policy.assurance.methods.email_code.freshMinutes]
  const contactIndex = identityIndex(deps, { type: 'email', value: recipient.address })
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7))', [contactIndex.toString('hex')])
  if ((await challenges.countSince(tx, contactIndex, purpose, new Date(now.getTime() - 3_600_000))) >= CODES_PER_HOUR)
    throw new Problem('too_many_requests', 'Enough codes were sent for now; use the newest one or wait an hour.', {
      retryAfter: 3600,
    })

  const code = newCode()
  const challengeId = await challenges.replace(tx, {
    requestId: request.id,
    purpose,
    contactIndex,
    codeMac: codeMac(deps, request.id, purpose, code),
    now,
    expiresAt: new Date(now.getTime() + minutes * 60_000),
  })
  await deps.record(tx, requestStream(request.id), by, 'challenge_sent', { challengeId, purpose })
  await deps.writeCodeLetter(tx, request, { challengeId, code, minutes, recipient, purpose })
  return true
}

async function recipientOf(
  deps: ChallengeDeps,
  tx: Tx,
  request: DsarRequest,
  purpose: challenges.Purpose,
): Promise<Recipient | undefined> {
  if (purpose === 'download') return addresseeOf(deps, tx, request)
  const own = purpose === 'identity' && (await ownContactsOf(deps, tx, request)).find(({ settled }) => settled)
  if (purpose === 'identity') return own ? asAddressee(own) : undefined
  const requester = await requesterOf(deps, tx, request.id)
  return requester && { address: requester.email }
}
