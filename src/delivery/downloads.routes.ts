import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { toActor } from '../auth/caller.ts'
import { isForm, sendPage, takeForms } from '../auth/forms.ts'
import { useTokenOnce } from '../auth/one-shot.ts'
import { Problem } from '../domain/problem.ts'
import { getRequest, lockRequest } from '../requests/apply-event.ts'
import { type CheckDeps, checkCode } from '../verification/check-code.ts'
import { type ChallengeDeps, sendChallenge } from '../verification/send-challenge.ts'
import { byteRange } from './byte-range.ts'
import { admit, contentOf, type DownloadDeps, liveLinkFor, packageOfGrant, viewGrant } from './download.ts'
import { DownloadBody, Granted, page, zipFile } from './download-bodies.ts'
import { gonePage, landingPage } from './landing-page.ts'
import type { Link } from './links.store.ts'
import { packageOf } from './packages.store.ts'

export interface DownloadRoutesDeps
  extends DownloadDeps,
    Omit<ChallengeDeps, 'vault' | 'record' | 'clock'>,
    Omit<CheckDeps, 'vault' | 'record' | 'clock' | 'transact'> {
  publicUrl: string
}

const Token = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const Params = Type.Object({ token: Token })
const guesses = { max: 20, timeWindow: 60_000 }

/** Where the link in the mail leads. Opening it changes nothing; the content takes a typed code, or the person's own session. */
export const downloadRoutes =
  (deps: DownloadRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    takeForms(api)

    api.get(
      '/downloads/:token',
      {
        config: {
          allow: { anonymous: true, portal: true },
          rateLimit: { max: 60, timeWindow: 60_000 },
        },
        schema: {
          operationId: 'showDownload',
          tags: ['downloads'],
          summary: 'The page behind the link in the mail',
          description: 'Says what is there, and changes nothing however often it is opened.',
          params: Params,
          response: {
            200: page('A page for a person'),
            404: page('A page that says that the link leads nowhere'),
            410: page('A page that says that the link leads nowhere any more'),
          },
        },
      },
      async (req, reply) => showPage(deps, req, reply, {}),
    )

    api.post(
      '/downloads/:token',
      {
        config: {
          allow: { anonymous: true, portal: true },
          oneShot: true,
          rateLimit: guesses,
          problems: ['not_found', 'gone', 'proof_refused', 'step_up_required', 'too_many_requests'],
        },
        schema: {
          operationId: 'openDownload',
          tags: ['downloads'],
          summary: 'Ask for a code, or open the package with it',
          description:
            'A program sends JSON and is answered in JSON; the form on the page is answered with that page, or led to the package.',
          consumes: ['application/json', 'application/x-www-form-urlencoded'],
          params: Params,
          body: DownloadBody,
          response: {
            200: page('To the form: a code was asked for'),
            201: Granted,
            202: Type.Object(
              { status: Type.Literal('accepted') },
              { description: 'A code was asked for.', examples: [{ status: 'accepted' }] },
            ),
            303: Type.Null({ description: 'To the form: the code was right, and the package lies at Location.' }),
            401: page('To the form: the code was not right'),
          },
        },
      },
      async (req, reply) => {
        const link = await liveLinkFor(deps, deps.read, req.params.token).catch(error => {
          if (!isForm(req) || !(error instanceof Problem)) throw error
        })
        if (!link) return showPage(deps, req, reply, {}) // which says that it is gone
        return req.body.step === 'send'
          ? send(deps, req, reply, link, req.body.word)
          : open(deps, req, reply, link, req.body.code)
      },
    )

    api.get(
      '/downloads/content/:grant',
      {
        config: {
          allow: { anonymous: true, portal: true },
          rateLimit: { max: 600, timeWindow: 60_000 },
          problems: ['gone', 'range_not_satisfiable'],
          sends: ['ETag'],
        },
        schema: {
          operationId: 'getContent',
          tags: ['downloads'],
          summary: 'The package itself',
          description: 'For an hour after it was opened. Takes a Range of bytes, so that a broken download can go on.',
          params: Type.Object({ grant: Token }),
          response: { 200: zipFile('The ZIP file'), 206: zipFile('Part of it') },
        },
      },
      async (req, reply) => {
        const { grant } = req.params
        const sealed = await packageOfGrant(deps, grant)
        const etag = `"${sealed.sha256}"`
        reply.header('content-range', `bytes */${sealed.bytes}`) // what a 416 says of the file (RFC 9110, 15.5.17)
        const range = byteRange(rangeAskedBy(req, etag), sealed.bytes)
        reply
          .code(range.partial ? 206 : 200)
          .type('application/zip')
          .header('content-length', range.end - range.start + 1)
          .header('content-disposition', `attachment; filename="dsar-${sealed.requestId}.zip"`)
          .header('accept-ranges', 'bytes')
          .header('etag', etag)
        if (range.partial) reply.header('content-range', `bytes ${range.start}-${range.end}/${sealed.bytes}`)
        else reply.removeHeader('content-range')
        // An empty stream leaves Content-Length as it is, which sending nothing would not.
        return reply.send(req.method === 'HEAD' ? Readable.from([]) : await contentOf(deps, sealed, grant, range))
      },
    )
  }

/** A part is asked for by GET alone (RFC 9110, 14.2), and only of the file that the reader has the beginning of (If-Range, 13.1.5). */
function rangeAskedBy({ method, headers }: FastifyRequest, etag: string): string | undefined {
  const ifRange = headers['if-range']
  return method === 'GET' && (ifRange === undefined || ifRange === etag) ? headers.range : undefined
}

/** Mails the code, or says that the mailbox has had enough of them for now. A form takes a typed word for it. */
async function send(
  deps: DownloadRoutesDeps,
  req: FastifyRequest,
  reply: FastifyReply,
  link: Link,
  word = '',
): Promise<FastifyReply> {
  // What looks into mails also presses buttons, and would use up the codes that a mailbox takes.
  if (isForm(req) && !/^\s*code\s*$/i.test(word)) return showPage(deps, req, reply, { asked: true })
  const sent = deps.transact(async tx =>
    sendChallenge(deps, tx, await lockRequest(tx, link.requestId), 'download', toActor(req.caller)),
  )
  if (!isForm(req)) {
    await sent
    return reply.code(202).send({ status: 'accepted' })
  }
  const outcome = await sent.then(
    () => ({ sent: true }),
    error => {
      if (!(error instanceof Problem)) throw error
      return { enough: true }
    },
  )
  return showPage(deps, req, reply, outcome)
}

async function open(
  deps: DownloadRoutesDeps,
  req: FastifyRequest,
  reply: FastifyReply,
  link: Link,
  code: string | undefined,
): Promise<FastifyReply> {
  const { caller } = req
  try {
    const admission = code === undefined ? { caller } : await checkCode(deps, link.requestId, 'download', code, toActor(caller))
    const granted = await deps.transact(async tx => {
      if (code === undefined) await useTokenOnce(tx, req) // a typed code is used up itself
      return admit(deps, tx, link, admission, caller)
    })
    if (isForm(req)) return reply.redirect(`content/${granted.grant}`, 303) // from where the page is, whatever name it was reached by
    return reply.code(201).send(await viewGrant(deps, link.requestId, granted))
  } catch (error) {
    if (!isForm(req) || !(error instanceof Problem) || error.status >= 500) throw error
    return showPage(deps, req, reply, { wrong: true })
  }
}

async function showPage(
  deps: DownloadRoutesDeps,
  req: FastifyRequest,
  reply: FastifyReply,
  said: { sent?: boolean; wrong?: boolean; enough?: boolean; asked?: boolean },
): Promise<FastifyReply> {
  try {
    const link = await liveLinkFor(deps, deps.read, (req.params as { token: string }).token)
    const sealed = await packageOf(deps.read, link.requestId)
    const request = await getRequest(deps.read, link.requestId)
    if (!sealed || !request) throw new Problem('not_found')
    const { bytes, sha256 } = sealed
    const { locale, timeZone } = request
    const shown = landingPage({
      locale,
      timeZone,
      reference: link.requestId,
      bytes,
      sha256,
      expiresAt: link.expiresAt,
      usesLeft: link.usesLeft,
      sent: false,
      wrong: false,
      enough: false,
      asked: false,
      ...said,
    })
    return sendPage(reply, said.wrong ? 401 : 200, shown)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return sendPage(reply.header('vary', 'accept-language'), error.status, gonePage(req.headers['accept-language']))
  }
}
