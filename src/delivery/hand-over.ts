import { requestStream } from '../audit/record.ts'
import { type Actor, system } from '../domain/actor.ts'
import { Problem } from '../domain/problem.ts'
import { awaitsProof, type DsarRequest } from '../domain/request.ts'
import { isPackaged } from '../domain/rights.ts'
import type { Transact, Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { addresseeOf } from '../requests/addressee.ts'
import { type CaseDeps, setFlag } from '../requests/apply-event.ts'
import { canBeTold } from '../requests/decision-letter.ts'
import { applyFreeze, type FreezeDeps } from '../requests/freeze.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { lacksPower } from '../requests/power.ts'
import { isResolvedLately } from '../verification/resolution.ts'
import { issueLink, type Link, liveLink, revokeLinks } from './links.store.ts'
import { writeLetter } from './outbox.ts'
import { isLive, packageOf } from './packages.store.ts'
import { type OutcomeDeps, tellOutcome } from './tell-outcome.ts'
import { type Transmission, transmissionOf } from './transmissions.store.ts'
import { type BeginDeps, isTransmitting } from './transmit.ts'

export interface HandOverDeps
  extends CaseDeps,
    Omit<OutcomeDeps, 'vault' | 'policy'>,
    Omit<IdentityDeps, 'vault'>,
    Omit<FreezeDeps, 'vault' | 'policy'>,
    Omit<BeginDeps, 'vault'> {
  /** How the privacy officer is reached. */
  officer: string
  transact: Transact
  vault: Vault
  policy: OutcomeDeps['policy'] & FreezeDeps['policy']
  publicUrl: string
  /** How often a link may be used to fetch the content. */
  linkUses: number
}

const BY = system('delivery')

/**
 * Gives the answer: one link to the package, or what was done, in one letter, to an address that was on file before anybody
 * asked, or that of whoever acts for the person where that was decided. A package waits while more has to be shown of who asks, and one
 * that also goes to another controller is sent there first, so that this letter can say what came of it. One that was revoked or that
 * nobody proved in time to have is left to the staff: there is nothing to hand over any more. Done again, nothing happens.
 */
export async function handOver(deps: HandOverDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await applyFreeze(deps, tx, requestId)
    if (request.state !== 'delivering') return
    if (!isPackaged(request.right)) {
      await tellOutcome(deps, tx, request)
      if (!(await canBeTold(deps, tx, request))) await setFlag(deps, tx, requestId, 'mail_undeliverable', true, BY)
      return
    }
    const sealed = await packageOf(tx, requestId)
    if (sealed && !isLive(sealed, deps.clock.now())) return setFlag(deps, tx, requestId, 'needs_decision', true, BY)
    if (await lacksPower(deps, tx, request)) {
      await setFlag(deps, tx, requestId, 'mandate_needed', true, BY)
      return revokeLinks(tx, requestId, deps.clock.now())
    }
    if (!(await isResolvedLately(deps, tx, request))) return
    if (awaitsProof(request)) return revokeLinks(tx, requestId, deps.clock.now())
    if (await isTransmitting(deps, tx, request)) return
    if (!(await liveLink(tx, requestId))) await mailLink(deps, tx, request, BY)
  })
}

/**
 * Makes a new link, which ends any before it, and writes the letter with it. Without an address on file the case is flagged
 * and waits: the person can still open the package at the portal, by their login alone.
 * @throws Problem `gone` when the package can no longer be fetched, `illegal_transition` while it is being sent to another controller
 * or waits for proof, or for a mandate
 */
export async function mailLink(deps: HandOverDeps, tx: Tx, request: DsarRequest, by: Actor): Promise<Link> {
  const now = deps.clock.now()
  const sealed = await packageOf(tx, request.id)
  if (!sealed) throw new Problem('not_found')
  if (!isLive(sealed, now)) throw new Problem('gone', 'The package has expired or was revoked.')

  if (awaitsProof(request)) throw new Problem('illegal_transition', 'It waits for a stronger or newer proof of who asks.')
  if (await lacksPower(deps, tx, request)) throw new Problem('illegal_transition', 'Nobody’s power to ask for it is in force.')
  const transmission = await transmissionOf(tx, request.id)
  if (transmission?.state === 'queued')
    throw new Problem('illegal_transition', `It is being sent to ${transmission.name} first; the link follows within a day.`)

  const link = await issueLink(deps, tx, request.id, { now, expiresAt: sealed.expiresAt, uses: deps.linkUses })
  await deps.record(tx, requestStream(request.id), by, 'link_issued', {
    linkId: link.id,
    expiresAt: link.expiresAt.toISOString(),
    uses: link.usesLeft,
  })
  const addressee = await addresseeOf(deps, tx, request)
  if (!addressee) await setFlag(deps, tx, request.id, 'mail_undeliverable', true, by)
  else
    await writeLetter(deps, tx, {
      kind: 'ready',
      requestId: request.id,
      recipient: addressee.address,
      locale: request.locale,
      dedupe: `ready|${link.id}`,
      values: {
        reference: request.id,
        officer: deps.officer,
        ...(addressee.actsForAnother && { forAnother: true }),
        link: `${deps.publicUrl}/v1/downloads/${link.token}`,
        expiresAt: link.expiresAt.toISOString(),
        timeZone: request.timeZone,
        uses: link.usesLeft,
        ...(transmission && { transmission: { receiver: transmission.name, outcome: toldAs(transmission.state) } }),
      },
    })
  return link
}

/** What did not arrive is never said to have been sent, whyever. */
const toldAs = (state: Transmission['state']) => (state === 'delivered' || state === 'refused' ? state : 'failed')
