import type { TaskForYou } from '../handed/tell-owners.ts'
import type { Tx } from '../platform/database.ts'
import { writeLetter } from './outbox.ts'
import type { LetterDeps } from './write-letters.ts'

/** Tells whoever looks after an adapter of a task that is done by hand; nothing of the person is in it. */
export const tellOwner = (
  deps: LetterDeps,
  tx: Tx,
  { requestId, taskId, adapter, owner, action, doBy, mail }: TaskForYou,
): Promise<void> =>
  writeLetter(deps, tx, {
    kind: 'task-for-you',
    requestId,
    recipient: owner,
    locale: 'en',
    dedupe: `task-for-you|${taskId}|${mail}`,
    values: { reference: requestId, officer: deps.officer, adapter, action, doBy, mail },
  })
