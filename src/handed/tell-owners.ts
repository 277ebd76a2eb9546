import type { Day } from '../domain/day.ts'
import { dayIn } from '../domain/day.ts'
import type { Action } from '../pipeline.ts'
import type { Clock } from '../platform/clock.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { eachInTurn } from '../platform/each-in-turn.ts'

/** A task that somebody has to do by hand, as their mail tells it: of the person there is nothing in it. */
export interface TaskForYou {
  taskId: string
  requestId: string
  adapter: string
  owner: string
  action: Action
  doBy: Day
  /** 1 for the first mail, more for each reminder. */
  mail: number
}

export interface TellOwnersDeps {
  read: Tx
  transact: Transact
  clock: Clock
  /** Of the controller. */
  timeZone: string
  tellOwner(tx: Tx, task: TaskForYou): Promise<void>
}

interface Waiting extends Omit<TaskForYou, 'doBy' | 'mail'> {
  dueAt: Date
  mails: number
  daysBefore: number
}

const DAY_MS = 86_400_000

/**
 * Mails those who do a task by hand: at once, three days before it has to be done, on that day, and the day before the request itself is
 * due. It has to be done before the request is due, five days unless the adapter is registered otherwise. So are those told whose
 * adapter cannot do what it is asked: then it is done by hand.
 */
export async function tellOwners(deps: TellOwnersDeps): Promise<void> {
  const now = deps.clock.now().getTime()
  const waiting = await deps.read.query<Waiting[]>(
    `SELECT t.id AS "taskId", t.request_id AS "requestId", a.title AS adapter, a.owner, t.action, t.due_at AS "dueAt", coalesce(h.mails, 0) AS mails,
       coalesce((a.settings ->> 'dueDaysBefore')::int, 5) AS "daysBefore"
     FROM task t JOIN adapter a ON a.id = t.adapter_id LEFT JOIN handed_task h ON h.task_id = t.id
     WHERE a.owner IS NOT NULL AND (a.kind = 'manual' AND t.state = 'accepted' OR t.state = 'failed' AND t.problem ->> 'code' = 'not_supported')
       AND NOT EXISTS (SELECT FROM delivered_answer d WHERE d.task_key = t.key) ORDER BY t.due_at`,
  )
  await eachInTurn(waiting, async ({ dueAt, mails, daysBefore, ...task }) => {
    const doBy = dueAt.getTime() - daysBefore * DAY_MS
    const moments = [0, doBy - 3 * DAY_MS, doBy, dueAt.getTime() - DAY_MS]
    const mail = moments.filter(moment => moment <= now).length
    if (mail <= mails) return
    await deps.transact(async tx => {
      const first = await tx.query<unknown[]>(
        `INSERT INTO handed_task (task_id, mails) VALUES ($1, $2)
         ON CONFLICT (task_id) DO UPDATE SET mails = excluded.mails WHERE handed_task.mails < excluded.mails RETURNING 1`,
        [task.taskId, mail],
      )
      if (first.length === 0) return
      await deps.tellOwner(tx, { ...task, mail, doBy: dayIn(new Date(doBy), deps.timeZone) })
    })
  })
}
