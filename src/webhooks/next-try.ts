const MINUTE = 60
const HOUR = 60 * MINUTE

/** Seconds from one attempt to the next (Standard Webhooks): a restart, an outage and a weekend are outlived. */
const WAITS = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
/** A random share that is added to each: what failed together does not come back together. */
const JITTER = 0.2
/** What a subscriber may ask of us at most. */
const PATIENCE = 24 * HOUR

/** Whole seconds until the next attempt, `tries` being those made, with what the subscriber asked for; undefined after the last one. */
export function nextTry(
  { random }: { random(): number },
  { tries, retryAfter = 0 }: { tries: number; retryAfter?: number | undefined },
): number | undefined {
  const wait = WAITS[tries - 1]
  return wait && Math.ceil(Math.max(wait * (1 + JITTER * random()), Math.min(retryAfter, PATIENCE)))
}
