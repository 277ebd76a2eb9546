import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { act, actAfter } from '../auth/act.ts'
import type { Caller } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import { isRepresentative } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Database, Tx } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import type { RateLimitStore } from '../platform/rate-limit.ts'
import type { Vault } from '../platform/vault.ts'
import { actOnRequest, asItIs, OF_AN_ACT } from './act-on-request.ts'
import { checkIdentities } from './check-identities.ts'
import { cancelRequest, withdrawRequest } from './close-request.ts'
import { checkDetails, type DetailRules } from './details.ts'
import { identitiesOf } from './identities.store.ts'
import { type OpenDeps, openRequest } from './open-request.ts'
import { assertionOf, CancellationBody, instantOf, OpenRequestBody } from './request-bodies.ts'
import { RequestView, viewAs } from './request-view.ts'
import { type SeenAs, seenAs, visibleAs } from './visible-request.ts'

export interface RequestRoutesDeps extends Omit<OpenDeps, 'vault'>, Omit<DetailRules, 'policy'>, Database {
  vault: Vault
  rateLimits: RateLimitStore
}

const STAFF = ['agent', 'privacy_officer', 'dpo', 'operator'] as const
export const RequestParams = Type.Object({ id: Type.String({ format: 'uuid' }) })
/** Intake and casework: open, read, take back. */
export const requestRoutes =
  (deps: RequestRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests',
      {
        config: {
          allow: { service: 'requests:open', support_agent: STAFF, portal: true, anonymous: true },
          work: true,
          problems: ['unprocessable', 'already_exists', 'work_needed', 'key_reused', 'in_progress'],
          sends: ['Location', 'ETag'],
        },
        schema: {
          operationId: 'openRequest',
          tags: ['requests'],
          summary: 'Open a request',
          description:
            'Takes in a request in the name of a data subject. The answer is the same whether the person is known or not.',
          body: OpenRequestBody,
          response: { 201: RequestView },
        },
      },
      (req, reply) =>
        actAfter(
          deps,
          req,
          reply,
          () => limitClaims(deps, req),
          tx => open(deps, tx, req.body, req.caller),
        ),
    )

    api.get(
      '/requests/:id',
      {
        config: {
          allow: { service: 'requests:read', support_agent: STAFF, portal: true },
          problems: ['not_found'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'getRequest',
          tags: ['requests'],
          summary: 'Read a request',
          description: 'Where it stands. What one may not see cannot be told from what does not exist.',
          params: RequestParams,
          response: { 200: RequestView },
        },
      },
      async (req, reply) => {
        const { request, as } = await visibleAs(deps, deps.read, req.params.id, req.caller)
        if (as === 'party') reply.header('etag', etagOf(request.version))
        return reply.send(await view(deps, deps.read, request, req.caller, as))
      },
    )

    api.post(
      '/requests/:id/withdrawal',
      {
        config: {
          allow: { service: 'requests:open', portal: true },
          problems: ['not_found', 'illegal_transition', 'key_reused', 'in_progress'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'withdrawRequest',
          tags: ['requests'],
          summary: 'Take a request back',
          description: 'By the person, or by the service that opened it for them, until the answer has been handed over.',
          params: RequestParams,
          response: { 200: RequestView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { as } = await visibleAs(deps, tx, req.params.id, req.caller)
          return changed(deps, tx, req.caller, withdrawRequest(deps, tx, req.params.id, req.caller), as)
        }),
    )

    api.post(
      '/requests/:id/cancellation',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: OF_AN_ACT,
          sends: ['ETag'],
        },
        schema: {
          operationId: 'cancelRequest',
          tags: ['requests'],
          summary: 'End a request that should not go on',
          description: 'Takes If-Match with the ETag of the request as it was read.',
          params: RequestParams,
          body: CancellationBody,
          response: { 200: RequestView },
        },
      },
      (req, reply) =>
        actOnRequest(deps, req, reply, req.params.id, async tx =>
          asItIs(deps, tx, await cancelRequest(deps, tx, req.params.id, req.body.reason, req.caller), req.caller),
        ),
    )
  }

async function open(deps: RequestRoutesDeps, tx: Tx, body: OpenRequestBody, caller: Caller): Promise<StoredAnswer> {
  const {
    type,
    subject,
    requester: { relationship = 'self', ...requester } = {},
    receivedAt,
    scope,
    details,
    assurance,
    ...rest
  } = body
  const { identities, ...person } = subject
  const request = await openRequest(
    deps,
    tx,
    {
      ...rest,
      right: type,
      subject: { ...person, ...(identities && { identities: checkIdentities(identities) }) },
      relationship,
      requester,
      scope: scope ?? {},
      details: checkDetails(deps, type, details),
      ...(receivedAt && { receivedAt: instantOf(receivedAt, '/receivedAt') }),
      ...(assurance && { assurance: assertionOf(assurance) }),
    },
    caller,
  )
  const as =
    caller.kind === 'support_agent' ? 'party' : request.relationship === 'reporter' ? 'reporter' : seenAs(request, caller)
  return {
    status: 201,
    headers: { location: `/v1/requests/${request.id}`, ...(as === 'party' && { etag: etagOf(request.version) }) },
    body: await view(deps, tx, request, caller, as),
  }
}

async function changed(
  deps: RequestRoutesDeps,
  tx: Tx,
  caller: Caller,
  change: Promise<DsarRequest>,
  as: SeenAs = 'party',
): Promise<StoredAnswer> {
  const request = await change
  return {
    status: 200,
    headers: as === 'party' ? { etag: etagOf(request.version) } : {},
    body: await view(deps, tx, request, caller, as),
  }
}

async function view(deps: RequestRoutesDeps, tx: Tx, request: DsarRequest, caller: Caller, as: SeenAs): Promise<RequestView> {
  return viewAs(request, await identitiesOf(deps, tx, request.id), caller, as)
}

const HOUR_MS = 3_600_000
const CLAIMS_AN_HOUR = { anonymous: 5, portal: 5, service: 60, support_agent: 60 }

/**
 * Anybody can say of anybody that they are a child, and an account is stopped for it; or that they act for them, and people have to
 * look at it. @throws Problem `too_many_requests`
 */
async function limitClaims({ rateLimits }: RequestRoutesDeps, { body, caller, ip }: FastifyRequest): Promise<void> {
  const { type, requester } = body as OpenRequestBody
  if (type !== 'under_age_report' && !isRepresentative(requester?.relationship ?? 'self')) return
  const whose = caller.kind === 'anonymous' ? `address ${normalizeIP(ip)}` : `caller ${caller.id}`
  const { count, endsInMs } = await rateLimits.count(`claims ${whose}`, HOUR_MS)
  if (count > CLAIMS_AN_HOUR[caller.kind])
    throw new Problem('too_many_requests', 'Enough about others for now.', { retryAfter: Math.ceil(endsInMs / 1000) })
}
