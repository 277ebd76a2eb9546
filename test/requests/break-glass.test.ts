import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { answeredRequest } from '../support/answered-request.ts'
import { type Answered, type Call, callers, until } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'

const HOUR_MS = 3_600_000
const WHY = { reason: 'faulty_answer', text: 'canary-why: grades are said to be missing.' }

let house: House
let service: Service
let as: ReturnType<typeof callers>
/** Of Ana, with a package. */
let copy: string
/** Of Ben, with details and messages. */
let review: string

const agent = (sub = 'agent-7'): Call => as.agent(['agent'], sub)
const officer = (sub = 'officer-1'): Call => as.agent(['privacy_officer'], sub)
const dpo = (sub = 'officer-2'): Call => as.agent(['dpo'], sub)

beforeAll(async () => {
  house = await openHouse()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  as = callers(service)
  await registerAll(house, as.agent(['operator']), service)
  copy = (await answeredRequest(service, ANA)).at
  const asked = await as.person(BEN.userId, BEN.email)('/v1/requests', {
    body: { type: 'automated_decision_review', subject: {}, details: { decision: 'canary-decision' } },
  })
  review = `/v1/requests/${asked.body.id}`
  await until(
    () => officer()(review),
    ({ body }) => body.flags.includes('needs_decision'),
  )
  await as.person(BEN.userId, BEN.email)(`${review}/messages`, { body: { text: 'canary-message' } })
})
afterAll(async () => {
  await service.close()
  await house.close()
})

const ask = (by: Call, at: string, what: string[]) => by(`${at}/break-glass`, { body: { ...WHY, what } })
const approve = (by: Call, at: string, { body: { n } }: Answered) => by(`${at}/break-glass/${n}/approval`, { method: 'POST' })
const content = (by: Call, at: string, { body: { n } }: Answered) => by(`${at}/break-glass/${n}/package`)
const entries = async (at: string, event: string) =>
  (await dpo()(`${at}/timeline`)).body.entries.filter((one: { event: string }) => one.event === event)
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('A21: what is in a package', () => {
  test('is seen by nobody of the staff alone, whatever their office', async () => {
    const asked = await ask(officer(), copy, ['package'])
    expect(asked.status).toBe(201)
    expect(asked.body).toMatchObject({ reason: 'faulty_answer', role: 'privacy_officer', what: ['package'], expiresAt: null })
    for (const by of [officer(), dpo(), agent()]) expect((await content(by, copy, asked)).status).toBe(403)
    expect(await entries(copy, 'contents_viewed')).toEqual([])
  })

  test('T47 is not opened by whoever asked, with another token or another role, nor by an agent', async () => {
    const asked = await ask(officer(), copy, ['package'])
    for (const by of [officer(), as.agent(['dpo'], 'officer-1'), as.agent(['agent', 'dpo', 'privacy_officer'], 'officer-1')])
      expect((await approve(by, copy, asked)).body.code).toBe('second_person_needed')
    expect((await approve(agent(), copy, asked)).status).toBe(403)
    expect((await content(officer(), copy, asked)).status).toBe(403)
  })

  test('is seen for an hour by one person, because another agreed; the person is told at once', async () => {
    const asked = await ask(officer(), copy, ['package'])
    const opened = await approve(dpo(), copy, asked)
    expect([opened.status, opened.body.approvedBy]).toEqual([200, expect.stringMatching(/officer-2$/)])
    const mail = await service.mailbox.waitFor(
      ({ envelope, subject }) => envelope.to.includes(ANA.email) && subject.includes('allowed to look'),
      10_000,
    )
    const said = mail.text.replace(/\s+/g, ' ')
    for (const words of [
      'our privacy officer may read',
      'the copy of your data',
      'our answer may be faulty',
      'Two people of our staff',
    ])
      expect(said).toContain(words)
    expect(said).not.toMatch(/canary|officer-\d/)

    const got = await content(officer(), copy, asked)
    const { sha256: announced, bytes } = (await officer()(`${copy}/package`)).body
    expect([got.status, got.bytes.length, sha256(got.bytes)]).toEqual([200, bytes, announced])
    for (const by of [dpo(), agent(), officer('officer-3')]) expect((await content(by, copy, asked)).status).toBe(403)
    expect((await approve(dpo('officer-4'), copy, asked)).status).toBe(409)

    const [view, ...more] = await entries(copy, 'contents_viewed')
    expect([view.facts, view.by.id, more]).toEqual([
      { glass: asked.body.n, what: ['package'] },
      expect.stringMatching(/officer-1$/),
      [],
    ])
    const { entries: shown } = (await as.person(ANA.userId, ANA.email)(`${copy}/timeline`)).body
    expect(shown.find(({ event }: { event: string }) => event === 'break_glass_approved').facts).toEqual({
      reason: 'faulty_answer',
      what: ['package'],
      expiresAt: opened.body.expiresAt,
    })
    expect(shown.map(({ event }: { event: string }) => event)).not.toContain('break_glass_proposed')

    service.clock.advanceAlone(HOUR_MS)
    expect((await content(officer(), copy, asked)).status).toBe(403)
  })

  test('is opened no more a day after it was asked for, nor once it is destroyed', async () => {
    const late = await ask(officer(), copy, ['package'])
    const open = await ask(officer('officer-5'), copy, ['package'])
    expect((await approve(dpo(), copy, open)).status).toBe(200)
    expect((await dpo()(`${copy}/package`, { method: 'DELETE' })).status).toBe(204)
    expect((await content(officer('officer-5'), copy, open)).status).toBe(410)
    service.clock.advanceAlone(25 * HOUR_MS)
    expect((await approve(dpo(), copy, late)).status).toBe(409)
  })
})

describe('A5: what was said in a case', () => {
  test('is opened to one agent for what they asked, and to no other', async () => {
    const asked = await ask(agent(), review, ['details'])
    expect((await agent()(`${review}/details`)).body).toEqual({ hidden: ['decision'] })
    expect((await approve(officer(), review, asked)).status).toBe(200)
    expect((await agent()(`${review}/details`)).body).toEqual({ decision: 'canary-decision' })
    expect((await agent('agent-8')(`${review}/details`)).body).toEqual({ hidden: ['decision'] })
    expect((await agent()(`${review}/messages`)).body.messages[0].text).toBeNull()
    expect((await content(agent(), review, asked)).status).toBe(403)
    expect((await entries(review, 'contents_viewed')).map(({ facts }: { facts: object }) => facts)).toEqual([
      { glass: 1, what: ['details'] },
    ])
    const messages = await ask(agent(), review, ['messages', 'decisions'])
    await approve(officer(), review, messages)
    expect((await agent()(`${review}/messages`)).body.messages[0].text).toBe('canary-message')
    service.clock.advanceAlone(HOUR_MS)
    expect((await agent()(`${review}/messages`)).body.messages[0].text).toBeNull()
    expect((await agent()(`${review}/details`)).body).toEqual({ hidden: ['decision'] })
  })

  test('was asked for in words that officers and whoever asked read, and that stand nowhere else', async () => {
    const read = async (by: Call) => (await by(`${review}/break-glass`)).body.openings.map(({ text }: { text: string }) => text)
    expect([await read(agent()), await read(agent('agent-8'))]).toEqual([
      [WHY.text, WHY.text],
      [null, null],
    ])
    expect(await read(officer())).toEqual([WHY.text, WHY.text])
    expect(JSON.stringify(await service.sql('SELECT facts::text FROM audit_entry'))).not.toContain('canary')
    expect(service.logs.join('')).not.toContain('canary')
    expect(JSON.stringify(await service.sql('SELECT b::text FROM break_glass b'))).not.toContain(
      Buffer.from('canary').toString('hex'),
    )
  })

  test('is not opened by, or for, who opened the request or is its subject, nor where the person cannot be told', async () => {
    const body = {
      type: 'access',
      subject: { identities: [{ type: 'email', value: 'nobody-we-know@example.org' }] },
      channel: 'phone',
      reference: 'T-1',
    }
    const opened = await agent('opener')('/v1/requests', { body })
    const at = `/v1/requests/${opened.body.id}`
    expect((await ask(agent('opener'), at, ['details'])).body.code).toBe('second_person_needed')
    const asked = await ask(agent(), at, ['details'])
    expect((await approve(as.agent(['dpo'], 'opener'), at, asked)).body.code).toBe('second_person_needed')
    expect((await approve(dpo(), at, asked)).status).toBe(422)
    expect((await ask(as.agent(['dpo'], BEN.userId), review, ['details'])).status).toBe(404)
  })

  test('is in the digest of the day', async () => {
    await approve(officer(), review, await ask(agent(), review, ['details']))
    await service.app.handlers['send-digest']({})
    const { text } = await service.mailbox.waitFor(({ text: all }) => all.includes('Opened to somebody of the staff'), 10_000)
    expect(text).toMatch(/Opened to somebody of the staff within the last day: 1/)
    expect(text).toContain(review.replace('/v1/requests/', ''))
  })
})
