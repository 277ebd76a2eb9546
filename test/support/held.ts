import type { Service } from './service.ts'

export interface Held {
  /** Waits until so many others stand before the lock, or before whoever stands there. */
  waiting(count: number): Promise<void>
  release(): Promise<void>
}

/** Takes a lock in a transaction of its own and keeps it, so that a race is decided by the test and not by luck. */
export async function holdingUntilReleased(service: Service, statement: string, values: unknown[] = []): Promise<Held> {
  const holder = await service.connect()
  await holder.query('BEGIN')
  await holder.query(statement, values)
  return {
    async waiting(count) {
      const end = Date.now() + 5000
      while (true) {
        const [row] = await service.sql<{ waiting: number }>(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'dsar' AND wait_event_type = 'Lock'`,
        )
        if ((row?.waiting ?? 0) >= count) return
        if (Date.now() > end) throw new Error(`Only ${row?.waiting} of ${count} came to wait.`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    },
    async release() {
      await holder.query('ROLLBACK')
    },
  }
}
