import { requestStream } from '../audit/record.ts'
import type { Actor } from '../domain/actor.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { type CaseDeps, setFlag, voidProofs } from '../requests/apply-event.ts'
import { contactPointsOf, type IdentityDeps, identityIndex } from '../requests/identities.store.ts'
import { revokeCodes } from './challenges.store.ts'
import { addressesOf, type Resolution } from './keep-resolution.ts'

export interface CompareDeps extends CaseDeps, IdentityDeps {
  /** To the addresses as they were frozen. */
  writeToEveryContact(
    tx: Tx,
    request: DsarRequest,
    letter: { kind: 'contact-changed'; occasion: string; values: { right: Right } },
  ): Promise<void>
}

/**
 * Holds what somebody who knows people says by now against what they said when the request was opened. When a settled address is gone
 * or another is the main one, everything has to be shown anew, and who reads the frozen addresses is told:
 * whoever takes over an account changes the address first. What they said before stays, and letters go where they went.
 */
export async function compareResolution(
  deps: CompareDeps,
  tx: Tx,
  request: DsarRequest,
  by: Actor,
  resolution: Resolution | undefined,
): Promise<void> {
  const finding = await changeSince(deps, tx, request.id, by.id, resolution)
  if (!finding) return
  const { version } = await voidProofs(deps, tx, request.id)
  await revokeCodes(tx, request.id, deps.clock.now())
  await deps.record(tx, requestStream(request.id), by, 'contact_changed', { finding })
  await setFlag(deps, tx, request.id, 'contact_changed', true, by)
  const letter = { kind: 'contact-changed', occasion: String(version), values: { right: request.right } } as const
  await deps.writeToEveryContact(tx, request, letter)
}

async function changeSince(
  deps: CompareDeps,
  tx: Tx,
  requestId: string,
  source: string,
  resolution: Resolution | undefined,
): Promise<string | undefined> {
  const frozen = (await contactPointsOf(deps, tx, requestId)).filter(point => point.source === source)
  const known = resolution ? addressesOf(resolution, source) : []
  const indexOf = (point: { type: string; value: string }) => identityIndex(deps, point).toString('hex')
  const now = known.map(indexOf)
  if (frozen.some(point => point.settled && !now.includes(indexOf(point)))) return 'address_removed'
  const [main] = frozen.toSorted((a, b) => a.n - b.n)
  return main && now[0] !== indexOf(main) ? 'main_address_changed' : undefined
}
