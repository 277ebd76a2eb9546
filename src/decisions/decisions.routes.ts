import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Caller } from '../auth/caller.ts'
import type { Database, Tx } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import type { Vault } from '../platform/vault.ts'
import { actOnRequest, OF_AN_ACT } from '../requests/act-on-request.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { isOfficer } from '../requests/contents.ts'
import { decisionsOf, type StoredDecision } from '../requests/decisions.store.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { mayRead } from '../staff/view-contents.ts'
import type { CarryOutDeps } from './carry-out-decision.ts'
import { approveDecision, decide } from './decide.ts'
import { DECISION_EXAMPLE, DecisionBody, type DecisionReader, DecisionView, viewDecision } from './decision-bodies.ts'

export interface DecisionRoutesDeps extends Omit<CarryOutDeps, 'vault'>, Database {
  vault: Vault
}

const DECIDING = { support_agent: ['privacy_officer', 'dpo'] } as const
const OF_A_DECISION = [...OF_AN_ACT, 'second_person_needed'] as const

/** What is decided on a request, by whom, and what the person is told of it. */
export const decisionRoutes =
  (deps: DecisionRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/decisions',
      {
        config: {
          allow: { service: 'requests:read', support_agent: ['agent', 'privacy_officer', 'dpo'], portal: true },
          problems: ['not_found'],
        },
        schema: {
          operationId: 'getDecisions',
          tags: ['decisions'],
          summary: 'What has been decided on a request',
          description:
            'With the reasons and the remedies that the person was told. Proposals are for the staff; reasons and evidence are not for support agents.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { decisions: Type.Array(DecisionView) },
              { description: 'The decisions, in their order.', examples: [{ decisions: [DECISION_EXAMPLE] }] },
            ),
          },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const opened = await mayRead(deps, req.params.id, 'decisions', req.caller)
        const reader = opened && req.caller.kind === 'support_agent' ? 'officer' : readerOf(req.caller)
        const decisions = await decisionsOf(deps, deps.read, req.params.id)
        return {
          decisions: decisions
            .filter(({ state }) => req.caller.kind === 'support_agent' || state === 'effective')
            .map(decision => viewDecision(decision, reader)),
        }
      },
    )

    api.post(
      '/requests/:id/decisions',
      {
        config: { allow: DECIDING, problems: OF_A_DECISION, sends: ['ETag'] },
        schema: {
          operationId: 'decide',
          tags: ['decisions'],
          summary: 'Approve a request, refuse it or parts of it, or announce a fee',
          description:
            'Takes If-Match with the ETag of the request as it was read. Where to complain and that there are courts is told with every refusal. ' +
            'To call a request unfounded or excessive takes evidence and is a proposal until a second person approves; so is any decision about a VIP or a colleague.',
          params: RequestParams,
          body: DecisionBody,
          response: { 201: DecisionView },
        },
      },
      (req, reply) =>
        actOnRequest(deps, req, reply, req.params.id, async tx =>
          answer(tx, 201, await decide(deps, tx, req.params.id, req.body, req.caller), req.caller),
        ),
    )

    api.post(
      '/requests/:id/decisions/:decision/approval',
      {
        config: { allow: DECIDING, oneShot: true, problems: OF_A_DECISION, sends: ['ETag'] },
        schema: {
          operationId: 'approveDecision',
          tags: ['decisions'],
          summary: 'Make a proposed decision effective, as the second person',
          description:
            'By somebody else than who proposed it and who opened the request. Takes If-Match with the ETag of the request.',
          params: Type.Object({ id: Type.String({ format: 'uuid' }), decision: Type.String({ format: 'uuid' }) }),
          response: { 200: DecisionView },
        },
      },
      (req, reply) =>
        actOnRequest(deps, req, reply, req.params.id, async tx =>
          answer(tx, 200, await approveDecision(deps, tx, req.params.id, req.params.decision, req.caller), req.caller),
        ),
    )
  }

const readerOf = (caller: Caller): DecisionReader => {
  if (caller.kind === 'support_agent') return isOfficer(caller) ? 'officer' : 'agent'
  return caller.kind === 'service' ? 'service' : 'person'
}

async function answer(tx: Tx, status: number, decision: StoredDecision, caller: Caller): Promise<StoredAnswer> {
  const { version } = await lockRequest(tx, decision.requestId)
  return { status, headers: { etag: etagOf(version) }, body: viewDecision(decision, readerOf(caller)) }
}
