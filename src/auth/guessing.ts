import type { RateLimitStore } from '../platform/rate-limit.ts'

export interface GuessingDeps {
  rateLimits: RateLimitStore
  /** Wrong codes in ten minutes, over all requests and the whole fleet, that are still people who mistype. */
  guessBudget: number
}

const WINDOW_MS = 10 * 60_000
const KEY = 'wrong codes'

/**
 * Counts a wrong code against the budget of the whole fleet. Whoever tries one code on each of thousands of requests stays below
 * every limit of a single one. @returns whether this is the one that was too many
 */
export async function noteWrongCode({ rateLimits, guessBudget }: GuessingDeps): Promise<boolean> {
  const { count } = await rateLimits.count(KEY, WINDOW_MS)
  return count === guessBudget + 1
}

/** Whether somebody is guessing on a large scale right now. */
export const isGuessedAt = async ({ rateLimits, guessBudget }: GuessingDeps): Promise<boolean> =>
  (await rateLimits.standing(KEY)) > guessBudget
