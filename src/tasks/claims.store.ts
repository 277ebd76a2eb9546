import { type Tx, write } from '../platform/database.ts'
import { isHeld } from '../requests/held.ts'
import { isAskedWithPower } from '../requests/mandate-in-force.store.ts'
import { STRIKES } from './breaker.store.ts'
import { TASK_COLUMNS, type Task } from './tasks.store.ts'

/** How long a worker may be silent before its task goes to another. */
export const LEASE_SECONDS = 15

const LEASE = `lease_until = now() + interval '${LEASE_SECONDS} seconds', run_at = now() + interval '${LEASE_SECONDS} seconds'`

/** A worker as it asks for more: how many tasks it runs at once, and how many of each adapter it is running now. */
export interface Capacity {
  slots: number
  held: ReadonlyMap<string, number>
}

/**
 * Claims tasks for this worker, the earliest due first and each adapter in its turn, within what each adapter bears at once and
 * a minute over the whole fleet. What is due at the same time goes by turns among those who opened it, so that whoever opens thousands in
 * a day keeps nobody else waiting. A task whose worker fell silent is claimed like any other; its `attempt` grows, so that the
 * silent one's answer finds nobody. Content is only ever asked for once identity has been proven, and the power of whoever acts for somebody,
 * and nothing is erased or changed under a legal hold: these conditions stand here, at the last gate, and read the request itself.
 */
export async function claim(tx: Tx, { slots, held }: Capacity, now: Date): Promise<Task[]> {
  const claimed: Task[] = []
  let free = slots - [...held.values()].reduce((sum, count) => sum + count, 0)
  let waiting = free > 0 ? await allowancesOf(tx, await lockAdapters(tx)) : []
  while (free > 0 && waiting.length > 0) {
    const { turns, later } = turnsOf(waiting, held, free)
    const tasks = turns.length > 0 ? await claimFrom(tx, turns, now) : []
    claimed.push(...tasks)
    free -= tasks.length
    waiting = later
  }
  return claimed
}

interface Turn {
  adapterId: string
  /** How many of its tasks may be claimed. */
  most: number
}

/** Whose turn it is with so many free slots, as if each had work for its whole share; who finds none left comes after them. */
function turnsOf(waiting: readonly Turn[], held: Capacity['held'], free: number): { turns: Turn[]; later: Turn[] } {
  const turns: Turn[] = []
  for (const [n, { adapterId, most }] of waiting.entries()) {
    if (free === 0) return { turns, later: waiting.slice(n) }
    const share = Math.min(shareOf(free, held.get(adapterId) ?? 0), most)
    if (share > 0) turns.push({ adapterId, most: share })
    free -= Math.max(share, 0)
  }
  return { turns, later: [] }
}

/**
 * How many slots an adapter may take more: it never holds more than it leaves free, so that however long its backlog and however
 * slow its answers, the next adapter finds room. Who holds none may have the last.
 */
export function shareOf(free: number, held: number): number {
  return Math.max(Math.floor((free - held) / 2), held === 0 && free > 0 ? 1 : 0)
}

/**
 * What claims has many conditions and finds few rows, so planning it costs three times what doing it does; and of a backlog that grows
 * and shrinks all day, a plan made for these very values is no better.
 */
const PLANNED_ONCE = `SET LOCAL plan_cache_mode = force_generic_plan`

/**
 * Adapters with work that may start, held by us alone for this transaction, the one longest without a call first. The first task is
 * looked for, and not any, because the first stands in an index, and any is looked for among all that were ever done.
 */
async function lockAdapters(tx: Tx): Promise<string[]> {
  await write(tx, PLANNED_ONCE, [])
  const adapters = await tx.query<{ id: string }[]>(
    `SELECT a.id FROM adapter a, LATERAL (
       SELECT FROM task t WHERE t.adapter_id = a.id AND t.state IN ('ready', 'accepted', 'running') AND t.run_at <= now()
       ORDER BY t.due_at, t.ahead, t.id LIMIT 1) AS first
     WHERE a.state = 'live' AND (a.resting_until IS NULL OR a.resting_until <= now())
     ORDER BY a.allowance_at, a.id FOR NO KEY UPDATE OF a SKIP LOCKED`,
  )
  return adapters.map(({ id }) => id)
}

/** A tenth of the minute's calls may come at once, the rest evenly: in no minute are there more than the adapter bears. */
const BURST = 'greatest(1, per_minute / 10)'
const REFILLED = `least(${BURST}, allowance + extract(epoch FROM now() - allowance_at) * greatest(1, per_minute - ${BURST}) / 60)`

/**
 * How many more calls locked adapters bear now: one, to see whether it is back, where one was out of order. A statement of its own:
 * it has to see what was claimed before the locks were ours.
 */
async function allowancesOf(tx: Tx, ids: readonly string[]): Promise<Turn[]> {
  if (ids.length === 0) return []
  return tx.query(
    `SELECT id AS "adapterId", floor(least(${REFILLED}, CASE WHEN strikes >= ${STRIKES} THEN 1 ELSE concurrency END -
       (SELECT count(*) FROM task t WHERE t.adapter_id = a.id AND t.state = 'running' AND t.lease_until > now())))::int AS most
     FROM adapter a JOIN unnest($1::uuid[]) WITH ORDINALITY AS turn(id, n) USING (id) ORDER BY n`,
    [ids],
  )
}

/** The same adapter is lifting another restriction of the person: what is newer has to come after it. */
const IS_BEING_LIFTED = `EXISTS (SELECT FROM request_identity mine JOIN request_identity theirs USING (type, value_index)
  JOIN task lifting ON lifting.request_id = theirs.request_id
  WHERE mine.request_id = t.request_id AND 'named' NOT IN (mine.provenance, theirs.provenance) AND lifting.adapter_id = t.adapter_id
    AND lifting.action = 'lift_restriction' AND lifting.state IN ('running', 'accepted'))`

/**
 * Neither half goes by what the database believes of their number: of a bare parameter it takes a limit for a tenth of the backlog, so
 * that it would plan anew every time, which costs more than the claim, and read all tasks there ever were to change a few.
 */
async function claimFrom(tx: Tx, turns: readonly Turn[], now: Date): Promise<Task[]> {
  const [tasks] = await tx.query<[Task[], number]>(
    `UPDATE task t SET state = 'running', attempt = t.attempt + 1, lost = t.lost + (t.state = 'running')::int, started_at = $3, ${LEASE}
     WHERE t.id = ANY (ARRAY(SELECT next.id FROM unnest($1::uuid[], $2::int[]) AS turn(adapter_id, most), LATERAL (
       SELECT t.id FROM task t JOIN dsar_request r ON r.id = t.request_id
       WHERE t.adapter_id = turn.adapter_id AND t.state IN ('ready', 'accepted', 'running') AND t.run_at <= now()
         AND CASE WHEN t.action = 'resolve' THEN r.state IN ('verifying', 'cooling_off', 'delivering')
             ELSE (r.state = 'fulfilling' OR (r.state = 'cooling_off' AND t.action IN ('locate', 'restrict')) OR (r.state = 'completed' AND t.round > 0))
               AND r.assurance >= r.assurance_needed
               AND (r.assurance_needed = 0 OR EXISTS (SELECT FROM proof p WHERE p.request_id = r.id AND p.level >= r.assurance_needed AND p.void_since IS NULL))
               AND ${isAskedWithPower} END
         AND (t.action NOT IN ('erase', 'rectify') OR NOT ${isHeld('$3')})
         AND (t.action <> 'restrict' OR NOT ${IS_BEING_LIFTED})
       ORDER BY t.due_at, t.ahead, t.id LIMIT turn.most FOR UPDATE OF t SKIP LOCKED) AS next))
     RETURNING ${TASK_COLUMNS}`,
    [turns.map(({ adapterId }) => adapterId), turns.map(({ most }) => most), now],
  )
  const counts = Object.entries(Object.groupBy(tasks, ({ adapterId }) => adapterId))
  if (counts.length > 0)
    await write(
      tx,
      `UPDATE adapter SET allowance_at = now(), allowance = ${REFILLED} - claimed.count
       FROM unnest($1::uuid[], $2::int[]) AS claimed(adapter_id, count) WHERE id = claimed.adapter_id`,
      [counts.map(([id]) => id), counts.map(([, { length } = []]) => length)],
    )
  return tasks
}

/** Says that the worker lives. False when the task is no longer its own, or nobody waits for its answer: the request has ended. */
export async function keepLease(read: Tx, { id, attempt }: Pick<Task, 'id' | 'attempt'>): Promise<boolean> {
  const [, kept] = await read.query<[unknown[], number]>(
    `UPDATE task t SET ${LEASE} FROM dsar_request r
     WHERE t.id = $1 AND t.attempt = $2 AND t.state = 'running' AND r.id = t.request_id AND (r.closed_at IS NULL OR t.round > 0)`,
    [id, attempt],
  )
  return kept === 1
}

/** Gives a task back untouched, because this worker is stopping: the next one need not wait for the lease to run out. */
export async function giveBack(
  tx: Tx,
  { id, attempt, locationSealed }: Pick<Task, 'id' | 'attempt' | 'locationSealed'>,
): Promise<void> {
  await tx.query(
    `UPDATE task SET state = $3, run_at = now(), lease_until = NULL, lost = 0 WHERE id = $1 AND attempt = $2 AND state = 'running'`,
    [id, attempt, locationSealed ? 'accepted' : 'ready'],
  )
}
