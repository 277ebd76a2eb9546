import { type Adapter, adaptersIn } from '../adapters/adapters.store.ts'
import type { Details } from '../domain/details.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { receiptOf } from '../domain/receipt.ts'
import { ALL_OF_IT, faultsOfRefusal, groundAgainst, type Parts, type Refusal } from '../domain/refusal.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { Policy } from '../policy/policy.ts'
import { categoryFor } from '../policy/texts.ts'
import { datasetsInScope } from '../requests/datasets-in-scope.ts'
import { refusedPartsOf } from '../requests/decisions.store.ts'
import { type DetailsDeps, detailsOf } from '../requests/details.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { equalRequestsBefore } from './equal-requests.ts'

export interface RefusalDeps extends Omit<IdentityDeps, 'vault'> {
  vault: IdentityDeps['vault'] & DetailsDeps['vault']
  policy: Pick<Policy, 'version' | 'language' | 'translations' | 'supervisoryAuthority' | 'categories'>
  /** Of the controller. */
  timeZone: string
}

/** @throws Problem `unprocessable`, with a pointer to each thing that the law or the facts do not allow */
export async function checkRefusal(deps: RefusalDeps, tx: Tx, request: DsarRequest, refusal: Refusal): Promise<void> {
  const { receivedOn } = receiptOf(request.receivedAt, [request.timeZone, deps.timeZone])
  const details = await detailsOf(deps, tx, request.id)
  const earlier = await equalRequestsBefore(deps, tx, request)
  const { purposes = [], cookies = [] } = details
  const { ground, parts = {} } = refusal
  const adapters = await adaptersIn(tx)
  const refused = [...(await refusedPartsOf(tx, request.id)), { ground, parts }]
  const errors = [
    ...faultsOfRefusal(refusal, { right: request.right, receivedOn, purposes, cookies, earlier }),
    ...unknownParts(deps, parts, adapters),
    ...(leavesNothing(request, details, adapters, refused) ? [{ pointer: '/parts', detail: ALL_OF_IT }] : []),
  ]
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}

/** Whether nobody would be asked for anything, part by part: the whole is refused as such, on a ground that bears it. */
function leavesNothing(
  request: DsarRequest,
  details: Details,
  adapters: readonly Adapter[],
  refused: Parameters<typeof groundAgainst>[0],
): boolean {
  const asked = adapters.flatMap(({ name, manifest }) =>
    datasetsInScope(request, details, manifest.datasets).map(dataset => ({
      adapter: name,
      dataset: dataset.name,
      category: dataset.category,
    })),
  )
  return asked.length > 0 && asked.every(dataset => groundAgainst(refused, dataset))
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

/** What is refused, as the person knows it: in their language as far as we have the words. */
export async function titlesOf(
  { policy }: RefusalDeps,
  tx: Tx,
  { categories = [], datasets = [], purposes = [] }: Parts,
  locale: string,
): Promise<{ text: string; language?: string }[]> {
  const adapters = datasets.length > 0 ? await adaptersIn(tx) : []
  return [
    ...categories.map(name => categoryFor(policy, name, locale)),
    ...datasets.map(one => ({ text: datasetOf(adapters, one)?.title ?? one.dataset })),
    ...purposes.map(text => ({ text })),
  ]
}
