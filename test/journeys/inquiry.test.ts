import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Call } from '../support/callers.ts'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
})
afterAll(() => one.close())

const QUESTION = 'canary-question: which services know my address?'
const messagesOf = async (by: Call, at: string): Promise<string[]> =>
  (await by(`${at}/messages`)).body.messages.map(({ from, text }: { from: string; text: string }) => `${from}: ${text}`)
const toOfficer = () => ({ email: one.service.config.privacyOfficer })

describe('a question', () => {
  let at: string

  test('waits for a person, and begins what is written to and fro', async () => {
    at = await one.open(one.kamal, { type: 'inquiry', details: { message: QUESTION } })
    const waiting = await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    expect(waiting.state).toBe('assessing')
    expect(await messagesOf(one.officer, at)).toEqual([`person: ${QUESTION}`])
    expect((await one.officer(`${at}/tasks`)).body.tasks.map(({ action }: { action: string }) => action)).toEqual(['resolve'])
  })

  test('goes to and fro, each side told by a mail that says nothing', async () => {
    const agent = one.as.agent(['agent'])
    const asked = await agent(`${at}/messages`, { body: { text: 'canary-back: do you mean your postal address?' } })
    expect([asked.status, asked.body.from, asked.body.text]).toEqual([201, 'staff', undefined])
    expect(await one.mailTo(KAMAL, 'There is a message about your request')).not.toContain('canary')
    const read = (await one.officer(at)).headers.get('etag') ?? ''
    const replied = await one.kamal(`${at}/messages`, { body: { text: 'canary-reply: no, the one for mail.' } })
    expect(replied.status).toBe(201)
    expect(await one.mailTo(toOfficer(), 'Somebody has written about this request')).not.toContain('canary')
    expect(await messagesOf(one.kamal, at)).toEqual([
      `person: ${QUESTION}`,
      'staff: canary-back: do you mean your postal address?',
      'person: canary-reply: no, the one for mail.',
    ])
    const stale = await one.officer(`${at}/answer`, { body: { text: 'Too early.' }, headers: { 'if-match': read } })
    expect(stale.status).toBe(412)
  })

  test('is nobody else’s to read or to answer', async () => {
    for (const stranger of [one.grace, one.as.service()]) {
      expect((await stranger(`${at}/messages`)).status).toBe(404)
      expect((await stranger(`${at}/messages`, { body: { text: 'Hello.' } })).status).toBe(404)
    }
    expect((await one.as.anybody(`${at}/messages`)).status).toBe(401)
    expect((await one.as.agent(['operator'])(`${at}/messages`)).status).toBe(403)
    expect((await one.post(one.as.agent(['agent']), at, 'answer', { text: 'I.' })).status).toBe(403)
    expect((await one.post(one.kamal, at, 'answer', { text: 'I.' })).status).toBe(403)
  })

  test('is answered by a letter, and over once that was sent', async () => {
    const outcome = await one.post(one.officer, at, 'answer', { text: 'Two.', outcome: 'upheld' })
    expect([outcome.status, outcome.body.errors[0].pointer]).toEqual([422, '/outcome'])
    const answered = await one.post(one.officer, at, 'answer', { text: 'canary-answer: two of them, accounts and support.' })
    expect(answered.status).toBe(200)
    expect(await one.mailTo(KAMAL, 'canary-answer')).toContain('two of them, accounts and support.')
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.flags).toEqual([])
    expect(await one.events(at)).toEqual(expect.arrayContaining(['answered', 'letter_sent', 'handed_over']))
    expect(await messagesOf(one.kamal, at)).toHaveLength(4)
    expect((await one.kamal(`${at}/messages`, { body: { text: 'Thanks!' } })).status).toBe(409)
    expect((await one.post(one.officer, at, 'answer', { text: 'Again.' })).status).toBe(409)
  })

  test('stands in no log, no record and no table in the clear', async () => {
    expect(one.service.logs.join('')).not.toContain('canary')
    expect(JSON.stringify(await one.service.sql('SELECT facts::text FROM audit_entry'))).not.toContain('canary')
    for (const table of ['message', 'dsar_request', 'letter', 'idempotency_key'])
      expect(JSON.stringify(await one.service.sql(`SELECT ${table}::text AS row FROM ${table}`))).not.toContain(
        Buffer.from('canary').toString('hex'),
      )
  })
})

describe('a question that a service asks for somebody', () => {
  test('is the service’s and the person’s to read, from the moment it is known who that is', async () => {
    const crm = one.as.service()
    const { body } = await crm('/v1/requests', {
      body: {
        type: 'inquiry',
        subject: { identities: [{ type: 'user_id', value: GRACE.userId }] },
        details: { message: 'Where are my data?' },
        assurance: { method: 'chat_login', level: 2, verifiedAt: new Date().toISOString() },
      },
    })
    const at = `/v1/requests/${body.id}`
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    expect(await messagesOf(crm, at)).toEqual(['service: Where are my data?'])
    expect(await messagesOf(one.grace, at)).toEqual(['service: Where are my data?'])
    await crm(`${at}/messages`, { body: { text: 'She asks again.' } })
    expect(await messagesOf(one.officer, at)).toHaveLength(2)
  })
})
