import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { RIGHTS, type Right } from '../../src/domain/rights.ts'
import { type Answered, type Call, callers } from './callers.ts'
import { hostsOfRaw, openRawAdapter, type RawAdapter, registerRaw, sendCollected, sendJson } from './raw-adapter.ts'
import { type Service, startService } from './service.ts'

export type Mood = 'well' | 'down' | 'lying' | 'refusing'

/** A step of a history. What cannot be done just then is not done: the service says no, and that is part of the history. */
export type Step =
  | { do: 'open'; right: Right; person: number }
  | { do: 'withdraw' | 'cancel' | 'approve' | 'refuse' | 'answer' | 'retry'; request: number }
  | { do: 'hold' | 'release'; person: number }
  | { do: 'mood'; adapter: number; mood: Mood }
  | { do: 'pass'; hours: number }

export const RIGHTS_THERE_ARE = Object.keys(RIGHTS) as Right[]
export const PEOPLE = 5

/** A service with two adapters that hold something of a few people, and everybody who could do something to it. */
export interface World {
  service: Service
  take(step: Step): Promise<void>
  /** Puts everything right and lets time pass until nothing moves any more. */
  settle(): Promise<void>
  /** What happened that never may. */
  violations: string[]
  /** Records that an adapter still holds of a person. */
  heldOf(adapter: number, person: number): number
  requests: { at: string; person: number; right: Right }[]
  close(): Promise<void>
}

const DETAILS: Partial<Record<Right, object>> = {
  rectification: { corrections: [{ dataset: 'things', field: 'name', from: 'one', to: 'corrected' }] },
  objection: { purposes: ['analytics'] },
  consent_withdrawal: { purposes: ['marketing'] },
  automated_decision_review: { decision: 'the grade' },
  inquiry: { message: 'Why?' },
}
const userOf = (person: number) => `u-${person}`
const REFUSAL = { kind: 'refuse', ground: 'technical', reasons: 'It cannot be done.' }

/** To a correction of what nobody holds any more. */
const NOTHING_HELD = { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'Nothing of it is held.' }
const answerTo = (right: Right) => ({
  text: 'Because.',
  ...(right === 'automated_decision_review' && { outcome: 'upheld' }),
})

export async function openWorld(): Promise<World> {
  const everything = ['locate', 'collect', 'rectify', 'erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent']
  const adapters = [
    await openRawAdapter('archive', { actions: ['resolve', ...everything] }),
    await openRawAdapter('ledger', { actions: everything }),
  ] as const
  const service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOfRaw(adapters), ERASURE_COOLING_HOURS: '24' } })
  const as = callers(service)
  const [officer, second] = [as.agent(['privacy_officer', 'operator'], 'officer-1'), as.agent(['dpo'], 'officer-2')]
  await registerRaw(adapters, officer)

  const moods: Mood[] = ['well', 'well']
  const violations: string[] = []
  const stores = adapters.map(
    () => new Map(Array.from({ length: PEOPLE }, (_, n) => [userOf(n), [{ name: 'one' }, { name: 'two' }]])),
  )
  const holds = new Map<number, { path: string; since: number }>()
  const asked = new Map<string, string>()
  const requests: World['requests'] = []

  adapters.forEach((adapter, n) => {
    behave(adapter, {
      mood: () => moods[n] ?? 'well',
      records: user => stores[n]?.get(user) ?? [],
      replace: (user, records) => stores[n]?.set(user, records),
      watch: (requestId, action, parameters, user) => watch(n, requestId, action, parameters, user),
    })
  })

  /** Looks at a call as it arrives: what the request was when it was made is what it is now, or was a moment ago. */
  async function watch(n: number, requestId: string, action: string, parameters: unknown, user: string): Promise<void> {
    if (action === 'resolve') return
    const [request] = await service.sql<{ state: string; proven: boolean }>(
      `SELECT state, assurance >= assurance_needed AND (assurance_needed = 0 OR EXISTS (SELECT FROM proof p
         WHERE p.request_id = r.id AND p.level >= assurance_needed)) AS proven FROM dsar_request r WHERE id = $1`,
      [requestId],
    )
    const told = JSON.stringify(parameters)
    const key = `${requestId}|${n}|${action}`
    if (asked.has(key) && asked.get(key) !== told) violations.push(`${action} was asked for twice in different words`)
    asked.set(key, told)
    if (!request?.proven) violations.push(`${action} was asked for before identity was proven`)
    const changes = !['locate', 'collect'].includes(action)
    const early = changes && ['received', 'verifying', 'assessing'].includes(request?.state ?? '')
    if (early) violations.push(`${action} was asked for while the request was ${request?.state}`)
    if (action !== 'erase' && action !== 'rectify') return
    if (request?.state === 'cooling_off') violations.push(`${action} was asked for while the request cooled off`)
    const hold = [...holds].find(([person]) => userOf(person) === user)?.[1]
    const [task] = await service.sql<{ started: Date }>(
      `SELECT max(started_at) AS started FROM task WHERE request_id = $1 AND adapter = $2 AND action = $3`,
      [requestId, adapters[n]?.name, action],
    )
    if (hold && task && task.started.getTime() > hold.since) violations.push(`${action} was begun under a legal hold`)
  }

  const etagOf = async (at: string) => (await officer(at)).headers.get('etag') ?? ''
  const decide = async (at: string, path: string, body: object): Promise<Answered> =>
    officer(`${at}/${path}`, { body, headers: { 'if-match': await etagOf(at) } })
  const personAt = (person: number): Call => as.person(userOf(person), `person${person}@example.org`)

  async function open(right: Right, person: number): Promise<void> {
    const details = DETAILS[right]
    const body = { type: right, subject: {}, ...(details && { details }) }
    const report = {
      type: right,
      requester: { relationship: 'reporter' },
      subject: { identities: [{ type: 'user_id', value: userOf(person) }] },
    }
    const crm = as.service()
    const answer =
      right === 'under_age_report'
        ? await crm('/v1/requests', { body: report })
        : await personAt(person)('/v1/requests', { body })
    if (answer.status === 201) requests.push({ at: `/v1/requests/${answer.body.id}`, person, right })
    else if (answer.status !== 409) violations.push(`opening ${right} was answered ${answer.status} ${answer.body?.code}`)
  }

  async function hold(person: number): Promise<void> {
    if (holds.has(person)) return
    const body = {
      identities: [{ type: 'user_id', value: userOf(person) }],
      reason: 'litigation',
      reference: `L-${Math.random()}`,
    }
    const { status, headers } = await officer('/v1/holds', { body })
    if (status !== 201) return
    const path = headers.get('location') ?? ''
    holds.set(person, { path, since: Date.now() })
    await second(`${path}/approval`, { method: 'POST' })
  }

  async function release(person: number): Promise<void> {
    const held = holds.get(person)
    if (!held) return
    holds.delete(person) // from here on an erasure may begin at any moment
    await officer(`${held.path}/release`, { body: { reason: 'matter_ended' } })
    await second(`${held.path}/release/approval`, { method: 'POST' })
  }

  async function retry(at: string): Promise<void> {
    const { tasks = [] } = (await officer(`${at}/tasks`)).body
    for (const { id, state } of tasks)
      if (state === 'failed' || state === 'quarantined') await officer(`${at}/tasks/${id}/retry`, { method: 'POST' })
  }

  async function pass(hours: number): Promise<void> {
    service.clock.advanceAlone(hours * 3_600_000)
    for (const job of ['end-cooling-off', 'look-again', 'watch-deadlines'] as const) await service.app.handlers[job]({})
  }

  async function take(step: Step): Promise<void> {
    const request = 'request' in step && requests.length > 0 ? requests[step.request % requests.length] : undefined
    if (step.do === 'open') return open(step.right, step.person)
    if (step.do === 'hold') return hold(step.person)
    if (step.do === 'release') return release(step.person)
    if (step.do === 'pass') return pass(step.hours)
    if (step.do === 'mood') {
      moods[step.adapter] = step.mood
      return
    }
    if (!request) return
    const { at, person } = request
    if (step.do === 'withdraw') await personAt(person)(`${at}/withdrawal`, { method: 'POST' })
    if (step.do === 'cancel') await decide(at, 'cancellation', { reason: 'duplicate' })
    if (step.do === 'approve') await decide(at, 'decisions', { kind: 'approve' })
    if (step.do === 'refuse') await decide(at, 'decisions', REFUSAL)
    if (step.do === 'answer') await decide(at, 'answer', answerTo(request.right))
    if (step.do === 'retry') await retry(at)
  }

  return {
    service,
    take,
    violations,
    requests,
    heldOf: (adapter, person) => stores[adapter]?.get(userOf(person))?.length ?? 0,
    async settle() {
      moods.fill('well')
      for (let person = 0; person < PEOPLE; person++) await release(person)
      for (let round = 0; round < 24; round++) {
        await pass(30)
        await sleep(400)
        let open = 0
        for (const { at, right } of requests) {
          const { state, flags = [], closedAt } = (await officer(at)).body
          if (closedAt) continue
          open += 1
          if (flags.includes('failed_task')) await retry(at)
          if (state === 'assessing') {
            await decide(at, 'answer', answerTo(right))
            await decide(at, 'decisions', { kind: 'approve' })
          }
          if (state === 'fulfilling' && flags.includes('needs_decision')) await decide(at, 'decisions', NOTHING_HELD)
          if (state === 'cooling_off' && flags.includes('needs_decision')) await decide(at, 'decisions', { kind: 'approve' })
        }
        if (open === 0) return
      }
    },
    async close() {
      await service.close()
      await Promise.all(adapters.map(adapter => adapter.close()))
    },
  }
}

interface Behaviour {
  mood(): Mood
  records(user: string): { name: string }[]
  replace(user: string, records: { name: string }[]): void
  watch(requestId: string, action: string, parameters: unknown, user: string): Promise<void>
}

/** An adapter with a memory and a mood. */
function behave({ on }: RawAdapter, { mood, records, replace, watch }: Behaviour): void {
  const userOfTask = (task: TaskCall) => task.subject.identities.find(({ type }) => type === 'user_id')?.value ?? ''
  for (const action of Object.keys(on) as (keyof RawAdapter['on'])[]) {
    if (action === 'poll') continue
    on[action] = async (task, res) => {
      const user = userOfTask(task)
      await watch(task.requestId, action, task.parameters, user)
      if (mood() === 'down') return sendJson(res, 503, {})
      const held = records(user)
      const matched = task.subject.identities.slice(0, 1)
      if (action === 'resolve')
        return sendJson(res, 200, {
          taskId: task.taskId,
          matched,
          identities: [{ type: 'user_id', value: user }],
          contactPoints: [
            {
              type: 'email',
              value: `${user.replace('u-', 'person')}@example.org`,
              since: '2020-01-01T00:00:00Z',
              verified: true,
            },
          ],
          status: 'match',
        })
      if (action === 'collect') return sendCollected(task, res, held)
      const count = held.length
      if (action === 'erase' || action === 'rectify') {
        if (mood() === 'refusing')
          return sendJson(res, 200, { taskId: task.taskId, matched, datasets: [{ name: 'things', outcome: 'refused', count }] })
        if (mood() === 'well') replace(user, action === 'erase' ? [] : held.map(() => ({ name: 'corrected' })))
      }
      const outcome = count > 0 ? 'completed' : 'no_data'
      sendJson(res, 200, { taskId: task.taskId, matched, datasets: [{ name: 'things', outcome, count }] })
    }
  }
}
