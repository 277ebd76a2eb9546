import { type JobResult, type JobWithMetadata, PgBoss, type WorkOptions } from 'pg-boss'
import { afterCommit, endingInSilence, PreparingClient, sessionOptions, type Tx, write } from './database.ts'

/** Puts a job on the queue in the caller's transaction: it exists if, and only if, the transaction commits. */
export type Enqueue<Jobs> = <N extends keyof Jobs & string>(
  tx: Tx,
  name: N,
  data: Jobs[N],
  options?: { afterSeconds?: number },
) => Promise<void>

/** One handler a job name. Every handler may run twice, on two machines, and half finished. */
export type Handlers<Jobs> = { [N in keyof Jobs]: (data: Jobs[N]) => Promise<void> }

export interface Queue<Jobs> {
  enqueue: Enqueue<Jobs>
  /** From now on this process queues no such job, but does it by itself as soon as the transaction that owes it is committed: for hints, which may get lost. */
  doHere(name: keyof Jobs & string, work: () => void): void
  work(handlers: Handlers<Jobs>, options: WorkerOptions<Jobs>): Promise<void>
  stop(): Promise<void>
}

export interface WorkerOptions<Jobs> {
  schedule: Partial<Record<keyof Jobs & string, string>>
  /** Those that may take long: none of them waits for another, and each of so many hands costs one look at the queue a second. */
  lengthy: ReadonlySet<keyof Jobs & string>
  /** How many lengthy jobs of a name this process does at a time. */
  hands: number
  /** Told when a job has failed for the last time; it stays in the dead-letter queue, to be looked at. */
  onGivenUp<N extends keyof Jobs & string>(name: N, data: Jobs[N]): Promise<void>
  onFailure(name: string, error: unknown): void
}

export interface QueueOptions<N extends string> {
  url: string
  role?: string
  names: readonly N[]
  onError: (error: Error) => void
  poolSize?: number
}

const DEAD = 'given-up'

// 12 tries, half a minute apart at most, span some four minutes; the heartbeat finds a killed worker's job within 10 to 13 s.
const QUEUE = {
  retryLimit: 12,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 30,
  heartbeatSeconds: 10,
  expireInSeconds: 6 * 3600,
}
/**
 * The queue's own transactions wait for no disk: what a server forgets as it falls is that a job was taken or done, and then it is
 * done again, as any may be. Jobs are sent in the transactions of others, who wait.
 */
const FORGETFUL = '-c synchronous_commit=off'
/** Jobs that are soon done are taken, done and settled together: that costs the queue no more than one of them. */
const TOGETHER = 8
const POLLING = { pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 1 } satisfies WorkOptions

/** Creates the queue's own tables and every queue; part of a migration, because the service's role may not. */
export async function installQueue(url: string, names: readonly string[]): Promise<void> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false, max: 2, useListenNotify: false })
  boss.on('error', () => {})
  await boss.start()
  if (!(await boss.getQueue(DEAD))) await boss.createQueue(DEAD, { ...QUEUE, retentionSeconds: 400 * 86400 })
  for (const name of names) {
    if (await boss.getQueue(name)) await boss.updateQueue(name, { ...QUEUE, notify: true })
    else await boss.createQueue(name, { ...QUEUE, notify: true, deadLetter: DEAD, policy: 'standard' })
  }
  await boss.stop({ graceful: false })
}

/** Opens the queue for sending; `work` makes this process one of its workers. */
export async function openQueue<Jobs extends object>(options: QueueOptions<keyof Jobs & string>): Promise<Queue<Jobs>> {
  const boss = new PgBoss({
    connectionString: options.url,
    options: `${sessionOptions(options.role)} ${FORGETFUL}`,
    ...{ stream: endingInSilence(), Client: PreparingClient }, // the driver takes them; the queue's types do not name them
    max: options.poolSize ?? 5,
    migrate: false,
    createSchema: false,
    useListenNotify: true,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    maintenanceIntervalSeconds: 60,
    reindex: false,
  })
  boss.on('error', options.onError)
  await boss.start()
  const here = new Map<string, () => void>()
  return {
    doHere: (name, work) => here.set(name, work),
    async enqueue(tx, name, data, { afterSeconds } = {}) {
      const work = here.get(name)
      if (work) return afterCommit(tx, work)
      const executeSql = async (text: string, values: unknown[] = []) => {
        await write(tx, text, values)
        return { rows: [] }
      }
      const db = { executeSql }
      await boss.send(name, data as object, { db, ...(afterSeconds && { startAfter: afterSeconds }) })
    },
    work: (handlers, workerOptions) => startWorking(boss, options.names, handlers, workerOptions),
    stop: () => boss.stop({ graceful: true, timeout: 20_000 }),
  }
}

async function startWorking<Jobs extends object>(
  boss: PgBoss,
  names: readonly (keyof Jobs & string)[],
  handlers: Handlers<Jobs>,
  { schedule, lengthy, hands, onGivenUp, onFailure }: WorkerOptions<Jobs>,
): Promise<void> {
  const workOn = async (name: string, most: number, handle: (job: JobWithMetadata<object>) => Promise<void>) => {
    // A worker pauses only when there is nothing to do: new jobs wake it, and having found as many as it takes. Retries make no sound.
    const id: string = await boss.work(
      name,
      { ...POLLING, batchSize: most, includeMetadata: true as const, perJobResults: true as const },
      async (jobs: JobWithMetadata<object>[]) => {
        const ends = await Promise.allSettled(jobs.map(handle))
        if (jobs.length === most) boss.notifyWorker(id)
        return jobs.map((job, n) => endOf(job, ends[n]))
      },
    )
  }
  for (const name of names)
    for (let hand = 0; hand < (lengthy.has(name) ? hands : 1); hand++)
      await workOn(name, lengthy.has(name) ? 1 : TOGETHER, async job => {
        try {
          await handlers[name](job.data as Jobs[typeof name])
        } catch (error) {
          onFailure(name, error)
          throw error
        }
      })
  await workOn(DEAD, 1, async ({ sourceName, data }) => {
    if (sourceName) await onGivenUp(sourceName as keyof Jobs & string, data as Jobs[keyof Jobs & string])
  })
  for (const [name, cron] of Object.entries(schedule)) await boss.schedule(name, cron as string)
}

const endOf = ({ id }: JobWithMetadata<object>, end: PromiseSettledResult<void> | undefined): JobResult =>
  end?.status === 'fulfilled' ? { id, status: 'completed' } : { id, status: 'failed', output: end?.reason }
