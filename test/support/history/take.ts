import type { Right } from '../../../src/domain/rights.ts'
import { isDone, MATCHED, perform } from './acts.ts'
import { bringBack } from './moods.ts'
import type { Opening, Step } from './steps.ts'
import { ERASES, HOUR_MS, userOf, type World } from './world.ts'

export async function take(world: World, one: Step): Promise<void> {
  switch (one.do) {
    case 'open':
      return open(world, one)
    case 'act':
      return tryAct(world, one)
    case 'hold':
      return hold(world, one.person, one.approved)
    case 'release':
      return release(world, one.person)
    case 'mood':
      world.adapters.forEach((each, n) => {
        if (n === one.adapter) each.mood = one.mood
      })
      return
    case 'pass':
      await world.pass(one.hours)
      return world.rest()
    case 'bring-back':
      return restoreBackup(world, one)
    case 'call-back':
      return world.callBack()
    case 'rest':
      return world.rest()
  }
}

const DETAILS: Partial<Record<Right, object>> = {
  rectification: { corrections: [{ dataset: 'things', field: 'name', from: 'one', to: 'corrected' }] },
  consent_withdrawal: { purposes: ['marketing'] },
  automated_decision_review: { decision: 'the grade' },
  inquiry: { message: 'Why?' },
}
const detailsOf = ({ right, narrowed }: Opening) =>
  right === 'objection' ? { purposes: narrowed ? ['marketing'] : ['analytics', 'marketing'] } : DETAILS[right]
const NARROWABLE: readonly Right[] = ['access', 'portability', 'erasure', 'restriction']

/** By the person at the portal, by a service that vouches for them, or by an agent, to whom they have to prove it. */
async function open(world: World, opening: Opening): Promise<void> {
  const { right, person: n, daysAgo, timeZone, narrowed } = opening
  const isReport = right === 'under_age_report'
  const by = isReport && opening.by === 'person' ? 'service' : opening.by
  const openedAt = world.now()
  const details = detailsOf(opening)
  const identities = [{ type: 'user_id', value: userOf(n) }]
  const body = {
    type: right,
    subject: { timeZone, ...(by !== 'person' && { identities }) },
    ...(details && { details }),
    ...(narrowed && NARROWABLE.includes(right) && { scope: { categories: ['usage', 'marketing'] } }),
    ...(isReport && { requester: { relationship: 'reporter' } }),
    ...(by !== 'person' && { channel: 'support_ticket', reference: 'ZD-1' }),
    ...(by !== 'person' && daysAgo > 0 && { receivedAt: new Date(openedAt - daysAgo * 24 * HOUR_MS).toISOString() }),
    ...(by === 'service' &&
      !isReport && { assurance: { method: 'portal_login', level: 2, verifiedAt: new Date().toISOString() } }),
  }
  const who = by === 'person' ? world.personAt(n) : by === 'service' ? world.as.service() : world.as.agent()
  const answer = await who('/v1/requests', { body })
  if (answer.status !== 201 && answer.status !== 409)
    world.violations.push(`opening ${right} was answered ${answer.status} ${JSON.stringify(answer.body)}`)
  if (answer.status !== 201) return
  world.cases.push({
    ...{ at: `/v1/requests/${answer.body.id}`, id: answer.body.id, right, person: n, by, body, openedAt },
    provenAt: isReport ? 0 : by === 'agent' ? Number.POSITIVE_INFINITY : openedAt,
    ...{ approvedAt: 0, decided: [], views: [] },
  })
}

async function tryAct(world: World, { request: n, act: first, together }: Extract<Step, { do: 'act' }>): Promise<void> {
  const one = world.cases.at(-1 - (n % Math.max(world.cases.length, 1)))
  if (!one) return
  const { headers, body } = await world.officer(one.at)
  one.views.push(body)
  const etag = headers.get('etag') ?? ''
  const acts = together ? [first, together] : [first]
  const answers = await Promise.all(acts.map(each => perform(world, one, each, etag)))
  const won = answers.filter((answer, i) => isDone(answer) && MATCHED.has(acts[i]?.name ?? 'lift'))
  if (won.length > 1) world.violations.push(`both won: ${JSON.stringify(acts)}`)
  const broken = answers.find(({ status }) => status >= 500)
  if (broken) world.violations.push(`${JSON.stringify(acts)} was answered ${broken.status} ${JSON.stringify(broken.body)}`)
}

const PROPOSAL_STANDS_MS = 72 * HOUR_MS

async function hold(world: World, n: number, approved: boolean): Promise<void> {
  const before = world.now()
  const identities = [{ type: 'user_id', value: userOf(n) }]
  const { status, headers } = await world.officer('/v1/holds', {
    body: { identities, reason: 'litigation', reference: `L-${before}` },
  })
  if (status !== 201) return
  const path = headers.get('location') ?? ''
  const placed = { person: n, path, from: world.now(), until: before + PROPOSAL_STANDS_MS }
  world.holds.push(placed)
  if (approved && isDone(await world.second(`${path}/approval`, { method: 'POST' }))) placed.until = Number.POSITIVE_INFINITY
}

export async function release(world: World, n: number): Promise<void> {
  for (const held of world.holds) {
    if (held.person !== n || held.until < world.now()) continue
    const proposed = await world.officer(`${held.path}/release`, { body: { reason: 'matter_ended' } })
    if (!isDone(proposed)) continue
    if (isDone(await world.officer(`${held.path}/release/approval`, { method: 'POST' })))
      world.violations.push('one let a hold go')
    held.until = world.now()
    await world.second(`${held.path}/release/approval`, { method: 'POST' })
  }
}

/** Data of somebody who was erased are there again; an operator says so, or nobody does. */
async function restoreBackup(world: World, { adapter: n, person: whose, told }: Extract<Step, { do: 'bring-back' }>) {
  const where = world.adapters[n]
  const erasures = world.cases.filter(({ right, person: of }) => ERASES.has(right) && of === whose)
  const states = await Promise.all(erasures.map(one => world.look(one)))
  if (!where || !states.some(({ state }) => state === 'completed') || !bringBack(where, userOf(whose))) return
  world.broughtBack.push({ person: whose, adapter: where.raw.name, at: world.now(), told })
  if (told)
    await world.second('/v1/restores', {
      body: { adapter: where.raw.name, restoredTo: new Date(world.startedAt).toISOString() },
    })
}
