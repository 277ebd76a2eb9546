import type { State } from '../../../src/domain/lifecycle.ts'
import type { Heard } from './moods.ts'
import type { Case, World } from './world.ts'

interface TaskSeen {
  id: string
  adapter: string
  action: string
  state: string
  asked: string[]
  datasets: { name: string; outcome: string; count: number }[]
}
interface EntrySeen {
  event: string
  at: string
  facts: { from?: State; to?: State; decision?: string; taskId?: string }
}
interface DecisionSeen {
  id: string
  kind: string
  state: string
  ground: string | null
  parts: { purposes?: string[]; categories?: string[]; datasets?: { adapter: string; dataset: string }[] } | null
  decidedBy: string
  approvedBy: string | null
}

/** All that can be read of a request when its history is over. */
export interface Ended extends Case {
  view: Case['views'][number]
  entries: EntrySeen[]
  tasks: TaskSeen[]
  decisions: DecisionSeen[]
  heard: Heard[]
}

/** Decisions that count. */
export const inEffect = ({ decisions }: Ended) => decisions.filter(({ state }) => state === 'effective')

/** Whether a request is about having data left alone. */
export const restricts = ({ right, body }: Ended): boolean =>
  right === 'under_age_report' || (right === 'restriction' && !body.details?.lifts)

export async function readEnd(world: World, one: Case): Promise<Ended> {
  const [view, { body: timeline }, { body: fanOut }, { body: said }] = await Promise.all([
    world.look(one),
    world.officer(`${one.at}/timeline`),
    world.officer(`${one.at}/tasks`),
    world.officer(`${one.at}/decisions`),
  ])
  const heard = world.adapters.flatMap(adapter => adapter.heard.filter(({ requestId }) => requestId === one.id))
  return { ...one, view, entries: timeline.entries, tasks: fanOut.tasks, decisions: said.decisions, heard }
}
