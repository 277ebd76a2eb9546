import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { act } from '../auth/act.ts'
import type { AssuranceDeps } from '../auth/assurance.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { Instant } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { checkBySupport, settleBySecond } from './support-check.ts'
import { CHECK_STATES, checksOf, DOCUMENTS, type SupportCheck } from './support-checks.store.ts'

export interface SupportCheckRoutesDeps extends CaseDeps, AssuranceDeps, Database {
  vault: Vault
}

const closed = { additionalProperties: false } as const
const CHECKING = { support_agent: ['agent', 'privacy_officer', 'dpo'] } as const
const OF_A_CHECK = ['not_found', 'illegal_transition', 'key_reused', 'in_progress'] as const
const CheckParams = Type.Object({ ...RequestParams.properties, n: Type.Integer({ minimum: 1, maximum: 10_000 }) })
const FactKind = Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$' })
const FOUND = { facts: ['last_invoice_amount', 'course_enrolled', 'registration_month'] }
const CHECK = {
  ...{ n: 1, state: 'proposed', ...FOUND, documentSeen: null, checkedBy: 'https://staff.example|agent-7' },
  ...{ checkedAt: '2026-11-20T09:12:00.000Z', secondBy: null, secondAt: null },
} as const
const Nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) => Type.Union([schema, Type.Null()])

const CheckView = Type.Object(
  {
    n: Type.Integer(),
    state: Type.Enum([...CHECK_STATES]),
    facts: Type.Array(Type.String(), { description: 'The kinds that were asked about and were right. Never the answers.' }),
    documentSeen: Nullable(Type.Enum([...DOCUMENTS])),
    checkedBy: Type.String(),
    checkedAt: Instant,
    secondBy: Nullable(Type.String()),
    secondAt: Nullable(Instant),
  },
  { title: 'SupportCheck', description: 'What two support agents make of who somebody is.', examples: [CHECK] },
)
const view = ({ checkedAt, secondAt, ...check }: SupportCheck): Static<typeof CheckView> => ({
  ...check,
  checkedAt: checkedAt.toISOString(),
  secondAt: secondAt?.toISOString() ?? null,
})

/** For people who lost their login: two support agents establish who somebody is by what only they would know. No copy of a document. */
export const supportCheckRoutes =
  (deps: SupportCheckRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/support-checks',
      {
        config: { allow: CHECKING, problems: [...OF_A_CHECK, 'unprocessable'] },
        schema: {
          operationId: 'checkBySupport',
          tags: ['verification'],
          summary: 'Say by which facts somebody showed who they are',
          description:
            'By the first of two support agents: which kinds of facts of the policy (`assurance.methods.support_check`) were asked about and were right. ' +
            'Never what was said, and no number of a document; that one was held up can be noted, and is not enough.',
          params: RequestParams,
          body: Type.Object(
            {
              facts: Type.Array(FactKind, { minItems: 1, maxItems: 20, uniqueItems: true }),
              documentSeen: Type.Optional(Type.Enum([...DOCUMENTS])),
            },
            { ...closed, examples: [FOUND, { ...FOUND, documentSeen: 'identity_card' }] },
          ),
          response: { 201: CheckView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { facts, documentSeen = null } = req.body
          const check = await checkBySupport(deps, tx, req.params.id, { facts, documentSeen }, req.caller)
          return { status: 201, headers: {}, body: view(check) }
        }),
    )

    api.get(
      '/requests/:id/support-checks',
      {
        config: { allow: CHECKING, problems: ['not_found'] },
        schema: {
          operationId: 'listSupportChecks',
          tags: ['verification'],
          summary: 'What support agents made of who somebody is',
          description: 'Kinds of facts, who asked, and who agreed.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { checks: Type.Array(CheckView) },
              { description: 'In their order.', examples: [{ checks: [CHECK] }] },
            ),
          },
        },
      },
      async req => {
        const { id } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        return { checks: (await checksOf(deps.read, id)).map(view) }
      },
    )

    for (const [part, state, summary] of [
      ['approval', 'agreed', 'Agree with another support agent about who somebody is'],
      ['rejection', 'rejected', 'Disagree with another support agent about who somebody is'],
    ] as const)
      api.post(
        `/requests/:id/support-checks/:n/${part}`,
        {
          config: { allow: CHECKING, oneShot: true, problems: [...OF_A_CHECK, 'second_person_needed'] },
          schema: {
            operationId: part === 'approval' ? 'agreeOnSupportCheck' : 'rejectSupportCheck',
            tags: ['verification'],
            summary,
            description:
              'By another person than the first, who did not open the request either, and soon: it is a proof then, or at its end. Whom the registers do ' +
              'not know is not identified by it.',
            params: CheckParams,
            response: { 200: CheckView },
          },
        },
        (req, reply) =>
          act(deps, req, reply, async tx => {
            const check = await settleBySecond(deps, tx, req.params.id, req.params.n, state, req.caller)
            return { status: 200, headers: {}, body: view(check) }
          }),
      )
  }
