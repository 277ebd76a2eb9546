import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { entriesOf } from '../audit/entries.ts'
import { isAmongStaff } from '../audit/events.ts'
import { requestStream } from '../audit/record.ts'
import type { Tx } from '../platform/database.ts'
import { ledgerOf } from './clock-ledger.store.ts'
import { CLOCK_EXAMPLE, ClockView, viewClock } from './clock-view.ts'
import { type ClocksDeps, clocksOf } from './clocks-of.ts'
import type { IdentityDeps } from './identities.store.ts'
import { Instant } from './request-view.ts'
import { RequestParams } from './requests.routes.ts'
import { visibleRequest } from './visible-request.ts'

export interface HistoryDeps extends IdentityDeps, ClocksDeps {
  read: Tx
}

const EVERYBODY = {
  service: 'requests:read',
  support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'],
  portal: true,
} as const

const Moment = Type.Object({
  seq: Type.Integer(),
  at: Instant,
  event: Type.String(),
  by: Type.Object({ kind: Type.String(), id: Type.Optional(Type.String({ description: 'Shown to staff.' })) }),
  facts: Type.Record(Type.String(), Type.Unknown()),
})

/** What has happened to a request, and until when it has to be answered. */
export const historyRoutes =
  (deps: HistoryDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/timeline',
      {
        config: { allow: EVERYBODY, problems: ['not_found'] },
        schema: {
          operationId: 'getTimeline',
          tags: ['requests'],
          summary: 'What has happened to a request, as the record has it',
          description: 'The audit record of one request. Staff are told who did it; all others, what became of the request.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { entries: Type.Array(Moment) },
              {
                description: 'Everything that happened, in its order.',
                examples: [
                  {
                    entries: [
                      {
                        seq: 1,
                        at: '2026-11-20T09:12:00.000Z',
                        event: 'opened',
                        by: { kind: 'support_agent' },
                        facts: { right: 'access' },
                      },
                    ],
                  },
                ],
              },
            ),
          },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const staff = req.caller.kind === 'support_agent'
        const all = await entriesOf(deps.read, requestStream(req.params.id))
        const entries = staff ? all : all.filter(({ event }) => !isAmongStaff(event))
        return {
          entries: entries.map(({ seq, at, event, actorKind, actorId, facts }) => ({
            seq,
            at: at.toISOString(),
            event,
            by: { kind: actorKind, ...(staff && { id: actorId }) },
            facts: staff ? facts : publicFacts(facts),
          })),
        }
      },
    )

    api.get(
      '/requests/:id/clocks',
      {
        config: { allow: EVERYBODY, problems: ['not_found'] },
        schema: {
          operationId: 'getClocks',
          tags: ['requests'],
          summary: 'Every clock that runs for a request, each step with its rule',
          description:
            'Our promise, the GDPR and the law of the person’s place, from the day of receipt, with extensions and pauses.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { clocks: Type.Array(ClockView) },
              { description: 'The clocks, each with its reckoning.', examples: [{ clocks: [CLOCK_EXAMPLE] }] },
            ),
          },
        },
      },
      async req => {
        const request = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const ledger = await ledgerOf(deps.read, request.id)
        return { clocks: clocksOf(deps, request, ledger).map(viewClock) }
      },
    )
  }

/** Those who are not staff see what became of the request, not how the work was divided. */
const PUBLIC = new Set([
  'right',
  'receivedAt',
  'dueOn',
  'legalDueOn',
  'from',
  'to',
  'complete',
  'adaptersAsked',
  'adaptersAnswered',
  'method',
  'level',
  'purpose',
  'letter',
  'reason',
  'outcome',
  'expiresAt',
  'what',
])
const publicFacts = (facts: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(facts).filter(([name]) => PUBLIC.has(name)))
