import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { openRawAdapter, type RawAdapter, sendJson } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'
import { readZip } from '../support/zip-reader.ts'

let smtp: MailServer
let one: RawCase
let as: ReturnType<typeof callers>
let officer: Call

/** Knows who is who, and where to write to those whose id says so. */
async function openPeople(): Promise<RawAdapter> {
  const adapter = await openRawAdapter('people', {
    actions: ['resolve', 'locate', 'collect', 'restrict'],
    identityTypes: [{ type: 'user_id' }],
  })
  adapter.on.resolve = ({ taskId, subject }, res) => {
    const [who] = subject.identities
    const since = '2020-01-01T00:00:00Z'
    const email = { type: 'email', value: `${who?.value}@example.org`, since, verified: true }
    const contactPoints = who?.value.startsWith('mail-') ? [email] : []
    sendJson(res, 200, { taskId, matched: [who], identities: [who], contactPoints, status: 'match' })
  }
  return adapter
}

beforeAll(async () => {
  smtp = await startMailServer()
  one = await startCase([await openPeople()], { SMTP_URL: smtp.url })
  as = callers(one.service)
  ;({ officer } = one)
})
afterAll(async () => {
  await one.close()
  await smtp.close()
})
beforeEach(() => {
  smtp.says.recipient = undefined
})

/** A service asks for somebody whom it knows. */
async function asked(type: string, { details = {}, userId = `u-${randomUUID()}` } = {}) {
  const assurance = { method: 'visit', level: 2, verifiedAt: one.service.clock.real().toISOString() }
  const identities = [{ type: 'user_id', value: userId }]
  const { status, body } = await as.service()('/v1/requests', { body: { type, subject: { identities }, details, assurance } })
  expect([status, body.code]).toEqual([201, undefined])
  return { at: `/v1/requests/${body.id}`, userId }
}
const isWaiting = ({ state, flags }: { state: string; flags: string[] }) =>
  state === 'delivering' && flags.includes('mail_undeliverable')
async function waiting(type: string, more: Parameters<typeof asked>[1] = {}) {
  const request = await asked(type, more)
  await one.see(request.at, isWaiting)
  return request
}
const now = () => one.service.clock.now().toISOString()
const TOLD = { how: 'phone', reference: 'CALL-2026-7' }
const tell = async (at: string, body: object = {}, by = officer, headers: Record<string, string> = {}): Promise<Answered> =>
  by(`${at}/told-otherwise`, {
    body: { ...TOLD, toldAt: now(), ...body },
    headers: { 'if-match': (await officer(at)).headers.get('etag') ?? '', ...headers },
  })
const entriesOf = async (at: string): Promise<{ event: string; facts: object; by: object }[]> =>
  (await officer(`${at}/timeline`)).body.entries

describe('somebody whom no letter reaches', () => {
  test('has been answered once an officer says how they were told', async () => {
    const { at } = await waiting('restriction')
    const toldAt = now()
    const told = await tell(at, { toldAt })
    expect([told.status, told.body.state, told.body.flags]).toEqual([200, 'completed', []])
    expect(told.headers.get('etag')).toBe((await officer(at)).headers.get('etag'))
    const entries = await entriesOf(at)
    expect(entries.slice(-3)).toMatchObject([
      { event: 'told_otherwise', facts: { ...TOLD, toldAt }, by: { kind: 'support_agent' } },
      { event: 'handed_over', facts: { by: 'phone', from: 'delivering', to: 'completed' } },
      { event: 'flag_lowered', facts: { flag: 'mail_undeliverable' } },
    ])
    expect((await tell(at)).status).toBe(409)
  })

  test('is told once, however often the same call is sent', async () => {
    const { at } = await waiting('restriction')
    const headers = { 'idempotency-key': randomUUID(), 'if-match': (await officer(at)).headers.get('etag') ?? '' }
    const toldAt = now()
    const [first, again] = [await tell(at, { toldAt }, officer, headers), await tell(at, { toldAt }, officer, headers)]
    expect([again.status, again.body]).toEqual([200, first.body])
    expect((await entriesOf(at)).filter(({ event }) => event === 'told_otherwise')).toHaveLength(1)
  })

  test('is told of what the officer has read, and of nothing newer', async () => {
    const { at } = await waiting('restriction')
    const body = { ...TOLD, toldAt: now() }
    expect((await officer(`${at}/told-otherwise`, { body })).status).toBe(428)
    expect((await tell(at, {}, officer, { 'if-match': '"v1"' })).status).toBe(412)
  })

  test('was told neither before there was an answer nor will have been', async () => {
    const { at } = await waiting('restriction')
    for (const minutes of [-60, 60]) {
      const toldAt = new Date(one.service.clock.now().getTime() + minutes * 60_000).toISOString()
      const { status, body } = await tell(at, { toldAt })
      expect([status, body.errors[0].pointer]).toEqual([422, '/toldAt'])
    }
    for (const wrong of [{ how: 'mail' }, { reference: 'she said that' }, { note: 'x' }])
      expect((await tell(at, wrong)).status).toBe(400)
    expect((await officer(at)).body.state).toBe('delivering')
  })

  test('is not told by themself', async () => {
    const { at, userId } = await waiting('restriction')
    const { status, body } = await tell(at, {}, as.agent(['dpo'], userId))
    expect([status, body.code]).toEqual([404, 'not_found'])
  })

  test('can ask a question all the same, and reads the answer at the portal', async () => {
    const { at, userId } = await asked('inquiry', { details: { message: 'Who has my data?' } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    const headers = { 'if-match': (await officer(at)).headers.get('etag') ?? '' }
    const answered = await officer(`${at}/answer`, { body: { text: 'Nobody but us.' }, headers })
    expect([answered.status, answered.body.state]).toEqual([200, 'delivering'])
    await one.see(at, isWaiting)
    const { messages } = (await as.person(userId, 'x@example.org')(`${at}/messages`)).body
    expect(messages.map(({ text }: { text: string }) => text)).toContain('Nobody but us.')
    expect((await tell(at, { how: 'portal' })).body.state).toBe('completed')
  })

  test('may have an address that takes no mail', async () => {
    smtp.says.recipient = 550
    const { at } = await waiting('restriction', { userId: `mail-${randomUUID()}` })
    expect((await tell(at, { how: 'post' })).body).toMatchObject({ state: 'completed', flags: [] })
  })

  test('is told of a refusal too, which stays one', async () => {
    const { at } = await asked('inquiry', { details: { message: 'Who?' } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    const decided = await officer(`${at}/decisions`, {
      body: { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'It is about somebody else.' },
      headers: { 'if-match': (await officer(at)).headers.get('etag') ?? '' },
    })
    expect([decided.status, decided.body.errors]).toEqual([201, undefined])
    await one.see(at, ({ flags }) => flags.includes('mail_undeliverable'))
    expect((await tell(at, { how: 'post' })).body).toMatchObject({ state: 'refused', flags: [] })
    expect((await entriesOf(at)).map(({ event }) => event)).not.toContain('handed_over')
  })
})

test('nobody is told otherwise what is not done yet, or what a letter has told', async () => {
  const open = await asked('inquiry', { details: { message: 'Who?' } })
  await one.see(open.at, ({ flags }) => flags.includes('needs_decision'))
  const reached = await asked('restriction', { userId: `mail-${randomUUID()}` })
  await one.see(reached.at, ({ state }) => state === 'completed')
  for (const { at } of [open, reached]) {
    const { status, body } = await tell(at)
    expect([status, body.code]).toEqual([409, 'illegal_transition'])
  }
})

describe('the letter that no mail brings', () => {
  const unmailed = async (at: string): Promise<{ id: string; kind: string }[]> =>
    (await officer(`${at}/letters`)).body.letters.filter(({ toBeTold }: { toBeTold: boolean }) => toBeTold)
  const read = (at: string, id = 'none', by = officer) => by(`${at}/letters/${id}`)

  test.each([
    ['was never addressed to anybody', `u-${randomUUID()}`, 'unaddressed', undefined],
    ['was refused by the mail server', `mail-${randomUUID()}`, 'refused', 550],
  ])('because it %s, is read by an officer to be posted, until that is done', async (_, userId, state, says) => {
    smtp.says.recipient = says
    const { at } = await waiting('restriction', { userId })
    await eventually(async () => (await unmailed(at)).length > 0)
    const letters = await unmailed(at)
    expect(letters).toMatchObject([{ kind: 'restricted', state }])
    const id = letters[0]?.id
    const { status, body } = await read(at, id)
    expect([status, body.kind, body.subject]).toEqual([200, 'restricted', expect.stringMatching(/carried out/)])
    expect(body.text).toContain(at.slice(-36))
    expect(body.text).not.toContain('/v1/')
    for (const role of ['agent', 'operator']) expect((await read(at, id, as.agent([role]))).status).toBe(403)
    expect((await tell(at, { how: 'post' })).body.state).toBe('completed')
    expect([(await read(at, id)).status, await unmailed(at)]).toEqual([404, []])
    expect(
      await one.service.sql('SELECT 1 FROM letter WHERE request_id = $1 AND values_sealed IS NOT NULL', [at.slice(-36)]),
    ).toEqual([])
  })

  test('says a refusal with its reasons, and is read under its own request alone', async () => {
    const { at } = await asked('inquiry', { details: { message: 'Who?' } })
    const other = await asked('inquiry', { details: { message: 'Who?' } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    const body = { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'It is about somebody else.' }
    await officer(`${at}/decisions`, { body, headers: { 'if-match': '*' } })
    const [letter] = await unmailed(at)
    expect((await read(at, letter?.id)).body.text).toContain('It is about somebody else.')
    expect((await read(other.at, letter?.id)).status).toBe(404)
  })

  test('is never one that opens or proves something', async () => {
    smtp.says.recipient = 550
    const { at } = await waiting('access', { userId: `mail-${randomUUID()}` })
    const lettersOf = async (): Promise<{ id: string; kind: string; state: string }[]> =>
      (await officer(`${at}/letters`)).body.letters
    await eventually(async () => (await lettersOf()).some(({ kind, state }) => kind === 'ready' && state === 'refused'))
    const letters = await lettersOf()
    for (const { id } of letters) expect((await read(at, id)).status).toBe(404)
    expect(await unmailed(at)).toEqual([])
  })
})

describe('a copy for somebody whom no letter reaches', () => {
  const opening = { method: 'POST' }

  test('is not handed over by word, but by their own login at the portal', async () => {
    const { at, userId } = await waiting('access')
    const { status, body } = await tell(at, { how: 'in_person' })
    expect([status, body.code]).toEqual([409, 'illegal_transition'])

    const person = as.person(userId, 'new@example.org')
    const granted = await person(`${at}/package/grants`, opening)
    expect(granted.status).toBe(201)
    const content = await as.anybody(new URL(granted.body.contentUrl).pathname)
    expect([content.status, content.bytes.length]).toEqual([200, granted.body.bytes])
    expect(readZip(content.bytes).some(({ name }) => name.endsWith('things.json'))).toBe(true)
    expect((await officer(at)).body).toMatchObject({ state: 'completed', flags: [] })
    expect((await officer(`${at}/package`)).body.usesLeft).toBe(4)
  })

  test('opens for nobody else, nor for a login of yesterday', async () => {
    const { at, userId } = await waiting('access')
    const grants = `${at}/package/grants`
    expect((await as.person('u-other', 'other@example.org')(grants, opening)).status).toBe(404)
    const stale = Math.floor(one.service.clock.real().getTime() / 1000) - 3600
    const { status, body } = await as.person(userId, 'new@example.org', { auth_time: stale })(grants, opening)
    expect([status, body.code]).toEqual([403, 'step_up_required'])
    await officer(`${at}/package`, { method: 'DELETE' })
    expect((await as.person(userId, 'new@example.org')(grants, opening)).status).toBe(410)
    expect((await officer(at)).body.state).toBe('delivering')
  })
})
