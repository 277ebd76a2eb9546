import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import { EXTENSION_REASONS, type ExtensionReason } from '../domain/delay.ts'
import type { Database, Tx } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import type { Vault } from '../platform/vault.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { pausesOf, type StoredPause } from '../requests/clock-ledger.store.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { countersigned, Proposed } from '../staff/countersign.ts'
import { noteChaser } from './chase.ts'
import { ExtensionView, PAUSE_EXAMPLE, PauseView, viewExtension, viewPause } from './clock-ledger-view.ts'
import { Said } from './decision-bodies.ts'
import { type ExtendDeps, extendRequest } from './extend.ts'
import { answerPause, approvePause, askPerson } from './pause.ts'

export interface ClockLedgerDeps extends Omit<ExtendDeps, 'vault'>, Database {
  vault: Vault
}

const closed = { additionalProperties: false } as const
const DayText = Type.String({ format: 'date' })
const ASKING = { support_agent: ['agent', 'privacy_officer', 'dpo'] } as const
const DECIDING = { support_agent: ['privacy_officer', 'dpo'] } as const
const CHANGING = ['not_found', 'illegal_transition', 'unprocessable', 'key_reused', 'in_progress'] as const

const PauseParams = Type.Object({ id: Type.String({ format: 'uuid' }), pause: Type.String({ format: 'uuid' }) })

/** What bears on a request's clocks: longer time, waiting for the person, and that they asked where the answer stays. */
export const clockLedgerRoutes =
  (deps: ClockLedgerDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/extensions',
      {
        config: {
          allow: DECIDING,
          problems: [...CHANGING, 'already_exists', 'out_of_time', 'second_person_needed'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'extendRequest',
          tags: ['decisions'],
          summary: 'Take longer, once, and tell the person why',
          description:
            'Only within the first month from receipt (GDPR Art. 12(3)). The notice is written in the same act, and the promise does not move. In a case about a VIP or a colleague another officer has to say the same.',
          params: RequestParams,
          body: Type.Object(
            {
              reason: Type.Enum(Object.keys(EXTENSION_REASONS) as ExtensionReason[]),
              text: Said(8000, 'Why, to the person. Goes into the letter and is kept sealed.'),
            },
            { ...closed, examples: [{ reason: 'scattered_sources', text: 'Your data lie in eleven systems.' }] },
          ),
          response: { 201: ExtensionView, 202: Proposed },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await visibleRequest(deps, tx, req.params.id, req.caller)
          return countersigned(deps, tx, req.params.id, { act: 'extension', said: req.body }, req.caller, async () => {
            const extended = await extendRequest(deps, tx, req.params.id, req.body, req.caller)
            return { status: 201, headers: { etag: etagOf(extended.request.version) }, body: viewExtension(extended) }
          })
        }),
    )

    api.get(
      '/requests/:id/pauses',
      {
        config: { allow: ASKING, problems: ['not_found'] },
        schema: {
          operationId: 'getPauses',
          tags: ['decisions'],
          summary: 'What the person was asked, and what somebody wants to ask',
          description: 'Questions that the clocks of some laws stop for. What is proposed stops nothing.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { pauses: Type.Array(PauseView) },
              { description: 'The pauses, in their order.', examples: [{ pauses: [PAUSE_EXAMPLE] }] },
            ),
          },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        return { pauses: (await pausesOf(deps.read, req.params.id)).map(viewPause) }
      },
    )

    api.post(
      '/requests/:id/pauses',
      {
        config: { allow: ASKING, problems: [...CHANGING, 'already_exists'], sends: ['ETag'] },
        schema: {
          operationId: 'askPerson',
          tags: ['decisions'],
          summary: 'Ask the person which data they mean, or who they are',
          description:
            'The strict due day stays; where the law lets the clock stop, `clocks` shows the day it leads to. What an agent asks waits for an officer.',
          params: RequestParams,
          body: Type.Object(
            {
              reason: Type.Enum(['clarification', 'identity']),
              question: Said(4000, 'To the person. Goes into the letter and is kept sealed.'),
            },
            {
              ...closed,
              examples: [{ reason: 'clarification', question: 'Do you mean the courses that you took or those you taught?' }],
            },
          ),
          response: { 201: PauseView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await visibleRequest(deps, tx, req.params.id, req.caller)
          return answer(tx, req.params.id, 201, await askPerson(deps, tx, req.params.id, req.body, req.caller))
        }),
    )

    api.post(
      '/requests/:id/pauses/:pause/approval',
      {
        config: { allow: DECIDING, oneShot: true, problems: [...CHANGING, 'second_person_needed'], sends: ['ETag'] },
        schema: {
          operationId: 'approvePause',
          tags: ['decisions'],
          summary: 'Ask what somebody proposed to ask',
          description: 'From this day on the answer is awaited; the letter goes out.',
          params: PauseParams,
          response: { 200: PauseView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await visibleRequest(deps, tx, req.params.id, req.caller)
          return answer(tx, req.params.id, 200, await approvePause(deps, tx, req.params.id, req.params.pause, req.caller))
        }),
    )

    api.post(
      '/requests/:id/pauses/:pause/answer',
      {
        config: { allow: ASKING, problems: CHANGING, sends: ['ETag'] },
        schema: {
          operationId: 'answerPause',
          tags: ['decisions'],
          summary: 'Note that the person has answered',
          description:
            'The clock goes on. For a fee: that they agreed to it, so that the work can begin; whoever does not withdraws.',
          params: PauseParams,
          body: Type.Object(
            { answeredOn: Type.Optional({ ...DayText, description: 'Where it came before today.' }) },
            { ...closed, examples: [{ answeredOn: '2026-09-17' }] },
          ),
          response: { 200: PauseView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id, pause } = req.params
          await visibleRequest(deps, tx, id, req.caller)
          return answer(tx, id, 200, await answerPause(deps, tx, id, pause, req.body.answeredOn, req.caller))
        }),
    )

    api.post(
      '/requests/:id/chasers',
      {
        config: { allow: ASKING, problems: CHANGING },
        schema: {
          operationId: 'noteChaser',
          tags: ['decisions'],
          summary: 'Note that the person asked where the answer stays',
          description: 'It is no new request and the clock runs on (EDPB Guidelines 01/2022 §29); it is shown beside the clocks.',
          params: RequestParams,
          body: Type.Object({ on: Type.Optional(DayText) }, { ...closed, examples: [{ on: '2026-09-20' }] }),
          response: {
            201: Type.Object({ on: DayText }, { description: 'The day noted.', examples: [{ on: '2026-09-20' }] }),
          },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const request = await visibleRequest(deps, tx, req.params.id, req.caller)
          return { status: 201, headers: {}, body: { on: await noteChaser(deps, tx, request, req.body.on, req.caller) } }
        }),
    )
  }

async function answer(tx: Tx, requestId: string, status: number, pause: StoredPause): Promise<StoredAnswer> {
  return { status, headers: { etag: etagOf((await lockRequest(tx, requestId)).version) }, body: viewPause(pause) }
}
