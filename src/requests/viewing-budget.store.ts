import type { Caller } from '../auth/caller.ts'
import type { Tx } from '../platform/database.ts'
import type { IdentityDeps } from './identities.store.ts'
import { visibility } from './visible-request.ts'

const DAY_MS = 86_400_000

/**
 * One statement, and one row that whoever comes at the same time waits for: what it says of the count is true. A case that was
 * opened within a day costs nothing more, and neither does one that is not there or not theirs to see.
 */
const OPEN = (visible: string) => `
  INSERT INTO viewing_budget AS b (viewer, cases, last_at)
  SELECT $1, jsonb_build_object(r.id::text, $3::bigint), to_timestamp($3::bigint / 1000.0) FROM dsar_request r WHERE r.id = $2 AND ${visible}
  ON CONFLICT (viewer) DO UPDATE SET last_at = excluded.last_at, cases = (
    SELECT CASE WHEN count(*) < $5 THEN coalesce(jsonb_object_agg(key, value), '{}') || excluded.cases ELSE jsonb_object_agg(key, value) END
    FROM jsonb_each(b.cases) WHERE value::bigint > $4)
  WHERE NOT coalesce((b.cases ->> $2::text)::bigint > $4, false)
  RETURNING cases ? $2::text AS opened`

/** Whether somebody of the staff may open this case within their budget of different ones in 24 hours, which counts it. */
export async function countOpening(
  deps: IdentityDeps,
  read: Tx,
  caller: Caller,
  requestId: string,
  { now, budget }: { now: Date; budget: number },
): Promise<boolean> {
  const { sql, parameters } = visibility(deps, caller, 6)
  const [counted] = await read.query<{ opened: boolean }[]>(OPEN(sql), [
    caller.id,
    requestId,
    now.getTime(),
    now.getTime() - DAY_MS,
    budget,
    ...parameters,
  ])
  return counted?.opened ?? true
}

/** Whether this is the first time on that day that somebody's budget is spent. */
export async function firstAlarmOf(tx: Tx, viewer: string, day: string): Promise<boolean> {
  const [, first] = await tx.query<[unknown[], number]>(
    'UPDATE viewing_budget SET alarmed_on = $2 WHERE viewer = $1 AND alarmed_on IS DISTINCT FROM $2::date',
    [viewer, day],
  )
  return first === 1
}

/** Forgets who looked at what, once it counts no more. */
export async function forgetOpenings(read: Tx, now: Date): Promise<void> {
  await read.query('DELETE FROM viewing_budget WHERE last_at < $1', [new Date(now.getTime() - DAY_MS)])
}
