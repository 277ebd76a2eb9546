import { system } from '../domain/actor.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest } from './apply-event.ts'
import { copyIdentities, type IdentityDeps } from './identities.store.ts'
import { type TakeInDeps, takeIn } from './take-in.ts'

export interface LiftReportDeps extends TakeInDeps, CaseDeps, Omit<IdentityDeps, 'vault'> {
  transact: Transact
}

const BY = system('policy')
const CAME_TO_NOTHING = new Set(['refused', 'withdrawn', 'cancelled'])

/**
 * Gives an account back that was stopped because of a report, once that came to nothing: a request of our own ends the
 * restriction, like any other that is lifted, but without a notice days before. Done again, nothing happens.
 */
export async function liftReport(deps: LiftReportDeps, requestId: string): Promise<void> {
  await deps.transact(async tx => {
    const report = await lockRequest(tx, requestId)
    const stopped = report.right === 'under_age_report' && report.coolsOffAt !== null
    if (!stopped || !CAME_TO_NOTHING.has(report.state) || (await isLifted(tx, requestId))) return
    const { country, region, locale, timeZone, scope } = report
    const lifting = await takeIn(
      deps,
      tx,
      {
        right: 'restriction',
        subject: { ...(country && { country }), ...(region && { region }), locale, timeZone },
        relationship: 'self',
        receivedAt: deps.clock.now(),
        channel: 'system',
        scope,
        details: { lifts: report.id },
        assuranceNeeded: 0,
      },
      { kind: 'system', id: BY.id, by: BY },
    )
    await copyIdentities(deps, tx, report.id, lifting.id)
    await applyEvent(deps, tx, lifting.id, 'identification_started', BY)
  })
}

const isLifted = async (tx: Tx, id: string): Promise<boolean> =>
  (await tx.query<unknown[]>('SELECT 1 FROM dsar_request WHERE parent_id = $1', [id])).length > 0
