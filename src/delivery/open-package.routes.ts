import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { act } from '../auth/act.ts'
import { type AssuranceDeps, loginProof } from '../auth/assurance.ts'
import type { Caller } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { RequestParams } from '../requests/requests.routes.ts'
import { isDataSubject, visibleRequest } from '../requests/visible-request.ts'
import { admit, type DownloadDeps, viewGrant } from './download.ts'
import { Granted } from './download-bodies.ts'
import { type Link, liveLink } from './links.store.ts'
import { isLive, packageOf } from './packages.store.ts'

export interface OpenPackageRoutesDeps extends DownloadDeps, AssuranceDeps {
  publicUrl: string
}

/** The way to a package for a person without an address on file, to whom no link can be mailed. */
export const openPackageRoutes =
  (deps: OpenPackageRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/requests/:id/package/grants',
      {
        config: {
          allow: { portal: true },
          oneShot: true,
          rateLimit: { max: 20, timeWindow: 60_000 },
          problems: ['not_found', 'gone', 'step_up_required', 'too_many_requests', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'openPackage',
          tags: ['package'],
          summary: 'Open your package at the portal, without the link',
          description:
            'For the data subject alone, with a login as fresh and as strong as the right itself takes. Counts as a use of the link.',
          params: RequestParams,
          response: { 201: Granted },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { id } = req.params
          const link = await theirLink(deps, tx, id, req.caller)
          const granted = await admit(deps, tx, link, { caller: req.caller }, req.caller)
          return { status: 201, headers: {}, body: await viewGrant({ ...deps, read: tx }, id, granted) }
        }),
    )
  }

/** @throws Problem `not_found` for all but the data subject, `step_up_required`, `gone` */
async function theirLink(deps: OpenPackageRoutesDeps, tx: Tx, id: string, caller: Caller): Promise<Link> {
  const { right, assuranceNeeded } = await visibleRequest(deps, tx, id, caller)
  if (!(await isDataSubject(deps, tx, id, caller))) throw new Problem('not_found')
  const proof = loginProof(deps, right, caller)
  if (!proof || proof.level < assuranceNeeded)
    throw new Problem('step_up_required', 'Log in again as the person the package is for.')
  const sealed = await packageOf(tx, id)
  const link = await liveLink(tx, id)
  if (!sealed) throw new Problem('not_found')
  if (!link || !isLive(sealed, deps.clock.now()))
    throw new Problem('gone', 'The package has expired, was revoked, or is not ready yet.')
  return link
}
