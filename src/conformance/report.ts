/** `skipped`: it could be looked at, were it not for something that was not given. */
export type Outcome = 'passed' | 'failed' | 'skipped' | 'not_applicable'

export interface Checked {
  /** Stable, for programs. */
  id: string
  /** What is true of an adapter that passes. */
  title: string
  outcome: Outcome
  /** What was seen, what is wrong, or what has to be given. Fit for a log: nothing of anybody's data. */
  detail: string
  reference: string
}

export interface Report {
  /** As it calls itself; null where it gave no manifest. */
  adapter: string | null
  protocol: string
  /** Instant. */
  at: string
  /** Nothing failed, and nothing was left out that this adapter could be asked. */
  passed: boolean
  checks: Checked[]
}

const SIGNS: Record<Outcome, string> = { passed: '✓', failed: '✗', skipped: '–', not_applicable: '·' }

/** A report as a person reads it. */
export function readable({ adapter, passed, checks, at }: Report): string {
  const lines = checks.map(
    ({ outcome, id, title, detail, reference }) =>
      `${SIGNS[outcome]} ${id.padEnd(22)} ${title}\n${' '.repeat(25)}${detail}${outcome === 'failed' ? `\n${' '.repeat(25)}see ${reference}` : ''}`,
  )
  const count = (outcome: Outcome) => checks.filter(check => check.outcome === outcome).length
  const counts = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped, ${count('not_applicable')} not applicable`
  return `${adapter ?? 'no manifest'}, ${at}\n\n${lines.join('\n')}\n\n${passed ? 'PASSED' : 'NOT PASSED'}: ${counts}\n`
}
