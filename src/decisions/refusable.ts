import { type Adapter, adaptersIn } from '../adapters/adapters.store.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { receiptOf } from '../domain/receipt.ts'
import { faultsOfRefusal, type Parts, type Refusal } from '../domain/refusal.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { Policy } from '../policy/policy.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { equalRequestsBefore } from './equal-requests.ts'

export interface RefusalDeps extends Omit<IdentityDeps, 'vault'> {
  vault: IdentityDeps['vault'] & DetailsDeps['vault']
  policy: Pick<Policy, 'version' | 'supervisoryAuthority' | 'categories'>
  /** Of the controller. */
  timeZone: string
}

/** @throws Problem `unprocessable`, with a pointer to each thing that the law or the facts do not allow */
export async function checkRefusal(deps: RefusalDeps, tx: Tx, request: DsarRequest, refusal: Refusal): Promise<void> {
  const { receivedOn } = receiptOf(request.receivedAt, [request.timeZone, deps.timeZone])
  const { purposes = [] } = await detailsOf(deps, tx, request.id)
  const earlier = await equalRequestsBefore(deps, tx, request)
  const errors = [
    ...faultsOfRefusal(refusal, { right: request.right, receivedOn, purposes, earlier }),
    ...unknownParts(deps, refusal.parts ?? {}, await adaptersIn(tx)),
  ]
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}

function unknownParts({ policy }: RefusalDeps, { categories = [], datasets = [] }: Parts, adapters: Adapter[]): Fault[] {
  const detail = 'There is no such data here.'
  return [
    ...categories.flatMap((one, i) =>
      Object.hasOwn(policy.categories, one) ? [] : [{ pointer: `/parts/categories/${i}`, detail }],
    ),
    ...datasets.flatMap((one, i) => (datasetOf(adapters, one) ? [] : [{ pointer: `/parts/datasets/${i}`, detail }])),
  ]
}

const datasetOf = (adapters: readonly Adapter[], { adapter, dataset }: { adapter: string; dataset: string }) =>
  adapters.find(({ name }) => name === adapter)?.manifest.datasets.find(({ name }) => name === dataset)

/** What is refused, as the person knows it. */
export async function titlesOf(
  { policy }: RefusalDeps,
  tx: Tx,
  { categories = [], datasets = [], purposes = [] }: Parts,
): Promise<string[]> {
  const adapters = datasets.length > 0 ? await adaptersIn(tx) : []
  const known: Partial<Record<string, { title: string }>> = policy.categories
  return [
    ...categories.map(name => known[name]?.title ?? name),
    ...datasets.map(one => datasetOf(adapters, one)?.title ?? one.dataset),
    ...purposes,
  ]
}
