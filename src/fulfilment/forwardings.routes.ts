import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { requestStream } from '../audit/record.ts'
import { act } from '../auth/act.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import type { Forwarding } from '../domain/forwarding.ts'
import { Problem } from '../domain/problem.ts'
import type { Database, Tx } from '../platform/database.ts'
import { type CaseDeps, lockRequest } from '../requests/apply-event.ts'
import type { DetailsDeps } from '../requests/details.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { FORWARDING_EXAMPLE, ForwardedRequest, ForwardingView, handOn, viewForwarding } from './forwarding-view.ts'
import { acknowledge, answer, forwardingsOf, getForwarding } from './forwardings.store.ts'
import { reflagForwardings } from './reflag-forwardings.ts'

export interface ForwardingRoutesDeps extends CaseDeps, Database, Omit<IdentityDeps, 'vault'>, Omit<DetailsDeps, 'vault'> {
  vault: IdentityDeps['vault'] & DetailsDeps['vault']
}

const Params = Type.Object({ id: Type.String({ format: 'uuid' }) })

const ACTS = [
  ['acknowledgment', 'acknowledged', 'acknowledgeForwarding', 'Say that a forwarded request has been received', ''],
  [
    ...(['answer', 'answered', 'concludeForwarding', 'Say that a forwarded request has been answered'] as const),
    ': the person has the answer, and nobody has to be reminded any more. What the answer says stays there',
  ],
] as const

/** What was passed on to controllers of their own, for the person to see and for those controllers to fetch. */
export const forwardingRoutes =
  (deps: ForwardingRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/forwardings',
      {
        config: {
          allow: {
            service: 'requests:read',
            support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'],
            portal: true,
          },
          problems: ['not_found'],
        },
        schema: {
          operationId: 'listForwardings',
          tags: ['forwardings'],
          summary: 'What of a request other controllers have to answer',
          description: 'To whom it was forwarded, when, and by when they have to answer. Their clocks are not ours.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { forwardings: Type.Array(ForwardingView) },
              { description: 'One for each controller.', examples: [{ forwardings: [FORWARDING_EXAMPLE] }] },
            ),
          },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        return { forwardings: (await forwardingsOf(deps.read, req.params.id)).map(viewForwarding) }
      },
    )

    api.get(
      '/forwardings/:id',
      {
        config: { allow: { service: 'forwardings:read' }, problems: ['not_found'] },
        schema: {
          operationId: 'getForwarding',
          tags: ['forwardings'],
          summary: 'Fetch a request that was forwarded to you',
          description:
            'For the controller it was forwarded to, and for nobody else: whom it is about, where they are reached, and what they ask for.',
          params: Params,
          response: { 200: ForwardedRequest },
        },
      },
      req =>
        deps.transact(async tx => {
          const forwarding = await theirs(deps, tx, req.params.id, req.caller)
          await deps.record(tx, requestStream(forwarding.requestId), toActor(req.caller), 'forwarding_fetched', {
            forwarding: forwarding.id,
          })
          return handOn(deps, tx, forwarding)
        }),
    )

    for (const [path, what, operationId, summary, description] of ACTS)
      api.post(
        `/forwardings/:id/${path}`,
        {
          config: {
            allow: { service: 'forwardings:read', support_agent: ['privacy_officer', 'dpo'] },
            problems: ['not_found', 'key_reused', 'in_progress'],
          },
          schema: {
            operationId,
            tags: ['forwardings'],
            summary,
            description: `By the controller it was forwarded to, or by staff whom they told${description}. The first time is the one that counts.`,
            params: Params,
            response: { 200: ForwardingView },
          },
        },
        (req, reply) =>
          act(deps, req, reply, async tx => ({
            status: 200,
            headers: {},
            body: await noted(deps, tx, req.params.id, req.caller, what),
          })),
      )
  }

/** @throws Problem `not_found`, the same for what is not there, for what is another's, and for what is of a case that is not theirs to see. */
async function theirs(deps: ForwardingRoutesDeps, tx: Tx, id: string, caller: Caller): Promise<Forwarding> {
  const forwarding = await getForwarding(tx, id)
  if (!forwarding || (caller.kind === 'service' && caller.id !== forwarding.client)) throw new Problem('not_found')
  if (caller.kind === 'support_agent') await visibleRequest(deps, tx, forwarding.requestId, caller)
  return forwarding
}

async function noted(deps: ForwardingRoutesDeps, tx: Tx, id: string, caller: Caller, what: 'acknowledged' | 'answered') {
  const { requestId } = await theirs(deps, tx, id, caller)
  const request = await lockRequest(tx, requestId)
  const forwarding = await theirs(deps, tx, id, caller)
  if (forwarding[`${what}At`]) return viewForwarding(forwarding)
  const now = deps.clock.now()
  await (what === 'answered' ? answer : acknowledge)(tx, id, now)
  await deps.record(tx, requestStream(requestId), toActor(caller), `forwarding_${what}`, { forwarding: id })
  await reflagForwardings(deps, tx, request, now)
  return viewForwarding(await theirs(deps, tx, id, caller))
}
