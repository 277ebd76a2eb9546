import { type Recorder, requestStream } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import type { Contents } from '../domain/break-glass.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/database.ts'
import { readsContents } from '../requests/contents.ts'
import { openGlass, type SealedGlass } from './break-glass.store.ts'

export interface ViewDeps extends Database {
  clock: Clock
  record: Recorder
}

/** What is open to the caller of the contents that nobody of their office sees otherwise. Each look is on the record. */
export async function lookThroughGlass(
  deps: ViewDeps,
  requestId: string,
  what: Contents,
  caller: Caller,
): Promise<SealedGlass | undefined> {
  const glass = await openGlass(deps.read, requestId, { viewer: caller.id, what, now: deps.clock.now() })
  if (glass)
    await deps.transact(tx =>
      deps.record(tx, requestStream(requestId), toActor(caller), 'contents_viewed', { glass: glass.n, what: [what] }),
    )
  return glass
}

/** Whether what was said in a case is for this caller to read: by their office, or because it was opened to them. */
export const mayRead = async (deps: ViewDeps, requestId: string, what: Contents, caller: Caller): Promise<boolean> =>
  readsContents(caller) || (await lookThroughGlass(deps, requestId, what, caller)) !== undefined
