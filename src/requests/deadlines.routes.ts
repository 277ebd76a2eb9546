import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { HolidaysByPlace } from '../domain/calendar.ts'
import { computeClocks, deadlines } from '../domain/clocks.ts'
import { type Day, parseDay } from '../domain/day.ts'
import type { LedgerEntry } from '../domain/ledger.ts'
import { CLOCK_EXAMPLE, ClockView, viewClock } from './clock-view.ts'
import { Country, checkPlace, Region } from './place.ts'
import { instantOf } from './request-bodies.ts'
import { Instant } from './request-view.ts'

const closed = { additionalProperties: false } as const
const DayText = Type.String({ format: 'date' })
const Pause = Type.Object(
  {
    kind: Type.Literal('pause'),
    reason: Type.Enum(['clarification', 'identity', 'fee']),
    from: DayText,
    until: Type.Optional(DayText),
  },
  closed,
)
const Extension = Type.Object({ kind: Type.Literal('extension'), on: DayText, reason: Type.String({ maxLength: 200 }) }, closed)
const Chaser = Type.Object({ kind: Type.Literal('chaser'), on: DayText }, closed)

/** The law's arithmetic for anybody in the house who needs it. Nothing is stored. */
export const deadlineRoutes =
  ({ holidays, timeZone }: { holidays: HolidaysByPlace; timeZone: string }): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/deadlines',
      {
        config: {
          allow: { service: 'requests:read', support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'], portal: true },
          problems: ['unprocessable'],
        },
        schema: {
          operationId: 'computeDeadlines',
          tags: ['deadlines'],
          summary: 'Compute every clock for a request received then',
          description: 'Our promise, the GDPR and the law of the place, each with the steps of its reckoning. Nothing is stored.',
          body: Type.Object(
            {
              receivedAt: Instant,
              timeZones: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 4 })),
              country: Type.Optional(Country),
              region: Type.Optional(Region),
              holidays: Type.Optional(
                Type.Record(Type.String({ pattern: '^[A-Z]{2}(-[A-Z0-9]{1,3})?$' }), Type.Array(DayText, { maxItems: 400 })),
              ),
              ledger: Type.Optional(Type.Array(Type.Union([Pause, Extension, Chaser]), { maxItems: 100 })),
            },
            { ...closed, examples: [{ receivedAt: '2026-01-31T09:00:00Z', timeZones: ['Europe/Berlin'], country: 'DE' }] },
          ),
          response: {
            200: Type.Object(
              { dueOn: DayText, legalDueOn: DayText, clocks: Type.Array(ClockView) },
              {
                description: 'The two days that matter, and every clock.',
                examples: [{ dueOn: '2026-02-28', legalDueOn: '2026-02-28', clocks: [CLOCK_EXAMPLE] }],
              },
            ),
          },
        },
      },
      async req => {
        const { receivedAt, timeZones = [timeZone], country, region, ledger = [] } = req.body
        checkPlace(req.body, '')
        const clocks = computeClocks({
          receivedAt: instantOf(receivedAt, '/receivedAt'),
          timeZones,
          ...(country && { country }),
          ...(region && { region }),
          holidays: { ...holidays, ...asDays(req.body.holidays ?? {}) },
          ledger: ledger.map(entryOf),
        })
        return { ...deadlines(clocks), clocks: clocks.map(viewClock) }
      },
    )
  }

const asDays = (places: Record<string, string[]>): Record<string, Day[]> =>
  Object.fromEntries(Object.entries(places).map(([place, days]) => [place, days.map(parseDay)]))

type Entry =
  | { kind: 'pause'; reason: 'clarification' | 'identity' | 'fee'; from: string; until?: string }
  | { kind: 'extension'; on: string; reason: string }
  | { kind: 'chaser'; on: string }

function entryOf(entry: Entry): LedgerEntry {
  if (entry.kind === 'pause') {
    const { until, ...rest } = entry
    return { ...rest, from: parseDay(entry.from), ...(until && { until: parseDay(until) }) }
  }
  return { ...entry, on: parseDay(entry.on) }
}
