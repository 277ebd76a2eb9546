import { system } from '../domain/actor.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { lockRequest, setFlag } from '../requests/apply-event.ts'
import { canBeTold } from '../requests/decision-letter.ts'
import { detailsOf } from '../requests/details.ts'
import { markAtOnce } from './mark-subject.ts'
import { askWhileCooling, type StartDeps } from './start-fulfilment.ts'

export interface AnnounceDeps extends StartDeps {
  transact: Transact
  /** Writes to every contact point what is going to happen and when. */
  writeAnnouncement(tx: Tx, request: DsarRequest, details: Details): Promise<void>
}

/**
 * Tells everybody who could have asked what is going to happen, and begins with what must not wait: whoever may be a child is
 * left alone at once. Done again, nothing happens.
 */
export async function announce(deps: AnnounceDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const request = await lockRequest(tx, requestId)
    if (request.state !== 'cooling_off') return
    const details = await detailsOf(deps, tx, requestId)
    if (request.right === 'under_age_report') await markAtOnce(deps, tx, request, details)
    await askWhileCooling(deps, tx, request)
    await deps.writeAnnouncement(tx, request, details)
    if (!(await canBeTold(deps, tx, request)))
      await setFlag(deps, tx, requestId, 'mail_undeliverable', true, system('fulfilment'))
  })
}
