import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { addMonths, type Day, dayIn, parseDay } from '../domain/day.ts'
import { csvLine } from '../platform/csv.ts'
import { RightSchema } from '../requests/request-view.ts'
import { type Report, type ReportDeps, report } from './reports.ts'

const EXAMPLE = {
  right: 'access',
  received: 41,
  answeredInTime: 34,
  answeredLate: 1,
  open: 3,
  overdue: 0,
  extended: 2,
  refused: { manifestly_unfounded: 1 },
  represented: { authorized_agent: 2 },
  withdrawn: 2,
  lapsed: 1,
  cancelled: 0,
  medianDays: 2.314,
  p95Days: 21.07,
} as const

const Count = Type.Integer({ minimum: 0 })
const Days = Type.Union([Type.Number(), Type.Null()])
const figures = {
  right: RightSchema,
  received: Count,
  answeredInTime: Type.Integer({ description: 'Carried out or refused on or before the day that it was due.' }),
  answeredLate: Count,
  open: Count,
  overdue: Type.Integer({ description: 'Of the open ones.' }),
  extended: Type.Integer({ description: 'Of all of them.' }),
  refused: Type.Record(Type.String(), Count, { description: 'Of all of them, in whole or in part, by ground.' }),
  represented: Type.Record(Type.String(), Count, {
    description: 'Of all of them, made for another person, by what one is to them.',
  }),
  withdrawn: Count,
  lapsed: Count,
  cancelled: Count,
  medianDays: Days,
  p95Days: Type.Union([Type.Number(), Type.Null()], { description: 'From receipt to the answer, to a thousandth of a day.' }),
}
const Month = Type.String({ pattern: '^\\d{4}-\\d{2}$', description: 'Of receipt, in the time zone of the controller.' })
const DayInReport = Type.String({ format: 'date' })

const ReportView = Type.Object(
  {
    from: DayInReport,
    to: DayInReport,
    months: Type.Array(Type.Object({ month: Month, ...figures })),
    rights: Type.Array(Type.Object(figures), { description: 'The whole period: percentiles of months do not add up.' }),
  },
  {
    title: 'Report',
    description: 'What became of the requests received in the period.',
    examples: [{ from: '2026-11-01', to: '2026-11-30', months: [{ month: '2026-11', ...EXAMPLE }], rights: [EXAMPLE] }],
  },
)

/** How well requests are answered: for the officers, and for whoever they have to account to. */
export const reportRoutes =
  (deps: ReportDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/reports',
      {
        config: {
          allow: { support_agent: ['privacy_officer', 'dpo', 'operator'] },
          rateLimit: { max: 30, timeWindow: 60_000 }, // it reads all requests of the period
        },
        schema: {
          operationId: 'getReport',
          tags: ['operations'],
          summary: 'How the requests of a period were answered',
          description:
            'By right and month of receipt. Received is answered in time, answered late, open, withdrawn, lapsed and cancelled together. ' +
            'Who asks for `text/csv` is given the months as a table.',
          querystring: Type.Object(
            {
              from: Type.Optional(
                Type.String({ format: 'date', description: 'First day of receipt; a year back if not given.' }),
              ),
              to: Type.Optional(Type.String({ format: 'date', description: 'Last day of receipt; today if not given.' })),
            },
            { additionalProperties: false },
          ),
          response: {
            200: {
              description: 'The figures. A month that the period cuts is counted as far as it lies within.',
              content: { 'application/json': { schema: ReportView }, 'text/csv': { schema: Type.String() } },
            },
          },
        },
      },
      async (req, reply) => {
        const made = await report(deps, periodOf(deps, req.query))
        reply.header('vary', 'Accept')
        if (!prefersCsv(req.headers.accept)) return reply.type('application/json; charset=utf-8').send(made)
        reply.header('content-disposition', `attachment; filename="requests-${made.from}-${made.to}.csv"`)
        return reply.type('text/csv; charset=utf-8; header=present').send(asCsv(made))
      },
    )
  }

/** By default this month and the eleven before it. */
function periodOf({ clock, timeZone }: ReportDeps, asked: { from?: string; to?: string }): { from: Day; to: Day } {
  const to = asked.to === undefined ? dayIn(clock.now(), timeZone) : parseDay(asked.to)
  const from = asked.from === undefined ? addMonths(parseDay(`${to.slice(0, 7)}-01`), -11) : parseDay(asked.from)
  return { from, to }
}

/** Whether CSV is asked for by name, and JSON not by name before it (RFC 9110, 12.5.1). */
function prefersCsv(accept = ''): boolean {
  const weightOf = (type: string) => {
    const range = accept.split(',').map(each => each.split(';').map(part => part.trim().toLowerCase()))
    const parameters = range.find(([name]) => name === type)?.slice(1)
    const q = parameters?.find(part => part.startsWith('q='))?.slice(2)
    return parameters ? Number(q ?? 1) : 0
  }
  return weightOf('text/csv') > weightOf('application/json')
}

/** One line for each month and right, with a column for each ground that occurs and for each way to act for somebody. Totals are left out: a table that is summed up would count them twice. */
function asCsv({ months }: Report): string {
  const grounds = [...new Set(months.flatMap(({ refused }) => Object.keys(refused)))].sort()
  const acting = [...new Set(months.flatMap(({ represented }) => Object.keys(represented)))].sort()
  const header = [...COLUMNS, ...grounds.map(ground => `refused: ${ground}`), ...acting.map(by => `represented: ${by}`)]
  const lines = months.map(row => [
    ...COLUMNS.map(column => row[column]),
    ...grounds.map(ground => row.refused[ground] ?? 0),
    ...acting.map(by => row.represented[by] ?? 0),
  ])
  return [header, ...lines].map(csvLine).join('')
}

const COLUMNS = [
  'month',
  'right',
  'received',
  'answeredInTime',
  'answeredLate',
  'open',
  'overdue',
  'extended',
  'withdrawn',
  'lapsed',
  'cancelled',
  'medianDays',
  'p95Days',
] as const
