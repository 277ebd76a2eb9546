const FIRST_SECONDS = 2
const POLL_SECONDS = 30
const CEILING_SECONDS = 60 * 60
/** What an adapter may ask of us at most: a nightly job that answers "in 10^9 seconds" is still looked at four times a day. */
const PATIENCE_SECONDS = 6 * 60 * 60
/** Of the time left until the due date, one wait takes at most this share: so there always is a next try, ever sooner. */
const SHARE_OF_THE_REST = 1 / 4

export interface Wait {
  now: Date
  dueAt: Date
  /** Seconds, as the adapter asked for. */
  retryAfter?: number | undefined
}

/**
 * Whole seconds until a failed call is tried again, `attempt` being counted from 1: what the adapter asks for, and beyond it a
 * random part of a span that doubles with each attempt (full jitter: tasks that failed together do not come back together).
 */
export function retryDelay({ random }: { random(): number }, { attempt, ...wait }: Wait & { attempt: number }): number {
  const span = Math.min(CEILING_SECONDS, FIRST_SECONDS * 2 ** Math.min(Math.max(attempt, 1) - 1, 30))
  return withinBudget(wait, patient(wait.retryAfter ?? 0) + random() * span)
}

/** Whole seconds until a task that was accepted is looked at (again). */
export const pollDelay = (wait: Wait): number => withinBudget(wait, patient(wait.retryAfter ?? POLL_SECONDS))

const patient = (seconds: number): number => Math.min(Math.max(seconds, 0), PATIENCE_SECONDS)

/** Waits become shorter as the due date comes nearer. Once it is past, haste is over. */
function withinBudget({ now, dueAt }: Wait, seconds: number): number {
  const rest = (dueAt.getTime() - now.getTime()) / 1000
  return Math.max(1, Math.floor(rest > 0 ? Math.min(seconds, rest * SHARE_OF_THE_REST) : seconds))
}

/** Seconds from now (RFC 9110, 10.2.3), never negative; undefined for what is neither a number of seconds nor a date. */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  const text = header?.trim() ?? ''
  if (/^[+-]?\d+$/.test(text)) return Math.max(0, Number(text))
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1000))
}
