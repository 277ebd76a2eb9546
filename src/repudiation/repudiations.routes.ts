import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import { toActor } from '../auth/caller.ts'
import { isForm, sendPage, takeForms } from '../auth/forms.ts'
import { page } from '../delivery/download-bodies.ts'
import { Problem } from '../domain/problem.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import { actOnRequest, asItIs, OF_AN_ACT } from '../requests/act-on-request.ts'
import { getRequest } from '../requests/apply-event.ts'
import { RequestView } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { isDataSubject, visibleRequest } from '../requests/visible-request.ts'
import { type RepudiationLink, repudiationLinkOf } from '../verification/repudiation-links.store.ts'
import { type CheckRepudiationDeps, checkRepudiationCode } from './check-repudiation-code.ts'
import { EFFECTS, type RepudiateDeps, repudiate, repudiationOf } from './repudiate.ts'
import { linkGonePage, repudiationPage } from './repudiation-page.ts'
import { FINDINGS, reviewRepudiation } from './review-repudiation.ts'

export interface RepudiationRoutesDeps
  extends Omit<RepudiateDeps, 'vault'>,
    Omit<CheckRepudiationDeps, 'vault' | 'transact'>,
    Database {
  vault: Vault
}

const Params = Type.Object({ token: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }) })
const TypedCode = Type.Object(
  {
    code: Type.Optional(Type.String({ maxLength: 100, description: 'The one that stands beside the link in the same letter.' })),
  },
  { additionalProperties: false, examples: [{ code: 'M3VA 7QTZ' }] },
)
const Repudiated = Type.Object(
  {
    effect: Type.Enum([...EFFECTS], {
      description:
        '`stopped`: nothing was handed out or changed. `carried_out`, `handed_over`: it came too late for what had been done. `ended`: there was nothing left to stop.',
    }),
  },
  { description: 'It was said, and this came of it.', examples: [{ effect: 'stopped' }] },
)
const looks = { max: 60, timeWindow: 60_000 }
const guesses = { max: 20, timeWindow: 60_000 }

/** Where somebody says *this was not me*. Opening a link changes nothing; it takes what is typed, or the person's own session. */
export const repudiationRoutes =
  (deps: RepudiationRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    takeForms(api)

    api.get(
      '/repudiations/:token',
      {
        config: { allow: { anonymous: true, portal: true }, rateLimit: looks },
        schema: {
          operationId: 'showRepudiation',
          tags: ['repudiations'],
          summary: 'The page on which to say that a request is not one’s own',
          description: 'Says what was asked for and what to do, and changes nothing however often it is opened.',
          params: Params,
          response: {
            200: page('A page for a person'),
            404: page('A page that says that the link leads nowhere'),
            410: page('A page that says that the link leads nowhere any more'),
          },
        },
      },
      async (req, reply) => showPage(deps, req, reply, req.params.token),
    )

    api.post(
      '/repudiations/:token',
      {
        config: {
          allow: { anonymous: true, portal: true },
          rateLimit: guesses,
          problems: ['not_found', 'gone', 'proof_refused', 'too_many_requests'],
        },
        schema: {
          operationId: 'repudiateByLetter',
          tags: ['repudiations'],
          summary: 'Say that a request is not one’s own, with the code from the letter',
          description:
            'Stops the request at once, if it can still be stopped. A program sends JSON and is answered in JSON; the form on the page is answered with that page. Five tries a letter; what has not the form of a code is none.',
          consumes: ['application/json', 'application/x-www-form-urlencoded'],
          params: Params,
          body: TypedCode,
          response: { 200: Repudiated, 401: page('To the form: that was not the code') },
        },
      },
      async (req, reply) => {
        const { body, caller, params } = req
        const by = toActor(caller)
        try {
          const link = await linkInForce(deps, params.token)
          await checkRepudiationCode(deps, link, body.code ?? '', by)
          const effect = await deps.transact(tx => repudiate(deps, tx, link.requestId, by, link.contact))
          return isForm(req) ? showPage(deps, req, reply, params.token) : reply.code(200).send({ effect })
        } catch (error) {
          if (!isForm(req) || !(error instanceof Problem) || error.status >= 500) throw error
          return showPage(deps, req, reply, params.token, { wrong: error.code === 'proof_refused' })
        }
      },
    )

    api.post(
      '/requests/:id/repudiation',
      {
        config: { allow: { portal: true }, problems: ['not_found', 'not_allowed', 'key_reused', 'in_progress'] },
        schema: {
          operationId: 'repudiateRequest',
          tags: ['repudiations'],
          summary: 'Say that a request in one’s name is not one’s own',
          description: 'By the data subject, logged in at the portal. Stops the request at once, if it can still be stopped.',
          params: RequestParams,
          response: { 200: Repudiated },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id, relationship } = await visibleRequest(deps, tx, req.params.id, req.caller)
          if (!(await isDataSubject(deps, tx, id, req.caller))) throw new Problem('not_found')
          if (relationship === 'reporter')
            throw new Problem('not_allowed', 'Write a message if the report is wrong: somebody will look at it.')
          return { status: 200, headers: {}, body: { effect: await repudiate(deps, tx, id, toActor(req.caller)) } }
        }),
    )

    api.post(
      '/requests/:id/repudiation/review',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'] },
          problems: OF_AN_ACT,
          sends: ['ETag'],
        },
        schema: {
          operationId: 'reviewRepudiation',
          tags: ['repudiations'],
          summary: 'Say what came of looking into a repudiation',
          description:
            'Takes If-Match with the ETag of the request as it was read. Lowers the flag `repudiated`, which goes by itself when the freeze is over; the freeze stays.',
          params: RequestParams,
          body: Type.Object(
            { finding: Type.Enum([...FINDINGS]) },
            { additionalProperties: false, examples: [{ finding: 'somebody_else' }] },
          ),
          response: { 200: RequestView },
        },
      },
      (req, reply) =>
        actOnRequest(deps, req, reply, req.params.id, async tx =>
          asItIs(deps, tx, await reviewRepudiation(deps, tx, req.params.id, req.body.finding, req.caller), req.caller),
        ),
    )
  }

/** @throws Problem `not_found`, `gone` */
async function linkInForce(deps: RepudiationRoutesDeps, token: string): Promise<RepudiationLink> {
  const link = await repudiationLinkOf(deps, deps.read, token)
  if (!link) throw new Problem('not_found')
  if (!link.inForce) throw new Problem('gone', 'This link is in force no more: write to the privacy officer.')
  return link
}

async function showPage(
  deps: RepudiationRoutesDeps,
  req: FastifyRequest,
  reply: FastifyReply,
  token: string,
  { wrong = false } = {},
): Promise<FastifyReply> {
  try {
    const { requestId } = await linkInForce(deps, token)
    const request = await getRequest(deps.read, requestId)
    if (!request) throw new Problem('not_found')
    const { locale, right } = request
    const effect = await repudiationOf(deps.read, requestId)
    const { days } = deps.policy.assurance.freeze
    return sendPage(reply, wrong ? 401 : 200, repudiationPage({ locale, right, days, reference: requestId, wrong, effect }))
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return sendPage(reply.header('vary', 'accept-language'), error.status, linkGonePage(req.headers['accept-language']))
  }
}
