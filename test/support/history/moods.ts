import type { ServerResponse } from 'node:http'
import type { DatasetAnswer, TaskCall } from '../../../src/adapters/protocol.ts'
import { openRawAdapter, type RawAdapter, sendJson } from '../raw-adapter.ts'
import { DATASETS, type Holding, NAMES, openShelf, type Shelf } from './holdings.ts'

/**
 * Does what it is asked; is down; says it did, and did not; refuses; keeps what the law has it keep; answers later; answers about
 * somebody else; hands over fewer than it counted; answers with a page of HTML.
 */
export const MOODS = ['well', 'down', 'lying', 'refusing', 'keeping', 'slow', 'mistaken', 'short', 'garbled'] as const
export type Mood = (typeof MOODS)[number]

/** What an adapter was asked, when, and what it made of it. */
export interface Heard {
  adapter: string
  requestId: string
  action: TaskCall['action']
  key: string
  user: string
  task: TaskCall
  /** On the service's clock: when it arrived, and when the service began to ask, if nobody asked anew meanwhile. */
  at: number
  begunAt: number
  /** What was answered with 200; `unknown` is 204. */
  answer?: { at: number; datasets: DatasetAnswer[] } | 'unknown'
  /** Whether anything of the person was changed by it. */
  changed?: boolean
}

export interface MoodyAdapter {
  raw: RawAdapter
  shelf: Shelf
  mood: Mood
  heard: Heard[]
  /** Tasks that it has said it would do later. */
  promised: TaskCall[]
  /** What it said of changes, by the key under which it was asked: asked again, it says the same. */
  answered: Map<string, DatasetAnswer[]>
}

interface Surroundings {
  users: readonly string[]
  now(): number
  emailOf(user: string): string
  /** What the service was about when it began to ask; and a look at the call as it arrives. */
  arrived(adapter: string, task: TaskCall, user: string): Promise<number>
}

const KEPT_DAYS = 20

/** An adapter with a memory and a mood. One that is no identity provider knows nobody of whom it holds nothing. */
export async function openMoodyAdapter(name: string, actions: string[], around: Surroundings): Promise<MoodyAdapter> {
  const datasets = DATASETS.map(one => ({ ...one, title: `${one.title} of ${name}` }))
  const raw = await openRawAdapter(name, { actions, datasets })
  const adapter: MoodyAdapter = {
    raw,
    shelf: openShelf(around.users),
    mood: 'well',
    heard: [],
    promised: [],
    answered: new Map(),
  }
  const userOf = ({ subject }: TaskCall) =>
    around.users.find(user => subject.identities.some(({ value }) => value === user || value === around.emailOf(user))) ?? ''
  const hear = async (task: TaskCall): Promise<Heard> => {
    const { requestId, action, taskId: key } = task
    const user = userOf(task)
    const heard: Heard = { adapter: name, requestId, action, key, user, task, at: around.now(), begunAt: around.now() }
    adapter.heard.push(heard)
    heard.begunAt = await around.arrived(name, task, user)
    return heard
  }
  for (const action of Object.keys(raw.on) as (keyof RawAdapter['on'])[])
    if (action !== 'poll')
      raw.on[action] = async (task, res) => {
        const heard = await hear(task)
        if (adapter.mood !== 'slow') return reply(adapter, heard, res, around)
        adapter.promised.push(task)
        promise(task, res)
      }
  raw.on.poll = async (res, req) => {
    const task = adapter.promised.find(({ taskId }) => req.url?.endsWith(taskId))
    if (!task) return sendJson(res, 404, {})
    if (adapter.mood === 'slow') return promise(task, res)
    await reply(adapter, await hear(task), res, around)
  }
  return adapter
}

const promise = ({ taskId }: TaskCall, res: ServerResponse) =>
  res.writeHead(202, { location: `/later/${taskId}`, 'retry-after': '1' }).end()

function reply(adapter: MoodyAdapter, heard: Heard, res: ServerResponse, around: Surroundings): unknown {
  const { mood, shelf, raw } = adapter
  const { task, user, action } = heard
  const isProvider = raw.name === 'archive'
  if (mood === 'down') return sendJson(res, 503, {})
  if (mood === 'garbled') return res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
  const before = adapter.answered.get(heard.key)
  if (before) {
    heard.answer = { at: around.now(), datasets: before }
    return sendJson(res, 200, { taskId: task.taskId, matched: task.subject.identities.slice(0, 1), datasets: before })
  }
  if (!user || (!isProvider && shelf.isEmpty(user))) {
    heard.answer = 'unknown'
    return res.writeHead(204).end()
  }
  const matched = mood === 'mistaken' ? [{ type: 'user_id', value: 'u-somebody-else' }] : task.subject.identities.slice(0, 1)
  if (action === 'resolve') return sendJson(res, 200, { taskId: task.taskId, matched, ...whoIs(user, around) })
  if (action === 'collect') return sendRecords(adapter, heard, res, matched, around)
  const datasets = task.scope.datasets.map(name => carryOut(adapter, heard, name, around))
  if (mood !== 'mistaken') heard.answer = { at: around.now(), datasets }
  if (mood !== 'mistaken' && action !== 'locate') adapter.answered.set(heard.key, datasets)
  sendJson(res, 200, { taskId: task.taskId, matched, datasets })
}

const whoIs = (user: string, { emailOf }: Surroundings) => ({
  identities: [{ type: 'user_id', value: user }],
  contactPoints: [{ type: 'email', value: emailOf(user), since: '2020-01-01T00:00:00Z', verified: true }],
  status: 'match',
})

function sendRecords({ mood, shelf }: MoodyAdapter, heard: Heard, res: ServerResponse, matched: unknown, { now }: Surroundings) {
  const { task, user } = heard
  const records = task.scope.datasets.flatMap(dataset =>
    shelf.of(user, dataset).map(({ name }) => ({ dataset, record: { name, holder: user } })),
  )
  if (mood === 'short') records.pop()
  const counts = Object.fromEntries(
    task.scope.datasets.map(name => [name, records.filter(({ dataset }) => dataset === name).length]),
  )
  const lines = [...records, { end: { taskId: task.taskId, matched, counts } }]
  if (mood !== 'mistaken')
    heard.answer = {
      at: now(),
      datasets: Object.entries(counts).map(([name, count]) => ({ name, outcome: count ? 'completed' : 'no_data', count })),
    }
  res.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
}

const outcomeOf = (name: string, count: number): DatasetAnswer => ({ name, outcome: count > 0 ? 'completed' : 'no_data', count })

/** Does to one dataset what is asked, as far as the mood lets it, and says what it says of it. */
function carryOut(adapter: MoodyAdapter, heard: Heard, name: string, { now }: Surroundings): DatasetAnswer {
  const { shelf, mood } = adapter
  const { action, user } = heard
  const rows = shelf.of(user, name)
  const said = outcomeOf(name, rows.length)
  if (action === 'locate' || mood === 'mistaken') return said
  if (mood === 'refusing') return { name, outcome: 'refused', count: rows.length }
  if (mood === 'lying' && (action === 'erase' || action === 'rectify')) return said
  // Who holds nothing has nothing to correct or to erase, and yet can be told what not to do.
  if (rows.length > 0 || !['erase', 'rectify'].includes(action)) heard.changed = true
  const keeps = action === 'erase' && mood === 'keeping' && name === 'things' && rows.length > 0
  const until = new Date(now() + KEPT_DAYS * 86_400_000).toISOString().slice(0, 10)
  if (keeps) return { name, outcome: 'retained', count: rows.length, reason: '17_3_b', statute: 'the tax law', until }
  if (action === 'erase') shelf.put(user, name, [])
  if (action === 'rectify') shelf.put(user, name, corrected(rows, heard.task))
  for (const limit of limitsOf(heard.task)) {
    if (action === 'lift_restriction') shelf.limitsOf(user).delete(limit)
    else shelf.limitsOf(user).add(limit)
  }
  return said
}

const corrected = (rows: readonly Holding[], { parameters }: TaskCall): Holding[] => {
  const { corrections = [] } = parameters as TaskCall<'rectify'>['parameters']
  return rows.map(({ name }) => ({ name: String(corrections.find(({ from }) => from === name)?.to ?? name) }))
}

/** What the adapter may do no more, or may do again. */
function limitsOf({ action, parameters }: TaskCall): string[] {
  const { purposes = [], cookies = [] } = parameters as TaskCall<'withdraw_consent'>['parameters']
  if (action === 'restrict' || action === 'lift_restriction') return ['restricted']
  if (action === 'object') return purposes.map(purpose => `object ${purpose}`)
  if (action === 'withdraw_consent') return [...purposes, ...cookies.map(cookie => `cookie:${cookie}`)].map(of => `consent ${of}`)
  return []
}

/** A backup of the adapter is restored: whoever was erased there is there again. @returns whether that was so */
export function bringBack({ shelf }: MoodyAdapter, user: string): boolean {
  const gone = NAMES.filter(name => shelf.of(user, name).length === 0)
  for (const name of gone)
    shelf.put(user, name, [
      { name: 'one', back: true },
      { name: 'two', back: true },
    ])
  return gone.length > 0
}
