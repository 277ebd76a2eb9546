import { Type } from 'typebox'
import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import { type CaseDeps, lockRequest, renewVersion } from '../requests/apply-event.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { isReserved } from '../requests/reserved.store.ts'

export interface CountersignDeps extends CaseDeps, IdentityDeps {
  vault: IdentityDeps['vault'] & { mac(purpose: string, value: string): Buffer }
}

/** What officers do alone, but not in a case about a VIP or a colleague. */
export type Countersigned = 'extension' | 'answer' | 'told_otherwise'

export const Proposed = Type.Object(
  { state: Type.Literal('proposed') },
  {
    description: 'In a case about a VIP or a colleague: it is done once another officer says the same.',
    examples: [{ state: 'proposed' }],
  },
)

/**
 * Does something to a request; in a reserved case only when a second officer says the same, to the letter, as a first has said. What the
 * first one said is kept as a keyed hash alone: whoever countersigns knows what they sign.
 * @throws Problem `second_person_needed` to the first, again, and to whoever opened the request
 */
export async function countersigned(
  deps: CountersignDeps,
  tx: Tx,
  requestId: string,
  { act, said }: { act: Countersigned; said: object },
  caller: Caller,
  work: () => Promise<StoredAnswer>,
): Promise<StoredAnswer> {
  const request = await lockRequest(tx, requestId)
  if (!isReserved(request) || (await isSecond(deps, tx, request, { act, said }, caller))) return work()
  const { version } = await lockRequest(tx, requestId)
  return { status: 202, headers: { etag: etagOf(version) }, body: { state: 'proposed' } }
}

/** Whether another officer has said the same before; if not, that this one has is kept in the place of what anybody said before. */
async function isSecond(
  deps: CountersignDeps,
  tx: Tx,
  request: DsarRequest,
  { act, said }: { act: Countersigned; said: object },
  caller: Caller,
): Promise<boolean> {
  const { id } = request
  await refuseOwnCase(deps, tx, request, caller, { twoPeople: true })
  const mac = deps.vault.mac('countersigning', JSON.stringify([id, act, ...Object.entries(said).sort()]))
  const by = toActor(caller)
  const [[first]] = await tx.query<[{ proposedBy: string }[], number]>(
    'DELETE FROM countersigning WHERE request_id = $1 AND act = $2 AND said_mac = $3 RETURNING proposed_by AS "proposedBy"',
    [id, act, mac],
  )
  if (first) {
    requireSecondPerson(first.proposedBy, caller)
    await deps.record(tx, requestStream(id), by, 'act_countersigned', { act })
    return true
  }
  await tx.query(
    `INSERT INTO countersigning (request_id, act, said_mac, proposed_by, proposed_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (request_id, act) DO UPDATE SET said_mac = $3, proposed_by = $4, proposed_at = $5`,
    [id, act, mac, by.id, deps.clock.now()],
  )
  await deps.record(tx, requestStream(id), by, 'act_proposed', { act })
  await renewVersion(tx, id)
  return false
}
