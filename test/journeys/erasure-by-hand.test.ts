import { afterEach, describe, expect, test } from '@jest/globals'
import { type ErasureCase, isCompleted, openHonestAdapter, startErasureCase } from '../support/erasure-case.ts'
import { KEPT, openKeepingAdapter, openRawAdapter } from '../support/raw-adapter.ts'

let one: ErasureCase
afterEach(() => one.close())

const things = (outcome: string, more = {}) => [{ name: 'things', outcome, ...more }]

async function settle(at: string, action: string, datasets: unknown[], by = one.officer) {
  const task = (await one.tasks(at)).find(({ action: is }) => is === action)
  return by(`${at}/tasks/${task?.id}/outcome`, { body: { datasets, reference: 'OPS-2026-118' } })
}

describe('an adapter that cannot erase', () => {
  test('shows as a failed task, is settled by hand, and looks itself whether it is so', async () => {
    const unable = await openRawAdapter('things')
    one = await startErasureCase([unable])
    const { at } = await one.erase()
    await one.coolOff(at)
    const seen = await one.see(at, ({ flags }) => flags.includes('failed_task'))
    expect(seen.state).toBe('fulfilling')
    expect(await one.taskOf(at, 'things', 'erase')).toMatchObject({ problem: { code: 'not_supported' } })

    for (const [datasets, pointer] of [
      [things('refused'), '/datasets/0/outcome'],
      [things('retained', { count: 2 }), '/datasets/0'],
      [[{ name: 'others', outcome: 'completed' }], '/datasets'],
    ] as const) {
      const { status, body } = await settle(at, 'erase', [...datasets])
      expect([status, body.errors[0].pointer]).toEqual([422, pointer])
    }
    expect((await settle(at, 'erase', things('completed', { count: 2 }))).body.state).toBe('done')
    expect(await one.seeTask(at, 'things', ({ failures }) => failures > 0, 'confirm_erased')).toMatchObject({
      problem: { code: 'still_there' },
    })

    unable.on.locate = (_task, res) => res.writeHead(204).end()
    const done = await one.see(at, isCompleted)
    expect(done.completeness).toEqual({ complete: true, adaptersAsked: 1, adaptersAnswered: 0, settledByHand: 1, missing: [] })
    const entry = (await one.entries(at)).find(({ event }) => event === 'task_settled_by_hand')
    expect(entry?.facts).toMatchObject({ adapter: 'things', reference: 'OPS-2026-118', outcomes: ['things: completed 2'] })
  }, 40_000)

  test('and cannot look either takes two people: one who erased, another who looked', async () => {
    one = await startErasureCase([await openRawAdapter('things', { actions: ['collect'] })])
    const { at } = await one.erase()
    await one.coolOff(at)
    await one.see(at, ({ flags }) => flags.includes('failed_task'))
    expect((await settle(at, 'erase', things('completed'))).status).toBe(200)
    expect((await settle(at, 'confirm_erased', things('no_data'))).body.code).toBe('second_person_needed')
    expect((await settle(at, 'confirm_erased', things('no_data'), one.dpo)).status).toBe(200)
    await one.see(at, isCompleted)
  }, 30_000)
})

test('an adapter that is dead is named in the package as missing, and what people found out is said', async () => {
  const dead = await openRawAdapter('things')
  one = await startErasureCase([dead])
  dead.on.locate = (_task, res) => res.socket?.destroy()
  const at = await one.ask()
  await one.seeTask(at, 'things', ({ failures }) => failures > 0, 'locate')
  expect((await settle(at, 'collect', things('completed', { count: 2 }))).status).toBe(422)
  expect((await settle(at, 'collect', things('failed', { reason: 'service_shut_down' }))).status).toBe(200)
  const done = await one.see(at, isCompleted)
  expect(done.completeness).toEqual({
    complete: false,
    adaptersAsked: 1,
    adaptersAnswered: 0,
    settledByHand: 1,
    missing: [{ adapter: 'things', dataset: 'things', outcome: 'failed', reason: 'service_shut_down' }],
  })
}, 30_000)

describe('an adapter that keeps invoices', () => {
  test('and cannot set them apart needs somebody who does, before the person is told that they are used for nothing else', async () => {
    one = await startErasureCase([await openKeepingAdapter('things')])
    const { at, email } = await one.erase()
    await one.coolOff(at)
    expect(await one.seeTask(at, 'things', ({ state }) => state === 'failed', 'restrict')).toMatchObject({
      problem: { code: 'not_supported' },
    })
    expect(await one.see(at, ({ flags }) => flags.includes('failed_task'))).toMatchObject({ state: 'fulfilling' })
    const certified = () =>
      one.service.mailbox.messages().filter(mail => mail.envelope.to.includes(email) && mail.text.includes('17(3)(b)'))
    expect(certified()).toEqual([])
    expect((await settle(at, 'restrict', things('completed', { count: 2 }))).status).toBe(200)
    expect(await one.see(at, isCompleted)).toMatchObject({ flags: [], completeness: { complete: true, settledByHand: 1 } })
    expect(certified()).toHaveLength(1)
  }, 30_000)

  test('has them named to the person with reason and day, and erased and looked for once the day is over', async () => {
    const keeping = await openKeepingAdapter('things', { actions: ['locate', 'collect', 'erase', 'restrict'] })
    one = await startErasureCase([keeping])
    const { at, email, id } = await one.erase()
    await one.coolOff(at)
    await one.see(at, isCompleted)
    expect(keeping.calls.flatMap(({ task }) => task?.action ?? [])).toContain('restrict')
    const mail = await one.service.mailbox.waitFor(
      ({ envelope, text }) => envelope.to.includes(email) && text.includes('17(3)(b)'),
      5000,
    )
    expect([mail.text.includes(KEPT.statute), mail.text.includes('November 20, 2033')]).toEqual([true, true])
    const leftover = () =>
      one.service.sql('SELECT until, round, erased_at IS NOT NULL AS erased FROM leftover WHERE request_id = $1', [id])
    expect(await leftover()).toEqual([{ until: '2033-11-20', round: null, erased: false }])

    const gone = (task: { taskId: string; subject: { identities: readonly unknown[] } }, outcome: string, count: number) =>
      JSON.stringify({
        taskId: task.taskId,
        matched: task.subject.identities.slice(0, 1),
        datasets: [{ name: 'things', outcome, count }],
      })
    await one.service.sql('DELETE FROM later_round') // the looks of these seven years have another test
    keeping.on.erase = (task, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(gone(task, 'completed', 2))
    keeping.on.locate = (task, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(gone(task, 'no_data', 0))
    const days = (Date.parse('2033-11-20T12:00:00Z') - one.service.clock.now().getTime()) / 86_400_000
    await one.pass(24 * (days - 1))
    expect((await leftover())[0]).toMatchObject({ round: null })
    await one.pass(24 * 2)
    await one.see(at, () => true)
    for (let tries = 0; tries < 200 && !(await leftover())[0]?.erased; tries += 1) await new Promise(next => setTimeout(next, 50))
    expect((await leftover())[0]).toMatchObject({ erased: true })
    expect(await one.events(at)).toEqual(expect.arrayContaining(['leftovers_due', 'leftovers_erased']))
  }, 60_000)
})

test('the order of erasure is a chain of wishes; one that closes a circle is left out and on the record', async () => {
  const a = await openHonestAdapter('a', { eraseAfter: ['b'] })
  const b = await openHonestAdapter('b', { eraseAfter: ['c'] })
  const c = await openHonestAdapter('c', { eraseAfter: ['a'] })
  one = await startErasureCase([a, b, c])
  const { at } = await one.erase()
  await one.coolOff(at)
  await one.see(at, isCompleted)
  const erased = (await one.tasks(at)).filter(({ action }) => action === 'erase')
  expect(erased.sort((x, y) => x.finishedAt.localeCompare(y.finishedAt)).map(({ adapter }) => adapter)).toEqual(['c', 'b', 'a'])
  const ignored = (await one.entries(at)).find(({ event }) => event === 'erasure_order_ignored')
  expect(ignored?.facts).toEqual({ wishes: ['c after a'] })
}, 30_000)
