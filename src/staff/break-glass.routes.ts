import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import { BREAK_GLASS_REASONS, CONTENTS } from '../domain/break-glass.ts'
import type { Database } from '../platform/database.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { glassesOf } from './break-glass.store.ts'
import { askForContents, type BreakGlassDeps, openContents } from './break-glass.ts'
import { GLASS, GlassView, viewGlass } from './break-glass-view.ts'

export interface BreakGlassRoutesDeps extends BreakGlassDeps, Database {}

const closed = { additionalProperties: false } as const
const CASEWORKERS = { support_agent: ['agent', 'privacy_officer', 'dpo'] } as const
export const GlassParams = Type.Object({ ...RequestParams.properties, n: Type.Integer({ minimum: 1, maximum: 10_000 }) })

/** Contents that nobody of an office sees, opened to one person for an hour, because another agrees that they have to. */
export const breakGlassRoutes =
  (deps: BreakGlassRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/break-glass',
      {
        config: { allow: CASEWORKERS, problems: ['not_found', 'second_person_needed', 'key_reused', 'in_progress'] },
        schema: {
          operationId: 'askForContents',
          tags: ['break-glass'],
          summary: 'Ask to see contents of a case',
          description:
            'Says what and why; nothing is seen before an officer approves within a day. Nobody asks who opened the request or is its subject.',
          params: RequestParams,
          body: Type.Object(
            {
              reason: Type.Enum([...BREAK_GLASS_REASONS], { description: 'The person is told it.' }),
              text: Type.String({ maxLength: 2000, pattern: '\\S', description: 'Why, to whoever approves. Kept sealed.' }),
              what: Type.Array(Type.Enum([...CONTENTS]), { minItems: 1, uniqueItems: true }),
            },
            { ...closed, examples: [{ reason: GLASS.reason, text: GLASS.text, what: GLASS.what }] },
          ),
          response: { 201: GlassView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id } = await visibleRequest(deps, tx, req.params.id, req.caller)
          const glass = await askForContents(deps, tx, id, req.body, req.caller)
          return { status: 201, headers: {}, body: viewGlass(deps, id, glass, req.caller) }
        }),
    )

    api.get(
      '/requests/:id/break-glass',
      {
        config: { allow: CASEWORKERS, problems: ['not_found'] },
        schema: {
          operationId: 'listBreakGlass',
          tags: ['break-glass'],
          summary: 'To whom contents of a case were opened',
          description: 'And who asked for it, why, and who approved.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { openings: Type.Array(GlassView) },
              { description: 'In their order.', examples: [{ openings: [GLASS] }] },
            ),
          },
        },
      },
      async req => {
        const { id } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        return { openings: (await glassesOf(deps.read, id)).map(glass => viewGlass(deps, id, glass, req.caller)) }
      },
    )

    api.post(
      '/requests/:id/break-glass/:n/approval',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          oneShot: true,
          problems: ['not_found', 'second_person_needed', 'illegal_transition', 'unprocessable', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'openContents',
          tags: ['break-glass'],
          summary: 'Open contents to whoever asked, for an hour',
          description:
            'By another officer, who did not open the request either. The person is told at once, by whom in terms of office, and why.',
          params: GlassParams,
          response: { 200: GlassView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id } = await visibleRequest(deps, tx, req.params.id, req.caller)
          const glass = await openContents(deps, tx, id, req.params.n, req.caller)
          return { status: 200, headers: {}, body: viewGlass(deps, id, glass, req.caller) }
        }),
    )
  }
