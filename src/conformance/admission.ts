import { type Adapter, getAdapter } from '../adapters/adapters.store.ts'
import type { RegistryDeps } from '../adapters/register-adapter.ts'
import { ADAPTERS } from '../audit/record.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { lastCheckOf, letIn, saveCheck } from './checks.store.ts'
import type { Report } from './report.ts'

/** Keeps what a check of a locked adapter found, for the address and the secrets that were checked. */
export async function noteCheck(
  deps: RegistryDeps,
  tx: Tx,
  adapter: Adapter,
  { report, contactVersion }: { report: Report; contactVersion: number },
  caller: Caller,
): Promise<void> {
  await saveCheck(tx, { adapterId: adapter.id, contactVersion, report, by: caller.id, at: deps.clock.now() })
  await deps.record(tx, ADAPTERS, toActor(caller), 'adapter_checked', {
    adapterId: adapter.id,
    adapter: adapter.name,
    passed: report.passed,
    failed: report.checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id),
  })
}

/**
 * Lets a locked adapter in: from now on it is asked about people. It has passed the check as it is reached now, and who says so
 * is not who brought its address and secrets here, nor who had it checked last, be it in another role or with another token.
 * @throws Problem `illegal_transition`, `second_person_needed`
 */
export async function approveAdapter(deps: RegistryDeps, tx: Tx, adapter: Adapter, caller: Caller): Promise<Adapter> {
  if (adapter.state !== 'trial') throw new Problem('illegal_transition', `The adapter is '${adapter.state}', not on trial.`)
  const last = await lastCheckOf(tx, adapter.id)
  if (last?.contactVersion !== adapter.contactVersion)
    throw new Problem('illegal_transition', 'It has not been checked since its address or a secret changed: check it first.')
  if (!last.report.passed)
    throw new Problem('illegal_transition', 'It did not pass its last check: its report says what to repair.')
  requireSecondPerson(adapter.contactBy, caller, 'Whoever registered it, or changed how it is reached, cannot let it in.')
  await letIn(tx, adapter.id, caller.id, deps.clock.now())
  await deps.record(tx, ADAPTERS, toActor(caller), 'adapter_approved', {
    adapterId: adapter.id,
    adapter: adapter.name,
    check: last.n,
  })
  await deps.enqueue(tx, 'dispatch-tasks', {})
  return getAdapter(tx, adapter.id)
}
