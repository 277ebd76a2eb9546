import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
  await one.lms.query('UPDATE lms_accounts.consents SET granted = true')
})
afterAll(() => one.close())

const isOnMailingList = async (userId: string) =>
  (await one.lms.query('SELECT 1 FROM lms_accounts.mailing_list WHERE user_id = $1', [userId])).rowCount === 1
const counted = async (userId: string): Promise<number> =>
  (await one.lms.query('SELECT count(*)::int AS n FROM lms_analytics.counted_events WHERE user_id = $1', [userId])).rows[0].n

/** They subscribed again. */
async function backOnTheList(userId: string): Promise<void> {
  await one.lms.query('UPDATE lms_accounts.consents SET granted = true WHERE user_id = $1', [userId])
  await one.lms.query('DELETE FROM lms_accounts.limits WHERE person = $1', [userId])
  expect(await isOnMailingList(userId)).toBe(true)
}

/** The path of what was split off. */
async function partOf(at: string): Promise<string> {
  const { entries } = (await one.officer(`${at}/timeline`)).body
  const { facts } = entries.find(({ event }: { event: string }) => event === 'marketing_split_off')
  return `/v1/requests/${facts.request}`
}

const REASONS = 'canary-reasons: I do not want to be counted.'

describe('an objection to direct marketing', () => {
  test('is carried out at once and decided by nobody', async () => {
    expect(await isOnMailingList(KAMAL.userId)).toBe(true)
    const at = await one.open(one.kamal, { type: 'objection', details: { purposes: ['marketing'] } })
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.flags).toEqual([])
    expect(await isOnMailingList(KAMAL.userId)).toBe(false)
    expect(await one.standing(KAMAL)).toMatchObject({ objectedTo: ['marketing'], suppressed: true })
    expect(await one.mailTo(KAMAL, 'We accept your objection')).toContain('advertising')
    expect((await one.officer(`${at}/decisions`)).body.decisions).toEqual([])
  })
})

describe('an objection to another use', () => {
  test('waits for a person, and nothing changes meanwhile', async () => {
    const before = await counted(KAMAL.userId)
    expect(before).toBeGreaterThan(0)
    const at = await one.open(one.kamal, { type: 'objection', details: { purposes: ['analytics'], reasons: REASONS } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    expect((await one.officer(`${at}/details`)).body).toEqual({ purposes: ['analytics'], reasons: REASONS })
    expect((await one.grace(`${at}/details`)).status).toBe(404)
    expect(await counted(KAMAL.userId)).toBe(before)
    expect((await one.standing(KAMAL)).objectedTo).toEqual(['marketing'])

    expect((await one.decide(at, { kind: 'approve' })).status).toBe(201)
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.completeness).toMatchObject({ complete: true, missing: [] })
    expect(done.flags).toEqual([])
    expect(await counted(KAMAL.userId)).toBe(0)
    expect(await counted(GRACE.userId)).toBeGreaterThan(0)
    expect((await one.standing(KAMAL)).objectedTo).toEqual(['analytics', 'marketing'])
    expect(await one.mailTo(KAMAL, 'analysing how the service is used')).toContain('We accept your objection')
  })

  test('is refused for compelling grounds alone, which the person is told with where to complain', async () => {
    const before = await counted(GRACE.userId)
    const at = await one.open(one.grace, { type: 'objection', details: { purposes: ['analytics'], reasons: REASONS } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    const wrong = await one.decide(at, { kind: 'refuse', ground: '17_3_b', reasons: 'We need it.' })
    expect(wrong.status).toBe(422)
    const refused = await one.decide(at, { kind: 'refuse', ground: 'compelling_grounds', reasons: 'It shows us abuse.' })
    expect(refused.status).toBe(201)
    expect((await one.officer(at)).body.state).toBe('refused')
    const mail = await one.mailTo(GRACE, 'Article 21(1) GDPR')
    expect(mail).toContain('It shows us abuse.')
    expect(mail).toContain('Article 77 GDPR')
    expect(await counted(GRACE.userId)).toBe(before)
    expect((await one.standing(GRACE)).objectedTo).toEqual([])
  })

  test('that is to marketing as well is two requests: that one ends at once, and the rest is weighed', async () => {
    const before = await counted(GRACE.userId)
    const at = await one.open(one.grace, { type: 'objection', details: { purposes: ['marketing', 'analytics'] } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    const part = await partOf(at)
    const done = await one.see(part, ({ state }) => state === 'completed')
    expect(await isOnMailingList(GRACE.userId)).toBe(false)
    expect(await counted(GRACE.userId)).toBe(before)
    expect(await one.standing(GRACE)).toMatchObject({ objectedTo: ['marketing'], suppressed: true })
    expect(await one.mailTo(GRACE, 'whatever becomes of the rest of your objection')).toContain('advertising')
    // Both are hers, of the same day, and each says where it came from or went.
    const { body: whole } = await one.grace(at)
    expect([whole.state, whole.receivedAt, whole.dueOn]).toEqual(['assessing', done.receivedAt, done.dueOn])
    expect((await one.grace(part)).status).toBe(200)
    expect((await one.officer(`${at}/details`)).body).toEqual({ purposes: ['marketing', 'analytics'] })
    expect((await one.officer(`${part}/details`)).body).toEqual({ purposes: ['marketing'] })
    const { body: opened } = await one.officer(`${part}/timeline`)
    const proven = opened.entries.find(({ event }: { event: string }) => event === 'identity_confirmed')
    expect(`/v1/requests/${proven.facts.shownFor}`).toBe(at)

    await one.service.app.handlers.assess({ requestId: whole.id }) // again, nothing happens
    expect((await one.events(at)).filter(event => event === 'marketing_split_off')).toHaveLength(1)
    const marketing = {
      kind: 'refuse_partly',
      ground: 'compelling_grounds',
      reasons: 'Abuse.',
      parts: { purposes: ['marketing'] },
    }
    expect((await one.decide(at, marketing)).status).toBe(422)
    expect((await one.decide(at, { kind: 'approve' })).status).toBe(201)
    await one.see(at, ({ state }) => state === 'completed')
    expect(await counted(GRACE.userId)).toBe(0)
    expect((await one.standing(GRACE)).objectedTo).toEqual(['analytics', 'marketing'])
    expect(await one.mailTo(GRACE, 'analysing how the service is used')).not.toContain('advertising')
  })

  test.each([
    ['is cancelled', (at: string) => one.post(one.officer, at, 'cancellation', { reason: 'opened_by_mistake' })],
    ['is taken back', (at: string) => one.post(one.kamal, at, 'withdrawal')],
    [
      'is refused',
      (at: string) => one.decide(at, { kind: 'refuse', ground: 'compelling_grounds', reasons: 'It shows us abuse.' }),
    ],
  ])('ends marketing for good, also where the rest %s', async (_, end) => {
    await backOnTheList(KAMAL.userId)
    const at = await one.open(one.kamal, { type: 'objection', details: { purposes: ['analytics', 'marketing'] } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    expect([200, 201]).toContain((await end(at)).status)
    const part = await partOf(at)
    await one.see(part, ({ state }) => state === 'completed')
    expect(await isOnMailingList(KAMAL.userId)).toBe(false)
    expect(await one.standing(KAMAL)).toMatchObject({ suppressed: true })
    expect((await one.post(one.kamal, part, 'withdrawal')).status).toBe(409)
  })

  test('that was never proven ends nothing', async () => {
    const agent = one.as.agent(['agent'], 'agent-7')
    const identities = [{ type: 'email', value: 'nobody-known@example.org' }]
    const ticket = { channel: 'support_ticket', reference: 'ZD-7' }
    const body = { type: 'objection', subject: { identities }, ...ticket, details: { purposes: ['marketing', 'analytics'] } }
    const at = await one.open(agent, body)
    await one.see(at, ({ flags }) => flags.includes('not_identified'))
    expect(await one.events(at)).not.toContain('marketing_split_off')
    expect((await one.post(one.officer, at, 'cancellation', { reason: 'not_our_data' })).status).toBe(200)
    expect(await one.standing({ email: 'nobody-known@example.org' })).toMatchObject({ objectedTo: [], suppressed: false })
  })

  test('to what an adapter cannot end is ended by hand, on the record, and not by whoever asked', async () => {
    const at = await one.open(one.kamal, { type: 'objection', details: { purposes: ['security'] } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    await one.decide(at, { kind: 'approve' })
    await one.see(at, ({ flags }) => flags.includes('failed_task'))
    const failed = (await one.officer(`${at}/tasks`)).body.tasks.filter(({ state }: { state: string }) => state === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    for (const { id, asked } of failed) {
      const datasets = asked.map((name: string) => ({ name, outcome: 'completed' }))
      const say = { body: { datasets, reference: 'OPS-7' } }
      const own = await one.as.agent(['dpo'], KAMAL.userId)(`${at}/tasks/${id}/outcome`, say)
      expect(own.status).toBe(404)
      const done = await one.officer(`${at}/tasks/${id}/outcome`, say)
      expect([done.status, done.body.state]).toEqual([200, 'done'])
      expect((await one.officer(`${at}/tasks/${id}/outcome`, say)).status).toBe(409)
    }
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.flags).toEqual(['staff_subject']) // who has called as staff with his own id
    expect(await one.events(at)).toContain('task_settled_by_hand')
  })

  test('says why to those who decide, and to no log', async () => {
    expect(one.service.logs.join('')).not.toContain('canary-reasons')
    const rows = await one.service.sql('SELECT facts::text FROM audit_entry')
    expect(JSON.stringify(rows)).not.toContain('canary-reasons')
  })
})
