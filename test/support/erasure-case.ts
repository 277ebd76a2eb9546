import type { Answered, Call } from './callers.ts'
import { callers } from './callers.ts'
import { openRawAdapter, type RawAdapter, sendJson } from './raw-adapter.ts'
import { type RawCase, startCase, type TaskSeen } from './raw-case.ts'

/** A service with these adapters, in which people ask to be erased. */
export interface ErasureCase extends RawCase {
  dpo: Call
  as: ReturnType<typeof callers>
  /** Somebody at the portal, each time another, asks to be erased. Resolves once it cools off. */
  erase(body?: Record<string, unknown>): Promise<{ at: string; id: string; person: Call; userId: string; email: string }>
  /** Moves the clock alone, and has what runs by it look at it. */
  pass(hours: number): Promise<void>
  /** Lets what cools off go on. */
  coolOff(at: string): Promise<void>
  tasks(at: string): Promise<(TaskSeen & { finishedAt: string })[]>
  entries(at: string): Promise<{ event: string; facts: Record<string, unknown> }[]>
  events(at: string): Promise<string[]>
}

const HOUR_MS = 3_600_000
let people = 0

export async function startErasureCase(
  adapters: readonly RawAdapter[],
  env: Record<string, string> = {},
  options: { working?: boolean } = {},
): Promise<ErasureCase> {
  const one = await startCase(adapters, env, options)
  const { service, officer } = one
  const as = callers(service)
  const entries = async (at: string) => (await officer(`${at}/timeline`)).body.entries
  const pass = async (hours: number) => {
    service.clock.advanceAlone(hours * HOUR_MS)
    await service.app.handlers['end-cooling-off']({})
    await service.app.handlers['look-again']({})
  }
  return {
    ...one,
    as,
    dpo: as.agent(['dpo'], 'dpo-1'),
    entries,
    pass,
    async erase(body = {}) {
      people += 1
      const [userId, email] = [`u-erase-${people}`, `erase${people}@example.org`]
      const person = as.person(userId, email)
      const opened = await person('/v1/requests', {
        body: { type: 'erasure', subject: {}, details: { ground: '17_1_b' }, ...body },
      })
      if (opened.status !== 201) throw new Error(`It was not opened: ${JSON.stringify(opened.body)}`)
      const at = `/v1/requests/${opened.body.id}`
      if (options.working ?? true) await one.see(at, ({ state }) => state !== 'received' && state !== 'verifying')
      return { at, id: opened.body.id, person, userId, email }
    },
    async coolOff(at) {
      await one.see(at, ({ state }) => state === 'cooling_off')
      await pass(73)
    },
    tasks: async at => (await officer(`${at}/tasks`)).body.tasks,
    events: async at => (await entries(at)).map(({ event }: { event: string }) => event),
  }
}

export const isCompleted = ({ state }: Answered['body']): boolean => state === 'completed'

/** Erases what it is asked to, and says so. */
export interface HonestAdapter extends RawAdapter {
  /** Those it holds nothing of. */
  erased: Set<string>
}

const ERASING = ['locate', 'collect', 'erase']

/** Holds two things of everybody until it is asked to erase them; `bring back` by taking somebody out of `erased`. */
export async function openHonestAdapter(
  name: string,
  options: { actions?: string[]; eraseAfter?: string[] } = {},
): Promise<HonestAdapter> {
  const erased = new Set<string>()
  const adapter = await openRawAdapter(name, { actions: ERASING, ...options })
  return Object.assign(adapter, { erased, on: honest(adapter.on, erased) })
}

/** What `on` does, but that erasing erases. */
export function honest(on: RawAdapter['on'], erased: Set<string>): RawAdapter['on'] {
  on.locate = (task, res) => {
    const who = task.subject.identities[0]?.value ?? ''
    sendJson(res, 200, {
      taskId: task.taskId,
      matched: task.subject.identities.slice(0, 1),
      datasets: [
        { name: 'things', ...(erased.has(who) ? { outcome: 'no_data', count: 0 } : { outcome: 'completed', count: 2 }) },
      ],
    })
  }
  on.erase = (task, res) => {
    const who = task.subject.identities[0]?.value ?? ''
    const count = erased.has(who) ? 0 : 2
    if (!task.dryRun) erased.add(who)
    sendJson(res, 200, {
      taskId: task.taskId,
      matched: task.subject.identities.slice(0, 1),
      datasets: [{ name: 'things', outcome: count > 0 ? 'completed' : 'no_data', count }],
    })
  }
  return on
}
