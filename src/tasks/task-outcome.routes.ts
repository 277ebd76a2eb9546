import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { OUTCOMES } from '../adapters/protocol.ts'
import { act } from '../auth/act.ts'
import { STATUTE } from '../domain/statute.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { type SettleDeps, settleTask } from './settle-task.ts'
import { TaskView, viewTask } from './tasks.routes.ts'

export interface TaskOutcomeRoutesDeps extends Omit<SettleDeps, 'vault'>, Database {
  vault: Vault
}

const closed = { additionalProperties: false } as const
/** A code, never a sentence: it goes where nothing is sealed. */
const Code = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$' })

const Body = Type.Object(
  {
    datasets: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$' }),
          outcome: Type.Enum([...OUTCOMES]),
          count: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
          reason: Type.Optional(Code),
          statute: Type.Optional(
            Type.String({ pattern: STATUTE, description: 'The name of a law, and nothing about a person.' }),
          ),
          until: Type.Optional(Type.String({ format: 'date' })),
        },
        closed,
      ),
      { minItems: 1, maxItems: 200, description: 'Each dataset that was asked about, once.' },
    ),
    reference: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9_./:-]{0,63}$',
      description: 'Of the file in which it can be read what was done. It goes on the record: a number, not a name.',
    }),
  },
  { ...closed, examples: [{ datasets: [{ name: 'invoices', outcome: 'completed', count: 12 }], reference: 'OPS-2026-118' }] },
)

/** What people say where an adapter does not. */
export const taskOutcomeRoutes =
  (deps: TaskOutcomeRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/tasks/:task/outcome',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: ['not_found', 'illegal_transition', 'unprocessable', 'second_person_needed', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'settleTask',
          tags: ['tasks'],
          summary: 'Say what was done by hand',
          description:
            'For a task whose adapter cannot do it or gives no answer. A copy is never made by hand: the package names what is missing. ' +
            'What was erased or corrected by hand is looked into by the adapter; where that has to be done by hand as well, by another person.',
          params: Type.Object({ id: Type.String({ format: 'uuid' }), task: Type.String({ format: 'uuid' }) }),
          body: Body,
          response: { 200: TaskView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => ({
          status: 200,
          headers: {},
          body: viewTask(await settleTask(deps, tx, { requestId: req.params.id, taskId: req.params.task }, req.body, req.caller)),
        })),
    )
  }
