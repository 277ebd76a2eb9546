import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { type ContactOf, getAdapter } from '../adapters/adapters.store.ts'
import { verifierOf } from '../adapters/signing.ts'
import { Problem } from '../domain/problem.ts'
import { realTime } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { type TaskCallDeps, taskCallOf } from '../tasks/task-call.ts'
import { handedTask, lease, seenFirst } from './delivered-answers.store.ts'
import { ANSWER_BODY, STATUS } from './handed-connector.ts'
import { type Kept, keepAnswer, receiveAnswer, refuseSecond, type TakeDeps } from './take-answer.ts'

export interface PullRoutesDeps extends TakeDeps, TaskCallDeps {
  contactOf: ContactOf
  read: Tx
}

const LEASE_SECONDS = 15 * 60
const MOST = 20
const closed = { additionalProperties: false } as const
const Id = Type.String({ format: 'uuid' })

const EXAMPLE = {
  tasks: [
    {
      taskId: '01981f6e-2a50-7c3a-9d57-0d6f2b1c4e88',
      requestId: '01981f6e-0000-7c3a-9d57-0d6f2b1c4e88',
      action: 'collect',
      attempt: 1,
      dryRun: false,
      subject: { identities: [{ type: 'user_id', value: 'u-1029' }] },
      scope: { datasets: ['letters'] },
      parameters: {},
      dueAt: '2026-12-18T23:59:59Z',
      regulation: 'gdpr',
    },
  ],
  leaseSeconds: LEASE_SECONDS,
}

/** Lets the routes of one plugin read the body of an answer piece by piece, however long it is. */
export function takeAnswersAsTheyCome(api: FastifyInstance): void {
  api.removeContentTypeParser('application/json')
  for (const type of Object.keys(ANSWER_BODY.content))
    api.addContentTypeParser(type, (_req, payload, done) => done(null, payload))
}

/** Where adapters that cannot be reached from here fetch their tasks, and bring the answers. Signed as all else between us and them. */
export const pullRoutes =
  (deps: PullRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    takeAnswersAsTheyCome(api)

    api.post(
      '/adapters/:id/tasks/lease',
      {
        config: { allow: { signed: true }, problems: ['proof_refused', 'not_found'] },
        schema: {
          operationId: 'leaseTasks',
          tags: ['adapters'],
          summary: 'Fetch tasks that wait for this adapter',
          description:
            `For adapters of the kind \`pull\`. Up to ${MOST} tasks, the earliest due first, each for ${LEASE_SECONDS} seconds: what is not answered by then is given out again. ` +
            'The body is an empty JSON object, signed after Standard Webhooks with the secret of the adapter; each call has a `webhook-id` of its own.',
          params: Type.Object({ id: Id }),
          body: { content: { 'application/json': { schema: Type.Unsafe<unknown>({ examples: [{}] }) } } },
          response: {
            200: Type.Object(
              { tasks: Type.Array(Type.Object({}, { additionalProperties: true })), leaseSeconds: Type.Integer() },
              { description: 'Tasks as in the adapter protocol; none when nothing waits.', examples: [EXAMPLE] },
            ),
          },
        },
      },
      async req => {
        const adapterId = await pullAdapter(deps, req.params.id)
        const { secrets } = await deps.contactOf(adapterId)
        const verifier = verifierOf(secrets, req.headers, realTime(deps.clock))
        for await (const piece of req.body as AsyncIterable<Buffer>) verifier.update(piece)
        const webhookId = verifier.verify()
        const tasks = await deps.transact(async tx => {
          const { state } = await getAdapter(tx, adapterId, { lock: true })
          if (!(await seenFirst(tx, adapterId, webhookId, realTime(deps.clock)))) throw new Problem('proof_refused')
          return state === 'live' ? lease(tx, adapterId, { most: MOST, seconds: LEASE_SECONDS }) : []
        })
        const calls = await Promise.all(tasks.map(task => taskCallOf(deps, task)))
        const handed = calls.flatMap(call => (call ? [{ ...call, callbackUrl: undefined }] : []))
        return { tasks: handed, leaseSeconds: LEASE_SECONDS }
      },
    )

    api.post(
      '/adapters/:id/tasks/:task/result',
      {
        config: {
          allow: { signed: true },
          problems: ['proof_refused', 'not_found', 'illegal_transition', 'unprocessable', 'too_large'],
        },
        schema: {
          operationId: 'deliverAnswer',
          tags: ['adapters'],
          summary: 'Bring the answer to a fetched task',
          description:
            'The body is what the adapter would have answered to `POST /tasks`: a result as JSON, a collection as NDJSON, files inline. For somebody who is not known there, ' +
            `\`${STATUS}\` with \`{"taskId": …, "status": "unknown_person"}\`; \`refused\` has a person look. Signed over all of it. It may come twice; another answer than the first is refused.`,
          params: Type.Object({ id: Id, task: Id }),
          body: ANSWER_BODY,
          response: {
            202: Type.Object(
              { status: Type.Literal('accepted') },
              { ...closed, description: 'Kept; it is judged like any other answer.', examples: [{ status: 'accepted' }] },
            ),
          },
        },
      },
      async (req, reply) => {
        const adapterId = await pullAdapter(deps, req.params.id)
        const { secrets } = await deps.contactOf(adapterId)
        const verifier = verifierOf(secrets, req.headers, realTime(deps.clock))
        const task = await handedTask(deps.read, req.params.task)
        if (task?.adapterId !== adapterId) throw new Problem('not_found', 'No task of this adapter waits under this id.')
        const mediaType = (req.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
        const arrived = await receiveAnswer(deps, task, mediaType, req.body as Readable, verifier.update)
        let kept: Kept | undefined
        try {
          verifier.verify()
          kept = await deps.transact(tx =>
            keepAnswer(
              deps,
              tx,
              task,
              arrived,
              { kind: 'adapter', id: task.adapter },
              { deliveredBy: `adapter|${task.adapter}`, needsSecond: false },
            ),
          )
        } finally {
          if (kept !== 'kept') await deps.blobs.delete(arrived.blobKey)
        }
        refuseSecond(kept)
        return reply.code(202).send({ status: 'accepted' })
      },
    )
  }

/** @throws Problem `not_found`, also for one that is called rather than calling */
async function pullAdapter({ read }: PullRoutesDeps, id: string): Promise<string> {
  const adapter = await getAdapter(read, id)
  if (adapter.kind !== 'pull') throw new Problem('not_found')
  return adapter.id
}
