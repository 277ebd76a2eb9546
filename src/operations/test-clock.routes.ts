import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { actAndSettle } from '../auth/act.ts'
import { DURATION, millisecondsOf } from '../domain/duration.ts'
import { Problem } from '../domain/problem.ts'
import type { Database } from '../platform/database.ts'
import type { TestClock } from '../platform/test-clock.ts'
import type { Vault } from '../platform/vault.ts'

export interface TestClockDeps extends Database {
  vault: Pick<Vault, 'sealJson' | 'openJson'>
  testClock: TestClock
  /** Runs once everything that runs by the clock. */
  catchUp(): Promise<void>
}

const NOW = { now: '2026-11-23T09:12:00.000Z' }
const NowView = Type.Object(
  { now: Type.String({ format: 'date-time' }) },
  { description: 'What the clock shows.', examples: [NOW] },
)
const MoveBody = Type.Object(
  {
    advance: Type.Optional(
      Type.String({ pattern: DURATION.source, description: 'ISO 8601: weeks, days, hours, minutes and seconds.' }),
    ),
    to: Type.Optional(Type.String({ format: 'date-time', description: 'Not before what the clock shows.' })),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    examples: [{ advance: 'P3D' }, { advance: 'PT72H' }, { to: '2026-12-20T09:00:00Z' }],
  },
)

/** No deadline is later, and beyond it nobody's arithmetic was tried. */
const LAST = new Date('2200-01-01T00:00:00Z')

/** The time machine of test mode. Without that mode nobody adds these routes. */
export const testClockRoutes =
  (deps: TestClockDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/test/clock',
      {
        config: { allow: { service: 'requests:read', support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'] } },
        schema: {
          operationId: 'readTestClock',
          tags: ['test mode'],
          summary: 'What time it is for the service',
          description: 'Everything the law counts goes by this clock; tokens, signatures and retries go by the real one.',
          response: { 200: NowView },
        },
      },
      async () => ({ now: deps.testClock.now().toISOString() }),
    )

    api.post(
      '/test/clock',
      {
        config: { allow: { support_agent: ['operator'] }, problems: ['unprocessable', 'key_reused', 'in_progress'] },
        schema: {
          operationId: 'moveTestClock',
          tags: ['test mode'],
          summary: 'Move the clock forwards',
          description:
            'For the whole fleet. Answers once all that runs by the clock has run: alarms, lapses, ends of cooling off, searches due after an ' +
            'erasure, expiries, the digest of the day. What these set off (calls of adapters, letters) follows as usual.',
          body: MoveBody,
          response: { 200: NowView },
        },
      },
      (req, reply) =>
        actAndSettle(
          deps,
          req,
          reply,
          async tx => {
            const now = await deps.testClock.move(tx, now => targetOf(now, req.body))
            return { status: 200, headers: {}, body: { now: now.toISOString() } }
          },
          async () => {
            await deps.testClock.follow()
            await deps.catchUp()
          },
        ),
    )
  }

/** @throws Problem `unprocessable` for moments that are past, too far away, or in no calendar */
function targetOf(now: Date, { advance, to }: { advance?: string; to?: string }): Date {
  const target = advance === undefined ? new Date(to ?? Number.NaN) : new Date(now.getTime() + millisecondsOf(advance))
  if (target >= now && target <= LAST) return target
  const detail = `It is ${now.toISOString()}: the clock goes forwards only, and as far as ${LAST.toISOString()}.`
  throw new Problem('unprocessable', undefined, { errors: [{ pointer: advance === undefined ? '/to' : '/advance', detail }] })
}
