import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { type Service, startService } from '../support/service.ts'

const EXTENSION = { reason: 'scattered_sources', text: 'canary-text: your data lie in eleven systems.' }
const QUESTION = { reason: 'clarification', question: 'canary-question: which courses do you mean?' }

interface Opened {
  at: string
  id: string
  email: string
  person: Call
}

let service: Service
let started: Date

const as = () => callers(service)
const officer: Call = (...call) => as().agent(['privacy_officer'], 'officer-1')(...call)
const agent: Call = (...call) => as().agent(['agent'], 'agent-1')(...call)
/** Noon of a day at the controller's, in Colombo: the same day in Berlin. */
const noonOf = (day: string) => moveTo(`${day}T12:00:00+05:30`)
const moveTo = (instant: string | Date) => service.clock.advance(new Date(instant).getTime() - service.clock.now().getTime())

beforeAll(async () => {
  service = await startService({ working: false })
  started = service.clock.now()
})
afterEach(() => moveTo(started))
afterAll(() => service.close())

/** A request that comes now, of somebody at the portal. */
async function opened(subject: object = {}): Promise<Opened> {
  const userId = randomUUID()
  const email = `${userId}@example.org`
  const person = as().person(userId, email)
  const { body } = await person('/v1/requests', { body: { type: 'access', subject } })
  return { at: `/v1/requests/${body.id}`, id: body.id, email, person }
}
const extend = (call: Call, at: string, body: object = EXTENSION) => call(`${at}/extensions`, { body })
const ask = (call: Call, at: string, body: object = QUESTION) => call(`${at}/pauses`, { body })
const answered = (call: Call, at: string, pause: string, body = {}) => call(`${at}/pauses/${pause}/answer`, { body })
const clockOf = async (at: string, id: string) =>
  (await officer(`${at}/clocks`)).body.clocks.find((clock: { id: string }) => clock.id === id)
const daysOf = async (at: string) => {
  const { dueOn, legalDueOn } = (await officer(at)).body
  return { dueOn, legalDueOn }
}
const lettersOf = (id: string, kind: string) =>
  service.sql<{ id: string }>('SELECT id FROM letter WHERE request_id = $1 AND kind = $2', [id, kind])
async function mailOf({ id, email }: Opened, kind: string) {
  const [letter] = await lettersOf(id, kind)
  await service.app.handlers['send-letter']({ letterId: letter?.id ?? '' })
  return service.mailbox.waitFor(({ envelope }) => envelope.to.includes(email), 5000)
}
const eventsOf = async (at: string) => (await officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)

describe('an extension', () => {
  test.each([
    ['2026-03-05', '2026-04-04', '2026-06-05'],
    ['2026-08-31', '2026-09-30', '2026-11-30'],
    ['2026-01-31', '2026-02-28', '2026-04-30'],
    ['2028-01-31', '2028-02-29', '2028-04-30'],
    ['2026-11-25', '2026-12-25', '2027-02-25'],
  ])('of what came on %s leaves the promise on %s and leads to %s', async (receivedOn, dueOn, legalDueOn) => {
    noonOf(receivedOn)
    const { at } = await opened()
    const { status, body, headers } = await extend(officer, at)
    expect([status, body]).toEqual([
      201,
      {
        ...{ reason: 'scattered_sources', announcedOn: receivedOn, dueOn, legalDueOn },
        dpv: expect.stringMatching(/#ComplexityOfProcess$/),
      },
    ])
    expect(await daysOf(at)).toEqual({ dueOn, legalDueOn })
    expect(headers.get('etag')).toBe((await officer(at)).headers.get('etag'))
    expect(await clockOf(at, 'eu_gdpr')).toMatchObject({ extendedDueOn: legalDueOn })
    expect((await clockOf(at, 'promise')).extendedDueOn).toBeUndefined()
  })

  test('is announced in the letter that belongs to it, with the reasons and the new day', async () => {
    noonOf('2026-01-31')
    const one = await opened()
    await extend(officer, one.at)
    const { text } = await mailOf(one, 'extension')
    expect(text).toContain(EXTENSION.text)
    expect(text).toContain('April 30, 2026')
  })

  test('is possible on the last day of the month and not on the one after', async () => {
    noonOf('2027-04-05')
    const [inTime, tooLate] = [await opened(), await opened()]
    noonOf('2027-05-05')
    expect((await extend(officer, inTime.at)).status).toBe(201)
    noonOf('2027-05-06') // the 31st day
    const { status, body } = await extend(officer, tooLate.at)
    expect([status, body.code]).toEqual([409, 'out_of_time'])
    expect(await daysOf(tooLate.at)).toEqual({ dueOn: '2027-05-05', legalDueOn: '2027-05-05' })
    expect(await lettersOf(tooLate.id, 'extension')).toEqual([])
  })

  test('is too late as soon as it is for the person or for us', async () => {
    noonOf('2027-04-05')
    const { at } = await opened({ timeZone: 'America/New_York' })
    moveTo('2027-05-05T23:30:00+05:30')
    expect((await extend(officer, at)).status).toBe(201)
    noonOf('2027-04-05')
    const other = await opened({ timeZone: 'America/New_York' })
    moveTo('2027-05-06T00:30:00+05:30') // still the 5th in New York
    expect((await extend(officer, other.at)).status).toBe(409)
  })

  test('comes once, also where two come at once', async () => {
    const { at, id } = await opened()
    const held = await holdingUntilReleased(service, 'SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])
    const both = [extend(officer, at), extend(officer, at, { ...EXTENSION, reason: 'volume_of_data' })]
    await held.waiting(2)
    await held.release()
    const answers = await Promise.all(both)
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('already_exists')
    expect(await lettersOf(id, 'extension')).toHaveLength(1)
  })

  test('is none where its letter cannot be written', async () => {
    const { at, id } = await opened()
    const before = await daysOf(at)
    await service.sql(`CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
      CREATE TRIGGER broken BEFORE INSERT ON letter FOR EACH ROW WHEN (NEW.kind = 'extension') EXECUTE FUNCTION break()`)
    expect((await extend(officer, at)).status).toBe(500)
    await service.sql('DROP TRIGGER broken ON letter; DROP FUNCTION break()')
    expect(await daysOf(at)).toEqual(before)
    expect(await service.sql('SELECT 1 FROM clock_entry WHERE request_id = $1', [id])).toEqual([])
    expect((await extend(officer, at)).status).toBe(201)
  })

  test('is none where nobody can be told', async () => {
    const { body } = await as().anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: `${randomUUID()}@example.org` }] } },
    })
    const answer = await extend(officer, `/v1/requests/${body.id}`)
    expect([answer.status, answer.body.code]).toEqual([422, 'unprocessable'])
  })

  test('is refused where the person’s own law allows no more', async () => {
    expect((await extend(officer, (await opened({ country: 'BR' })).at)).status).toBe(422)
  })

  test('is decided by those who decide, for a reason the law knows', async () => {
    const { at, person } = await opened()
    for (const call of [agent, person, as().service()]) expect((await extend(call, at)).status).toBe(403)
    const wrong = await extend(officer, at, { ...EXTENSION, reason: 'holidays' })
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, '/reason'])
    expect((await extend(officer, at, { ...EXTENSION, text: '  ' })).body.errors[0].pointer).toBe('/text')
  })

  test('is not for what takes effect at once, or has ended', async () => {
    for (const right of ['marketing_opt_out', 'consent_withdrawal']) {
      const { at, id } = await opened()
      await service.sql('UPDATE dsar_request SET "right" = $2 WHERE id = $1', [id, right])
      expect((await extend(officer, at)).status).toBe(422)
    }
    const { at, person } = await opened()
    await person(`${at}/withdrawal`, { method: 'POST' })
    expect((await extend(officer, at)).body.code).toBe('illegal_transition')
  })

  test('quiets the alarms of the day that was, and has alarms of its own', async () => {
    noonOf('2027-09-01')
    const { at, id } = await opened()
    const alarms = () =>
      service.sql<{ due: string }>('SELECT due_on::text AS due FROM deadline_alarm WHERE request_id = $1 ORDER BY due_on', [id])
    noonOf('2027-09-30')
    await service.app.handlers['watch-deadlines']({})
    expect((await officer(at)).body.flags).toContain('late_risk')
    await extend(officer, at)
    expect((await officer(at)).body.flags).toEqual([])

    noonOf('2027-10-15') // after the promise, which the notice kept
    await service.app.handlers['watch-deadlines']({})
    expect((await officer(at)).body.flags).toEqual([])
    noonOf('2027-12-02')
    await service.app.handlers['watch-deadlines']({})
    expect((await officer(at)).body.flags.toSorted()).toEqual(['late_risk', 'overdue'])
    expect((await alarms()).map(({ due }) => due)).toEqual([...Array(3).fill('2027-10-01'), ...Array(4).fill('2027-12-01')])
  })
})

describe('a pause', () => {
  test('for clarification excludes its days in the United Kingdom, and the strict day stays', async () => {
    noonOf('2027-09-01')
    const { at } = await opened({ country: 'GB', timeZone: 'Europe/London' })
    noonOf('2027-09-10')
    const { status, body } = await ask(officer, at)
    expect([status, body]).toMatchObject([201, { state: 'waiting', askedOn: '2027-09-10', answeredOn: null }])
    expect(await clockOf(at, 'uk_gdpr')).toMatchObject({ pausedSince: '2027-09-10' })
    noonOf('2027-09-17')
    expect((await answered(agent, at, body.id)).body).toMatchObject({ state: 'answered', answeredOn: '2027-09-17' })
    expect(await clockOf(at, 'uk_gdpr')).toMatchObject({ dueOn: '2027-10-01', pausedDueOn: '2027-10-09' })
    expect(await clockOf(at, 'eu_gdpr')).toMatchObject({ dueOn: '2027-10-01', pausedDueOn: '2027-10-09' })
    expect(await daysOf(at)).toEqual({ dueOn: '2027-10-01', legalDueOn: '2027-10-01' })
  })

  test('for identity starts the count anew in the United Kingdom alone', async () => {
    noonOf('2027-09-01')
    const { at } = await opened({ country: 'GB', timeZone: 'Europe/London' })
    const { body } = await ask(officer, at, { ...QUESTION, reason: 'identity' })
    noonOf('2027-09-17')
    await answered(officer, at, body.id)
    expect(await clockOf(at, 'uk_gdpr')).toMatchObject({ startsOn: '2027-09-17', pausedDueOn: '2027-10-17' })
    expect(await daysOf(at)).toEqual({ dueOn: '2027-10-01', legalDueOn: '2027-10-01' })
  })

  test('asks the person in a letter', async () => {
    const one = await opened()
    await ask(officer, one.at)
    expect((await mailOf(one, 'clarification')).text).toContain(QUESTION.question)
  })

  test('that an agent wants is a proposal until an officer agrees', async () => {
    const one = await opened()
    const { status, body } = await ask(agent, one.at)
    expect([status, body.state, body.askedOn]).toEqual([201, 'proposed', null])
    expect(await lettersOf(one.id, 'clarification')).toEqual([])
    expect((await clockOf(one.at, 'eu_gdpr')).pausedSince).toBeUndefined()
    expect((await answered(agent, one.at, body.id)).status).toBe(409)
    const approval = `${one.at}/pauses/${body.id}/approval`
    expect((await agent(approval, { method: 'POST' })).status).toBe(403)
    expect((await officer(approval, { method: 'POST' })).body.state).toBe('waiting')
    expect((await officer(approval, { method: 'POST' })).status).toBe(409)
    expect(await lettersOf(one.id, 'clarification')).toHaveLength(1)
    expect((await agent(`${one.at}/pauses`)).body.pauses).toMatchObject([{ id: body.id, state: 'waiting' }])
  })

  test('for identity is not for agents to want', async () => {
    expect((await ask(agent, (await opened()).at, { ...QUESTION, reason: 'identity' })).status).toBe(403)
  })

  test('is one at a time for each reason, and answered once, between the asking and today', async () => {
    noonOf('2027-09-10')
    const { at } = await opened()
    const { body } = await ask(officer, at)
    expect((await ask(officer, at)).body.code).toBe('already_exists')
    expect((await ask(officer, at, { ...QUESTION, reason: 'identity' })).status).toBe(201)
    for (const answeredOn of ['2027-09-09', '2027-09-11']) {
      const wrong = await answered(officer, at, body.id, { answeredOn })
      expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, '/answeredOn'])
    }
    expect((await answered(officer, at, body.id)).status).toBe(200)
    expect((await answered(officer, at, body.id)).status).toBe(409)
    expect((await answered(officer, at, randomUUID())).status).toBe(404)
    expect((await ask(officer, at)).status).toBe(201)
  })
})

test('a chaser on the twentieth day changes nothing but what is shown', async () => {
  noonOf('2027-09-01')
  const { at } = await opened()
  noonOf('2027-09-21')
  const before = await daysOf(at)
  expect((await agent(`${at}/chasers`, { body: { on: '2027-09-20' } })).body).toEqual({ on: '2027-09-20' })
  expect((await agent(`${at}/chasers`, { body: { on: '2027-08-31' } })).status).toBe(422)
  expect(await daysOf(at)).toEqual(before)
  const { dueOn, steps } = await clockOf(at, 'eu_gdpr')
  expect([dueOn, steps.at(-1).text]).toEqual(['2027-10-01', 'Asked about on 2027-09-20: not a new request, the clock runs on.'])
})

test('what the person was told is sealed, and the record has the codes alone', async () => {
  const { at, id } = await opened()
  await extend(officer, at)
  await ask(officer, at)
  expect(await eventsOf(at)).toEqual(expect.arrayContaining(['extended', 'paused']))
  const stored = await service.sql<{ row: string }>('SELECT to_jsonb(e)::text AS row FROM clock_entry e')
  const record = await service.sql<{ row: string }>('SELECT facts::text AS row FROM audit_entry WHERE stream = $1', [
    `request:${id}`,
  ])
  for (const text of [...stored, ...record].map(({ row }) => row).concat(service.logs)) {
    expect(text).not.toContain('canary')
    expect(text).not.toContain(Buffer.from('canary').toString('hex'))
  }
  expect((await officer('/v1/audit/verify', { body: {} })).body).toMatchObject({ intact: true })
})
