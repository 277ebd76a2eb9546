import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { adaptersIn, getAdapter } from '../adapters/adapters.store.ts'
import { OUTCOMES } from '../adapters/protocol.ts'
import { requestStream } from '../audit/record.ts'
import { act } from '../auth/act.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Database, Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { refusedPartsOf } from '../requests/decisions.store.ts'
import { detailsOf } from '../requests/details.ts'
import { Instant } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { type ByHandDeps, doByHand } from './do-by-hand.ts'
import { changeBehind } from './judge-effect.ts'
import { reflag } from './receive-answer.ts'
import { configFor, configOf } from './scope.ts'
import { doAgain, getTask, restart, TASK_STATES, type Task, type TaskConfig, type TaskState, tasksOf } from './tasks.store.ts'

export interface TaskRoutesDeps extends Omit<ByHandDeps, 'vault'>, Database {
  vault: Vault
}

const TASK_EXAMPLE = {
  id: '019af0c2-9a00-7c3a-9b54-2f60c1a7e8d4',
  adapter: 'billing',
  action: 'collect',
  state: 'done',
  attempt: 1,
  failures: 0,
  nextTryAt: null,
  finishedAt: '2026-11-20T09:13:02.000Z',
  datasets: [{ name: 'invoices', outcome: 'completed', count: 12 }],
  problem: null,
}

const TaskParams = Type.Object({ id: Type.String({ format: 'uuid' }), task: Type.String({ format: 'uuid' }) })

const TaskView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    adapter: Type.String(),
    action: Type.String(),
    state: Type.Enum([...TASK_STATES]),
    attempt: Type.Integer(),
    failures: Type.Integer({ description: 'In a row.' }),
    nextTryAt: Type.Union([Instant, Type.Null()]),
    finishedAt: Type.Union([Instant, Type.Null()]),
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
          params: TaskParams,
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

    api.post(
      '/requests/:id/tasks/:task/by-hand',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: ['not_found', 'illegal_transition', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'doByHand',
          tags: ['tasks'],
          summary: 'Say that a change was made by hand',
          description:
            'For a change that failed because its adapter cannot make it, or not all of it. It goes on the record in your name. What is ' +
            'corrected or erased by hand is looked into afterwards like any other.',
          params: TaskParams,
          response: { 200: TaskView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id, task } = req.params
          await visibleRequest(deps, tx, id, req.caller)
          return { status: 200, headers: {}, body: viewTask(await doByHand(deps, tx, id, task, req.caller)) }
        }),
    )
  }

async function retryTask(deps: TaskRoutesDeps, tx: Tx, requestId: string, taskId: string, caller: Caller): Promise<Task> {
  await visibleRequest(deps, tx, requestId, caller)
  const request = await lockRequest(tx, requestId)
  const task = await getTask(tx, taskId)
  if (task?.requestId !== requestId) throw new Problem('not_found')
  const adapter = await getAdapter(tx, task.adapterId)
  const details = await detailsOf(deps, tx, requestId)
  const refused = await refusedPartsOf(tx, requestId)
  // What was forwarded stays forwarded, and what was ours ours, whatever the policy says by now.
  const controllerOf = (_adapter: string, { name }: { name: string }) =>
    task.config.forwarded?.find(dataset => dataset.name === name)?.controller
  const asked = { request, details, refused, controllerOf }
  const config = task.action === 'resolve' ? configOf(adapter, []) : configFor(asked, adapter)
  const over = request.closedAt !== null && task.round === 0
  if (over || !(await askAnew(tx, task, config)))
    throw new Problem('illegal_transition', `A task that is '${task.state}' is not asked again.`)
  await deps.record(tx, requestStream(requestId), toActor(caller), 'task_retried', {
    taskId,
    adapter: task.adapter,
    action: task.action,
  })
  await reflag(deps, tx, request, task)
  await deps.enqueue(tx, 'dispatch-tasks', {})
  return (await getTask(tx, taskId)) as Task
}

/** What a look found not done: looking again would see the same. */
const NOT_DONE: readonly (string | undefined)[] = ['still_there', 'not_corrected']

/** Data that were said to be erased or corrected, and are not, are erased or corrected once more. */
async function askAnew(tx: Tx, task: Task, config: TaskConfig): Promise<boolean> {
  const change = NOT_DONE.includes(task.problem?.code) ? changeBehind(task, await tasksOf(tx, task.requestId)) : undefined
  if (change) await doAgain(tx, change, task)
  return change !== undefined || restart(tx, task.id, config)
}

/** Tasks of a suspended adapter that nobody runs say that they wait for no answer, but for people: that goes before any older trouble. */
async function viewTasks(read: Tx, tasks: readonly Task[]) {
  const suspended = new Map((await adaptersIn(read, ['suspended'])).map(({ id, changedAt }) => [id, changedAt]))
  return tasks.map(task => {
    const since = WAITING.includes(task.state) ? suspended.get(task.adapterId) : undefined
    return since ? { ...viewTask(task), problem: { ...SUSPENDED, at: since.toISOString() } } : viewTask(task)
  })
}

const WAITING: readonly TaskState[] = ['waiting', 'ready', 'accepted']
const SUSPENDED = {
  code: 'adapter_suspended',
  detail: 'The adapter is suspended: nobody is asked until its traffic goes on.',
}

const viewTask = ({ id, adapter, action, state, attempt, failures, answer, problem, runAt, finishedAt }: Task) => ({
  id,
  adapter,
  action,
  state,
  attempt,
  failures,
  nextTryAt: state === 'ready' || state === 'accepted' ? runAt.toISOString() : null,
  finishedAt: finishedAt?.toISOString() ?? null,
  datasets: (answer?.datasets ?? []) as { name: string; outcome: (typeof OUTCOMES)[number]; count: number }[],
  problem,
})
