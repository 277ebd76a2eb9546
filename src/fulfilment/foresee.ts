import { type Adapter, adaptersIn, type ContactOf, WHY_STOPPED } from '../adapters/adapters.store.ts'
import type { Connectors } from '../adapters/kinds.ts'
import type { Dataset } from '../adapters/protocol.ts'
import { addDays, addMonths, type Day, dayIn } from '../domain/day.ts'
import type { Details } from '../domain/details.ts'
import { isRepresentative } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import { RIGHTS } from '../domain/rights.ts'
import { ACTIONS, type Action } from '../pipeline.ts'
import type { Clock } from '../platform/clock.ts'
import { controllerOf } from '../policy/controllers.ts'
import type { Policy } from '../policy/policy.ts'
import { refusedPartsOf } from '../requests/decisions.store.ts'
import { detailsOf } from '../requests/details.ts'
import { configFor } from '../tasks/scope.ts'
import { countCallOf, type TaskCallDeps } from '../tasks/task-call.ts'
import { type DatasetAnswer, type TaskConfig, tasksOf } from '../tasks/tasks.store.ts'
import { actionsOf } from './plan-tasks.ts'

export interface ForeseeDeps extends TaskCallDeps {
  connectors: Connectors
  contactOf: ContactOf
  clock: Clock
  policy: Policy
  /** Of the controller. */
  timeZone: string
}

/** What becomes of one dataset: what its adapter is asked to do, or `keep` where the law wants it kept, or `refuse`, or `forward`. */
export interface Foreseen {
  name: string
  title: string
  category: string
  what: Action | 'keep' | 'refuse' | 'forward'
  /** Records and files; null where nobody could say. */
  count: number | null
  /** The article it rests on. */
  ground: string
  statute?: string
  until?: string
}

export interface ForeseenAdapter {
  adapter: string
  title: string
  /** Why there are no counts, or why it has to be done by hand. */
  problem: string | null
  datasets: Foreseen[]
}

/** All adapters together get so long; whoever is slower is left without counts. */
const DEADLINE_MS = 10_000

/**
 * What would come of a request, adapter by adapter, if it were carried out now. Nothing is changed or kept: what was counted
 * already is used, the others are asked to count, all at once. Nobody is asked before identity is proven.
 */
export async function foresee(deps: ForeseeDeps, request: DsarRequest): Promise<ForeseenAdapter[]> {
  const details = await detailsOf(deps, deps.read, request.id)
  const refused = await refusedPartsOf(deps.read, request.id)
  const owner = (adapter: string, dataset: Dataset) => controllerOf(deps.policy, adapter, dataset)?.name
  const isProven = await provenFor(deps, request)
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  const located = await tasksOf(deps.read, request.id, 'locate')
  const [action = 'collect'] = actionsOf(request, details).filter(one => one !== 'locate')
  if (actionsOf(request, details).length === 0) return []
  return Promise.all(
    (await adaptersIn(deps.read)).map(async adapter => {
      const config = configFor({ request, details, refused, controllerOf: owner }, adapter)
      const counted = located.find(task => task.adapterId === adapter.id && task.state === 'done')?.answer?.datasets
      const said = counted ?? (await countsOf(deps, request, adapter, config, { isProven, deadline }))
      const answers = typeof said === 'string' ? undefined : said
      return {
        adapter: adapter.name,
        title: adapter.title,
        problem: typeof said === 'string' ? said : adapter.manifest.actions.includes(ACTIONS[action]) ? null : 'not_supported',
        datasets: [
          ...config.datasets.map(dataset => foreseen(deps, request, details, action, dataset, answers)),
          ...(config.refused ?? []).map(({ ground, ...one }) => ({
            ...named(one),
            what: 'refuse' as const,
            count: null,
            ground,
          })),
          ...(config.forwarded ?? []).map(one => ({ ...named(one), what: 'forward' as const, count: null, ground: '4_7' })),
        ],
      }
    }),
  )
}

/** As the claim of a task has it: proven as well as the right needs; where somebody acts for the person, all that this takes. */
async function provenFor({ read }: ForeseeDeps, { id, state, relationship, ...request }: DsarRequest): Promise<boolean> {
  const { assurance, assuranceNeeded } = request
  if (isRepresentative(relationship) && state === 'verifying') return false
  const proofs = await read.query<unknown[]>('SELECT 1 FROM proof WHERE request_id = $1 AND level >= $2 LIMIT 1', [
    id,
    assuranceNeeded,
  ])
  return assurance >= assuranceNeeded && (assuranceNeeded === 0 || proofs.length > 0)
}

/** @returns what the adapter says of each dataset, or the code of why it says nothing */
async function countsOf(
  deps: ForeseeDeps,
  { id: requestId }: Pick<DsarRequest, 'id'>,
  adapter: Adapter,
  config: TaskConfig,
  { isProven, deadline }: { isProven: boolean; deadline: AbortSignal },
): Promise<DatasetAnswer[] | string> {
  if (config.datasets.length === 0) return []
  if (!isProven) return 'identity_not_proven'
  if (adapter.state !== 'live') return WHY_STOPPED[adapter.state === 'trial' ? 'trial' : 'suspended'].code
  if (!adapter.manifest.actions.includes('locate')) return 'cannot_count'
  const [task, { kind, ...contact }] = await Promise.all([
    countCallOf(deps, { requestId, config }, new Date(deps.clock.now().getTime() + DEADLINE_MS)),
    deps.contactOf(adapter.id),
  ])
  if (!task) return 'no_identity'
  const answer = await deps.connectors[kind].ask({ ...contact, task, signal: deadline })
  if (answer.kind === 'unknown') return config.datasets.map(({ name }) => ({ name, outcome: 'no_data', count: 0 }))
  if (answer.kind === 'result') return answer.datasets.map(one => ({ ...one, count: one.count ?? 0 }))
  if (deadline.aborted) return 'too_slow'
  return answer.kind === 'later' || answer.kind === 'failed' ? answer.code : answer.kind
}

const named = ({ name, title, category }: Dataset) => ({ name, title, category })

function foreseen(
  deps: ForeseeDeps,
  request: DsarRequest,
  { ground }: Details,
  action: Action,
  dataset: Dataset,
  answers: readonly DatasetAnswer[] | undefined,
): Foreseen {
  const said = answers?.find(({ name }) => name === dataset.name)
  const common = { ...named(dataset), count: answers ? (said?.count ?? 0) : null }
  if (said?.outcome === 'retained') {
    const { reason = '17_3_b', statute, until } = said
    return { ...common, what: 'keep', ground: reason, ...(statute && { statute }), ...(until && { until: until.slice(0, 10) }) }
  }
  if (action === 'erase' && dataset.retention === 'financial_records' && common.count !== 0) {
    const { statute, period } = deps.policy.retention.financial_records
    const until = after(period, dayIn(deps.clock.now(), deps.timeZone))
    return { ...common, what: 'keep', ground: '17_3_b', statute, until }
  }
  return { ...common, what: action, ground: ground ?? RIGHTS[request.right].article }
}

/** The last day of an ISO 8601 duration of one unit, as the policy has them. */
function after(period: string, from: Day): Day {
  const [, number, unit = 'D'] = /^P(\d+)([DWMY])$/.exec(period) ?? []
  const n = Number(number)
  if (unit === 'Y' || unit === 'M') return addMonths(from, unit === 'Y' ? 12 * n : n)
  return addDays(from, unit === 'W' ? 7 * n : n)
}
