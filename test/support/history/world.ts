import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskCall } from '../../../src/adapters/protocol.ts'
import type { Right } from '../../../src/domain/rights.ts'
import { type Answered, type Call, callers } from '../callers.ts'
import { callBack, hostsOfRaw, registerRaw } from '../raw-adapter.ts'
import { type Service, startService } from '../service.ts'
import { readLetters } from './letters-told.ts'
import { type MoodyAdapter, openMoodyAdapter } from './moods.ts'

export const PEOPLE = 5
export const ERASES: ReadonlySet<string> = new Set(['erasure', 'under_age_report'])
export const userOf = (person: number): string => `u-${person}`
export const emailOf = (user: string): string => `${user.replace('u-', 'person')}@example.org`
export const HOUR_MS = 3_600_000

/** A request, and what was done about it from outside. Times are on the service's clock. */
export interface Case {
  at: string
  id: string
  right: Right
  person: number
  by: 'person' | 'service' | 'agent' | 'officer'
  body: { scope?: { categories: string[] }; details?: { purposes?: string[]; lifts?: string } }
  openedAt: number
  /** When it was shown who asks, at the earliest; nobody has to show it where that is 0. */
  provenAt: number
  /** When somebody first set out to approve it. */
  approvedAt: number
  /** Decisions that were acknowledged. */
  decided: string[]
  /** Each view that was read. */
  views: Answered['body'][]
  /** How it was when it was first seen to have ended. */
  ended?: string
}

/** Since when and until when nothing of a person may be erased. */
export interface Hold {
  person: number
  path: string
  from: number
  until: number
}

/** A service with two adapters that hold something of a few people, and everybody who could do something to it. */
export interface World {
  service: Service
  as: ReturnType<typeof callers>
  officer: Call
  second: Call
  adapters: MoodyAdapter[]
  cases: Case[]
  holds: Hold[]
  /** When a backup brought somebody back at an adapter, and whether the service was told. */
  broughtBack: { person: number; adapter: string; at: number; told: boolean }[]
  /** What happened that never may. */
  violations: string[]
  startedAt: number
  now(): number
  personAt(person: number): Call
  look(one: Case): Promise<Answered['body']>
  /** Moves the clock, and has what runs by it look at it. */
  pass(hours: number): Promise<void>
  /** Adapters say that what they promised is there. */
  callBack(): Promise<void>
  /** Until nothing moves any more, but for what waits; no longer than that where adapters let things hang. */
  rest(milliseconds?: number): Promise<void>
  close(): Promise<void>
}

const ACTIONS = ['locate', 'collect', 'rectify', 'erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent']
const USERS = Array.from({ length: PEOPLE }, (_, person) => userOf(person))
const BY_THE_CLOCK = ['end-cooling-off', 'look-again', 'watch-deadlines', 'forget-expired'] as const

/** @param startDay days from today on which the history begins: no month is like another */
export async function openWorld(startDay: number): Promise<World> {
  const violations: string[] = []
  const holds: Hold[] = []
  const around = {
    users: USERS,
    emailOf,
    now: () => service.clock.now().getTime(),
    arrived: (adapter: string, task: TaskCall, user: string) => arrived(adapter, task, user),
  }
  const adapters = [
    await openMoodyAdapter('archive', ['resolve', ...ACTIONS], around),
    await openMoodyAdapter('ledger', ACTIONS, around),
  ]
  const raws = adapters.map(({ raw }) => raw)
  const service = await startService({
    env: {
      ADAPTER_ALLOWED_HOSTS: hostsOfRaw(raws),
      ...{ ERASURE_COOLING_HOURS: '24', CONTEST_HOURS: '24', LIFT_NOTICE_HOURS: '24' },
    },
  })
  service.clock.advanceAlone(startDay * 24 * HOUR_MS)
  const as = callers(service)
  const officer = as.agent(['privacy_officer', 'operator'], 'officer-1')
  await registerRaw(raws, officer, service)

  /** Nobody outside is told when the service began to ask: a hold placed while the call was on its way comes too late for it. */
  async function arrived(adapter: string, { taskId, action }: TaskCall, user: string): Promise<number> {
    const [row] = await service.sql<{ startedAt: Date }>('SELECT started_at AS "startedAt" FROM task WHERE key = $1', [taskId])
    const begunAt = row?.startedAt.getTime() ?? world.now()
    const under = holds.some(({ person, from, until }) => userOf(person) === user && from < begunAt && begunAt < until)
    if (under && (action === 'erase' || action === 'rectify')) violations.push(`${adapter} was asked to ${action} under a hold`)
    return begunAt
  }

  const world: World = {
    ...{ service, as, officer, adapters, violations, holds, cases: [], broughtBack: [] },
    second: as.agent(['dpo'], 'officer-2'),
    startedAt: service.clock.now().getTime(),
    now: around.now,
    personAt: person => as.person(userOf(person), emailOf(userOf(person))),
    async look(one) {
      const { body } = await officer(one.at)
      one.views.push(body)
      return body
    },
    async pass(hours) {
      service.clock.advanceAlone(hours * HOUR_MS)
      for (const job of BY_THE_CLOCK) await service.app.handlers[job]({})
    },
    async callBack() {
      for (const { raw, promised } of adapters)
        for (const task of promised.slice(-3)) {
          const { status } = await callBack(as.anybody, raw, task)
          if (status >= 500) violations.push(`a call back was answered ${status}`)
        }
    },
    rest: milliseconds => rest(service, milliseconds),
    async close() {
      await letters.stop()
      await service.close()
      await Promise.all(raws.map(raw => raw.close()))
    },
  }
  const letters = readLetters(world)
  return world
}

/** Jobs and tasks that could be done now. The queue's own jobs are its affair. */
const MOVING = `SELECT
  (SELECT count(*)::int FROM pgboss.job WHERE name NOT LIKE '\\_\\_%' AND (state = 'active' OR (state IN ('created', 'retry') AND start_after <= now())))
  + (SELECT count(*)::int FROM task WHERE state = 'running') AS busy,
  (SELECT count(*)::int FROM task WHERE state IN ('ready', 'accepted') AND run_at <= now()) AS due`

async function rest(service: Service, milliseconds = 4000): Promise<void> {
  // An adapter that was out of order is left in peace for real seconds; the days of a history pass within them.
  const woken = await service.sql('UPDATE adapter SET strikes = 0, resting_until = NULL WHERE strikes > 0 RETURNING 1')
  const noticed = Date.now() + (woken.length > 0 ? 1500 : 0) // workers look once a second
  let before = -1
  let still = 0
  for (const end = noticed + milliseconds; (still < 3 || Date.now() < noticed) && Date.now() < end; ) {
    const [{ busy, due } = { busy: 0, due: 0 }] = await service.sql<{ busy: number; due: number }>(MOVING)
    still = busy === 0 && due === before ? still + 1 : 0
    before = due // what a hold keeps from being asked stays due
    await sleep(25)
  }
}
