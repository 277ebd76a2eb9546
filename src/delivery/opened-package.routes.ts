import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Problem } from '../domain/problem.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { visibleRequest } from '../requests/visible-request.ts'
import { GlassParams } from '../staff/break-glass.routes.ts'
import { glassesOf, openGlass } from '../staff/break-glass.store.ts'
import { lookThroughGlass, type ViewDeps } from '../staff/view-contents.ts'
import { type OpenDeps, openPackage } from './download.ts'
import { zipFile } from './download-bodies.ts'
import { isLive, packageOf } from './packages.store.ts'

const CHECK_EVERY_MS = 2000

/** The package of a case to one of the staff, while it is opened to them. */
export const openedPackageRoutes =
  (deps: ViewDeps & IdentityDeps & OpenDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/requests/:id/break-glass/:n/package',
      {
        exposeHeadRoute: false, // it leaves a trace on the record, which a HEAD may not
        config: { allow: { support_agent: ['agent', 'privacy_officer', 'dpo'] }, problems: ['not_found', 'gone'] },
        schema: {
          operationId: 'getOpenedPackage',
          tags: ['break-glass'],
          summary: 'The package, to whom it was opened',
          description:
            'For an hour after the approval, to whoever asked for it and nobody else, while there is one. Each time is on the record.',
          params: GlassParams,
          response: { 200: zipFile('The ZIP file') },
        },
      },
      async (req, reply) => {
        const { id } = await visibleRequest(deps, deps.read, req.params.id, req.caller)
        const glass = (await glassesOf(deps.read, id)).find(({ n }) => n === req.params.n)
        if (!glass) throw new Problem('not_found')
        const sealed = await packageOf(deps.read, id)
        const isOpen = () => openGlass(deps.read, id, { viewer: req.caller.id, what: 'package', now: deps.clock.now() })
        if (glass.openedBy !== req.caller.id || !(await isOpen()))
          throw new Problem('not_allowed', 'It is not open to you, or not any more.')
        if (!sealed || !isLive(sealed, deps.clock.now())) throw new Problem('gone', 'There is no package, or none any more.')
        await lookThroughGlass(deps, id, 'package', req.caller)
        const content = await openPackage(deps, sealed, { start: 0, end: sealed.bytes - 1 })
        const watch = setInterval(() => {
          isOpen().then(
            open => open || content.destroy(new Problem('not_allowed')),
            error => content.destroy(error as Error),
          )
        }, CHECK_EVERY_MS)
        content.once('close', () => clearInterval(watch))
        return reply
          .type('application/zip')
          .header('content-length', sealed.bytes)
          .header('content-disposition', `attachment; filename="dsar-${id}.zip"`)
          .send(content)
      },
    )
  }
