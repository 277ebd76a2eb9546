import { readFileSync } from 'node:fs'
import { type Figure, plain } from './figures.ts'
import type { Ground, Service } from './ground.ts'

// Where the processor time of a run goes, as Linux keeps count of it. Elsewhere nothing is said rather than something guessed.

const TICKS_PER_SECOND = 100

/** Milliseconds of processor time so far, by whom they were spent for. */
type Spent = Record<'service' | 'database' | 'adapters' | 'adapters’ database' | 'load and mail', number>

/** Begins to count. @returns what was spent since for each of so many `what` */
export async function watchProcessor(
  ground: Ground,
  service: Service,
): Promise<(times: number, what?: string) => Promise<Figure[]>> {
  const before = await spent(ground, service)
  return async (times, what = 'request') => {
    const after = await spent(ground, service)
    return (Object.keys(after) as (keyof Spent)[]).map(who =>
      plain(`  processor time a ${what}: ${who}`, (after[who] - before[who]) / times, 'ms'),
    )
  }
}

async function spent({ sql, lmsPid }: Ground, service: Service): Promise<Spent> {
  const backends = await sql<{ pid: number; of: string | null }>('SELECT pid, datname AS of FROM pg_stat_activity')
  const all = (wanted: (database: string | null) => boolean) =>
    backends.filter(({ of }) => wanted(of)).reduce((sum, { pid }) => sum + processorTime(pid), 0)
  return {
    service: processorTime(service.pid),
    database: all(of => of !== 'lms'), // with what writes its log and its pages
    adapters: processorTime(lmsPid),
    'adapters’ database': all(of => of === 'lms'),
    'load and mail': processorTime(process.pid),
  }
}

function processorTime(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const fields = statOf(pid)
    .replace(/^.*\) /s, '')
    .split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  return ((user + system) * 1000) / TICKS_PER_SECOND
}

/** Of a process that ended since it was listed nothing is known any more, and it spends nothing. */
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return `${pid} (gone) ${'0 '.repeat(20)}`
  }
}
