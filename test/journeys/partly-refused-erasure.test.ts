import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
})
afterAll(() => one.close())

const refusalOf = (category: string) => ({
  kind: 'refuse_partly',
  ground: '17_3_e',
  reasons: `A claim about ${category} is before the court.`,
  parts: { categories: [category] },
})

/** An erasure of which a category is refused while it cools off. @returns the request once it has been carried out */
async function erasedBut(category: string, person: 'kamal' | 'grace') {
  const at = await one.open(one[person], { type: 'erasure' })
  await one.see(at, ({ state }) => state === 'cooling_off')
  const headers = { 'if-match': (await one.officer(at)).headers.get('etag') ?? '' }
  expect((await one.officer(`${at}/decisions`, { body: refusalOf(category), headers })).status).toBe(201)
  expect((await one.officer(at)).body.state).toBe('cooling_off')
  await one.pass(73)
  return one.see(at, ({ state }) => state === 'completed')
}

const standingOf = async (email: string) =>
  (
    await one.as.service({ scope: 'subjects:lookup' })('/v1/subjects/lookup', {
      body: { identities: [{ type: 'email', value: email }] },
    })
  ).body.subjects[0]

describe('an erasure of which a part is refused', () => {
  test('is not refused part by part until nothing is left of it', async () => {
    const at = await one.open(one.kamal, { type: 'erasure', scope: { categories: ['support', 'billing'] } })
    await one.see(at, ({ state }) => state === 'cooling_off')
    const refuse = async (category: string) =>
      one.officer(`${at}/decisions`, {
        body: refusalOf(category),
        headers: { 'if-match': (await one.officer(at)).headers.get('etag') ?? '' },
      })
    expect((await refuse('support')).status).toBe(201)
    const { status, body } = await refuse('billing')
    expect([status, body.errors]).toEqual([422, [{ pointer: '/parts', detail: 'That is all of it: refuse the whole.' }]])
    expect((await one.kamal(`${at}/withdrawal`, { method: 'POST' })).status).toBe(200)
  })

  test('leaves that part alone, and certifies no more than what is gone', async () => {
    const before = await one.lms.query('SELECT count(*)::int AS n FROM lms_support.tickets')
    expect(before.rows[0].n).toBeGreaterThan(0)
    const { completeness } = await erasedBut('support', 'kamal')
    expect(completeness.complete).toBe(false)
    const missing = completeness.missing.map(({ adapter, outcome, reason }: Record<string, string>) => [adapter, outcome, reason])
    expect(missing).toEqual(missing.map(() => ['support', 'refused', '17_3_e']))
    expect(missing.length).toBeGreaterThan(1)
    expect(await one.lms.query('SELECT count(*)::int AS n FROM lms_support.tickets')).toMatchObject({ rows: before.rows })
    const { text } = await one.service.mailbox.waitFor(
      mail => mail.envelope.to.includes(KAMAL.email) && mail.text.includes('We did not erase this'),
      5000,
    )
    expect(text).toContain('except for what is named below')
    expect(await standingOf(KAMAL.email)).toMatchObject({ erased: true })
  })

  test('does not say that somebody is erased whose account stays', async () => {
    await erasedBut('account', 'grace')
    expect(await standingOf(GRACE.email)).toMatchObject({ erased: false })
  })
})
