import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answered, type Call, until } from '../support/callers.ts'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
let neighbour: Call
beforeAll(async () => {
  one = await startLmsCase()
  neighbour = one.as.person('u-neighbour', 'neighbour@street.example')
})
afterAll(() => one.close())

const report = (value: string, more = {}) => ({
  type: 'under_age_report',
  subject: { identities: [{ type: 'email', value }] },
  requester: { relationship: 'reporter' },
  ...more,
})
const hasAccount = async (userId: string) =>
  (await one.lms.query('SELECT 1 FROM lms_accounts.users WHERE user_id = $1', [userId])).rowCount === 1
const isShown = async (userId: string) =>
  (await one.lms.query('SELECT 1 FROM lms_accounts.shown_profiles WHERE user_id = $1', [userId])).rowCount === 1
/** The reports about somebody, as the staff find them, the oldest first. */
async function reportsOn(value: string): Promise<Answered['body'][]> {
  const { body } = await one.officer('/v1/requests/search', {
    body: { identity: { type: 'email', value }, type: 'under_age_report' },
  })
  return body.requests.sort((a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1))
}
const pathOf = ({ id }: Answered['body']) => `/v1/requests/${id}`
const said = ({ status, headers, body: { id, receivedAt, createdAt, links, ...body } }: Answered) => ({
  status,
  etag: headers.get('etag'),
  body,
})
const isRestricted = (expected: boolean) =>
  until(
    () => one.as.service()('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: KAMAL.email }] } }),
    ({ body }) => body.subjects[0].restricted === expected,
  )

/** Waits until a request of our own has ended what a report began. */
const givenBack = () =>
  until(
    () => one.officer('/v1/requests?type=restriction'),
    ({ body }) => body.requests.some(({ channel, state }: Answered['body']) => channel === 'system' && state === 'completed'),
  )

describe('who reports a child', () => {
  test.each([
    ['without saying that it is a report', report(KAMAL.email, { requester: undefined }), '/requester/relationship'],
    [
      'with a proof of their own',
      report(KAMAL.email, { assurance: { method: 'login', level: 2, verifiedAt: new Date().toISOString() } }),
      '/assurance',
    ],
    ['of a part of an account', report(KAMAL.email, { scope: { categories: ['usage'] } }), '/scope/categories'],
    ['as any other right', { ...report(KAMAL.email), type: 'erasure' }, '/requester/relationship'],
  ])('is refused %s', async (_, body, pointer) => {
    const refused = await one.as.service()('/v1/requests', { body })
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, pointer])
  })

  test('learns nothing: not even whether there is such an account', async () => {
    const unknown = await neighbour('/v1/requests', { body: report('nobody@campus.example') })
    const known = await neighbour('/v1/requests', { body: report(KAMAL.email.toUpperCase()) })
    const at = pathOf(known.body)
    await one.see(at, ({ state }) => state === 'cooling_off')
    await one.mailTo(KAMAL, 'stopped the account')
    await one.see(pathOf(unknown.body), ({ flags }) => flags.includes('not_identified'))

    const [before, after] = [await neighbour(pathOf(unknown.body)), await neighbour(at)]
    expect(said(known)).toMatchObject({
      status: 201,
      etag: null,
      body: { state: 'received', assurance: { needed: 0, reached: 0 } },
    })
    expect({ ...said(after).body, subject: {} }).toEqual({ ...said(before).body, subject: {} })
    expect(said(after)).toMatchObject({
      status: 200,
      etag: null,
      body: { subject: { identities: [{ value: 'k…@c….example' }] } },
    })
    for (const part of ['timeline', 'clocks', 'decisions', 'details', 'messages', 'package'])
      expect([part, (await neighbour(`${at}/${part}`)).status]).toEqual([part, 404])
    expect((await neighbour('/v1/requests')).body.requests).toEqual([])
    expect((await neighbour('/v1/requests?state=cooling_off')).body.requests).toEqual([])
    const thanks = await one.mailTo({ email: 'neighbour@street.example' }, 'We have received your report')
    expect(thanks).toContain('that concerns another person')
    expect((await neighbour(`${pathOf(unknown.body)}/withdrawal`, { method: 'POST' })).body.state).toBe('withdrawn')
  })
})

describe('an account that was reported', () => {
  test('is stopped at once, in every service, and its owner is told how to contest it', async () => {
    const [open] = await reportsOn(KAMAL.email)
    await until(
      () => one.officer(`${pathOf(open)}/tasks`),
      ({ body }) =>
        body.tasks.filter(({ action, state }: Answered['body']) => action === 'restrict' && state === 'done').length === 5,
    )
    expect(await isShown(KAMAL.userId)).toBe(false)
    expect(await one.standing(KAMAL)).toMatchObject({ restricted: true, erased: false })
    const seen = (await one.kamal(pathOf(open))).body
    expect(seen).toMatchObject({ state: 'cooling_off', requester: { relationship: 'reporter' } })
    expect(Date.parse(seen.coolsOffAt) - Date.parse(seen.createdAt)).toBeGreaterThan(10 * 86_400_000)
    expect(JSON.stringify((await one.kamal(`${pathOf(open)}/timeline`)).body)).not.toContain('neighbour')
    const mails = one.service.mailbox.messages().filter(({ envelope }) => envelope.to.includes(KAMAL.email))
    expect(mails.map(({ text }) => text).join()).not.toMatch(/we received this request from you/)
  })

  test('is not written to as if its owner had asked for anything', async () => {
    const [open] = await reportsOn(KAMAL.email)
    for (const [what, body] of [
      ['extensions', { reason: 'scattered_sources', text: 'Your data lie in eleven systems.' }],
      ['pauses', { reason: 'identity', question: 'Who are you?' }],
      ['pauses', { reason: 'clarification', question: 'Which data do you mean?' }],
    ] as const)
      expect((await one.officer(`${pathOf(open)}/${what}`, { body })).status).toBe(422)
    expect((await one.officer(`${pathOf(open)}/pauses`)).body.pauses).toEqual([])
  })

  test('cannot end that by itself, but have somebody look, who gives it back', async () => {
    const [open] = await reportsOn(KAMAL.email)
    const at = pathOf(open)
    expect((await one.kamal(`${at}/withdrawal`, { method: 'POST' })).status).toBe(403)
    expect((await one.kamal(`${at}/messages`, { body: { text: 'I am 34. My teachers know me.' } })).status).toBe(201)
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    expect((await one.decide(at, { kind: 'approve' })).status).toBe(409) // its time is not over
    const refused = await one.decide(at, { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'canary: an adult.' })
    expect(refused.status).toBe(201)

    await givenBack()
    expect(await one.standing(KAMAL)).toMatchObject({ restricted: false })
    expect(await isShown(KAMAL.userId)).toBe(true)
    await one.mailTo(KAMAL, 'the account can be used again')
    expect((await one.as.person('u-neighbour', 'neighbour@street.example')(at)).body).toMatchObject({
      state: 'received',
      closedAt: null,
    })
    const mails = one.service.mailbox
      .messages()
      .map(({ text }) => text)
      .join()
    expect(mails).not.toContain('canary')
  })

  test('is not stopped by the next report: somebody looks first', async () => {
    const stranger = one.as.person('u-stranger', 'stranger@street.example')
    const { body } = await stranger('/v1/requests', { body: report(KAMAL.email) })
    await one.see(pathOf(body), ({ state, flags }) => state === 'assessing' && flags.includes('needs_decision'))
    expect(await one.standing(KAMAL)).toMatchObject({ restricted: false })
    expect((await one.decide(pathOf(body), { kind: 'approve' })).status).toBe(201)
    const stopped = await one.see(pathOf(body), ({ state }) => state === 'cooling_off')
    expect(stopped.flags).toEqual([])
    await isRestricted(true)
    const withdrawn = await stranger(`${pathOf(body)}/withdrawal`, { method: 'POST' })
    expect([withdrawn.status, withdrawn.body.state]).toEqual([200, 'withdrawn'])
    await isRestricted(false)
    await until(
      () => one.officer('/v1/requests?type=restriction&open=true'),
      ({ body: { requests } }) => requests.length === 0,
    )
    expect(await isShown(KAMAL.userId)).toBe(true)
  })
})

describe('a child', () => {
  let at: string

  test('is reported twice and stopped once; nobody who reports is told of the other', async () => {
    const answers = await Promise.all([
      one.as.anybody('/v1/requests', { body: report(GRACE.email) }),
      neighbour('/v1/requests', { body: report(GRACE.email) }),
      neighbour('/v1/requests', { body: report(GRACE.email) }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    const states = await until(
      async () => ({ ...(await one.officer('/v1/requests')), body: await reportsOn(GRACE.email) }),
      ({ body }) => body.every(({ state }: Answered['body']) => ['cooling_off', 'cancelled'].includes(state)),
    )
    const open = states.body.filter(({ state }: Answered['body']) => state === 'cooling_off')
    expect(open).toHaveLength(1)
    at = pathOf(open[0])
    await one.mailTo(GRACE, 'stopped the account')
    const told = one.service.mailbox
      .messages()
      .filter(
        ({ envelope, subject }) => envelope.to.includes(GRACE.email) && subject === 'An important message about your account',
      )
    expect(told).toHaveLength(1)
  })

  test('is erased once the time to contest is over and somebody has decided, and not before', async () => {
    await one.pass(24 * 14 + 1)
    const due = await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    expect(due.state).toBe('cooling_off')
    expect(await hasAccount(GRACE.userId)).toBe(true)
    expect((await one.decide(at, { kind: 'approve' })).status).toBe(201)
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.completeness).toMatchObject({ complete: true, adaptersAnswered: 5, missing: [] })
    expect(await hasAccount(GRACE.userId)).toBe(false)
    expect(await hasAccount(KAMAL.userId)).toBe(true)
    expect(await one.standing(GRACE)).toMatchObject({ erased: true, suppressed: true })
    await one.mailTo(GRACE, 'erased the personal data')
  })
})

describe('whoever reports over and over', () => {
  test('is stopped, by their address or by who they are', async () => {
    const vandal = one.as.person('u-vandal', 'vandal@street.example')
    const statuses = []
    for (let n = 0; n < 6; n++)
      statuses.push((await vandal('/v1/requests', { body: report(`nobody-${n}@campus.example`) })).status)
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429])
    expect((await vandal('/v1/requests', { body: { type: 'access', subject: {} } })).status).toBe(201)
  })
})
