import { isPackaged } from '../../../src/domain/rights.ts'
import { type Act, hasEnded, perform, retry, tryToTurnBack } from './acts.ts'
import { release } from './take.ts'
import { type Case, ERASES, PEOPLE, type World } from './world.ts'

const act = (world: World, one: Case, what: Act) =>
  world.officer(one.at).then(({ headers }) => perform(world, one, what, headers.get('etag') ?? ''))
const APPROVE: Act = { name: 'decide', body: { kind: 'approve' } }
/** To a correction of what nobody holds any more. */
const REFUSE: Act = { name: 'decide', body: { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'Nothing is held.' } }

/** Does for a request what is owed to it. Those of every other person never prove who they are. */
async function tend(world: World, one: Case): Promise<void> {
  const etag = (await world.officer(one.at)).headers.get('etag') ?? ''
  const { state, flags = [] } = await world.look(one)
  if (!hasEnded({ state }) || flags.includes('unconfirmed_erasure')) await retry(world, one) // the next try may be an hour away
  if (state === 'fulfilling' && !isPackaged(one.right)) await tryToTurnBack(world, one, etag)
  if (hasEnded({ state }) || (flags.includes('failed_task') && state === 'fulfilling')) return
  if (state === 'verifying' && one.person % 2 === 0) await perform(world, one, { name: 'prove' }, '')
  if (state === 'assessing') {
    for (const name of ['answer-pause', 'answer'] as const) await act(world, one, { name })
    await act(world, one, APPROVE)
  }
  if (state === 'cooling_off' && flags.includes('needs_decision')) await act(world, one, APPROVE)
  if (state === 'fulfilling' && flags.includes('needs_decision')) await act(world, one, REFUSE)
}

/** An erasure that was carried out is looked into again, and again. */
const isOver = ({ right, views }: Case): boolean => {
  const { state = 'received' } = views.at(-1) ?? {}
  return hasEnded({ state }) && !(ERASES.has(right) && state === 'completed')
}

/** Days that pass between the rounds: long enough for every look again, for what is kept to be over, and for what is never proven to lapse. */
const DAYS = [0, 1.1, 0, 1.1, 0, 1.1, 9, 0, 9, 9, 9, 0, 21, 21, 21, 0]

/** With all adapters well everything comes to rest, however busy the machine. */
const LONG_MS = 15_000

/** Puts everything right and lets time pass until nothing is owed any more. */
export async function settle(world: World): Promise<void> {
  for (const adapter of world.adapters) adapter.mood = 'well'
  for (let person = 0; person < PEOPLE; person++) await release(world, person)
  await world.callBack()
  for (const days of DAYS) {
    if (days > 0) await world.pass(days * 24)
    await world.rest(LONG_MS)
    await adoptOurOwn(world)
    for (const one of world.cases) if (!isOver(one)) await tend(world, one)
    if (world.cases.every(isOver)) return
  }
  await world.rest(LONG_MS)
}

/** Requests of the service's own: an account that was stopped for a report is given back, and what nobody may weigh is split off. */
async function adoptOurOwn(world: World): Promise<void> {
  for (const right of ['restriction', 'objection'] as const) {
    const { requests } = (await world.officer(`/v1/requests?type=${right}&limit=100`)).body
    for (const view of requests) if (!world.cases.some(({ id }) => id === view.id)) await adopt(world, right, view)
  }
}

async function adopt(world: World, right: 'restriction' | 'objection', view: Case['views'][number]): Promise<void> {
  const at = `/v1/requests/${view.id}`
  const details: Case['body']['details'] & object = (await world.officer(`${at}/details`)).body
  const { entries } = (await world.officer(`${at}/timeline`)).body
  const { shownFor } = entries.find(({ event }: { event: string }) => event === 'identity_confirmed')?.facts ?? {}
  const origin = world.cases.find(({ id }) => id === (details.lifts ?? shownFor))
  if (view.channel !== 'system' || !origin) world.violations.push(`nobody opened ${view.id}`)
  const provenAt = right === 'objection' ? (origin?.provenAt ?? 0) : 0
  world.cases.push({
    ...{ at, id: view.id, right, person: origin?.person ?? 0, by: 'officer', body: { details } },
    ...{ openedAt: Date.parse(view.createdAt), provenAt, approvedAt: 0, decided: [], views: [view] },
  })
}
