import { ADAPTERS } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import type { Tx } from '../platform/database.ts'
import { type Adapter, getAdapter, setState, stoppable } from './adapters.store.ts'
import type { RegistryDeps } from './register-adapter.ts'

/** Stops or resumes all traffic to a locked adapter. Its open tasks wait; the requests they belong to are not answered without them. */
export async function setSuspended(
  deps: RegistryDeps,
  tx: Tx,
  adapter: Adapter,
  suspended: boolean,
  caller: Caller,
  { withAll = false } = {},
): Promise<Adapter> {
  await setState(tx, adapter.id, suspended ? 'suspended' : 'resumed', deps.clock.now(), { withAll })
  await deps.record(tx, ADAPTERS, toActor(caller), suspended ? 'adapter_suspended' : 'adapter_resumed', {
    adapterId: adapter.id,
    adapter: adapter.name,
    ...(withAll && { withAll }),
  })
  if (!suspended) await deps.enqueue(tx, 'dispatch-tasks', {})
  return getAdapter(tx, adapter.id)
}

/** Stops the traffic to every adapter, or lets it go on to those for which it was stopped so. @returns those that changed */
export async function setAllSuspended(deps: RegistryDeps, tx: Tx, suspended: boolean, caller: Caller): Promise<Adapter[]> {
  const changed: Adapter[] = []
  for (const adapter of await stoppable(tx, suspended))
    changed.push(await setSuspended(deps, tx, adapter, suspended, caller, { withAll: true }))
  return changed
}
