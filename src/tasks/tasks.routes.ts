import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { adaptersIn, WHY_STOPPED } from '../adapters/adapters.store.ts'
import { OUTCOMES } from '../adapters/protocol.ts'
import { act } from '../auth/act.ts'
import type { Database, Tx } from '../platform/database.ts'
import { Instant } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { type RetryDeps, retryTask } from './retry-task.ts'
import { TASK_STATES, type Task, type TaskState, tasksOf } from './tasks.store.ts'

export interface TaskRoutesDeps extends RetryDeps, Database {}

const TASK_EXAMPLE = {
  id: '019af0c2-9a00-7c3a-9b54-2f60c1a7e8d4',
  adapter: 'billing',
  action: 'collect',
  state: 'done',
  attempt: 1,
  failures: 0,
  nextTryAt: null,
  finishedAt: '2026-11-20T09:13:02.000Z',
  asked: ['invoices'],
  datasets: [{ name: 'invoices', outcome: 'completed', count: 12 }],
  problem: null,
}

export const TaskView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    adapter: Type.String(),
    action: Type.String(),
    state: Type.Enum([...TASK_STATES]),
    attempt: Type.Integer(),
    failures: Type.Integer({ description: 'In a row.' }),
    nextTryAt: Type.Union([Instant, Type.Null()]),
    finishedAt: Type.Union([Instant, Type.Null()]),
    asked: Type.Array(Type.String(), { description: 'The datasets it is asked about.' }),
    datasets: Type.Array(
      Type.Object({
        name: Type.String(),
        outcome: Type.Enum([...OUTCOMES]),
        count: Type.Integer(),
        reason: Type.Optional(Type.String()),
        until: Type.Optional(Type.String()),
      }),
    ),
    problem: Type.Union([Type.Object({ code: Type.String(), detail: Type.String(), at: Instant }), Type.Null()]),
  },
  { title: 'Task', description: 'What one adapter is asked, and how far it is.', examples: [TASK_EXAMPLE] },
)

/** One row per adapter and action: who has answered what, who has not and why. */
export const taskRoutes =
  (deps: TaskRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/tasks',
      {
        config: {
          allow: { service: 'requests:read', support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'] },
          problems: ['not_found'],
        },
        schema: {
          operationId: 'listTasks',
          tags: ['tasks'],
          summary: 'What each adapter was asked and what came of it',
          description: 'One task for each adapter and action, with its outcomes and counts; never with what was collected.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { tasks: Type.Array(TaskView) },
              { description: 'All tasks of the request.', examples: [{ tasks: [TASK_EXAMPLE] }] },
            ),
          },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        return { tasks: await viewTasks(deps.read, await tasksOf(deps.read, req.params.id)) }
      },
    )

    api.post(
      '/requests/:id/tasks/:task/retry',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo', 'operator'] },
          problems: ['not_found', 'illegal_transition', 'key_reused', 'in_progress'],
          sends: ['Location', 'Retry-After'],
        },
        schema: {
          operationId: 'retryTask',
          tags: ['tasks'],
          summary: 'Ask an adapter again now',
          description:
            'For a task that failed, was quarantined, waits for its next try, or runs and does not end: what comes of that no longer counts. ' +
            'The adapter is asked as it is registered now.',
          params: Type.Object({ id: Type.String({ format: 'uuid' }), task: Type.String({ format: 'uuid' }) }),
          response: { 202: TaskView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => ({
          status: 202,
          headers: { location: `/v1/requests/${req.params.id}/tasks`, 'retry-after': '2' },
          body: viewTask(await retryTask(deps, tx, req.params.id, req.params.task, req.caller)),
        })),
    )
  }

/** Tasks of an adapter whose traffic is stopped, which nobody runs, say that they wait for no answer, but for people: that goes before any older trouble. */
async function viewTasks(read: Tx, tasks: readonly Task[]) {
  const stopped = new Map((await adaptersIn(read, 'stopped')).map(({ id, ...adapter }) => [id, adapter]))
  return tasks.map(task => {
    const by = WAITING.includes(task.state) ? stopped.get(task.adapterId) : undefined
    return by
      ? {
          ...viewTask(task),
          problem: { ...WHY_STOPPED[by.state === 'trial' ? 'trial' : 'suspended'], at: by.changedAt.toISOString() },
        }
      : viewTask(task)
  })
}

const WAITING: readonly TaskState[] = ['waiting', 'ready', 'accepted']
export const viewTask = ({
  id,
  adapter,
  action,
  state,
  attempt,
  failures,
  config,
  answer,
  problem,
  runAt,
  finishedAt,
}: Task) => ({
  id,
  adapter,
  action,
  state,
  attempt,
  failures,
  nextTryAt: state === 'ready' || state === 'accepted' ? runAt.toISOString() : null,
  finishedAt: finishedAt?.toISOString() ?? null,
  asked: config.datasets.map(({ name }) => name),
  datasets: (answer?.datasets ?? []) as { name: string; outcome: (typeof OUTCOMES)[number]; count: number }[],
  problem,
})
