import { Counter } from 'prom-client'
import type { Tx } from '../platform/database.ts'
import { type Metrics, measure } from '../platform/metrics.ts'
import { countOpenTasks } from '../tasks/adapter-health.store.ts'

/** What happens, counted: names out of our vocabulary, never an id. */
export interface Counts {
  alarm(level: string): void
  answer(action: string, kind: string): void
  letter(kind: string, outcome: string): void
  delivery(outcome: string): void
  codeRefused(): void
  guessedAt(): void
  budgetSpent(): void
  jobFailed(job: string): void
}

export function countWork(metrics: Metrics, read: Tx): Counts {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames, registers: [metrics] })
  const alarms = counter('dsar_deadline_alarms_total', 'Deadline alarms raised', ['level'])
  const answers = counter('dsar_adapter_answers_total', 'What adapters answered', ['action', 'kind'])
  const letters = counter('dsar_letters_total', 'Letters, by what became of them', ['kind', 'outcome'])
  const deliveries = counter('dsar_webhook_deliveries_total', 'Attempts to tell services something, by what became of them', [
    'outcome',
  ])
  const refused = counter('dsar_codes_refused_total', 'Codes that were wrong, late or worn out, over all requests', [])
  const guessed = counter('dsar_guessing_alarms_total', 'Times that more codes were wrong than people mistype', [])
  const spent = counter(
    'dsar_viewing_budgets_spent_total',
    'Cases that staff were not shown, because they had opened too many',
    [],
  )
  const failed = counter('dsar_jobs_failed_total', 'Job attempts that failed', ['job'])
  const byLabel = (sql: string) => () => read.query<Labelled[]>(sql)
  gaugeOf(
    metrics,
    'dsar_open_requests',
    'Open requests by state',
    'state',
    byLabel('SELECT state AS label, count(*) FROM dsar_request WHERE closed_at IS NULL GROUP BY 1'),
  )
  gaugeOf(metrics, 'dsar_open_tasks', 'Tasks that are not done, by state', 'state', () => countOpenTasks(read))
  gaugeOf(
    metrics,
    'dsar_flags',
    'Open requests that need eyes, by flag',
    'flag',
    byLabel('SELECT unnest(flags) AS label, count(*) FROM dsar_request WHERE closed_at IS NULL GROUP BY 1'),
  )
  return {
    alarm: level => alarms.inc({ level }),
    answer: (action, kind) => answers.inc({ action, kind }),
    letter: (kind, outcome) => letters.inc({ kind, outcome }),
    delivery: outcome => deliveries.inc({ outcome }),
    codeRefused: () => refused.inc(),
    guessedAt: () => guessed.inc(),
    budgetSpent: () => spent.inc(),
    jobFailed: job => failed.inc({ job }),
  }
}

interface Labelled {
  label: string
  count: number
}

function gaugeOf(metrics: Metrics, name: string, help: string, label: string, look: () => Promise<Labelled[]>): void {
  measure(metrics, { name, help, label }, async () => (await look()).map(row => [row.label, row.count] as const))
}
