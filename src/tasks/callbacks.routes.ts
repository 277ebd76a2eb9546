import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { ContactOf } from '../adapters/adapters.store.ts'
import type { Connectors, Heard } from '../adapters/kinds.ts'
import { requestStream } from '../audit/record.ts'
import { takeRawBody } from '../auth/raw-body.ts'
import { Problem } from '../domain/problem.ts'
import type { Database, Tx } from '../platform/database.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { type NoteDeps, noteContradiction } from './second-answers.store.ts'
import { callbackUrl } from './task-call.ts'
import { getTask, lockTask, pollNow, type Task } from './tasks.store.ts'

export interface CallbackDeps extends NoteDeps, CaseDeps, Database {
  connectors: Connectors
  contactOf: ContactOf
  publicUrl: string
}

/**
 * Where an adapter says that an asynchronous task is done. It is taken as a reason to look, and the location is asked for the
 * answer itself: so there is one way for answers to come in, and a call back that says something else than the answer has no say.
 */
export const callbackRoutes =
  (deps: CallbackDeps): FastifyPluginAsyncTypebox =>
  async api => {
    takeRawBody(api)
    api.post(
      '/callbacks/:task',
      {
        config: {
          allow: { signed: true },
          problems: ['proof_refused', 'not_allowed', 'not_found', 'illegal_transition', 'too_many_requests'],
        },
        schema: {
          operationId: 'receiveCallback',
          tags: ['adapters'],
          summary: 'Tell that a task is done',
          description:
            'Called by an adapter, signed after Standard Webhooks with the secret it shares with this service; by a processor that speaks OpenDSR, signed with the key of its certificate. May come more than once.',
          params: Type.Object({ task: Type.String({ format: 'uuid' }) }),
          response: {
            202: Type.Object(
              { status: Type.Literal('accepted') },
              { description: 'Taken in; the answer itself is fetched from the adapter.', examples: [{ status: 'accepted' }] },
            ),
          },
        },
      },
      async (req, reply) => {
        const task = await getTask(deps.read, req.params.task)
        if (!task) throw new Problem('not_found')
        const rawBody = req.body instanceof Buffer ? req.body : Buffer.alloc(0)
        const { kind, ...contact } = await deps.contactOf(task.adapterId)
        const { headers } = req
        const url = callbackUrl(deps, task)
        const heard = await deps.connectors[kind].hear?.(contact, { taskId: task.key, url, headers, rawBody })
        if (!heard) throw new Problem('proof_refused')
        const bodyHash = createHash('sha256').update(rawBody).digest()
        if (!(await deps.transact(tx => takeIn(deps, tx, task, heard, bodyHash)))) throw nobodyWaits(task)
        return reply.code(202).send({ status: 'accepted' })
      },
    )
  }

/** Nobody waits any more: the request was ended, or a person has said what came of it. */
const isPast = ({ state, answer }: Task): boolean => state === 'cancelled' || answer?.status === 'settled_by_hand'

/**
 * What is done too late may still have been done, and what contradicts the answer may be right: both go on the record, though they
 * change nothing.
 * @returns whether it had an effect, now or, if the same call came before, then
 * @throws Problem `illegal_transition` for a task that waits for nothing
 */
async function takeIn(deps: CallbackDeps, tx: Tx, asked: Task, heard: Heard, bodyHash: Buffer): Promise<boolean> {
  const { id, key } = asked
  const task = await lockTask(tx, asked)
  const isAwaited = task.state === 'accepted' || task.state === 'running'
  const now = deps.clock.now()
  const before = await seenBefore(tx, task, heard, { key, bodyHash, now })
  if (before) return heard.onEveryChange || isAwaited || task.finishedAt === null || before <= task.finishedAt
  const note = (event: 'called_back' | 'called_back_late') =>
    deps.record(tx, requestStream(task.requestId), { kind: 'adapter', id: task.adapter }, event, { taskId: id })
  if (isAwaited) {
    await pollNow(tx, id)
    await note('called_back')
    await deps.enqueue(tx, 'dispatch-tasks', {})
    return true
  }
  if (heard.onEveryChange) return true
  if (isPast(task)) await note('called_back_late')
  else if (!(await noteContradiction(deps, tx, asked, heard.said))) throw nobodyWaits(task)
  return false
}

/** More are of no use to anybody, and each is kept: an adapter that says more of one task is not heard any more. */
const MOST_OF_ONE_TASK = 100

/** Remembers a call back. @returns when the same one came before @throws Problem `too_many_requests` */
async function seenBefore(
  tx: Tx,
  { id, attempt }: Task,
  { message, said }: Heard,
  { key, bodyHash, now }: { key: string; bodyHash: Buffer; now: Date },
): Promise<Date | undefined> {
  const [first] = await tx.query<{ before: number }[]>(
    `INSERT INTO callback_seen (task_id, webhook_id, body_hash, attempt, at, said) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT DO NOTHING RETURNING (SELECT count(*)::int FROM callback_seen WHERE task_id = $1) AS before`,
    [id, message, bodyHash, attempt, now, said ? JSON.stringify({ key, datasets: said }) : null],
  )
  if (first && first.before >= MOST_OF_ONE_TASK) throw new Problem('too_many_requests')
  if (first) return undefined
  const [seen] = await tx.query<{ at: Date }[]>('SELECT at FROM callback_seen WHERE task_id = $1 AND webhook_id = $2', [
    id,
    message,
  ])
  return seen?.at
}

const nobodyWaits = ({ state }: Task) => new Problem('illegal_transition', `The task is '${state}' and waits for nothing.`)
