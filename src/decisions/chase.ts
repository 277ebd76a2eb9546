import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { type Day, dayIn, parseDay } from '../domain/day.ts'
import { Problem } from '../domain/problem.ts'
import { receiptOf } from '../domain/receipt.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { insertEntry } from '../requests/clock-ledger.store.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'

/** Notes that the person asked where the answer stays: it changes nothing, and shows that it does. @throws Problem `unprocessable` */
export async function noteChaser(
  deps: CaseDeps & IdentityDeps & { timeZone: string },
  tx: Tx,
  { id, receivedAt, timeZone }: DsarRequest,
  given: string | undefined,
  caller: Caller,
): Promise<Day> {
  const now = deps.clock.now()
  const today = dayIn(now, deps.timeZone)
  const on = given === undefined ? today : parseDay(given)
  const { receivedOn } = receiptOf(receivedAt, [timeZone, deps.timeZone])
  if (on < receivedOn || on > today)
    throw new Problem('unprocessable', undefined, {
      errors: [{ pointer: '/on', detail: `It was between ${receivedOn}, when the request came, and today.` }],
    })
  const by = toActor(caller)
  await insertEntry(deps, tx, id, { kind: 'chaser', on }, { id: by.id, at: now })
  await deps.record(tx, requestStream(id), by, 'chased', { on })
  return on
}
