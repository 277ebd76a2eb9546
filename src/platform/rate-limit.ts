import { createHash } from 'node:crypto'
import type { Tx } from './database.ts'

/** Counts calls, across the fleet or in this process alone. */
export interface RateLimitStore {
  /** Counts one more call under a key and says how many there were in its window, and in how many milliseconds that ends. */
  count(key: string, windowMs: number): Promise<{ count: number; endsInMs: number }>
  /** How many calls were counted under a key in the window that is open, without counting one. */
  standing(key: string): Promise<number>
}

const COUNT = `
  INSERT INTO rate_limit AS r (key, count, resets_at) VALUES ($1, 1, now() + make_interval(secs => $2))
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN r.resets_at <= now() THEN 1 ELSE r.count + 1 END,
    resets_at = CASE WHEN r.resets_at <= now() THEN excluded.resets_at ELSE r.resets_at END
  RETURNING count, (extract(epoch FROM resets_at - now()) * 1000)::int AS ends_in_ms`

/**
 * Fixed windows in one unlogged table: one statement per call, and lost at a crash, which forgives a minute. The clock
 * is the database's, the same for all. Keys are kept as hashes, because they may be addresses of people.
 */
export function postgresRateLimits(db: Pick<Tx, 'query'>): RateLimitStore {
  const hashed = (key: string) => createHash('sha256').update(key).digest('base64url')
  return {
    async count(key, windowMs) {
      const [row] = await db.query<{ count: number; ends_in_ms: number }[]>(COUNT, [hashed(key), windowMs / 1000])
      if (!row) throw new Error('the count was not returned')
      return { count: row.count, endsInMs: row.ends_in_ms }
    },
    async standing(key) {
      const [row] = await db.query<{ count: number }[]>('SELECT count FROM rate_limit WHERE key = $1 AND resets_at > now()', [
        hashed(key),
      ])
      return row?.count ?? 0
    },
  }
}

/** Counts in this process alone, which costs nothing. All windows end together, and with them whatever was counted is forgotten. */
export function localRateLimits(elapsed: () => number = () => performance.now()): RateLimitStore {
  const counts = new Map<string, number>()
  let endsAt = 0
  return {
    async count(key, windowMs) {
      if (elapsed() >= endsAt) {
        counts.clear()
        endsAt = elapsed() + windowMs
      }
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return { count, endsInMs: endsAt - elapsed() }
    },
    async standing(key) {
      return elapsed() < endsAt ? (counts.get(key) ?? 0) : 0
    },
  }
}

/** Deletes windows that are over: nobody counts on in them. */
export async function forgetRateLimits(db: Pick<Tx, 'query'>): Promise<void> {
  await db.query('DELETE FROM rate_limit WHERE resets_at < now()')
}
