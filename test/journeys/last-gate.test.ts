import { afterEach, describe, expect, test } from '@jest/globals'
import { type ErasureCase, openHonestAdapter, startErasureCase } from '../support/erasure-case.ts'
import { eventually } from '../support/eventually.ts'
import { type Held, holdingUntilReleased } from '../support/held.ts'
import { located, openRawAdapter, type RawAdapter, sendCollected, sendJson } from '../support/raw-adapter.ts'

let one: ErasureCase
afterEach(() => one.close())

const POST = { method: 'POST' }
const changes = ({ calls }: RawAdapter) =>
  calls.flatMap(({ task }) => (task && !['resolve', 'locate', 'collect'].includes(task.action) ? [task.action] : []))
/** Nothing more is claimed of the adapter, or again. */
const suspended = async (name: string, method: 'POST' | 'DELETE') =>
  expect((await one.officer(`/v1/adapters/${one.ids[name]}/suspension`, { method })).status).toBeLessThan(300)
const lock = (id: string): Promise<Held> =>
  holdingUntilReleased(one.service, 'SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])

async function open(person: { userId: string; email: string }, body: object): Promise<{ at: string; id: string }> {
  const opened = await one.as.person(person.userId, person.email)('/v1/requests', { body: { subject: {}, ...body } })
  if (opened.status !== 201) throw new Error(JSON.stringify(opened.body))
  return { at: `/v1/requests/${opened.body.id}`, id: opened.body.id }
}

async function decide(at: string, body: object) {
  const etag = (await one.officer(at)).headers.get('etag') ?? ''
  return () => one.officer(`${at}/decisions`, { body, headers: { 'if-match': etag } })
}
const REFUSAL = { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'It is right as it stands.' }

test('a hold that is placed when an erasure was claimed, and before it was sent, stops it', async () => {
  const things = await openHonestAdapter('things')
  one = await startErasureCase([things])
  const { at, id, userId } = await one.erase()
  await one.see(at, ({ state }) => state === 'cooling_off')
  await one.seeTask(at, 'things', ({ state }) => state === 'done', 'locate')
  await suspended('things', 'POST')
  await one.pass(73)
  await one.seeTask(at, 'things', ({ state }) => state === 'ready', 'erase')

  const held = await lock(id)
  await suspended('things', 'DELETE')
  await one.seeTask(at, 'things', ({ state }) => state === 'running', 'erase')
  await held.waiting(1)
  const body = { identities: [{ type: 'user_id', value: userId }], reason: 'litigation', reference: 'LIT-1' }
  const placed = await one.officer('/v1/holds', { body })
  expect(placed.status).toBe(201)
  await held.release()

  await one.seeTask(at, 'things', ({ state }) => state === 'ready', 'erase')
  expect(changes(things)).toEqual([])
  const hold = `/v1/holds/${placed.body.id}`
  expect((await one.dpo(`${hold}/approval`, POST)).status).toBe(200)
  await one.dpo(`${hold}/release`, { body: { reason: 'matter_ended' } })
  await one.officer(`${hold}/release/approval`, POST)
  await one.see(at, ({ state }) => state === 'completed')
  expect(changes(things)).toEqual(['erase'])
}, 60_000)

describe('a correction and its refusal', () => {
  const ANA = { userId: 'u-ana', email: 'ana@example.org' }
  const correction = {
    type: 'rectification',
    details: { corrections: [{ dataset: 'things', field: 'name', from: 'one', to: 'corrected' }] },
  }

  async function correcting(): Promise<{ things: RawAdapter; at: string; id: string }> {
    const things = await openRawAdapter('things', { actions: ['locate', 'collect', 'rectify'] })
    things.on.collect = (task, res) => sendCollected(task, res, [{ name: 'corrected' }])
    one = await startErasureCase([things])
    await suspended('things', 'POST')
    const { at, id } = await open(ANA, correction)
    await one.seeTask(at, 'things', ({ state }) => state === 'ready', 'rectify')
    return { things, at, id }
  }

  const claimed = (at: string) => one.seeTask(at, 'things', ({ state }) => state === 'running', 'rectify')

  test('that comes when it was claimed, and before it was sent: nobody is asked', async () => {
    const { things, at } = await correcting()
    const refuse = await decide(at, REFUSAL)
    const held = await holdingUntilReleased(one.service, 'LOCK TABLE decision IN SHARE MODE') // it is decided, and not yet written
    const refused = refuse()
    await held.waiting(1)
    await suspended('things', 'DELETE')
    await claimed(at)
    await held.waiting(2)
    await held.release()
    expect((await refused).status).toBe(201)
    await one.see(at, ({ state }) => state === 'refused')
    await one.seeTask(at, 'things', ({ state }) => state === 'cancelled', 'rectify')
    expect(changes(things)).toEqual([])
  }, 40_000)

  test('that comes when it was sent, or promised, is refused itself: nobody is told that it was left alone', async () => {
    const { things, at, id } = await correcting()
    const refuse = await decide(at, REFUSAL)
    let tell: (() => unknown) | undefined
    things.on.rectify = (task, res) => {
      tell = () => {
        things.on.poll = answer => sendJson(answer, 200, located(task, 1))
      }
      res.writeHead(202, { location: `${things.url}/tasks/1`, 'retry-after': '1' }).end()
    }
    const held = await lock(id)
    await suspended('things', 'DELETE')
    await claimed(at)
    await held.waiting(1)
    const refused = refuse()
    await held.waiting(2)
    await held.release()
    expect((await refused).status).toBe(409)

    things.on.poll = res => res.writeHead(202, { location: `${things.url}/tasks/1`, 'retry-after': '1' }).end()
    await one.seeTask(at, 'things', ({ state }) => state === 'accepted', 'rectify')
    expect((await (await decide(at, REFUSAL))()).status).toBe(409)
    tell?.()
    await one.see(at, ({ state }) => state === 'completed')
  }, 40_000)
})

describe('a restriction that is being lifted, and a new one of the same person', () => {
  const BEN = { userId: 'u-ben', email: 'ben@example.org' }
  const isCompleted = ({ state }: { state: string }) => state === 'completed'

  /** Restricted once; the lifting has been approved and waits for the adapter alone. */
  async function lifting(): Promise<{
    things: RawAdapter
    restricted: () => boolean
    lift: string
    liftId: string
  }> {
    const things = await openRawAdapter('things', { actions: ['locate', 'restrict', 'lift_restriction'] })
    let isRestricted = false
    things.on.restrict = (task, res) => {
      isRestricted = true
      sendJson(res, 200, located(task, 2))
    }
    things.on.lift_restriction = (task, res) => {
      isRestricted = false
      sendJson(res, 200, located(task, 2))
    }
    one = await startErasureCase([things], { LIFT_NOTICE_HOURS: '24' })
    const { at: first, id } = await open(BEN, { type: 'restriction' })
    await one.see(first, isCompleted)
    const { at: lift, id: liftId } = await open(BEN, { type: 'restriction', details: { lifts: id } })
    await one.see(lift, ({ state }) => state === 'cooling_off')
    return { things, restricted: () => isRestricted, lift, liftId }
  }

  /** It does not end before they have been told. */
  const noticeSent = (requestId: string) =>
    eventually(async () => {
      const sent = await one.service.sql(
        `SELECT 1 FROM letter WHERE request_id = $1 AND kind = 'restriction-to-be-lifted' AND state = 'sent'`,
        [requestId],
      )
      return sent.length === 1
    })

  test('that comes before the adapter was told ends the lifting there, and the data stay restricted', async () => {
    const { things, restricted, lift, liftId } = await lifting()
    await suspended('things', 'POST')
    await noticeSent(liftId)
    await one.pass(25)
    await one.seeTask(lift, 'things', ({ state }) => state === 'ready', 'lift_restriction')
    const { at: second } = await open(BEN, { type: 'restriction' })
    await one.seeTask(second, 'things', ({ state }) => state === 'ready', 'restrict')
    await suspended('things', 'DELETE')
    for (const at of [lift, second]) await one.see(at, isCompleted)
    expect([restricted(), changes(things).includes('lift_restriction')]).toEqual([true, false])
  }, 40_000)

  test('that comes while the adapter is at it is asked for after that, and the data end restricted', async () => {
    const { things, restricted, lift, liftId } = await lifting()
    await noticeSent(liftId)
    const { lift_restriction } = things.on
    const slow: { end?: () => unknown } = {}
    things.on.lift_restriction = (task, res, req) => {
      slow.end = () => lift_restriction(task, res, req)
    }
    await one.pass(25)
    await one.seeTask(lift, 'things', ({ state }) => state === 'running', 'lift_restriction')
    const { at: second } = await open(BEN, { type: 'restriction' })
    await one.seeTask(second, 'things', ({ state }) => state === 'ready', 'restrict')
    await one.service.app.handlers['dispatch-tasks']({})
    slow.end?.()
    for (const at of [lift, second]) await one.see(at, isCompleted)
    expect(restricted()).toBe(true)
    expect(changes(things)).toEqual(['restrict', 'lift_restriction', 'restrict'])
  }, 40_000)
})
