import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '../support/callers.ts'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase({ LIFT_NOTICE_HOURS: '72' })
})
afterAll(() => one.close())

const SCHEMAS = ['accounts', 'billing', 'learning', 'analytics', 'support']
const KEPT_ASIDE = SCHEMAS.map(
  schema => `SELECT '${schema}' AS schema, person FROM lms_${schema}.limits WHERE what = 'restricted'`,
)
/** Which services keep data of somebody aside. */
async function restricting({ userId, email }: { userId: string; email: string }): Promise<string[]> {
  const { rows } = await one.lms.query(
    `SELECT DISTINCT schema FROM (${KEPT_ASIDE.join(' UNION ALL ')}) x WHERE person = ANY($1) ORDER BY 1`,
    [[userId, email]],
  )
  return rows.map(({ schema }) => schema)
}
const shownPosts = async (userId: string): Promise<number> =>
  (await one.lms.query('SELECT count(*)::int AS n FROM lms_learning.shown_posts WHERE user_id = $1', [userId])).rows[0].n
const idOf = (at: string) => at.split('/').at(-1)
const lifting = (at: string, more = {}) => ({ type: 'restriction', subject: {}, details: { lifts: idOf(at) }, ...more })

/** Once it is on the record that the notice has gone out. */
const noticeOf = (at: string) =>
  until(
    () => one.officer(`${at}/timeline`),
    ({ body }) => body.entries.some(({ facts }: { facts: { letter?: string } }) => facts.letter === 'restriction-to-be-lifted'),
  )

describe('a restriction', () => {
  let at: string

  test('holds in every service and for every look-up, and is confirmed', async () => {
    expect(await shownPosts(KAMAL.userId)).toBeGreaterThan(0)
    at = await one.open(one.kamal, { type: 'restriction', details: { ground: '18_1_b' } })
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.completeness).toMatchObject({ complete: true, adaptersAnswered: 5, missing: [] })
    expect(await restricting(KAMAL)).toEqual([...SCHEMAS].sort())
    expect(await restricting(GRACE)).toEqual([])
    expect(await shownPosts(KAMAL.userId)).toBe(0)
    const { rows } = await one.lms.query(`SELECT DISTINCT ground FROM lms_learning.limits WHERE person = $1`, [KAMAL.userId])
    expect(rows).toEqual([{ ground: '18_1_b' }])
    expect(await one.standing(KAMAL)).toMatchObject({ restricted: true })
    expect(await one.standing(GRACE)).toMatchObject({ restricted: false })
    expect(await one.mailTo(KAMAL, 'has been restricted')).toContain('Forum posts')
  })

  test('is lifted by nobody else, and only what is a restriction in force', async () => {
    const access = await one.open(one.kamal, { type: 'access' })
    const refusals = await Promise.all([
      one.grace('/v1/requests', { body: lifting(at) }),
      one.as.service()('/v1/requests', { body: lifting(at) }),
      one.as.anybody('/v1/requests', { body: lifting(at) }),
      one.officer('/v1/requests', { body: lifting(at, { subject: { identities: [{ type: 'email', value: GRACE.email }] } }) }),
      one.kamal('/v1/requests', { body: lifting(access) }),
      one.kamal('/v1/requests', { body: lifting(`/v1/requests/${randomUUID()}`) }),
    ])
    expect(refusals.map(({ status, body }) => [status, body.errors?.[0]?.pointer])).toEqual(
      Array(6).fill([422, '/details/lifts']),
    )
    const agent = await one.as.agent(['agent'])('/v1/requests', { body: lifting(at) })
    expect(agent.status).toBe(403)
  })

  test('ends after a notice and some days, once, and the person can use everything again', async () => {
    const end = await one.open(one.kamal, lifting(at))
    const cooling = await one.see(end, ({ state }) => state === 'cooling_off')
    expect(Date.parse(cooling.coolsOffAt) - Date.parse(cooling.createdAt)).toBeGreaterThan(71 * 3_600_000)
    await one.mailTo(KAMAL, 'The restriction will end on')
    await noticeOf(end)
    expect(await restricting(KAMAL)).toHaveLength(5)
    expect(await one.standing(KAMAL)).toMatchObject({ restricted: true })
    const twice = await one.officer('/v1/requests', { body: lifting(at) })
    expect(twice.status).toBe(409)

    await one.pass(73)
    await one.see(end, ({ state }) => state === 'completed')
    expect(await restricting(KAMAL)).toEqual([])
    expect(await one.standing(KAMAL)).toMatchObject({ restricted: false })
    expect(await shownPosts(KAMAL.userId)).toBeGreaterThan(0)
    await one.mailTo(KAMAL, 'The data are used again')
    expect((await one.kamal('/v1/requests', { body: lifting(at) })).status).toBe(409)
    expect((await one.kamal('/v1/requests', { body: lifting(end) })).status).toBe(422)
  })
})

describe('a restriction whose ground is over', () => {
  test('is lifted by the staff without any proof of the person, who can keep it by withdrawing in time', async () => {
    const at = await one.open(one.grace, { type: 'restriction', scope: { categories: ['learning', 'content'] } })
    await one.see(at, ({ state }) => state === 'completed')
    expect(await restricting(GRACE)).toEqual(['learning'])
    const end = await one.open(one.officer, lifting(at))
    await one.see(end, ({ state }) => state === 'cooling_off')
    expect((await one.officer(end)).body).toMatchObject({
      scope: { categories: ['learning', 'content'] },
      assurance: { needed: 0 },
    })
    await one.mailTo(GRACE, 'The restriction will end on')
    expect(await one.events(end)).not.toContain('challenge_sent')
    expect((await one.grace(`${end}/withdrawal`, { method: 'POST' })).status).toBe(200)
    await one.pass(73)
    expect(await restricting(GRACE)).toEqual(['learning'])

    const again = await one.open(one.officer, lifting(at))
    await one.see(again, ({ state }) => state === 'cooling_off')
    await noticeOf(again)
    await one.pass(73)
    await one.see(again, ({ state }) => state === 'completed')
    expect(await restricting(GRACE)).toEqual([])
  })

  test('stays in force for another one, and the person is told so', async () => {
    const first = await one.open(one.grace, { type: 'restriction' })
    await one.see(first, ({ state }) => state === 'completed')
    const second = await one.open(one.grace, { type: 'restriction' })
    await one.see(second, ({ state }) => state === 'completed')
    const end = await one.open(one.grace, lifting(first))
    await one.see(end, ({ state }) => state === 'cooling_off')
    await noticeOf(end)
    await one.pass(73)
    await one.see(end, ({ state }) => state === 'completed')
    expect(await restricting(GRACE)).toHaveLength(5)
    expect(await one.standing(GRACE)).toMatchObject({ restricted: true })
    await one.mailTo(GRACE, 'Another one is in force')
  })
})

describe('what the law keeps of an erasure', () => {
  test('stays restricted when a restriction of before is lifted', async () => {
    const first = await one.open(one.kamal, { type: 'restriction', scope: { categories: ['billing'] } })
    await one.see(first, ({ state }) => state === 'completed')
    const erasure = await one.open(one.kamal, { type: 'erasure', scope: { categories: ['billing'] } })
    await one.see(erasure, ({ state }) => state === 'cooling_off')
    await one.pass(73)
    await one.see(erasure, ({ state }) => state === 'completed')
    expect(await restricting(KAMAL)).toEqual(['billing'])

    const end = await one.open(one.officer, lifting(first))
    await one.see(end, ({ state }) => state === 'cooling_off')
    await noticeOf(end)
    await one.pass(73)
    await one.see(end, ({ state }) => state === 'completed')
    expect(await restricting(KAMAL)).toEqual(['billing'])
  })
})
