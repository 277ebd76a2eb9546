import { setTimeout as pause, setInterval as ticks } from 'node:timers/promises'
import { type Clock, realTime } from './clock.ts'
import type { Tx } from './database.ts'

/** A clock that all processes on a database share and that can be moved ahead of the real one. For tests alone. */
export interface TestClock extends Required<Clock> {
  /** Moves it, in the caller's transaction, to what `to` makes of the present moment. @returns that moment */
  move(tx: Tx, to: (now: Date) => Date): Promise<Date>
  /** To be called once a move is committed: returns when this process and every other go by it. */
  follow(): Promise<void>
  close(): Promise<void>
}

/** A database that has to be used in test mode, or must not be. */
export class WrongDatabase extends Error {
  readonly code = 'WRONG_DATABASE'
}

const LOOK_EVERY_MS = 200

/** Whether a database is for tests. It is from its first request on, or never. */
export async function isForTests(read: Tx): Promise<boolean> {
  return (await read.query<unknown[]>('SELECT 1 FROM test_clock')).length > 0
}

/** Opens the clock of a database for tests, and makes a database without any request one. @throws WrongDatabase for any other */
export async function openTestClock(read: Tx, clock: Clock): Promise<TestClock> {
  await read.query(
    'INSERT INTO test_clock (ahead_ms) SELECT 0 WHERE NOT EXISTS (SELECT FROM dsar_request) ON CONFLICT DO NOTHING',
  )
  if (!(await isForTests(read)))
    throw new WrongDatabase('TEST_MODE takes a database of its own: this one has requests of real people.')

  let ahead = 0
  const look = async () => {
    const [row] = await read.query<[{ ahead: number }]>('SELECT ahead_ms AS ahead FROM test_clock')
    ahead = Math.max(ahead, row.ahead) // an answer may be slow on its way, and time never goes back
  }
  await look()
  const stopping = new AbortController()
  const looking = (async () => {
    // A database that does not answer is reported by everybody else who needs it.
    for await (const _ of ticks(LOOK_EVERY_MS, undefined, stopping)) await look().catch(() => {})
  })().catch(() => {})

  return {
    now: () => new Date(clock.now().getTime() + ahead),
    real: () => realTime(clock),
    async move(tx, to) {
      const [row] = await tx.query<[{ ahead: number }]>('SELECT ahead_ms AS ahead FROM test_clock FOR UPDATE')
      const now = clock.now().getTime() + row.ahead
      const target = to(new Date(now))
      await tx.query('UPDATE test_clock SET ahead_ms = ahead_ms + $1', [Math.max(0, target.getTime() - now)])
      return target
    },
    async follow() {
      await look()
      await pause(LOOK_EVERY_MS * 1.5)
    },
    async close() {
      stopping.abort()
      await looking
    },
  }
}
