import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { actOn } from '../auth/act.ts'
import { type AssuranceDeps, loginProof } from '../auth/assurance.ts'
import type { Caller } from '../auth/caller.ts'
import { asDownload, parseFileName } from '../domain/file-name.ts'
import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { BlobStore } from '../platform/blobs.ts'
import type { Database } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { readsContents } from '../requests/contents.ts'
import type { DataKeyOf } from '../requests/data-key.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { AttachmentView, EXAMPLE, viewAttachment } from './attachment-view.ts'
import { attachmentsOf, blobKeyOf, getAttachment } from './attachments.store.ts'
import { nameOf, openAttachment } from './open-attachment.ts'
import { checkRoom, keepAttachment, MOST_ATTACHMENTS, MOST_BYTES, receiveFile } from './take-attachment.ts'

export interface AttachmentRoutesDeps extends CaseDeps, AssuranceDeps, Database {
  clock: CaseDeps['clock']
  vault: Vault
  keyOf: DataKeyOf
  blobs: BlobStore
  /** Undefined: attachments are switched off. */
  attachmentScanner: string | undefined
}

const OPEN_TO = ['agent', 'privacy_officer', 'dpo'] as const
const OFFICERS = ['privacy_officer', 'dpo'] as const
const closed = { additionalProperties: false } as const
const FILE = { 'application/octet-stream': { schema: Type.Unsafe<unknown>({}) } }
const FileName = Type.String({
  maxLength: 1000,
  description: "Its name, percent-encoded UTF-8: up to 120 letters, digits, spaces and ._()+,'&-.",
  examples: ['Pr%C3%BCfung.pdf'],
})

/** Files that go with messages about a request. */
export const attachmentRoutes =
  (deps: AttachmentRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.removeContentTypeParser('application/json')
    api.addContentTypeParser('application/octet-stream', (_req, payload, done) => done(null, payload)) // is read as it comes

    api.post(
      '/requests/:id/attachments',
      {
        config: {
          allow: { service: 'requests:open', support_agent: OPEN_TO, portal: true },
          rateLimit: { max: 30, timeWindow: 60_000 },
          problems: ['not_found', 'illegal_transition', 'unprocessable', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'uploadAttachment',
          tags: ['messages'],
          summary: 'Upload a file to be sent with a message',
          description:
            `Up to ${MOST_BYTES} bytes, and ${MOST_ATTACHMENTS} files for a request. It is scanned first (see its state), then a message can name it. ` +
            'What a file says it is counts for nothing: all are taken, and handed out, as bytes.',
          params: RequestParams,
          headers: Type.Object({ 'file-name': FileName }),
          body: { content: FILE },
          response: { 201: { ...AttachmentView, description: 'It is kept, and will be scanned.', examples: [EXAMPLE] } },
        },
      },
      async (req, reply) => {
        const requestId = req.params.id
        const request = await visibleRequest(deps, deps.read, requestId, req.caller)
        if (!deps.attachmentScanner)
          throw new Problem('unprocessable', 'No scanner is configured here: attachments are switched off.')
        await checkRoom(deps.read, request)
        const name = parseFileName(req.headers['file-name'])
        if (name === undefined)
          throw new Problem('unprocessable', "File-Name takes letters, digits, spaces and ._()+,'&-, percent-encoded.")
        if (Number(req.headers['content-length'] ?? 0) > MOST_BYTES)
          throw new Problem('too_large', `An attachment has at most ${MOST_BYTES} bytes.`)
        if (!req.body) throw new Problem('unprocessable', 'There is nothing in this file.')
        const key = await deps.keyOf(requestId)
        const arrived = await receiveFile(deps, key, { requestId, name, content: req.body as Readable })
        let kept = false
        try {
          return await actOn(deps, req, reply, { name, sha256: arrived.sha256 }, async tx => {
            await visibleRequest(deps, tx, requestId, req.caller)
            const body = viewAttachment(await keepAttachment(deps, tx, arrived, req.caller), name)
            kept = true
            return { status: 201, headers: {}, body }
          })
        } finally {
          if (!kept) await deps.blobs.delete(blobKeyOf(arrived))
        }
      },
    )

    api.get(
      '/requests/:id/attachments',
      {
        config: { allow: { service: 'requests:read', support_agent: OPEN_TO, portal: true }, problems: ['not_found'] },
        schema: {
          operationId: 'listAttachments',
          tags: ['messages'],
          summary: 'See the files of a request, and whether they were found clean',
          description: 'Each side sees its own, and what the other has sent with a message. A support agent sees no names.',
          params: RequestParams,
          response: {
            200: Type.Object(
              { attachments: Type.Array(AttachmentView) },
              { ...closed, description: 'The oldest first.', examples: [{ attachments: [EXAMPLE] }] },
            ),
          },
        },
      },
      async req => {
        const { id } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const all = await attachmentsOf(deps.read, id)
        const shown = all.filter(
          one => one.messageId !== null || (one.from === 'staff') === (req.caller.kind === 'support_agent'),
        )
        const key = readsContents(req.caller) && shown.some(({ nameSealed }) => nameSealed) ? await deps.keyOf(id) : undefined
        return { attachments: shown.map(one => viewAttachment(one, key ? nameOf(key, one) : null)) }
      },
    )

    api.get(
      '/requests/:id/attachments/:attachment',
      {
        config: {
          allow: { service: 'requests:read', support_agent: OFFICERS, portal: true },
          problems: ['not_found', 'gone', 'illegal_transition', 'step_up_required'],
        },
        schema: {
          operationId: 'downloadAttachment',
          tags: ['messages'],
          summary: 'Download a file that was sent with a message',
          description:
            'For officers, the service that opened the request, and the person with a login as fresh and strong as the right takes.',
          params: Type.Object({ ...RequestParams.properties, attachment: Type.String({ format: 'uuid' }) }),
          response: { 200: { description: 'The file as it was uploaded, to be stored and not shown.', content: FILE } },
        },
      },
      async (req, reply) => {
        const request = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const attachment = await getAttachment(deps.read, req.params.attachment)
        if (attachment?.requestId !== request.id || attachment.messageId === null) throw new Problem('not_found')
        checkLogin(deps, request, req.caller)
        if (attachment.state !== 'clean') throw new Problem('gone', 'It was destroyed with the other contents of the request.')
        const name = nameOf(await deps.keyOf(request.id), attachment)
        reply
          .type('application/octet-stream')
          .header('content-length', attachment.bytes)
          .header('content-disposition', asDownload(name ?? attachment.id))
        return reply.send(await openAttachment(deps, attachment))
      },
    )
  }

/** @throws Problem `step_up_required` */
function checkLogin(deps: AssuranceDeps, { right, assuranceNeeded }: DsarRequest, caller: Caller): void {
  if (caller.kind !== 'portal') return
  if ((loginProof(deps, right, caller)?.level ?? 0) < assuranceNeeded)
    throw new Problem('step_up_required', 'Log in again: this takes as fresh and strong a login as the request itself.')
}
