import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { requestStream } from '../audit/record.ts'
import { act } from '../auth/act.ts'
import { toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Database } from '../platform/database.ts'
import { lockRequest } from '../requests/apply-event.ts'
import { Instant } from '../requests/request-view.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { type HandOverDeps, mailLink } from './hand-over.ts'
import { liveLink, revokeLinks } from './links.store.ts'
import { isLive, packageOf } from './packages.store.ts'

export interface PackageRoutesDeps extends HandOverDeps, Database {}

const READERS = {
  service: 'requests:read',
  support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'],
  portal: true,
} as const
const PackageView = Type.Object(
  {
    bytes: Type.Integer(),
    sha256: Type.String(),
    entries: Type.Integer({ description: 'Files in the ZIP.' }),
    manifestSha256: Type.String({ description: 'Of the manifest inside, and so of every byte of the payload.' }),
    sealedAt: Instant,
    expiresAt: Instant,
    available: Type.Boolean(),
    usesLeft: Type.Integer({ description: 'Of the link now in force.' }),
  },
  {
    title: 'Package',
    description: 'What the package is; nothing of what is in it.',
    examples: [
      {
        bytes: 482_113,
        sha256: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
        entries: 61,
        manifestSha256: '7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730',
        sealedAt: '2026-11-20T09:13:04.000Z',
        expiresAt: '2026-12-04T09:13:04.000Z',
        available: true,
        usesLeft: 5,
      },
    ],
  },
)

/** The sealed package of a request: what it is, a new way to it, and the end of it. What is inside, nobody here can see. */
export const packageRoutes =
  (deps: PackageRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/package',
      {
        config: { allow: READERS, problems: ['not_found'] },
        schema: {
          operationId: 'getPackage',
          tags: ['package'],
          summary: 'Describe the package',
          description: 'Its size, its hashes, and until when it can be fetched. There is none before everything is collected.',
          params: RequestParams,
          response: { 200: PackageView },
        },
      },
      async req => {
        await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const sealed = await packageOf(deps.read, req.params.id)
        if (!sealed) throw new Problem('not_found')
        const link = await liveLink(deps.read, req.params.id)
        const { bytes, sha256, entries, manifestSha256, sealedAt, expiresAt } = sealed
        return {
          bytes,
          sha256,
          entries,
          manifestSha256,
          sealedAt: sealedAt.toISOString(),
          expiresAt: expiresAt.toISOString(),
          available: isLive(sealed, deps.clock.now()),
          usesLeft: link?.usesLeft ?? 0,
        }
      },
    )

    api.post(
      '/requests/:id/package/links',
      {
        config: {
          allow: { service: 'requests:open', support_agent: ['agent', 'privacy_officer', 'dpo'], portal: true },
          problems: ['not_found', 'illegal_transition', 'gone', 'key_reused', 'in_progress'],
          sends: ['Location'],
        },
        schema: {
          operationId: 'issueLink',
          tags: ['package'],
          summary: 'Mail a new link',
          description: 'To the address on file, and nowhere else: the answer does not show it. The link before stops working.',
          params: RequestParams,
          response: {
            201: Type.Object(
              { expiresAt: Instant, usesLeft: Type.Integer() },
              { description: 'The link is on its way.', examples: [{ expiresAt: '2026-12-04T09:13:04.000Z', usesLeft: 5 }] },
            ),
          },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await visibleRequest(deps, tx, req.params.id, req.caller)
          const link = await mailLink(deps, tx, await lockRequest(tx, req.params.id), toActor(req.caller))
          const body = { expiresAt: link.expiresAt.toISOString(), usesLeft: link.usesLeft }
          return { status: 201, headers: { location: `/v1/requests/${req.params.id}/package` }, body }
        }),
    )

    api.delete(
      '/requests/:id/package',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo'], portal: true },
          problems: ['not_found', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'revokePackage',
          tags: ['package'],
          summary: 'Revoke the package',
          description: 'Ends every link and download of it at once; it is destroyed soon after.',
          params: RequestParams,
          response: { 204: Type.Null({ description: 'No link and no download of it works any more.' }) },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          await visibleRequest(deps, tx, req.params.id, req.caller)
          const { id } = await lockRequest(tx, req.params.id)
          if (!(await packageOf(tx, id))) throw new Problem('not_found')
          const now = deps.clock.now()
          await tx.query('UPDATE sealed_package SET revoked_at = coalesce(revoked_at, $2) WHERE request_id = $1', [id, now])
          await revokeLinks(tx, id, now)
          await deps.record(tx, requestStream(id), toActor(req.caller), 'package_revoked')
          return { status: 204, headers: {}, body: null }
        }),
    )
  }
