import type { FastifyInstance } from 'fastify'
import type { OpenCase } from '../requests/open-case.ts'

const OF_A_CASE = '/v1/requests/:id'

/** Has everything that staff call looked at, and everything below one request counted as an opening of that case. */
export function watchCalls(app: FastifyInstance, openCase: OpenCase): void {
  app.addHook('preHandler', async ({ caller, routeOptions, params }) => {
    if (caller.kind !== 'support_agent') return
    const { url = '' } = routeOptions
    const isCase = url === OF_A_CASE || url.startsWith(`${OF_A_CASE}/`)
    await openCase(caller, isCase ? (params as { id: string }).id.toLowerCase() : undefined)
  })
}
