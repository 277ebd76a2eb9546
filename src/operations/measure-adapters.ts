import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { type Metrics, measure } from '../platform/metrics.ts'
import { type AdapterHealth, healthOf } from '../tasks/adapter-health.store.ts'

/** How each adapter does, by its name: what `GET /v1/adapters/{id}/health` tells of one. Of the fleet, so every process says the same. */
export function measureAdapters(metrics: Metrics, { read, clock }: { read: Tx; clock: Clock }): void {
  let looking: Promise<AdapterHealth[]> | undefined
  // All gauges are collected at once, and share one look.
  const look = () => {
    looking ??= healthOf(read, clock.now()).finally(() => {
      looking = undefined
    })
    return looking
  }
  const gauge = (name: string, help: string, of: (adapter: AdapterHealth) => number | null) =>
    measure(metrics, { name, help, label: 'adapter' }, async () =>
      (await look()).flatMap(adapter => {
        const value = of(adapter)
        return value === null ? [] : [[adapter.name, value] as const]
      }),
    )
  const seconds = (milliseconds: number | null) => milliseconds && milliseconds / 1000
  gauge('dsar_adapter_asked', '1 while it is asked, 0 while it is stopped or left in peace', ({ state, breaker }) =>
    Number(state === 'live' && breaker === 'closed'),
  )
  gauge('dsar_adapter_backlog', 'Tasks it still has to answer', ({ backlog }) => backlog)
  gauge('dsar_adapter_late', 'Tasks it will have answered too late if all goes on like this', ({ late }) => late)
  gauge(
    'dsar_adapter_answers_per_hour',
    'Answers in the last hour, or on average in one of the last day',
    one => one.answersPerHour,
  )
  gauge('dsar_adapter_answer_seconds_median', 'Between asking and the whole answer', ({ medianMs }) => seconds(medianMs))
  gauge('dsar_adapter_answer_seconds_p95', 'The same, of the slowest twentieth', ({ p95Ms }) => seconds(p95Ms))
}
