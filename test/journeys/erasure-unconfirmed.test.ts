import { afterEach, describe, expect, test } from '@jest/globals'
import { type App, createApp } from '../../src/app.ts'
import {
  type ErasureCase,
  type HonestAdapter,
  honest,
  isCompleted,
  openHonestAdapter,
  startErasureCase,
} from '../support/erasure-case.ts'
import { eventually } from '../support/eventually.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { openLyingAdapter } from '../support/raw-adapter.ts'

const WEEK = 7 * 24
let one: ErasureCase
let other: App | undefined
afterEach(async () => {
  await other?.close()
  other = undefined
  await one.close()
})

const unconfirmed = ({ flags }: { flags: string[] }) => flags.includes('unconfirmed_erasure')
const countOf = (events: string[], event: string) => events.filter(one => one === event).length
const toOfficer = () =>
  one.service.sql<{ n: number }>(`SELECT count(*)::int AS n FROM letter WHERE kind = 'erasure-undone'`).then(([row]) => row?.n)

describe('an adapter that says it erased, and did not', () => {
  test('T79 is looked at three times and then left to people; once it is mended, it is asked to erase again and believed', async () => {
    const liar = await openLyingAdapter('things')
    one = await startErasureCase([liar])
    const { at } = await one.erase()
    await one.coolOff(at)
    const failed = await one.seeTask(at, 'things', ({ state }) => state === 'failed', 'confirm_erased')
    expect(failed).toMatchObject({ problem: { code: 'still_there' }, attempt: 3 })
    const seen = await one.see(at, unconfirmed)
    expect([seen.state, [...seen.flags].sort()]).toEqual(['fulfilling', ['failed_task', 'unconfirmed_erasure']])

    expect((await one.retry(at, 'things', 'confirm_erased')).status).toBe(202)
    await one.seeTask(at, 'things', ({ state, attempt }) => state === 'failed' && attempt > 3, 'confirm_erased')
    expect((await one.officer(at)).body.state).toBe('fulfilling')

    honest(liar.on, new Set())
    await one.retry(at, 'things', 'confirm_erased')
    const done = await one.see(at, isCompleted)
    expect(done).toMatchObject({ flags: [], completeness: { complete: true } })
    expect(liar.calls.filter(({ task }) => task?.action === 'erase')).toHaveLength(3)
  }, 60_000)

  test('is not believed either when it knows nobody any more, and had counted things a moment ago', async () => {
    const forgetful = await openLyingAdapter('things')
    one = await startErasureCase([forgetful])
    const { at } = await one.erase()
    await one.see(at, ({ state }) => state === 'cooling_off')
    await one.seeTask(at, 'things', ({ state }) => state === 'done', 'locate')
    for (const action of ['erase', 'locate'] as const) forgetful.on[action] = (_task, res) => res.writeHead(204).end()
    await one.pass(73)
    expect(await one.seeTask(at, 'things', ({ state }) => state === 'failed', 'erase')).toMatchObject({
      problem: { code: 'fewer_than_located' },
      attempt: 3,
    })
    expect(await one.see(at, ({ flags }) => flags.includes('failed_task'))).toMatchObject({ state: 'fulfilling' })
  }, 30_000)

  test('is not believed either when its search fails, or is refused', async () => {
    const vague = await openHonestAdapter('things')
    one = await startErasureCase([vague])
    const { at } = await one.erase()
    await one.see(at, ({ state }) => state === 'cooling_off')
    await one.seeTask(at, 'things', ({ state }) => state === 'done', 'locate')
    vague.on.locate = (task, res) =>
      res.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          taskId: task.taskId,
          matched: task.subject.identities.slice(0, 1),
          datasets: [{ name: 'things', outcome: 'refused' }],
        }),
      )
    await one.pass(73)
    expect(await one.seeTask(at, 'things', ({ state }) => state === 'failed', 'confirm_erased')).toMatchObject({
      problem: { code: 'outcome_refused' },
    })
    expect((await one.see(at, unconfirmed)).state).toBe('fulfilling')
  }, 30_000)
})

/** An erasure that was answered, by an adapter that does as it is told. */
async function answered(): Promise<{ adapter: HonestAdapter; at: string; email: string }> {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter])
  const { at, email } = await one.erase()
  await one.coolOff(at)
  await one.see(at, isCompleted)
  return { adapter, at, email }
}

describe('an erasure that was answered is looked into again', () => {
  test('after a week and after a month; where nothing came back, that is on the record and nobody is disturbed', async () => {
    const { adapter, at } = await answered()
    const looks = () => adapter.calls.filter(({ task }) => task?.action === 'locate').length
    const before = looks()
    await one.pass(WEEK - 1)
    expect(looks()).toBe(before)
    await one.pass(2)
    await eventually(async () => countOf(await one.events(at), 'erasure_confirmed_again') === 1)
    await one.pass(23 * 24)
    await eventually(async () => countOf(await one.events(at), 'erasure_confirmed_again') === 2)
    expect(looks()).toBe(before + 2)
    expect(await toOfficer()).toBe(0)
    expect((await one.officer(at)).body).toMatchObject({ state: 'completed', flags: [] })
  }, 30_000)

  test('and what came back is on the record, flagged and told to the officer once, by reference; asking again erases it', async () => {
    const { adapter, at, email } = await answered()
    adapter.erased.delete(email)
    await one.pass(WEEK + 1)
    await one.see(at, unconfirmed)
    const mail = await one.service.mailbox.waitFor(
      ({ subject }) => subject === 'A closed request needs to be looked at again',
      20_000,
    )
    expect(mail.envelope.to).toEqual([one.service.config.privacyOfficer])
    expect(mail.text).toContain(at.slice(-36))
    expect(mail.text).toContain('things')
    expect(mail.text).not.toMatch(/erase\d+@example\.org|u-erase/)
    const found = (await one.entries(at)).filter(({ event }) => event === 'erasure_not_confirmed')
    expect(found.map(({ facts }) => facts)).toEqual([{ round: 1, adapters: ['things'] }])

    const { tasks } = (await one.officer(`${at}/tasks`)).body
    const failed = tasks.find(({ state }: { state: string }) => state === 'failed')
    expect((await one.officer(`${at}/tasks/${failed.id}/retry`, { method: 'POST' })).status).toBe(202)
    await one.see(at, ({ flags }) => flags.length === 0)
    await eventually(() => adapter.erased.has(email))
    await eventually(async () => countOf(await one.events(at), 'erasure_confirmed_again') === 1)
    expect(await toOfficer()).toBe(1)
  }, 60_000)

  test('once, however many workers look and write down what they saw at the same moment', async () => {
    const { adapter, at, email } = await answered()
    other = await createApp(one.service.config, { clock: one.service.clock })
    const both = [one.service.app, other]
    adapter.erased.delete(email)
    one.service.clock.advanceAlone((WEEK + 1) * 3_600_000)
    const id = at.slice(-36)

    const looking = await holdingUntilReleased(one.service, 'SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])
    const looked = Promise.all(both.map(({ handlers }) => handlers['look-again']({})))
    await looking.waiting(2)
    await looking.release()
    await looked
    await one.see(at, unconfirmed)
    await eventually(async () => (await toOfficer()) === 1)

    const [letters] = await one.service.sql(`DELETE FROM letter WHERE kind = 'erasure-undone' RETURNING kind`)
    expect(letters).toEqual({ kind: 'erasure-undone' })
    await one.service.sql(`UPDATE later_round SET concluded_at = NULL, found = NULL WHERE request_id = $1 AND round = 1`, [id])
    await one.service.sql(`UPDATE dsar_request SET flags = '{}' WHERE id = $1`, [id])
    const concluding = await holdingUntilReleased(one.service, 'SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])
    const concluded = Promise.all(both.map(({ handlers }) => handlers['conclude-round']({ requestId: id })))
    await concluding.waiting(2)
    await concluding.release()
    await concluded

    const events = await one.events(at)
    expect([countOf(events, 'looked_again'), countOf(events, 'erasure_not_confirmed'), await toOfficer()]).toEqual([1, 2, 1])
    expect((await one.tasks(at)).filter(({ action }) => action === 'confirm_erased')).toHaveLength(2)
  }, 60_000)
})
