import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import type { Database } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import { ADAPTER_EXAMPLE, AdapterView, viewAdapter } from './adapter-view.ts'
import { getAdapter } from './adapters.store.ts'
import type { RegistryDeps } from './register-adapter.ts'
import { setAllSuspended, setSuspended } from './suspension.ts'

export interface SuspensionRoutesDeps extends RegistryDeps, Database {}

const config = {
  allow: { support_agent: ['operator', 'privacy_officer', 'dpo'] },
  problems: ['key_reused', 'in_progress'],
} as const

const Changed = Type.Object(
  { adapters: Type.Array(AdapterView) },
  { description: 'Those whose traffic changed by it.', examples: [{ adapters: [{ ...ADAPTER_EXAMPLE, state: 'suspended' }] }] },
)

/** Stopping the traffic to one adapter, or to all of them. */
export const suspensionRoutes =
  (deps: SuspensionRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    for (const [method, suspended, operationId, summary, description] of [
      ['post', true, 'suspendAdapter', 'Stop all traffic to an adapter', 'Its tasks wait, and their deadlines run on.'],
      ['delete', false, 'resumeAdapter', 'Let the traffic to an adapter go on', 'Its tasks are sent from where they stood.'],
    ] as const)
      api[method](
        '/adapters/:id/suspension',
        {
          config: { ...config, problems: ['not_found', ...config.problems], sends: ['Location', 'ETag'] },
          schema: {
            operationId,
            tags: ['adapters'],
            summary,
            description,
            params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
            response: { 200: AdapterView },
          },
        },
        (req, reply) =>
          act(deps, req, reply, async tx => {
            const adapter = await getAdapter(tx, req.params.id, { lock: true })
            const changed = await setSuspended(deps, tx, adapter, suspended, req.caller)
            const headers = { location: `/v1/adapters/${changed.id}`, etag: etagOf(changed.version) }
            return { status: 200, headers, body: viewAdapter(changed) }
          }),
      )

    for (const [method, suspended, operationId, summary, description] of [
      [
        'post',
        true,
        'suspendAllAdapters',
        'Stop all traffic to all adapters',
        'Nobody is asked anything. Tasks wait, and their deadlines run on.',
      ],
      [
        'delete',
        false,
        'resumeAllAdapters',
        'Let the traffic go on that was stopped for all',
        'An adapter that was suspended for itself before stays suspended.',
      ],
    ] as const)
      api[method](
        '/adapters/suspension',
        { config, schema: { operationId, tags: ['adapters'], summary, description, response: { 200: Changed } } },
        (req, reply) =>
          act(deps, req, reply, async tx => {
            const changed = await setAllSuspended(deps, tx, suspended, req.caller)
            return { status: 200, headers: {}, body: { adapters: changed.map(adapter => viewAdapter(adapter)) } }
          }),
      )
  }
