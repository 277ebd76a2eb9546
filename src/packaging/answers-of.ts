import type { Dataset } from '../adapters/protocol.ts'
import { REFUSAL_GROUNDS } from '../domain/refusal.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Task } from '../tasks/tasks.store.ts'
import type { AdapterAnswer, DatasetAnswer, PackagedOutcome } from './package-input.ts'

type Scope = DsarRequest['scope']

/** What the tasks of a request say, adapter by adapter, as the package tells it. */
export function answersOf(tasks: readonly Task[], scope: Scope): AdapterAnswer[] {
  return tasks.filter(({ action }) => action === 'collect').map(task => answerOf(task, tasks, scope))
}

function answerOf(task: Task, tasks: readonly Task[], scope: Scope): AdapterAnswer {
  const { adapter, config, answer, finishedAt } = task
  const located = tasks.find(({ action, adapterId }) => action === 'locate' && adapterId === task.adapterId)?.answer
  const countOf = (name: string) => located?.datasets.find(dataset => dataset.name === name)?.count
  return {
    name: adapter,
    title: config.title,
    status: statusOf(task, scope),
    ...(finishedAt && { answeredAt: finishedAt }),
    datasets: [
      ...config.datasets.flatMap(dataset => {
        const said = answer?.datasets.find(({ name }) => name === dataset.name)
        const counted = countOf(dataset.name)
        if (!said && answer?.status === 'unknown_person' && !counted) return []
        const withheld = answer?.withheld?.filter(line => line.dataset === dataset.name) ?? []
        const isGone = withheld.some(({ field }) => field === undefined)
        const outcome = isGone ? 'withheld' : ((said?.outcome ?? 'failed') as PackagedOutcome)
        return [
          {
            ...describe(dataset),
            ...said,
            outcome,
            count: said?.count ?? 0,
            ...(counted !== undefined && { located: counted }),
            ...(withheld.length > 0 && { withheld }),
          },
        ]
      }),
      ...config.outOfScope
        .filter(() => answer?.status !== 'unknown_person')
        .map(dataset => ({ ...describe(dataset), outcome: whyNotAsked(dataset, scope), count: 0 })),
      ...(config.refused ?? []).map(({ ground, ...dataset }) => ({
        ...describe(dataset),
        outcome: 'refused' as const,
        reason: REFUSAL_GROUNDS[ground].law,
        count: 0,
      })),
      ...(config.forwarded ?? []).map(({ controller, ...dataset }) => ({
        ...describe(dataset),
        outcome: 'forwarded' as const,
        reason: controller,
        count: 0,
      })),
    ],
  }
}

/** A person who asks for some categories is not told of the others that Art. 20 does not cover them. */
const whyNotAsked = ({ category }: Dataset, { categories }: Scope): 'not_asked_for' | 'not_portable' =>
  categories && !categories.includes(category) ? 'not_asked_for' : 'not_portable'

function statusOf({ answer, config }: Task, scope: Scope): AdapterAnswer['status'] {
  if (!answer) return 'not_answered'
  if (answer.status !== 'nothing_in_scope') return answer.status
  if (config.refused || config.forwarded) return 'answered'
  if (config.outOfScope.length === 0) return 'holds_nothing'
  return config.outOfScope.some(dataset => whyNotAsked(dataset, scope) === 'not_asked_for')
    ? 'nothing_asked_for'
    : 'nothing_portable'
}

const describe = ({ fields, ...dataset }: Dataset): Omit<DatasetAnswer, 'outcome' | 'count'> => ({
  ...dataset,
  fields: fields.map(({ name, type, title }) => ({ name, type: type ?? 'string', ...(title && { title }) })),
})
