import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { getAdapter } from '../adapters/adapters.store.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { type AdapterHealth, healthOf } from './adapter-health.store.ts'

export interface AdapterHealthRoutesDeps {
  read: Tx
  clock: Clock
}

const EXAMPLE = {
  name: 'billing',
  state: 'live',
  breaker: 'closed',
  restingUntil: null,
  backlog: 42,
  oldestDueAt: '2026-12-18T23:59:59.000Z',
  answersPerHour: 120,
  medianMs: 180,
  p95Ms: 2400,
  doneAt: '2026-11-20T10:21:00.000Z',
  late: 0,
}
const Instant = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])

const HealthView = Type.Object(
  {
    name: Type.String(),
    state: Type.String(),
    breaker: Type.Enum(['closed', 'open', 'half_open'], {
      description: '`open`: left in peace after outages in a row. `half_open`: tried with one call at a time.',
    }),
    restingUntil: Instant,
    backlog: Type.Integer({ description: 'Tasks it still has to answer.' }),
    oldestDueAt: Instant,
    answersPerHour: Type.Number(),
    medianMs: Type.Union([Type.Integer(), Type.Null()]),
    p95Ms: Type.Union([Type.Integer(), Type.Null()]),
    doneAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'When the backlog is worked off at this rate; null where nothing tells.',
    }),
    late: Type.Integer({ description: 'Tasks that will be answered after they are due, if all goes on like this.' }),
  },
  { title: 'AdapterHealth', description: 'How an adapter does.', examples: [EXAMPLE] },
)

const viewHealth = ({ id: _, title: __, owner: ___, restingUntil, oldestDueAt, doneAt, ...health }: AdapterHealth) => ({
  ...health,
  restingUntil: restingUntil?.toISOString() ?? null,
  oldestDueAt: oldestDueAt?.toISOString() ?? null,
  doneAt: doneAt?.toISOString() ?? null,
})

/** How adapters do, for whoever runs them. */
export const adapterHealthRoutes =
  ({ read, clock }: AdapterHealthRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/adapters/:id/health',
      {
        config: {
          allow: { service: 'adapters:read', support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'] },
          problems: ['not_found'],
        },
        schema: {
          operationId: 'getAdapterHealth',
          tags: ['adapters'],
          summary: 'How an adapter does, and whether it will be done in time',
          description:
            'Its backlog, how fast it answers, and when it will be done at this rate. What will be late is told to the privacy officer, and to its owner, by mail.',
          params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
          response: { 200: HealthView },
        },
      },
      async req => {
        const { id } = await getAdapter(read, req.params.id)
        const [health] = await healthOf(read, clock.now(), id)
        return viewHealth(health as AdapterHealth)
      },
    )
  }
