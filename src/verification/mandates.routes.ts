import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import { parseDay } from '../domain/day.ts'
import type { Mandate } from '../domain/mandate.ts'
import { Problem } from '../domain/problem.ts'
import { isRepresentative } from '../domain/representation.ts'
import type { Database } from '../platform/database.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import type { Vault } from '../platform/vault.ts'
import { mandatesOf } from '../requests/mandates.store.ts'
import { requesterOf } from '../requests/requester.store.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { approveMandate, type MandateDeps, refuseMandate } from './decide-mandate.ts'
import { MandateBody, RefusalBody } from './mandate-body.ts'
import { MandateList, MandateView, viewMandate, viewRequester } from './mandate-view.ts'
import { proposeMandate } from './propose-mandate.ts'

export interface MandateRoutesDeps extends Omit<MandateDeps, 'vault'>, Database {
  vault: Vault
}

const Id = Type.String({ format: 'uuid' })
const OfMandate = Type.Object({ id: Id, mandate: Id })
const CASEWORKERS = { support_agent: ['agent', 'privacy_officer', 'dpo'] } as const
const OFFICERS = { support_agent: ['privacy_officer', 'dpo'] } as const
const problems = [
  ...(['not_found', 'second_person_needed', 'illegal_transition', 'unprocessable'] as const),
  ...(['key_reused', 'in_progress'] as const),
] as const

/** By what power somebody asks for another person: what was seen, and what two people made of it. */
export const mandateRoutes =
  (deps: MandateRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/mandates',
      {
        config: { allow: CASEWORKERS, problems: ['not_found'] },
        schema: {
          operationId: 'listMandates',
          tags: ['verification'],
          summary: 'Who acts for the person, and by what power',
          description: 'With the name of whoever acts, to be held against the document. Nothing of the person.',
          params: RequestParams,
          response: { 200: MandateList },
        },
      },
      async req => {
        const { id, relationship } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        if (!isRepresentative(relationship)) throw new Problem('not_found', 'Nobody acts for the person in this request.')
        return {
          requester: viewRequester(relationship, await requesterOf(deps, deps.read, id)),
          mandates: (await mandatesOf(deps, deps.read, id)).map(viewMandate),
        }
      },
    )

    api.post(
      '/requests/:id/mandates',
      {
        config: { allow: CASEWORKERS, problems: [...problems, 'already_exists', 'invalid_request'] },
        schema: {
          operationId: 'proposeMandate',
          tags: ['verification'],
          summary: 'Note that a mandate was seen',
          description:
            'Of the document only its SHA-256 is kept. Nobody is written to and nothing goes on before somebody else has approved it.',
          params: RequestParams,
          body: MandateBody,
          response: { 201: MandateView },
        },
      },
      (req, reply) => {
        const { seenOn, validUntil, childBornOn, diedOn, ...rest } = req.body
        const given = {
          ...rest,
          seenOn: parseDay(seenOn),
          ...(validUntil && { validUntil: parseDay(validUntil) }),
          ...(childBornOn && { childBornOn: parseDay(childBornOn) }),
          ...(diedOn && { diedOn: parseDay(diedOn) }),
        }
        return act(deps, req, reply, async tx => answer(201, await proposeMandate(deps, tx, req.params.id, given, req.caller)))
      },
    )

    api.post(
      '/requests/:id/mandates/:mandate/approval',
      {
        config: { allow: OFFICERS, oneShot: true, problems },
        schema: {
          operationId: 'approveMandate',
          tags: ['verification'],
          summary: 'Approve a mandate, as the second person',
          description:
            'By somebody other than who noted it and who opened the request. Then the person is asked or told, and whoever acts for them ' +
            'proves their own address, where the answer goes there.',
          params: OfMandate,
          response: { 200: MandateView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx =>
          answer(200, await approveMandate(deps, tx, req.params.id, req.params.mandate, req.caller)),
        ),
    )

    api.post(
      '/requests/:id/mandates/:mandate/refusal',
      {
        config: { allow: OFFICERS, oneShot: true, problems },
        schema: {
          operationId: 'refuseMandate',
          tags: ['verification'],
          summary: 'Refuse a mandate, as the second person',
          description: 'Whoever acts for the person is told why. Another document is another mandate.',
          params: OfMandate,
          body: RefusalBody,
          response: { 200: MandateView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx =>
          answer(200, await refuseMandate(deps, tx, req.params.id, req.params.mandate, req.body.reason, req.caller)),
        ),
    )
  }

const answer = (status: number, mandate: Mandate): StoredAnswer => ({ status, headers: {}, body: viewMandate(mandate) })
