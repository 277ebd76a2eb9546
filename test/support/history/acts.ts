import { isTerminal, type State } from '../../../src/domain/lifecycle.ts'
import type { Right } from '../../../src/domain/rights.ts'
import type { Answered } from '../callers.ts'
import { codeIn } from '../letters.ts'
import { type Case, emailOf, userOf, type World } from './world.ts'

/** What somebody may try with a request. The service says whether it can be done just then. */
export type Act =
  | { name: 'decide'; body: { kind: string; [more: string]: unknown } }
  | { name: 'cancel' | 'answer' | 'second' }
  | {
      name: 'withdraw' | 'extend' | 'ask' | 'agree' | 'answer-pause' | 'chase' | 'write' | 'prove' | 'retry' | 'by-hand' | 'lift'
    }

/** Those that are done to a request as it was read. */
export const MATCHED: ReadonlySet<Act['name']> = new Set(['decide', 'cancel', 'answer', 'second'])

export const isDone = ({ status }: Answered): boolean => status >= 200 && status < 300
export const hasEnded = ({ state }: { state: State }): boolean => isTerminal(state)
const NOTHING: Answered = { status: 404, headers: new Headers(), body: {}, bytes: Buffer.alloc(0) }

export const answerTo = (right: Right) => ({
  text: 'Because.',
  ...(right === 'automated_decision_review' && { outcome: 'upheld' }),
})

/** Does it, or tries. @param etag of the request as it was read */
export async function perform(world: World, one: Case, act: Act, etag: string): Promise<Answered> {
  const { officer, second } = world
  const { at, right } = one
  const matched = { headers: { 'if-match': etag } }
  switch (act.name) {
    case 'decide': {
      if (act.body.kind === 'approve' || act.body.kind === 'refuse_partly') one.approvedAt ||= world.now()
      const answer = await officer(`${at}/decisions`, { body: act.body, ...matched })
      if (isDone(answer)) one.decided.push(answer.body.id)
      if (answer.body.state === 'proposed') await approveOwn(world, one, answer)
      return answer
    }
    case 'second': {
      const { decisions = [] } = (await officer(`${at}/decisions`)).body
      const proposal = decisions.find(({ state }: { state: string }) => state === 'proposed')
      if (!proposal) return NOTHING
      return second(`${at}/decisions/${proposal.id}/approval`, { method: 'POST', ...matched })
    }
    case 'cancel':
      return officer(`${at}/cancellation`, { body: { reason: 'duplicate' }, ...matched })
    case 'answer':
      return officer(`${at}/answer`, { body: answerTo(right), ...matched })
    case 'withdraw': {
      const who = one.by === 'service' ? world.as.service() : world.personAt(one.person)
      return who(`${at}/withdrawal`, { method: 'POST' })
    }
    case 'extend':
      return officer(`${at}/extensions`, { body: { reason: 'scattered_sources', text: 'It lies in many places.' } })
    case 'ask':
      return world.as.agent()(`${at}/pauses`, { body: { reason: 'clarification', question: 'Which do you mean?' } })
    case 'agree':
    case 'answer-pause': {
      const { pauses = [] } = (await officer(`${at}/pauses`)).body
      const wanted = act.name === 'agree' ? 'proposed' : 'waiting'
      const pause = pauses.find(({ state }: { state: string }) => state === wanted)
      if (!pause) return NOTHING
      const path = `${at}/pauses/${pause.id}`
      return act.name === 'agree' ? officer(`${path}/approval`, { method: 'POST' }) : officer(`${path}/answer`, { body: {} })
    }
    case 'chase':
      return officer(`${at}/chasers`, { body: {} })
    case 'write':
      return officer(`${at}/messages`, { body: { text: 'A word.' } })
    case 'prove':
      return prove(world, one)
    case 'retry':
      return retry(world, one)
    case 'by-hand':
      return settleByHand(world, one)
    case 'lift':
      return lift(world, one)
  }
}

/** Whoever proposed something tries to be the second person as well. */
async function approveOwn(world: World, { at }: Case, { body, headers }: Answered): Promise<void> {
  const own = { method: 'POST', headers: { 'if-match': headers.get('etag') ?? '' } }
  const { status } = await world.officer(`${at}/decisions/${body.id}/approval`, own)
  if (![403, 409, 412].includes(status)) world.violations.push(`one person was two: ${status}`)
}

/** Where data are being changed, nobody can take it back: they would be told that nothing was done. */
export async function tryToTurnBack(world: World, one: Case, etag: string): Promise<void> {
  for (const name of ['withdraw', 'cancel'] as const)
    if (isDone(await perform(world, one, { name }, etag)))
      world.violations.push(`it was possible to ${name} what is being carried out`)
}

/** With the code in the last mail; where that does not reach, by a login. */
async function prove(world: World, one: Case): Promise<Answered> {
  const { at, person } = one
  const before = world.now()
  const to = emailOf(userOf(person))
  const mail = world.service.mailbox
    .messages()
    .findLast(({ envelope, subject }) => envelope.to.includes(to) && subject === 'Your confirmation code')
  const body = mail && { method: 'email_code', code: codeIn(mail) }
  const typed = body && (await world.as.service()(`${at}/proofs`, { body }))
  const answer =
    typed && isDone(typed) ? typed : await world.personAt(person)(`${at}/proofs`, { body: { method: 'portal_login' } })
  const { assurance } = answer.body
  if (isDone(answer) && assurance.reached >= assurance.needed) one.provenAt = Math.min(one.provenAt, before)
  return answer
}

interface TaskSeen {
  id: string
  adapter: string
  action: string
  state: string
  failures: number
  asked: string[]
  problem: { code: string } | null
}

/** Has everything asked again that stands. */
export async function retry(world: World, one: Case): Promise<Answered> {
  const { at } = one
  const { tasks = [] } = (await world.officer(`${at}/tasks`)).body as { tasks: TaskSeen[] }
  const standing = tasks.filter(
    ({ state, failures }) =>
      state === 'failed' || state === 'quarantined' || state === 'accepted' || (state === 'ready' && failures > 0),
  )
  let last = NOTHING
  for (const { id } of standing) last = await world.officer(`${at}/tasks/${id}/retry`, { method: 'POST' })
  return last
}

/** Somebody says that they did at an adapter what it does not do. Of an erasure it is not so, and has to show; of a copy nothing is claimed. */
async function settleByHand(world: World, { at, person }: Case): Promise<Answered> {
  const { tasks = [] } = (await world.officer(`${at}/tasks`)).body as { tasks: TaskSeen[] }
  const task = tasks.find(({ state, action }) => state === 'failed' && ['erase', 'collect', 'restrict'].includes(action))
  const adapter = world.adapters.find(({ raw }) => raw.name === task?.adapter)
  if (!task || !adapter) return NOTHING
  const outcome = task.action === 'collect' ? 'failed' : 'completed'
  const datasets = task.asked.map(name => ({ name, outcome, count: 0 }))
  if (task.action === 'restrict') adapter.shelf.limitsOf(userOf(person)).add('restricted')
  return world.officer(`${at}/tasks/${task.id}/outcome`, { body: { datasets, reference: 'OPS-1' } })
}

/** Ends a restriction that is in force, by the person or by the staff. */
async function lift(world: World, one: Case): Promise<Answered> {
  const body = { type: 'restriction', subject: {}, details: { lifts: one.id } }
  const byStaff = one.person % 2 === 0
  const openedAt = world.now()
  const answer = await (byStaff ? world.officer : world.personAt(one.person))('/v1/requests', { body })
  if (!isDone(answer)) return answer
  world.cases.push({
    ...{ at: `/v1/requests/${answer.body.id}`, id: answer.body.id, right: 'restriction', person: one.person, body },
    ...{ by: byStaff ? 'officer' : 'person', openedAt, provenAt: byStaff ? 0 : openedAt },
    ...{ approvedAt: 0, decided: [], views: [answer.body] },
  })
  return answer
}
