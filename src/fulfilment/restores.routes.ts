import { randomUUIDv7 } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { adaptersIn } from '../adapters/adapters.store.ts'
import { RESTORES } from '../audit/record.ts'
import { act } from '../auth/act.ts'
import { type Caller, toActor } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Database, Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { CaseDeps } from '../requests/apply-event.ts'
import { instantOf } from '../requests/request-bodies.ts'
import { Instant } from '../requests/request-view.ts'
import { concludeRestore, findRestore, insertRestore, oweReplays, type Restore } from './restores.store.ts'

export interface RestoreRoutesDeps extends CaseDeps, Database {
  vault: Vault
}

const closed = { additionalProperties: false } as const
const ALLOWED = { support_agent: ['dpo', 'operator'] } as const
const ID = '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4'

const EXAMPLE = {
  id: ID,
  adapter: 'learning',
  restoredTo: '2026-11-20T03:00:00.000Z',
  state: 'replaying',
  erasures: 312,
  replayed: 312,
  confirmed: 310,
  failed: 1,
  requested: { by: 'https://id.almastack.example/staff|operator-1', at: '2026-11-22T09:12:00.000Z' },
  concludedAt: null,
}
const RestoreView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    adapter: Type.Union([Type.String(), Type.Null()], { description: 'None: all of them.' }),
    restoredTo: Instant,
    state: Type.Enum(['replaying', 'concluded']),
    erasures: Type.Integer({ description: 'Requests of which something had been erased since.' }),
    replayed: Type.Integer({ description: 'Those of them that adapters were asked for again.' }),
    confirmed: Type.Integer({ description: 'Those erased again, and looked at since.' }),
    failed: Type.Integer({ description: 'Those that people have to look at; their tasks say why.' }),
    requested: Type.Object({ by: Type.String(), at: Instant }),
    concludedAt: Type.Union([Instant, Type.Null()]),
  },
  { ...closed, title: 'Restore', description: 'How far the erasures are that a restored backup undid.', examples: [EXAMPLE] },
)
const Body = Type.Object(
  {
    adapter: Type.Optional(
      Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$', description: 'Its name; without one, all of them.' }),
    ),
    restoredTo: { ...Instant, description: 'The moment of which the backup was made.' },
  },
  { ...closed, examples: [{ adapter: 'learning', restoredTo: '2026-11-20T03:00:00Z' }] },
)

const view = ({ requestedBy, requestedAt, restoredTo, concludedAt, adapterId: _, ...restore }: Restore) => ({
  ...restore,
  restoredTo: restoredTo.toISOString(),
  state: concludedAt ? ('concluded' as const) : ('replaying' as const),
  requested: { by: requestedBy, at: requestedAt.toISOString() },
  concludedAt: concludedAt?.toISOString() ?? null,
})

/** What a restored backup brought back is erased once more. */
export const restoreRoutes =
  (deps: RestoreRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/restores',
      {
        config: { allow: ALLOWED, problems: ['unprocessable', 'key_reused', 'in_progress'], sends: ['Location', 'Retry-After'] },
        schema: {
          operationId: 'replayErasures',
          tags: ['restores'],
          summary: 'Erase again what a restored backup brought back',
          description:
            'Every request of which an adapter has erased something since then is carried out there once more, and looked into. ' +
            'While that goes on, the same again is the same restore.',
          body: Body,
          response: { 202: RestoreView },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const { adapter, restoredTo } = req.body
          const restore = await replayErasures(
            deps,
            tx,
            { ...(adapter && { adapter }), restoredTo: instantOf(restoredTo, '/restoredTo') },
            req.caller,
          )
          return { status: 202, headers: { location: `/v1/restores/${restore.id}`, 'retry-after': '5' }, body: view(restore) }
        }),
    )

    api.get(
      '/restores/:id',
      {
        config: { allow: ALLOWED, problems: ['not_found'] },
        schema: {
          operationId: 'getRestore',
          tags: ['restores'],
          summary: 'How far a restore is',
          description: 'Counted anew each time.',
          params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
          response: { 200: RestoreView },
        },
      },
      async req => {
        const restore = await findRestore(deps.read, req.params.id)
        if (!restore) throw new Problem('not_found')
        return view(restore)
      },
    )
  }

async function replayErasures(
  deps: RestoreRoutesDeps,
  tx: Tx,
  { adapter, restoredTo }: { adapter?: string; restoredTo: Date },
  caller: Caller,
): Promise<Restore> {
  const requestedAt = deps.clock.now()
  if (restoredTo > requestedAt) throw unprocessable('/restoredTo', 'No backup was made in the future.')
  const adapterId =
    adapter === undefined ? null : ((await adaptersIn(tx, 'registered')).find(({ name }) => name === adapter)?.id ?? null)
  if (adapter !== undefined && !adapterId) throw unprocessable('/adapter', 'There is no such adapter.')
  const asked = { id: randomUUIDv7(), adapterId, restoredTo, requestedBy: caller.id, requestedAt }
  const { id, isNew } = await insertRestore(tx, asked)
  if (isNew) {
    const erasures = await oweReplays(tx, asked)
    await deps.record(tx, RESTORES, toActor(caller), 'restore_started', {
      restore: id,
      ...(adapter && { adapter }),
      restoredTo: restoredTo.toISOString(),
      erasures,
    })
    if (erasures === 0) await concludeRestore(deps, tx, id)
    else await deps.enqueue(tx, 'look-again', {})
  }
  return (await findRestore(tx, id)) as Restore
}

const unprocessable = (pointer: string, detail: string) =>
  new Problem('unprocessable', undefined, { errors: [{ pointer, detail }] })
