import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { checkIdentities } from '../requests/check-identities.ts'
import { page } from './download-bodies.ts'
import { type OptOutDeps, optOut } from './opt-out.ts'
import { addresseeOf, type OptOutLinkDeps, optOutLink } from './opt-out-link.ts'
import { optOutPage } from './opt-out-page.ts'

type Deps = OptOutDeps & OptOutLinkDeps

const closed = { additionalProperties: false } as const
const Params = Type.Object({ token: Type.String({ pattern: '^[A-Za-z0-9_-]{40,600}$' }) })
const Email = Type.String({ minLength: 3, maxLength: 254 })
const LinkBody = Type.Object(
  { email: Email, locale: Type.Optional(Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$', maxLength: 35 })) },
  { ...closed, examples: [{ email: 'ana@example.org', locale: 'de' }] },
)
const Link = Type.Object(
  { url: Type.String(), headers: Type.Record(Type.String(), Type.String()) },
  {
    description: 'The link for the foot of an advertisement, and the headers it is to be sent with (RFC 8058).',
    examples: [
      {
        url: 'https://privacy.almastack.example/v1/opt-outs/AAE…',
        headers: {
          'List-Unsubscribe': '<https://privacy.almastack.example/v1/opt-outs/AAE…>',
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        },
      },
    ],
  },
)
const Taken = Type.Object({ status: Type.Literal('accepted') }, { description: 'Taken in.', examples: [{ status: 'accepted' }] })

/** No more advertising, by the link in an advertisement. */
export const optOutRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async api => {
    // What mail programs send for their user says nothing but that it was pressed (RFC 8058, 3.2).
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data'])
      api.addContentTypeParser(type, { parseAs: 'string', bodyLimit: 1024 }, (_req, _body, done) => done(null, { form: true }))
    api.addHook('onSend', async (_req, reply) => {
      reply.header('referrer-policy', 'no-referrer').header('x-robots-tag', 'noindex')
    })

    api.post(
      '/opt-out-links',
      {
        config: { allow: { service: 'requests:open' }, problems: ['unprocessable'] },
        schema: {
          operationId: 'makeOptOutLink',
          tags: ['subjects'],
          summary: 'A link for an advertisement by which its reader opts out',
          description: 'The same address can have any number of them; each works for ever. Nothing is kept of it here.',
          body: LinkBody,
          response: { 200: Link },
        },
      },
      async ({ body: { email, locale = 'en' } }) => {
        const [{ value } = { value: '' }] = checkIdentities([{ type: 'email', value: email }], '')
        const url = optOutLink(deps, { email: value, locale })
        const headers = { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
        return { url, headers }
      },
    )

    api.get(
      '/opt-outs/:token',
      {
        config: { allow: { anonymous: true, portal: true }, rateLimit: { max: 60, timeWindow: 60_000 }, problems: ['not_found'] },
        schema: {
          operationId: 'showOptOut',
          tags: ['subjects'],
          summary: 'The page behind the link in an advertisement',
          description: 'Opening it changes nothing.',
          params: Params,
          response: { 200: page('A page for a person') },
        },
      },
      async (req, reply) => show(reply, { locale: addresseeOf(deps, req.params.token).locale, done: false }),
    )

    api.post(
      '/opt-outs/:token',
      {
        config: { allow: { anonymous: true, portal: true }, rateLimit: { max: 20, timeWindow: 60_000 }, problems: ['not_found'] },
        schema: {
          operationId: 'optOut',
          tags: ['subjects'],
          summary: 'No more advertising',
          description:
            'By the button of the page, or by the mail program itself (`List-Unsubscribe=One-Click`, RFC 8058). Whether the address is known is not said.',
          consumes: ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'],
          params: Params,
          body: Type.Optional(Type.Object({ form: Type.Optional(Type.Literal(true)) }, { ...closed, examples: [{}] })),
          response: { 200: page('To a form: it is done'), 202: Taken },
        },
      },
      async (req, reply) => {
        const addressee = addresseeOf(deps, req.params.token)
        await optOut(deps, addressee)
        if (!req.body?.form) return reply.code(202).send({ status: 'accepted' })
        return show(reply, { locale: addressee.locale, done: true })
      },
    )
  }

const CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

const show = (reply: FastifyReply, shown: { locale: string; done: boolean }): FastifyReply =>
  reply.type('text/html; charset=utf-8').header('content-security-policy', CSP).send(optOutPage(shown))
