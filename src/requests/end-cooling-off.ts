import { system } from '../domain/actor.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'
import { lockRequest, setFlag } from './apply-event.ts'
import { type AssessDeps, isHeld, isStillTheirs, proceed, TOUCHES_EVIDENCE } from './assess.ts'
import { isHeld as isHeldInSql } from './held.ts'

export interface EndDeps extends AssessDeps {
  transact: Transact
  read: Tx
}

const BY = system('policy')

/**
 * Carries out what has cooled off. A look at the rows rather than a timer, so that nothing is missed while nobody runs. What a
 * legal hold forbids waits for its release; a report about a child waits for somebody to look at it, for anybody can make one; and
 * so does a restriction that would end without the person having been told before (Art. 18(3)).
 */
export async function endCoolingOff(deps: EndDeps): Promise<void> {
  await showHolds(deps)
  const due = await deps.read.query<{ id: string }[]>(
    `SELECT id FROM dsar_request WHERE state = 'cooling_off' AND cools_off_at <= $1 ORDER BY cools_off_at LIMIT 1000`,
    [deps.clock.now()],
  )
  await eachInTurn(due, ({ id }) => deps.transact(tx => endOne(deps, tx, id)))
}

async function endOne(deps: AssessDeps, tx: Tx, id: string): Promise<void> {
  const request = await lockRequest(tx, id)
  if (request.state !== 'cooling_off' || !request.coolsOffAt || request.coolsOffAt > deps.clock.now()) return
  if (await isHeld(deps, tx, request)) return
  if (!(await isStillTheirs(deps, tx, id))) return
  if (request.right === 'under_age_report' || !(await isNoticeSent(tx, request)))
    await setFlag(deps, tx, id, 'needs_decision', true, BY)
  else await proceed(deps, tx, id, BY)
}

/** Shows on each open request whether a legal hold stands in its way: holds are placed and released at any time. */
async function showHolds(deps: EndDeps): Promise<void> {
  const changed = await deps.read.query<{ id: string }[]>(
    `SELECT r.id FROM dsar_request r WHERE r.state IN ('assessing', 'cooling_off', 'fulfilling') AND r."right" = ANY($2)
       AND ${isHeldInSql('$1')} <> ('on_hold' = ANY(r.flags)) LIMIT 1000`,
    [deps.clock.now(), [...TOUCHES_EVIDENCE]],
  )
  await eachInTurn(changed, ({ id }) =>
    deps.transact(async tx => {
      const request = await lockRequest(tx, id)
      if (request.closedAt === null) await setFlag(deps, tx, id, 'on_hold', await isHeld(deps, tx, request), BY)
    }),
  )
}

async function isNoticeSent(tx: Tx, { id, right }: DsarRequest): Promise<boolean> {
  if (right !== 'restriction') return true
  const sent = await tx.query<unknown[]>(
    `SELECT 1 FROM letter WHERE request_id = $1 AND kind = 'restriction-to-be-lifted' AND state = 'sent'`,
    [id],
  )
  return sent.length > 0
}
