import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { addDays, dayIn } from '../../src/domain/day.ts'
import { type Answered, until } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { linkIn } from '../support/letters.ts'
import { settled } from '../support/registers.ts'
import { AGENT, type RepresentedCase, SEEN_ON, startRepresentedCase } from '../support/represented-case.ts'

let one: RepresentedCase
beforeAll(async () => {
  one = await startRepresentedCase()
})
afterAll(() => one.close())

const DAY_MS = 86_400_000
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10)
/** The day so many years ago, or so many days before it. */
function yearsAgo(years: number, days = 0): string {
  const day = new Date()
  day.setUTCFullYear(day.getUTCFullYear() - years)
  return new Date(day.getTime() - days * DAY_MS).toISOString().slice(0, 10)
}
const parent = (age: number) => ({ evidence: 'birth_certificate', childBornOn: yearsAgo(age, 2) })
const heir = (years: number, days = 0) => ({ evidence: 'probate', diedOn: yearsAgo(years, days) })
const COURT = { evidence: 'court_order' }
const newAgent = () => ({ name: 'Marta Lind', email: `agent${Math.random().toString(36).slice(2)}@agency.example` })
const isZip = (bytes: Buffer) => bytes.subarray(0, 2).toString() === 'PK'
const said = ({ status, body }: Answered) => [
  status,
  body.code,
  ...(body.errors ?? []).map(({ pointer }: { pointer: string }) => pointer),
]
const eventsOf = async (at: string) => (await one.facts(at)).map(({ event }) => event)

describe('an authorized agent', () => {
  test('T45 has two people look at the mandate and the person confirm it, who gets the answer: nobody is asked for content before', async () => {
    const ana = one.newcomer()
    const before = one.contentCalls()
    const at = await one.ask('authorized_agent', ana)
    expect((await one.officer(at)).body).toMatchObject({ state: 'verifying', flags: ['mandate_needed'] })
    expect([one.mailsTo(ana.email), one.mailsTo(AGENT.email)]).toEqual([[], []])

    const noted = await one.note(at, { covers: ['access', 'erasure'] })
    expect(noted.body).toMatchObject({ state: 'proposed', voice: 'decides', delivery: 'subject', covers: ['access', 'erasure'] })
    await settled(one.service)
    expect(one.mailsTo(ana.email)).toEqual([])
    expect((await one.approve(at, noted)).body).toMatchObject({ state: 'approved' })
    await settled(one.service)
    expect((await one.officer(at)).body).toMatchObject({ state: 'verifying', flags: [], assurance: { reached: 0 } })
    const [asked] = one.mailsTo(ana.email)
    expect([asked?.subject, asked?.text.includes('Marta Lind acts for you')]).toEqual(['Does somebody act for you?', true])
    expect(one.contentCalls()).toBe(before)

    expect((await one.prove(at, 'email_code', one.codeTo(ana.email))).status).toBe(200)
    await one.see(at, 'completed')
    expect(isZip(await one.download(ana.email))).toBe(true)
    expect(one.mailsTo(AGENT.email)).toEqual([])
  })

  test('A25 without an approved mandate comes to nothing, and its person is not even written to', async () => {
    const ana = one.newcomer()
    const agent = newAgent()
    const before = one.contentCalls()
    const at = await one.ask('authorized_agent', ana, { requester: agent })
    await one.note(at)
    await one.anybody(`${at}/challenges`, { method: 'POST' })
    await settled(one.service)
    expect([one.mailsTo(ana.email), one.mailsTo(agent.email), one.contentCalls()]).toEqual([[], [], before])
    // Even where the person comes forward of themself: their word is no mandate.
    const person = one.as.person(ana.userId, ana.email)
    expect((await person(`${at}/proofs`, { body: { method: 'portal_login' } })).status).toBe(200)
    await settled(one.service)
    expect([(await one.officer(at)).body.state, one.contentCalls()]).toEqual(['verifying', before])
  })

  test('A25 is not the person: neither a login of theirs, nor a code to an address that they have as well, nor a service confirms it', async () => {
    const ana = one.newcomer()
    const login = one.as.person('u-agent-77', 'agent77@agency.example')
    const at = await one.ask('authorized_agent', ana, { requester: { name: 'Marta Lind' } }, login)
    await one.mandate(at)
    expect((await login(`${at}/proofs`, { body: { method: 'portal_login' } })).status).toBe(404)
    expect((await one.anybody(`${at}/proofs`, { body: { method: 'requester_code', code: '0000-0000' } })).status).toBe(401)

    const shared = one.newcomer()
    const crm = one.as.service()
    const body = {
      type: 'access',
      subject: { identities: [{ type: 'user_id', value: shared.userId }] },
      requester: { relationship: 'authorized_agent', name: 'Marta Lind', email: shared.email.toUpperCase() },
    }
    const opened = await crm('/v1/requests', { body })
    await settled(one.service)
    const other = `/v1/requests/${opened.body.id}`
    await one.mandate(other)
    expect(one.mailsTo(shared.email)).toEqual([])
    expect((await one.officer(other)).body).toMatchObject({ state: 'verifying', flags: ['not_identified'] })
    const assurance = { method: 'visit', level: 3, verifiedAt: new Date().toISOString() }
    expect((await crm(`${other}/proofs`, { body: { method: 'service_assertion', assurance } })).status).toBe(409)
  })

  test('gets the answer only if the mandate says so, the person says so too, and the address is shown to be theirs', async () => {
    const ana = one.newcomer()
    const agent = newAgent()
    const at = await one.ask('authorized_agent', ana, { requester: agent })
    await one.mandate(at, { deliverToRequester: true })
    expect(one.mailsTo(ana.email)[0]?.text.replace(/\s+/g, ' ')).toContain('that it shall go to Marta Lind')
    expect(one.mailsTo(agent.email)).toEqual([])
    await one.prove(at, 'email_code', one.codeTo(ana.email), { deliverToRequester: true })
    expect((await one.officer(at)).body.state).toBe('verifying')
    expect((await one.prove(at, 'requester_code', one.codeTo(agent.email))).status).toBe(200)
    await one.see(at, 'completed')
    await settled(one.service)
    expect(one.mailsTo(ana.email).filter(({ text }) => text.includes('/v1/downloads/'))).toEqual([])
    expect(isZip(await one.download(agent.email))).toBe(true)
    expect(await eventsOf(at)).toEqual(expect.arrayContaining(['mandate_approved', 'delivery_allowed', 'requester_reached']))
  })

  test('does not get it where the person said nothing of it, nor can the person allow what nobody asked for', async () => {
    const ana = one.newcomer()
    const agent = newAgent()
    const at = await one.ask('authorized_agent', ana, { requester: agent })
    await one.mandate(at)
    const code = one.codeTo(ana.email)
    expect(said(await one.prove(at, 'email_code', code, { deliverToRequester: true }))).toEqual([
      422,
      'unprocessable',
      '/deliverToRequester',
    ])
    await one.prove(at, 'email_code', code)
    await one.see(at, 'completed')
    await settled(one.service)
    expect(one.mailsTo(agent.email)).toEqual([])
    expect(isZip(await one.download(ana.email))).toBe(true)
  })

  test('T46 needs what the person would need: a code is not enough to erase, whoever asks', async () => {
    const ana = one.newcomer()
    const at = await one.ask('authorized_agent', ana, { type: 'erasure' })
    await one.mandate(at)
    await one.prove(at, 'email_code', one.codeTo(ana.email))
    expect((await one.officer(at)).body).toMatchObject({ state: 'verifying', assurance: { needed: 2, reached: 1 } })
    expect(one.mailsTo(ana.email).map(({ subject }) => subject)).toContain('One more step for your request')
    const person = one.as.person(ana.userId, ana.email)
    expect((await person(`${at}/proofs`, { body: { method: 'portal_login' } })).status).toBe(200)
    await one.see(at, 'cooling_off')
  })

  test('T48 sees at the portal where it stands, and nothing below it: no contents, no identities that they did not give', async () => {
    const ana = one.newcomer()
    const agent = one.as.person('u-agent-48', 'agent48@agency.example')
    const at = await one.ask('authorized_agent', ana, { requester: { name: 'Marta Lind' } }, agent)
    const unknown = await one.ask(
      'authorized_agent',
      { userId: 'u-none', email: 'rex@example.org' },
      { requester: { name: 'Marta Lind' } },
      agent,
    )
    const shape = ({ body: { id, subject, createdAt, receivedAt, links, ...rest } }: Answered) => rest
    expect(shape(await agent(at))).toEqual(shape(await agent(unknown)))
    expect((await agent(at)).headers.get('etag')).toBeNull()
    await one.mandate(at)
    await one.prove(at, 'email_code', one.codeTo(ana.email))
    await one.see(at, 'completed')
    const seen = await agent(at)
    expect(seen.body).toMatchObject({ state: 'completed', completeness: null, links: { self: at } })
    expect(seen.body.subject.identities).toEqual([{ type: 'email', value: 'r…@e….org' }])
    for (const part of ['timeline', 'details', 'messages', 'package', 'recipients', 'plan', 'decisions', 'clocks', 'forwardings'])
      expect([part, (await agent(`${at}/${part}`)).status]).toEqual([part, 404])
    expect((await agent(`${at}/package/links`, { method: 'POST' })).status).toBe(404)
    expect((await agent(`${at}/package/grants`, { method: 'POST' })).status).toBe(404)
    const listed = (await agent('/v1/requests')).body.requests
    expect(listed).toEqual([(await agent(at)).body, (await agent(unknown)).body])
    expect((await one.as.person(ana.userId, ana.email)('/v1/requests')).body.requests).toHaveLength(1)
  })

  test('may take it back, and so may the person', async () => {
    const [ana, ben] = [one.newcomer(), one.newcomer()]
    const agent = one.as.person('u-agent-49', 'agent49@agency.example')
    const theirs = await one.ask('authorized_agent', ana, { requester: { name: 'Marta Lind' } }, agent)
    expect((await agent(`${theirs}/withdrawal`, { method: 'POST' })).body.state).toBe('withdrawn')
    const about = await one.ask('authorized_agent', ben)
    expect((await one.as.person(ben.userId, ben.email)(`${about}/withdrawal`, { method: 'POST' })).body.state).toBe('withdrawn')
  })
})

describe('a mandate', () => {
  test('T47 takes two people: not one in two roles, not one with two tokens, nor whoever opened the request', async () => {
    const ana = one.newcomer()
    const two = ['agent', 'privacy_officer']
    const at = await one.ask(
      'authorized_agent',
      ana,
      { channel: 'phone', reference: 'ZD-5' },
      one.as.agent(['privacy_officer'], 'opener'),
    )
    const noted = await one.note(at, {}, one.as.agent(two, 'twofold'))
    for (const by of [one.as.agent(two, 'twofold'), one.as.agent(['dpo'], 'twofold'), one.as.agent(['dpo'], 'opener')])
      expect(said(await one.approve(at, noted, by))).toEqual([403, 'second_person_needed'])
    expect(said(await one.note(at, {}, one.as.agent(['agent'], 'opener')))).toEqual([403, 'second_person_needed'])
    expect((await one.officer(at)).body.flags).toEqual(['mandate_needed'])
    expect((await one.approve(at, noted)).status).toBe(200)
    expect(said(await one.approve(at, noted, one.dpo))).toEqual([409, 'illegal_transition'])
  })

  test('is not decided on by whoever asks, who may work here as well', async () => {
    const at = await one.ask(
      'authorized_agent',
      one.newcomer(),
      { requester: { name: 'Marta Lind' } },
      one.as.person('colleague-1', 'colleague@agency.example'),
    )
    const noted = await one.note(at)
    for (const call of [
      one.approve(at, noted, one.as.agent(['dpo'], 'colleague-1')),
      one.note(at, {}, one.as.agent(['agent'], 'colleague-1')),
    ])
      expect(said(await call)).toEqual([403, 'not_allowed'])
  })

  test('has to be valid, for this right, of this kind, and seen', async () => {
    const at = await one.ask('authorized_agent', one.newcomer())
    const refused = async (seen: object) => said(await one.note(at, { ...seen })).slice(2)
    expect(await refused({ validUntil: daysFromNow(-2) })).toEqual(['/validUntil'])
    expect(await refused({ covers: ['erasure', 'objection'] })).toEqual(['/covers'])
    expect(await refused({ evidence: 'birth_certificate' })).toEqual(['/evidence'])
    expect(await refused({ seenOn: daysFromNow(3) })).toEqual(['/seenOn'])
    expect(await refused({ seenOn: '1999-01-05' })).toEqual(['/seenOn'])
    const today = dayIn(new Date(), 'Asia/Colombo')
    expect(await refused({ seenOn: addDays(today, -181) })).toEqual(['/seenOn'])
    expect(await refused({ childBornOn: yearsAgo(3), diedOn: yearsAgo(1) })).toEqual(['/childBornOn', '/diedOn'])
    expect((await one.officer(`${at}/mandates`)).body.mandates).toEqual([])
    expect((await one.note(at, { seenOn: addDays(today, -180) })).status).toBe(201)
  })

  test('that ends before it is approved, or before the person confirms, is none any more', async () => {
    const ana = one.newcomer()
    const [late, at] = [await one.ask('authorized_agent', one.newcomer()), await one.ask('authorized_agent', ana)]
    const noted = await one.note(late, { validUntil: daysFromNow(1) })
    await one.mandate(at, { validUntil: daysFromNow(1) })
    one.service.clock.advanceAlone(3 * DAY_MS)
    try {
      expect(said(await one.approve(late, noted))).toEqual([422, 'unprocessable'])
      await one.service.app.handlers['weigh-identity']({ requestId: at.slice(-36) })
      expect((await one.officer(at)).body).toMatchObject({ state: 'verifying', flags: ['mandate_needed'] })
    } finally {
      one.service.clock.advanceAlone(-3 * DAY_MS)
    }
  })

  describe('that is taken back by one officer', () => {
    const revoke = async (at: string, by = one.officer) => {
      const { mandates } = (await one.officer(`${at}/mandates`)).body
      return by(`${at}/mandates/${mandates.at(-1).id}/revocation`, { body: { reason: 'taken_back' } })
    }
    const proven = async (agent: { email: string }, ana = one.newcomer()) => {
      const at = await one.ask('authorized_agent', ana, { requester: agent })
      await one.mandate(at, { deliverToRequester: true })
      await one.prove(at, 'email_code', one.codeTo(ana.email), { deliverToRequester: true })
      return { at, ana }
    }

    test('before the answer has the request wait for another, and for the person to confirm that anew', async () => {
      const agent = newAgent()
      const { at, ana } = await proven(agent)
      const code = one.codeTo(agent.email)
      const before = one.contentCalls()
      expect((await revoke(at, one.agent)).status).toBe(403)
      expect((await revoke(at)).body).toMatchObject({ state: 'revoked', revoked: { by: expect.stringMatching(/officer-1$/) } })
      expect(said(await revoke(at))).toEqual([409, 'illegal_transition'])
      await settled(one.service)
      expect((await one.prove(at, 'requester_code', code)).status).toBe(401)
      expect((await one.officer(at)).body).toMatchObject({
        state: 'verifying',
        flags: ['mandate_needed'],
        assurance: { reached: 0 },
      })
      expect(one.contentCalls()).toBe(before)
      await one.mandate(at)
      await one.prove(at, 'email_code', one.codeTo(ana.email))
      await one.see(at, 'completed')
      expect(isZip(await one.download(ana.email))).toBe(true)
    })

    test('after the answer makes the link that was mailed, and what was opened with it, worthless', async () => {
      const agent = newAgent()
      const { at } = await proven(agent)
      await one.prove(at, 'requester_code', one.codeTo(agent.email))
      await one.see(at, 'completed')
      await settled(one.service)
      const letter = one.mailsTo(agent.email).find(({ text }) => text.includes('/v1/downloads/'))
      if (!letter) throw new Error('No link was mailed.')
      const open = () => one.anybody(linkIn(letter), { body: { step: 'send' } })
      expect((await open()).status).toBe(202)
      expect((await revoke(at)).status).toBe(200)
      expect([(await open()).status, (await one.officer(at)).body.flags]).toEqual([410, []])
      expect(said(await one.officer(`${at}/package/links`, { method: 'POST' }))).toEqual([409, 'illegal_transition'])
    })

    test('while the package is made has it handed over to nobody until another is approved', async () => {
      const agent = newAgent()
      const held = await holdingUntilReleased(one.service, 'LOCK TABLE link IN EXCLUSIVE MODE')
      const { at, ana } = await proven(agent)
      await one.anybody(`${at}/proofs`, { body: { method: 'requester_code', code: one.codeTo(agent.email) } })
      await one.see(at, 'delivering')
      await held.waiting(1) // the hand-over has the request and makes the link
      const revoking = revoke(at)
      await held.waiting(2)
      await held.release()
      expect((await revoking).status).toBe(200)
      await settled(one.service)
      const live = 'SELECT 1 FROM link WHERE request_id = $1 AND revoked_at IS NULL'
      expect(await one.service.sql(live, [at.slice(-36)])).toEqual([])
      expect(one.mailsTo(ana.email).filter(({ text }) => text.includes('/v1/downloads/'))).toEqual([])
    })

    /** What happens while the register cannot be asked for content. */
    const whileSuspended = async (work: () => Promise<void>) => {
      const operator = one.as.agent(['operator'])
      const [{ id }] = (await operator('/v1/adapters')).body.adapters
      const suspension = `/v1/adapters/${id}/suspension`
      await operator(suspension, { method: 'POST' })
      await work().finally(() => operator(suspension, { method: 'DELETE' }))
    }

    const confirmed = (at: string, email: string) =>
      one.anybody(`${at}/proofs`, { body: { method: 'email_code', code: one.codeTo(email) } })
    /** With a login that is later than whatever was shown before. */
    const loggedIn = (at: string, { userId, email }: { userId: string; email: string }) =>
      one.as.person(userId, email, { auth_time: Math.floor(Date.now() / 1000) + 2 })(`${at}/proofs`, {
        body: { method: 'portal_login' },
      })

    test('before it is collected has nobody asked for content, even if the person logs in: their word is no mandate', async () => {
      const ana = one.newcomer()
      const at = await one.ask('authorized_agent', ana)
      await one.mandate(at)
      const before = one.contentCalls()
      await whileSuspended(async () => {
        await confirmed(at, ana.email)
        await one.see(at, 'fulfilling')
        expect((await revoke(at)).status).toBe(200)
        expect((await loggedIn(at, ana)).status).toBe(200)
      })
      await one.service.app.handlers['dispatch-tasks']({})
      const claimed = `SELECT 1 FROM task WHERE request_id = $1 AND action <> 'resolve' AND attempt > 0`
      expect(await one.service.sql(claimed, [at.slice(-36)])).toEqual([])
      expect([(await one.officer(at)).body.state, one.contentCalls()]).toEqual(['fulfilling', before])
      await one.mandate(at)
      await one.see(at, 'completed')
    })

    test('while an erasure cools off has nothing erased when that is over', async () => {
      const ana = one.newcomer()
      const at = await one.ask('authorized_agent', ana, { type: 'erasure' })
      await one.mandate(at)
      expect((await loggedIn(at, ana)).status).toBe(200)
      await one.see(at, 'cooling_off')
      await settled(one.service)
      expect((await revoke(at)).status).toBe(200)
      await settled(one.service)
      const troubled = `SELECT name FROM pgboss.job WHERE name = 'weigh-identity' AND state IN ('retry', 'failed')`
      expect(await one.service.sql(troubled)).toEqual([]) // nobody is to be asked whether somebody acts for them who may not
      expect((await loggedIn(at, ana)).status).toBe(200)
      await settled(one.service)
      one.service.clock.advanceAlone(4 * DAY_MS)
      try {
        await one.service.app.handlers['end-cooling-off']({})
        await settled(one.service)
        await one.service.app.handlers['end-cooling-off']({}) // those who know people have said who it is by now
        await settled(one.service)
        expect((await one.officer(at)).body).toMatchObject({ state: 'cooling_off', flags: ['mandate_needed'] })
      } finally {
        one.service.clock.advanceAlone(-4 * DAY_MS)
      }
    })

    test('or not: an address that was changed meanwhile gets nothing, whoever acts for the person', async () => {
      const ana = one.newcomer()
      const at = await one.ask('authorized_agent', ana)
      await one.mandate(at)
      const { email } = ana
      await whileSuspended(async () => {
        await confirmed(at, email)
        await one.see(at, 'fulfilling')
        one.service.clock.advanceAlone(2 * 3_600_000)
        ana.email = 'eve@evil.example'
      })
      const { body } = await until(
        () => one.officer(at),
        ({ body: { flags } }) => flags.includes('contact_changed'),
      )
      one.service.clock.advanceAlone(-2 * 3_600_000)
      expect([body.state, body.assurance.reached]).toEqual(['delivering', 0])
      expect(one.mailsTo(email).filter(({ text }) => text.includes('/v1/downloads/'))).toEqual([])
      expect(one.mailsTo('eve@evil.example')).toEqual([])
    })

    test('and nothing is handed over where its last day has passed since', async () => {
      const agent = newAgent()
      const ana = one.newcomer()
      const at = await one.ask('authorized_agent', ana, { requester: agent })
      await one.mandate(at, { validUntil: daysFromNow(1) })
      await one.service.sql(`UPDATE mandate SET valid_until = $2 WHERE request_id = $1`, [at.slice(-36), daysFromNow(1)])
      await one.service.sql(`UPDATE dsar_request SET state = 'delivering', assurance = 1 WHERE id = $1`, [at.slice(-36)])
      await one.service.sql(`INSERT INTO sealed_package VALUES ($1, 'x', 1, 1, '', 1, '', now(), now() + interval '14 days')`, [
        at.slice(-36),
      ])
      one.service.clock.advanceAlone(3 * DAY_MS)
      try {
        await one.service.app.handlers['hand-over']({ requestId: at.slice(-36) })
        expect((await one.officer(at)).body).toMatchObject({ state: 'delivering', flags: ['mandate_needed'] })
        expect(await one.service.sql('SELECT 1 FROM link WHERE request_id = $1', [at.slice(-36)])).toEqual([])
      } finally {
        one.service.clock.advanceAlone(-3 * DAY_MS)
      }
    })
  })

  test('that is refused is told to whoever acts, by a reason; another document is another mandate', async () => {
    const agent = newAgent()
    const at = await one.ask('authorized_agent', one.newcomer(), { requester: agent })
    const { body } = await one.note(at)
    expect(said(await one.note(at))).toEqual([409, 'already_exists'])
    const refusal = `${at}/mandates/${body.id}/refusal`
    expect(said(await one.agent(refusal, { body: { reason: 'incomplete' } }))).toEqual([403, 'not_allowed'])
    expect((await one.officer(refusal, { body: { reason: 'incomplete' } })).body).toMatchObject({
      state: 'refused',
      decided: { reason: 'incomplete' },
    })
    await settled(one.service)
    const [told] = one.mailsTo(agent.email)
    expect([told?.subject, told?.text.includes('something is missing')]).toEqual(['We cannot take your mandate', true])
    expect((await one.note(at)).status).toBe(201)
  })

  test('leaves its hash, its days and two decisions on the record: no document, no name, no birthday', async () => {
    const at = await one.ask('parent_or_guardian', one.newcomer(), {
      requester: { name: 'Canary Parent', email: 'canary@p.example' },
    })
    const seen = parent(9)
    await one.mandate(at, seen)
    const record = await one.facts(at)
    expect(record.find(({ event }) => event === 'mandate_proposed')?.facts).toMatchObject({
      evidence: 'birth_certificate',
      seenOn: SEEN_ON,
      voice: 'told',
      delivery: 'requester',
    })
    const kept = await one.service.sql<{ row: string }>(
      `SELECT m::text AS row FROM mandate m UNION ALL SELECT q::text FROM requester q UNION ALL SELECT data::text FROM pgboss.job
       UNION ALL SELECT facts::text FROM audit_entry UNION ALL SELECT l::text FROM letter l`,
    )
    const everything = JSON.stringify([record, kept]) + one.service.logs.join('')
    for (const secret of ['Canary Parent', 'canary@p.example', seen.childBornOn, 'ZD-77-CANARY', 'I, Ana'])
      expect([secret, everything.includes(secret)]).toEqual([secret, false])
    expect((await one.officer(`${at}/mandates`)).body.requester).toEqual({
      relationship: 'parent_or_guardian',
      name: 'Canary Parent',
      email: 'c…@p….example',
      reached: false,
      deliveryAllowed: false,
    })
  })
})

describe('a parent or guardian', () => {
  test('of a small child acts alone, with the proof of that and an address that is theirs; the child is told', async () => {
    const [kim, mum] = [one.newcomer(), newAgent()]
    const before = one.contentCalls()
    const at = await one.ask('parent_or_guardian', kim, { requester: mum })
    await one.mandate(at, parent(9))
    expect((await one.officer(at)).body).toMatchObject({ state: 'verifying', assurance: { reached: 3 } })
    expect([one.contentCalls(), one.mailsTo(kim.email)]).toEqual([before, []])
    await one.prove(at, 'requester_code', one.codeTo(mum.email))
    await one.see(at, 'completed')
    await settled(one.service)
    expect(isZip(await one.download(mum.email))).toBe(true)
    expect(one.mailsTo(kim.email).map(({ subject }) => subject)).toEqual(['Somebody acts for you'])
    expect(one.mailsTo(mum.email).every(({ text }) => !text.includes(kim.email))).toBe(true)
    const letter = one.mailsTo(mum.email).find(({ text }) => text.includes('/v1/downloads/'))
    expect(letter?.text.replace(/\s+/g, ' ')).toContain('You made this request for another person.')
  })

  test.each([
    ['of fourteen in Germany agrees by a code, even where their own word would take a login', 14, 'DE', 'erasure', 'agrees'],
    ['of fourteen in the United States, who decides alone there, proves who they are', 14, 'US', 'erasure', 'decides'],
    ['of sixteen in Germany proves who they are', 16, 'DE', 'erasure', 'decides'],
    ['of twelve is told', 12, 'DE', 'access', 'told'],
  ])('of a child: one %s', async (_, age, country, type, voice) => {
    const kim = one.newcomer()
    const identities = [{ type: 'email', value: kim.email }]
    const at = await one.ask('parent_or_guardian', kim, { type, subject: { identities, country } })
    const noted = await one.note(at, parent(age))
    expect(noted.body).toMatchObject({ voice, delivery: voice === 'told' ? 'requester' : 'subject' })
    await one.approve(at, noted)
    await settled(one.service)
    if (voice === 'told') return
    expect(one.mailsTo(kim.email)[0]?.text).toContain('You have a say in this')
    expect((await one.officer(at)).body.state).toBe('verifying')
    await one.prove(at, 'email_code', one.codeTo(kim.email))
    expect((await one.officer(at)).body.state).toBe(voice === 'agrees' ? 'cooling_off' : 'verifying')
  })

  test('of somebody grown up is none: they act alone', async () => {
    const at = await one.ask('parent_or_guardian', one.newcomer())
    expect(said(await one.note(at, parent(18)))).toEqual([422, 'unprocessable', '/childBornOn'])
    expect(said(await one.note(at, { evidence: 'birth_certificate' }))).toEqual([422, 'unprocessable', '/childBornOn'])
  })

  test('does not get it when a child who is old enough says no', async () => {
    const [kim, mum] = [one.newcomer(), newAgent()]
    const before = one.contentCalls()
    const at = await one.ask('parent_or_guardian', kim, { requester: mum })
    await one.mandate(at, { ...parent(15), deliverToRequester: true })
    expect((await one.as.person(kim.userId, kim.email)(`${at}/withdrawal`, { method: 'POST' })).body.state).toBe('withdrawn')
    expect((await one.prove(at, 'email_code', one.codeTo(kim.email))).status).toBe(409)
    expect([one.contentCalls(), one.mailsTo(mum.email)]).toEqual([before, []])
  })
})

describe('whoever a court appointed', () => {
  test('acts alone once their address is theirs, and the person is told at every address', async () => {
    const [ana, guardian] = [one.newcomer(), newAgent()]
    const before = one.contentCalls()
    const at = await one.ask('court_appointed', ana, { requester: guardian })
    await one.mandate(at, COURT)
    expect([one.contentCalls(), (await one.officer(at)).body.state]).toEqual([before, 'verifying'])
    expect((await one.prove(at, 'requester_code', '0000-0000')).status).toBe(401)
    await one.prove(at, 'requester_code', one.codeTo(guardian.email))
    await one.see(at, 'completed')
    await settled(one.service)
    expect(isZip(await one.download(guardian.email))).toBe(true)
    const [told, ...more] = one.mailsTo(ana.email)
    expect([told?.text.includes('appointed by a court'), more]).toEqual([true, []])
  })

  test('gets three codes an hour, however often they are asked for, and the answer is the same', async () => {
    const guardian = newAgent()
    const ana = one.newcomer()
    const at = await one.ask('court_appointed', ana, { requester: guardian })
    await one.mandate(at, COURT)
    const answers: Answered[] = []
    for (let n = 0; n < 5; n++) {
      answers.push(await one.anybody(`${at}/challenges`, { method: 'POST' }))
      await settled(one.service)
    }
    expect(new Set(answers.map(({ status, bytes }) => `${status} ${bytes}`)).size).toBe(1)
    expect([one.mailsTo(guardian.email).length, one.mailsTo(ana.email).length]).toEqual([3, 0])
  })
})

describe('an heir', () => {
  test('has a copy and erasure with what shows the inheritance; the mailbox of the person is told, in case they live', async () => {
    const [ana, son] = [one.newcomer(), newAgent()]
    const at = await one.ask('heir', ana, { requester: son, type: 'erasure' })
    await one.mandate(at, heir(3))
    await one.prove(at, 'requester_code', one.codeTo(son.email))
    await one.see(at, 'cooling_off')
    await settled(one.service)
    expect(one.mailsTo(ana.email).map(({ subject }) => subject)).toEqual([
      'Somebody acts for you',
      'Please check a request made in your name',
    ])
    const copy = await one.ask('heir', ana, { requester: son })
    await one.mandate(copy, { ...heir(3), evidence: 'proof_of_kinship' })
    await one.prove(copy, 'requester_code', one.codeTo(son.email))
    await one.see(copy, 'completed')
    await settled(one.service)
    expect(isZip(await one.download(son.email))).toBe(true)
  })

  test('in Sri Lanka has ten years', async () => {
    const ana = one.newcomer()
    const identities = [{ type: 'email', value: ana.email }]
    const at = await one.ask('heir', ana, { subject: { identities, country: 'LK' } })
    expect(said(await one.note(at, heir(10, 2)))).toEqual([422, 'unprocessable', '/diedOn'])
    expect(said(await one.note(at, { evidence: 'probate' }))).toEqual([422, 'unprocessable', '/diedOn'])
    expect((await one.note(at, heir(9, 300))).status).toBe(201)
  })
})

describe('opening a request for somebody', () => {
  const body = (requester: object, more: object = {}) => ({
    type: 'access',
    subject: { identities: [{ type: 'email', value: 'zoe@example.org' }] },
    requester: { relationship: 'authorized_agent', ...AGENT, ...requester },
    ...more,
  })
  test.each<[string, object, string[]]>([
    ['without a name', body({ name: undefined }), ['/requester/name']],
    ['without an address', body({ email: undefined }), ['/requester/email']],
    ['with two addresses', body({ email: 'a@b.example,c@d.example' }), ['/requester/email']],
    ['with the address of the person', body({ email: 'Zoe@Example.org' }), ['/requester/email']],
    [
      'that ends a restriction',
      body({}, { type: 'restriction', details: { lifts: '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4' } }),
      ['/details/lifts'],
    ],
    ['as a report about a child', body({}, { type: 'under_age_report' }), ['/requester/relationship']],
    ['with a name for oneself', body({ relationship: 'self' }), ['/requester/name', '/requester/email']],
  ])('%s is refused', async (_, given, expected) => {
    expect(said(await one.anybody('/v1/requests', { body: given }))).toEqual([422, 'unprocessable', ...expected])
  })

  test('by oneself is refused at the portal, and vouching for it by a service', async () => {
    const zoe = one.as.person('u-zoe', 'zoe@example.org')
    expect(said(await zoe('/v1/requests', { body: body({}) }))).toEqual([422, 'unprocessable', '/subject/identities'])
    const assurance = { method: 'visit', level: 2, verifiedAt: new Date().toISOString() }
    expect(said(await one.as.service()('/v1/requests', { body: body({}, { assurance }) }))).toEqual([
      422,
      'unprocessable',
      '/assurance',
    ])
  })

  test('is answered alike whether the person is known or not, and five times an hour', async () => {
    const ana = one.newcomer()
    const answers: Answered[] = []
    for (const email of [ana.email, ana.email.replace('rep', 'rez')])
      answers.push(
        await one.anybody('/v1/requests', {
          body: body({}, { subject: { identities: [{ type: 'email', value: email }] } }),
        }),
      )
    const alike = ({ status, body: { id, createdAt, receivedAt, links, ...rest }, headers }: Answered) => [
      status,
      rest,
      [...headers.keys()].sort(),
    ]
    expect(alike(answers[0] as Answered)).toEqual(alike(answers[1] as Answered))
    const login = one.as.person('u-many', 'many@agency.example')
    const statuses: number[] = []
    for (let n = 0; n < 6; n++)
      statuses.push(
        (
          await login('/v1/requests', {
            body: body({}, { subject: { identities: [{ type: 'email', value: `many${n}@example.org` }] } }),
          })
        ).status,
      )
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429])
  })
})
