import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { getAdapter } from '../adapters/adapters.store.ts'
import { requestStream } from '../audit/record.ts'
import { act, actOn } from '../auth/act.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { requireSecondPerson } from '../auth/second-person.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { refuseOwnCase } from '../requests/four-eyes.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { getTask, lockTask, type Task } from '../tasks/tasks.store.ts'
import { deliveredTo, saveAgreement } from './delivered-answers.store.ts'
import { ANSWER_BODY, STATUS } from './handed-connector.ts'
import { takeAnswersAsTheyCome } from './pull.routes.ts'
import { goOnWith, type Kept, keepAnswer, receiveAnswer, refuseSecond, type TakeDeps } from './take-answer.ts'

export interface ManualRoutesDeps extends TakeDeps, Omit<IdentityDeps, 'vault'> {
  vault: IdentityDeps['vault'] & Pick<Vault, 'sealJson' | 'openJson'>
  read: Tx
}

const OFFICERS = ['privacy_officer', 'dpo'] as const
const closed = { additionalProperties: false } as const
const Params = Type.Object({ id: Type.String({ format: 'uuid' }), task: Type.String({ format: 'uuid' }) })
const Taken = Type.Object(
  { status: Type.Enum(['accepted', 'second_person_needed']) },
  { ...closed, description: 'Kept; read at once, or once somebody else has agreed to it.', examples: [{ status: 'accepted' }] },
)

/** Where people who do a task by hand say what came of it. */
export const manualRoutes =
  (deps: ManualRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    takeAnswersAsTheyCome(api)

    api.post(
      '/requests/:id/tasks/:task/answer',
      {
        config: {
          allow: { support_agent: OFFICERS },
          problems: ['not_found', 'illegal_transition', 'unprocessable', 'too_large', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'answerTask',
          tags: ['tasks'],
          summary: 'Answer a task that is done by hand',
          description:
            'For adapters of the kind `manual`. The body is an answer of the adapter protocol: for a copy NDJSON with records and files (inline), for all else a result with ' +
            `an outcome for each dataset, \`taskId\` being the key of the task; \`${STATUS}\` where the person is not known there. It is judged like that of a service. ` +
            'Where the adapter is registered so, somebody else has to agree.',
          params: Params,
          body: ANSWER_BODY,
          response: { 202: Taken },
        },
      },
      async (req, reply) => {
        const task = await manualTask(deps, deps.read, req.params, req.caller)
        const { settings } = await getAdapter(deps.read, task.adapterId)
        const needsSecond = settings.secondPerson === true
        const mediaType = (req.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
        const arrived = await receiveAnswer(deps, task, mediaType, req.body as Readable)
        let kept: Kept | undefined
        try {
          return await actOn(deps, req, reply, { sha256: arrived.sha256 }, async tx => {
            await manualTask(deps, tx, req.params, req.caller)
            kept = await keepAnswer(deps, tx, task, arrived, toActor(req.caller), { deliveredBy: req.caller.id, needsSecond })
            refuseSecond(kept) // whoever did it is told, which is enough
            return { status: 202, headers: {}, body: { status: needsSecond ? 'second_person_needed' : 'accepted' } }
          })
        } finally {
          if (kept !== 'kept') await deps.blobs.delete(arrived.blobKey)
        }
      },
    )
  }

/** Where somebody else agrees to it. */
export const manualApprovalRoutes =
  (deps: ManualRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/tasks/:task/answer/approval',
      {
        config: {
          allow: { support_agent: OFFICERS },
          oneShot: true,
          problems: ['not_found', 'illegal_transition', 'second_person_needed', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'approveAnswer',
          tags: ['tasks'],
          summary: 'Agree to what somebody else has done by hand',
          description: 'From then on it is read and judged like the answer of a service.',
          params: Params,
          response: { 200: { ...Taken, description: 'It is read now.' } },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const task = await lockTask(tx, await manualTask(deps, tx, req.params, req.caller))
          const delivered = await deliveredTo(tx, task.key)
          if (!delivered?.needsSecond || delivered.approvedBy)
            throw new Problem('illegal_transition', 'There is no answer that waits for somebody to agree.')
          requireSecondPerson(delivered.deliveredBy, req.caller)
          await saveAgreement(tx, task.key, req.caller.id)
          await deps.record(tx, requestStream(task.requestId), toActor(req.caller), 'answer_approved', { taskId: task.id })
          await goOnWith(deps, tx, task)
          return { status: 200, headers: {}, body: { status: 'accepted' } }
        }),
    )
  }

/** @throws Problem `not_found` also for a task that is not done by hand, `not_allowed` on a case of one's own */
async function manualTask(deps: ManualRoutesDeps, tx: Tx, at: { id: string; task: string }, caller: Caller): Promise<Task> {
  await visibleRequest(deps, tx, at.id, caller)
  const task = await getTask(tx, at.task)
  if (task?.requestId !== at.id || (await getAdapter(tx, task.adapterId)).kind !== 'manual') throw new Problem('not_found')
  await refuseOwnCase(deps, tx, await lockRequest(tx, at.id), caller)
  return task
}
