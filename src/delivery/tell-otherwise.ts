import { requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import { isPackaged } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { applyEvent, type CaseDeps, lockRequest, setFlag } from '../requests/apply-event.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { forgetUnmailed } from './outbox.ts'

export const OTHER_WAYS = ['post', 'phone', 'in_person', 'portal'] as const

/** How staff told somebody what no letter could tell them. */
export interface ToldOtherwise {
  how: (typeof OTHER_WAYS)[number]
  toldAt: Date
  /** Of the file in which it can be read: a number, never a name. */
  reference: string
}

const SKEW_MS = 60_000

/**
 * Notes that the person was told by other means than a mail, where none reaches them; an answer has then been given as if its letter had
 * been handed over. One officer's word is enough, under their name: nothing is changed or disclosed by it, and the file can be
 * looked up. But nobody says it of a request about themself. A copy of data cannot be told; it is handed over by its download alone.
 * @throws Problem `not_allowed`, `illegal_transition`, `unprocessable`
 */
export async function tellOtherwise(
  deps: CaseDeps & IdentityDeps,
  tx: Tx,
  id: string,
  { how, toldAt, reference }: ToldOtherwise,
  caller: Caller,
): Promise<DsarRequest> {
  const request = await lockRequest(tx, id)
  await refuseOwnCase(deps, tx, request, caller)
  const isAnswer = request.state === 'delivering'
  if (isAnswer && isPackaged(request.right))
    throw new Problem(
      'illegal_transition',
      'A copy is handed over when it is opened: by a new link, or by the person at the portal.',
    )
  if (!isAnswer && request.closedAt === null)
    throw new Problem('illegal_transition', 'There is no answer yet that anybody could be told.')
  if (!request.flags.includes('mail_undeliverable'))
    throw new Problem('illegal_transition', 'The letter was sent or is on its way: there is nothing to be told otherwise.')
  await refuseImpossibleMoment(deps, tx, request, toldAt)

  const by = toActor(caller)
  await deps.record(tx, requestStream(id), by, 'told_otherwise', { how, toldAt: toldAt.toISOString(), reference })
  if (isAnswer) await applyEvent(deps, tx, id, 'handed_over', by, { by: how })
  await setFlag(deps, tx, id, 'mail_undeliverable', false, by)
  await forgetUnmailed(tx, id)
  return lockRequest(tx, id)
}

/** Nobody was told what had not happened yet, nor will have been. */
async function refuseImpossibleMoment({ clock }: CaseDeps, tx: Tx, { id, state }: DsarRequest, toldAt: Date): Promise<void> {
  const [happened] = await tx.query<{ at: Date }[]>(
    `SELECT at FROM audit_entry WHERE stream = $1 AND facts ->> 'to' = $2 ORDER BY seq DESC LIMIT 1`,
    [requestStream(id), state],
  )
  const detail =
    toldAt.getTime() > clock.now().getTime() + SKEW_MS
      ? 'It lies in the future.'
      : happened && toldAt.getTime() < happened.at.getTime() - SKEW_MS
        ? 'What they were told had not happened yet.'
        : undefined
  if (detail) throw new Problem('unprocessable', undefined, { errors: [{ pointer: '/toldAt', detail }] })
}
