import { ADAPTERS, type Recorder } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Jobs } from '../pipeline.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import type { Enqueue } from '../platform/queue.ts'
import type { Vault } from '../platform/vault.ts'
import { checkManifest } from '../policy/check-manifest.ts'
import type { Policy } from '../policy/policy.ts'
import {
  type Adapter,
  type AdapterChange,
  insertAdapter,
  type NewAdapter,
  openTasks,
  setState,
  updateAdapter,
} from './adapters.store.ts'
import type { Contact } from './fetch-manifest.ts'
import type { AdapterKind, Connectors } from './kinds.ts'
import type { Manifest } from './protocol.ts'

export interface RegistryDeps {
  connectors: Connectors
  clock: Clock
  record: Recorder
  enqueue: Enqueue<Jobs>
  vault: Pick<Vault, 'sealJson' | 'openJson'>
  policy: Policy
}

/**
 * Asks an adapter what it holds, and holds that against the privacy policy: what people were not told cannot be registered.
 * Talks to the network, so outside of any transaction.
 * @throws Problem `address_refused`, `manifest_refused`
 */
export async function askForManifest(
  deps: RegistryDeps,
  { kind, ...contact }: Contact & { kind: AdapterKind },
): Promise<Manifest> {
  const manifest = await deps.connectors[kind].manifest(contact)
  const errors = checkManifest(deps.policy, manifest)
  if (errors.length > 0) throw new Problem('manifest_refused', 'It claims what the privacy policy does not tell.', { errors })
  return manifest
}

export async function registerAdapter(
  deps: RegistryDeps,
  tx: Tx,
  adapter: Omit<NewAdapter, 'name' | 'title' | 'by'> & { title?: string },
  caller: Caller,
): Promise<Adapter> {
  const { manifest } = adapter
  if (adapter.kind === 'manual' && adapter.owner === undefined)
    throw new Problem('manifest_refused', 'Whoever does it by hand has to be told.', {
      errors: [{ pointer: '/owner', detail: 'names who is told of each task, by mail' }],
    })
  const title = adapter.title ?? manifest.name
  const registered = await insertAdapter(deps, tx, { ...adapter, title, name: manifest.name, by: caller.id }, deps.clock.now())
  await deps.record(tx, ADAPTERS, toActor(caller), 'adapter_registered', { adapterId: registered.id, adapter: registered.name })
  return registered
}

/** Changes a locked adapter. A manifest of another name is another adapter. @throws Problem `manifest_refused` */
export async function changeAdapter(
  deps: RegistryDeps,
  tx: Tx,
  adapter: Adapter,
  change: AdapterChange,
  caller: Caller,
): Promise<Adapter> {
  if (change.manifest && change.manifest.name !== adapter.name)
    throw new Problem('manifest_refused', `This is adapter '${adapter.name}', and the manifest is another's.`)
  const changed = await updateAdapter(deps, tx, adapter, change, { by: caller.id, now: deps.clock.now() })
  await deps.record(tx, ADAPTERS, toActor(caller), 'adapter_changed', {
    adapterId: adapter.id,
    adapter: adapter.name,
    what: Object.keys(change),
  })
  return changed
}

/** Takes an adapter out of the register. @throws Problem `in_use` while a request still waits for its answer */
export async function removeAdapter(deps: RegistryDeps, tx: Tx, adapter: Adapter, caller: Caller): Promise<void> {
  const open = await openTasks(tx, adapter.id)
  if (open > 0)
    throw new Problem(
      'in_use',
      `${open} tasks still wait for its answer. Suspend it to stop the traffic; remove it when they are done.`,
    )
  await setState(tx, adapter.id, 'removed', deps.clock.now())
  await deps.record(tx, ADAPTERS, toActor(caller), 'adapter_removed', { adapterId: adapter.id, adapter: adapter.name })
}
