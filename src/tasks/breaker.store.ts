import type { Trouble } from '../adapters/answer.ts'
import { type Tx, write } from '../platform/database.ts'

/** So many times in a row out of order, whatever it was asked, and an adapter is left in peace for a while. */
export const STRIKES = 5

/** What says that the adapter is out of order, and not that it does not like this one task. That it is busy says that it lives. */
const OUTAGES: ReadonlySet<Trouble> = new Set<Trouble>(['connection', 'timeout', 'cut', 'server_error'])
/** Of these it is not to blame: they say nothing of how it does. */
const OURS: ReadonlySet<Trouble> = new Set<Trouble>(['own_trouble', 'worker_lost', 'aborted', 'no_identity'])

/** Seconds: 15 at first, twice as many after each try in vain, ten minutes at most; give or take a quarter, so that a fleet does not knock in step. */
const REST = `make_interval(secs => least(600, 15 * 2 ^ least(strikes + 1 - ${STRIKES}, 6)) * (0.75 + random() / 2))`

/**
 * Notes of an adapter whether it answered at all. After `STRIKES` outages in a row the fleet leaves it in peace (its tasks wait, and count no
 * attempt); then one call at a time tries it, until one is answered.
 */
export async function noteWhetherUp(tx: Tx, adapterId: string, trouble: Trouble | undefined): Promise<void> {
  if (trouble !== undefined && OURS.has(trouble)) return
  if (trouble !== undefined && OUTAGES.has(trouble))
    await write(
      tx,
      `UPDATE adapter SET strikes = strikes + 1, resting_until = CASE WHEN strikes + 1 >= ${STRIKES} THEN now() + ${REST} END WHERE id = $1`,
      [adapterId],
    )
  else await write(tx, `UPDATE adapter SET strikes = 0, resting_until = NULL WHERE id = $1 AND strikes > 0`, [adapterId])
}
