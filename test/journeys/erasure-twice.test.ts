import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Call } from '../support/callers.ts'
import { type ErasureCase, openHonestAdapter, startErasureCase } from '../support/erasure-case.ts'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
})
afterAll(() => one.close())

const cools = ({ state }: { state: string }) => state === 'cooling_off'
/** Or would be, if any address of theirs were on file. */
const isTold = ({ state }: { state: string }) => state === 'delivering' || state === 'completed'
const isCompleted = ({ state }: { state: string }) => state === 'completed'

/** By a service that vouches for them, and does not see what they asked at the portal. */
const byService = (userId: string): Promise<string> =>
  one.open(one.as.service(), {
    type: 'erasure',
    subject: { identities: [{ type: 'user_id', value: userId }] },
    assurance: { method: 'portal_login', level: 2, verifiedAt: new Date().toISOString() },
  })
const byThemself = (who: Call): Promise<string> => one.open(who, { type: 'erasure' })

/** Of those that found nobody any more: the requests that had erased them. */
async function erasedFor(at: string): Promise<string[]> {
  const { entries } = (await one.officer(`${at}/timeline`)).body
  return entries.flatMap(({ facts }: { facts: { erasedFor?: string } }) =>
    facts.erasedFor ? [`/v1/requests/${facts.erasedFor}`] : [],
  )
}

describe('one person erased by two requests', () => {
  test('at the same time is erased by both, and neither waits for anybody', async () => {
    const both = [await byThemself(one.kamal), await byService(KAMAL.userId)]
    for (const at of both) await one.see(at, cools)
    await one.pass(73)
    for (const at of both) {
      const done = await one.see(at, isCompleted, 30_000)
      expect([done.flags, done.completeness.complete]).toEqual([[], true])
    }
    for (const other of (await Promise.all(both.map(erasedFor))).flat()) expect(both).toContain(other) // where one came first
    expect(await one.standing(KAMAL)).toMatchObject({ erased: true })
  }, 60_000)

  test('one after the other goes on without a proof that nobody can give any more, and is told what had been done', async () => {
    const first = await byThemself(one.grace)
    await one.see(first, cools)
    await one.pass(5)
    const second = await byService(GRACE.userId)
    await one.see(second, cools)
    await one.pass(68)
    await one.see(first, isCompleted)
    await one.pass(6)
    const done = await one.see(second, isCompleted, 30_000)
    expect([done.flags, done.completeness.complete]).toEqual([[], true])
    expect(await one.events(second)).not.toContain('contact_changed')
    expect(await erasedFor(first)).toEqual([])
    expect(new Set(await erasedFor(second))).toEqual(new Set([first]))
    const certificate = await one.mailTo(GRACE, 'they were gone already, because of another request of yours')
    expect(certificate).not.toContain('we erased the personal data')
    expect(certificate).toContain('Invoices, until') // which both have left, and both name
  }, 60_000)
})

describe('while one request has somebody erased', () => {
  let two: ErasureCase
  afterAll(() => two.close())

  test('and is not told yet that it was done, another that finds nobody waits for that word', async () => {
    const things = await openHonestAdapter('things')
    two = await startErasureCase([things])
    const { at: first, userId } = await two.erase()
    const { body } = await two.as.service()('/v1/requests', {
      body: {
        type: 'erasure',
        subject: { identities: [{ type: 'user_id', value: userId }] },
        assurance: { method: 'portal_login', level: 2, verifiedAt: new Date().toISOString() },
      },
    })
    const second = `/v1/requests/${body.id}`
    for (const at of [first, second]) await two.see(at, cools)
    for (const at of [first, second]) await two.seeTask(at, 'things', ({ state }) => state === 'done', 'locate')

    const { erase } = things.on
    const word: { say?: () => unknown } = {}
    things.on.erase = (task, res, req) => {
      if (word.say) return res.writeHead(204).end() // nobody is known any more
      word.say = () => erase(task, res, req)
    }
    await two.pass(73)
    const waits = ({ problem }: { problem: { code: string } | null }) => problem?.code === 'erased_elsewhere'
    const [waiting] = await Promise.race(
      [first, second].map(async at => [at, await two.seeTask(at, 'things', waits, 'erase')] as const),
    )
    const speaking = waiting === first ? second : first
    for (let tries = 0; tries < 3; tries++) {
      await two.retry(waiting, 'things', 'erase')
      await two.seeTask(waiting, 'things', waits, 'erase')
    }
    expect((await two.taskOf(waiting, 'things', 'erase')).state).toBe('ready')
    things.erased.add(userId) // by whatever name they are asked for
    word.say?.()
    await two.see(speaking, isTold)
    await two.retry(waiting, 'things', 'erase')
    expect((await two.see(waiting, isTold)).completeness.complete).toBe(true)
  }, 40_000)
})
