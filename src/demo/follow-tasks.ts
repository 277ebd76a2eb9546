import { type RequestSeen, until } from './await-request.ts'
import type { Client } from './client.ts'

interface TaskSeen {
  id: string
  adapter: string
  action: string
  state: string
  finishedAt: string | null
  datasets: { name: string; outcome: string; count: number; reason?: string; until?: string }[]
  problem: { code: string } | null
}

/** What is worth a line; the others prepare these or look at them again. */
const TOLD: Readonly<Record<string, string>> = {
  collect: 'answered',
  rectify: 'corrected',
  read_back: 'read back',
  erase: 'erased',
  restrict: 'restricted',
  lift_restriction: 'lifted the restriction of',
  object: 'stopped using',
  withdraw_consent: 'noted the withdrawal in',
}

/** Tells of each adapter as it answers, each answer once. */
export function taskFollower(officer: Client, tell: (line: string) => void) {
  const told = new Set<string>()
  const once = (key: string, line: string) => {
    if (!told.has(key)) tell(line)
    told.add(key)
  }
  const look = async (at: string) => {
    const request = await officer<RequestSeen>('GET', at)
    const { tasks } = await officer<{ tasks: TaskSeen[] }>('GET', `${at}/tasks`)
    for (const task of tasks.sort(byEnd)) {
      const { id, adapter, action, problem } = task
      if (problem) once(`${id} ${problem.code}`, `${adapter} had trouble with ${action}: ${problem.code}`)
      else if (isTold(task)) once(id, `${adapter} ${TOLD[action]}: ${inWords(task)}`)
    }
    if (request.flags.includes('failed_task')) throw new Error(`The request needs a person: ${request.flags.join(', ')}.`)
    return { request, underWay: tasks.some(({ state }) => !OVER.has(state)) }
  }
  /** Until a request is in a state and nothing is under way. @throws when it needs a person instead */
  return async (at: string, state: string): Promise<RequestSeen> =>
    (
      await until(
        () => look(at),
        ({ request, underWay }) => request.state === state && !underWay,
      )
    ).request
}

const OVER = new Set(['done', 'failed', 'quarantined', 'cancelled'])

const isTold = ({ action, state, datasets }: TaskSeen): boolean =>
  state === 'done' && action in TOLD && datasets.some(({ count }) => count > 0)

const byEnd = (a: TaskSeen, b: TaskSeen) => ((a.finishedAt ?? '~') < (b.finishedAt ?? '~') ? -1 : 1)

/** What was done, and what the law keeps, by dataset. */
function inWords({ datasets }: TaskSeen): string {
  const kept = datasets.filter(({ outcome }) => outcome === 'retained')
  const done = datasets.filter(({ outcome, count }) => outcome !== 'retained' && count > 0)
  const until = kept.map(one => one.until ?? '').sort()
  return `${counted(done)}${kept.length > 0 ? `; kept by law, the last until ${until.at(-1)}: ${counted(kept)}` : ''}`
}

const counted = (datasets: TaskSeen['datasets']): string =>
  datasets.map(({ name, count }) => `${count} ${name}`).join(', ') || 'nothing'
