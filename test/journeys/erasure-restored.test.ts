import { afterEach, describe, expect, test } from '@jest/globals'
import { type ErasureCase, isCompleted, openHonestAdapter, startErasureCase } from '../support/erasure-case.ts'
import { eventually } from '../support/eventually.ts'

let one: ErasureCase
afterEach(() => one.close())

const restore = (body: object) => one.dpo('/v1/restores', { body })
const concluded = async (at: string) => (await one.dpo(at)).body.state === 'concluded'

/** Two adapters, and so many people who were erased from them. */
async function afterErasures(people: number) {
  const [first, second] = [await openHonestAdapter('first'), await openHonestAdapter('second')]
  one = await startErasureCase([first, second])
  const cases = []
  for (let n = 0; n < people; n += 1) cases.push(await one.erase())
  await Promise.all(cases.map(({ at }) => one.see(at, ({ state }) => state === 'cooling_off')))
  const before = one.service.clock.now().toISOString()
  await one.pass(73)
  await Promise.all(cases.map(({ at }) => one.see(at, isCompleted)))
  return { first, second, cases, before }
}

describe('a backup that was restored', () => {
  test('has everybody erased again who had been erased since, looked into, and on the record', async () => {
    const { first, second, cases, before } = await afterErasures(2)
    first.erased.clear()
    second.erased.clear()
    const { status, body, headers } = await restore({ restoredTo: before })
    expect([status, body.erasures, body.adapter]).toEqual([202, 2, null])
    const at = headers.get('location') ?? ''
    await eventually(() => concluded(at))
    expect((await one.dpo(at)).body).toMatchObject({ erasures: 2, replayed: 2, confirmed: 2, failed: 0 })
    for (const { email } of cases) expect([first.erased.has(email), second.erased.has(email)]).toEqual([true, true])
    expect(await one.events(cases[0]?.at ?? '')).toEqual(expect.arrayContaining(['erasure_replayed', 'erasure_confirmed_again']))
    const { entries } = (await one.dpo('/v1/audit?stream=restores')).body
    expect(entries.map(({ event }: { event: string }) => event)).toEqual(['restore_started', 'restore_concluded'])
    expect((await one.dpo('/v1/audit/verify', { body: {} })).body.intact).toBe(true)
  }, 60_000)

  test('of one adapter asks that one alone; what cannot be confirmed is counted, and mended by asking again', async () => {
    const { first, second, cases, before } = await afterErasures(1)
    const [{ at: request, email } = { at: '', email: '' }] = cases
    const { locate } = first.on
    first.on.locate = (_task, res) => res.writeHead(403).end()
    first.erased.clear()
    const calls = second.calls.length
    const { body } = await restore({ adapter: 'first', restoredTo: before })
    const at = `/v1/restores/${body.id}`
    await eventually(() => concluded(at))
    expect((await one.dpo(at)).body).toMatchObject({ erasures: 1, replayed: 1, confirmed: 0, failed: 1 })
    expect([second.calls.length, first.erased.has(email)]).toEqual([calls, true])

    first.on.locate = locate
    const failed = (await one.tasks(request)).find(({ state }) => state === 'failed')
    await one.officer(`${request}/tasks/${failed?.id}/retry`, { method: 'POST' })
    await eventually(async () => (await one.dpo(at)).body.confirmed === 1)
    expect((await one.dpo(at)).body).toMatchObject({ confirmed: 1, failed: 0 })
  }, 60_000)

  test('is one restore while it goes on, leaves alone what was erased before, and cannot be of the future or of nobody', async () => {
    const { cases, before } = await afterErasures(1)
    expect(cases).toHaveLength(1)
    await one.service.sql(`UPDATE adapter SET state = 'suspended'`)
    const [once, twice] = [await restore({ restoredTo: before }), await restore({ restoredTo: before })]
    expect([twice.body.id, twice.body.erasures]).toEqual([once.body.id, 1])
    expect((await restore({ adapter: 'first', restoredTo: before })).body.id).not.toBe(once.body.id)

    const now = one.service.clock.now()
    const later = await restore({ restoredTo: now.toISOString() })
    expect(later.body).toMatchObject({ erasures: 0, state: 'concluded' })
    const future = await restore({ restoredTo: new Date(now.getTime() + 60_000).toISOString() })
    expect([future.status, future.body.errors[0].pointer]).toEqual([422, '/restoredTo'])
    expect((await restore({ adapter: 'nobody', restoredTo: before })).body.errors[0].pointer).toBe('/adapter')
  }, 60_000)

  test('with ten thousand erasures behind it owes each of them a round, and begins them five hundred at a time', async () => {
    const { before, cases } = await afterErasures(1)
    await one.service.sql(`UPDATE adapter SET state = 'suspended'`)
    await one.service.sql(
      `WITH many AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 9999)),
       r AS (INSERT INTO dsar_request SELECT (jsonb_populate_record(d, jsonb_build_object('id', many.id))).* FROM dsar_request d, many WHERE d.id = $1)
       INSERT INTO task SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'request_id', many.id))).*
       FROM task t, many WHERE t.request_id = $1 AND t.action = 'erase' AND t.adapter = 'first'`,
      [cases[0]?.id],
    )
    const { body } = await restore({ restoredTo: before })
    expect(body.erasures).toBe(10_000)
    await eventually(async () => (await one.dpo(`/v1/restores/${body.id}`)).body.replayed >= 500, 60_000)
    const [{ transactions, begun }] = (await one.service.sql(
      `SELECT count(DISTINCT xmin::text)::int AS transactions, count(*)::int AS begun FROM later_round WHERE started_at IS NOT NULL AND restore_id = $1`,
      [body.id],
    )) as [{ transactions: number; begun: number }]
    expect(transactions).toBe(begun)
  }, 120_000)
})
