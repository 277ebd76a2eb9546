import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { liftMarks, type MarkKind, markSubject } from '../requests/marks.store.ts'
import type { Task } from '../tasks/tasks.store.ts'
import { forwardedAmong, refusedAmong } from './completeness.ts'

export interface MarkDeps extends IdentityDeps {
  clock: Clock
}

interface Mark {
  kind: MarkKind
  of?: string
}

/**
 * What services have to know from the moment a right is carried out, not only once the last adapter has answered: they ask on
 * every use. That somebody is erased is true only at the end, that a restriction is over likewise.
 */
export async function markAtOnce(deps: MarkDeps, tx: Tx, request: DsarRequest, details: Details): Promise<void> {
  for (const mark of marksAtOnce(request, details)) await putMark(deps, tx, request.id, mark)
}

function marksAtOnce({ right }: DsarRequest, { lifts, purposes = [], cookies = [] }: Details): Mark[] {
  switch (right) {
    case 'restriction':
      return lifts ? [] : [{ kind: 'restricted' }]
    case 'under_age_report':
      return [{ kind: 'restricted' }]
    case 'objection':
      return purposes.map(of => ({ kind: 'objected', of }))
    case 'marketing_opt_out':
      return [{ kind: 'objected', of: 'marketing' }]
    case 'consent_withdrawal':
      return [...purposes, ...cookies.map(cookie => `cookie:${cookie}`)].map(of => ({ kind: 'consent_withdrawn', of }))
    default:
      return []
  }
}

/** What has come true once every adapter has done its part. */
export async function markAtLast(
  deps: MarkDeps,
  tx: Tx,
  request: DsarRequest,
  { lifts }: Details,
  tasks: readonly Task[],
): Promise<void> {
  const erased = request.right === 'erasure' || request.right === 'under_age_report'
  // A narrowed erasure leaves the account, and so does one that was refused, or is another's to do, for the account: it goes on being used.
  const stays = [...refusedAmong(tasks), ...forwardedAmong(tasks)]
  const accountStays = request.scope.categories || stays.some(({ category }) => category === 'account')
  if (erased && !accountStays) await putMark(deps, tx, request.id, { kind: 'erased' })
  if (lifts) await liftMarks(tx, { requestId: lifts, kind: 'restricted', at: deps.clock.now() })
}

const putMark = (deps: MarkDeps, tx: Tx, requestId: string, mark: Mark): Promise<number> =>
  markSubject(deps, tx, { requestId, ...mark, at: deps.clock.now() })
