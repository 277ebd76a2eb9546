import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answered, type Call, callers, until } from '../support/callers.ts'
import { somebodyWaits } from '../support/cases.ts'
import { type Service, startService } from '../support/service.ts'
import { type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

const STAR: Person = { userId: 'u-star', email: 'star@example.org', name: 'A Star' }
const FAMOUS: Person = { userId: 'u-famous', email: 'famous@example.org', name: 'Famous Too' }
const LATER: Person = { userId: 'u-later', email: 'later@example.org', name: 'Known Later' }
const COLLEAGUE: Person = { userId: 'u-colleague', email: 'colleague@example.org', name: 'A Colleague' }
const NOVICE: Person = { userId: 'u-novice', email: 'novice@example.org', name: 'A Novice' }
const ANYBODY: Person = { userId: 'u-anybody', email: 'anybody@example.org', name: 'Anybody' }

let house: House
let service: Service
let as: ReturnType<typeof callers>
let agent: Call
let officer: Call
let dpo: Call

beforeAll(async () => {
  house = await openHouse({}, [STAR, FAMOUS, LATER, COLLEAGUE, NOVICE, ANYBODY])
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  as = callers(service)
  agent = as.agent(['agent', 'operator'], 'agent-7')
  officer = as.agent(['privacy_officer'], 'officer-1')
  dpo = as.agent(['dpo'], 'officer-2')
  await registerAll(house, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})

const ask = async ({ userId, email }: Person, type = 'inquiry'): Promise<string> => {
  const details = type === 'inquiry' ? { details: { message: 'Why?' } } : {}
  const { status, body } = await as.person(userId, email)('/v1/requests', { body: { type, subject: {}, ...details } })
  expect(status).toBe(201)
  return `/v1/requests/${body.id}`
}
const listed = async (by: Call, at: string): Promise<boolean> =>
  (await by('/v1/requests?limit=100')).body.requests.some(({ id }: { id: string }) => at.endsWith(id))
const found = async (by: Call, { email }: Person): Promise<number> =>
  (await by('/v1/requests/search', { body: { identity: { type: 'email', value: email } } })).body.requests.length
const seen = (at: string, fits: (request: Answered['body']) => boolean) =>
  until(
    () => officer(at),
    ({ body }) => fits(body),
  )
const decide = async (by: Call, at: string, body: object = { kind: 'approve' }) =>
  by(`${at}/decisions`, { body, headers: { 'if-match': '*' } })
const said = ({ status, body }: Answered) => [status, body.code ?? body.state]
const REFUSAL = { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'It is not ours to say.' }

describe('T49: a VIP', () => {
  let id: string
  test('is listed by an officer, kept as hashes alone', async () => {
    const body = { identities: [{ type: 'email', value: STAR.email }], reference: 'HR-2026-1' }
    const { status, body: vip } = await officer('/v1/vips', { body })
    expect([status, vip]).toEqual([
      201,
      {
        id: vip.id,
        reference: 'HR-2026-1',
        listedBy: expect.stringMatching(/\|officer-1$/),
        listedAt: vip.listedAt,
        removalProposedBy: null,
      },
    ])
    id = vip.id
    expect((await dpo('/v1/vips')).body).toEqual({ vips: [vip] })
    const kept = JSON.stringify(await service.sql('SELECT v::text, i::text FROM vip v JOIN vip_identity i ON i.vip_id = v.id'))
    expect(kept).not.toContain('star')
  })

  test('has requests that officers alone see, and agents and operators cannot tell from what is not there', async () => {
    const at = await ask(STAR)
    const { body: request } = await seen(at, ({ flags }) => flags.includes('vip'))
    expect(request.flags).toContain('vip')
    expect([await listed(officer, at), await found(officer, STAR)]).toEqual([true, 1])
    expect([await listed(agent, at), await found(agent, STAR)]).toEqual([false, 0])
    const nowhere = await agent(`/v1/requests/${randomUUID()}`)
    for (const part of ['', '/timeline', '/tasks', '/letters', '/messages']) {
      const answer = await agent(`${at}${part}`)
      expect([answer.status, answer.bytes.toString()]).toEqual([404, nowhere.bytes.toString()])
    }
    expect((await as.person(STAR.userId, STAR.email)(at)).body.flags).toEqual([])
  })

  test('T12 has an open request of which an agent is not told when they open the same', async () => {
    const subject = { identities: [{ type: 'user_id', value: STAR.userId }] }
    const body = { type: 'inquiry', details: { message: 'Why?' }, subject, channel: 'mail', reference: 'T-0' }
    expect([(await agent('/v1/requests', { body })).status, (await officer('/v1/requests', { body })).status]).toEqual([201, 409])
  })

  test('is recognised by what the registers say, before any agent sees the request', async () => {
    const opened = await agent('/v1/requests', {
      body: {
        type: 'portability',
        subject: { identities: [{ type: 'user_id', value: STAR.userId }] },
        channel: 'mail',
        reference: 'T-1',
      },
    })
    expect([opened.status, opened.body.flags]).toEqual([201, []]) // whoever opened it is not told
    const at = `/v1/requests/${opened.body.id}`
    await seen(at, ({ flags }) => flags.includes('vip'))
    expect((await agent(at)).status).toBe(404)
  })

  test('whose request is there already has it reserved by being listed, to its end and after it', async () => {
    const at = await ask(LATER)
    await seen(at, ({ flags }) => flags.includes('needs_decision'))
    expect((await agent(at)).status).toBe(200)
    await officer('/v1/vips', { body: { identities: [{ type: 'user_id', value: LATER.userId }], reference: 'HR-2026-2' } })
    expect((await agent(at)).status).toBe(404)
    expect((await decide(officer, at, REFUSAL)).body.state).toBe('proposed')
    expect((await officer(at)).body.state).toBe('assessing')
    const [proposal] = (await dpo(`${at}/decisions`)).body.decisions
    const approve = (by: Call) => by(`${at}/decisions/${proposal.id}/approval`, { method: 'POST', headers: { 'if-match': '*' } })
    expect((await approve(officer)).body.code).toBe('second_person_needed')
    expect((await approve(dpo)).status).toBe(200)
    await seen(at, ({ state, flags }) => state === 'refused' && flags.includes('vip'))
    expect((await agent(at)).status).toBe(404)
  })

  test('who is listed in the very moment in which a request of theirs comes in has it reserved a moment later', async () => {
    const person = { userId: 'u-same-moment', email: 'moment@example.org', name: 'In The Same Moment' }
    const holder = await service.connect()
    await holder.query('BEGIN; LOCK TABLE contact_point')
    const asked = ask(person) // it has looked who is listed, and is not there yet for others to see
    await somebodyWaits({ query: service.sql })
    const identities = [{ type: 'user_id', value: person.userId }]
    expect((await officer('/v1/vips', { body: { identities, reference: 'HR-2026-7' } })).status).toBe(201)
    await holder.query('COMMIT')
    const at = await asked
    await service.app.handlers['reserve-missed']({})
    expect([(await officer(at)).body.flags, (await agent(at)).status]).toEqual([expect.arrayContaining(['vip']), 404])
  })

  test('has no request that one officer could end alone', async () => {
    const at = await ask(STAR, 'restriction')
    const ended = await officer(`${at}/cancellation`, { body: { reason: 'duplicate' }, headers: { 'if-match': '*' } })
    expect([ended.status, ended.body.code]).toEqual([403, 'not_allowed'])
  })

  test('has no request that is extended, answered or asked back about on one officer’s word; a second says the same', async () => {
    await officer('/v1/vips', { body: { identities: [{ type: 'email', value: FAMOUS.email }], reference: 'HR-2026-4' } })
    const at = await ask(FAMOUS)
    await seen(at, ({ flags }) => flags.includes('vip') && flags.includes('needs_decision'))
    const answer = (by: Call, text = 'Because you asked.') => by(`${at}/answer`, { body: { text }, headers: { 'if-match': '*' } })
    const extend = (by: Call) =>
      by(`${at}/extensions`, { body: { reason: 'scattered_sources', text: 'Your data lie in eleven systems.' } })

    expect(said(await extend(officer))).toEqual([202, 'proposed'])
    expect(said(await extend(as.agent(['dpo'], 'officer-1')))).toEqual([403, 'second_person_needed'])
    expect((await extend(dpo)).status).toBe(201)

    const asked = await officer(`${at}/pauses`, { body: { reason: 'identity', question: 'Which of the two are you?' } })
    expect([asked.status, asked.body.state]).toEqual([201, 'proposed'])
    const approve = (by: Call) => by(`${at}/pauses/${asked.body.id}/approval`, { method: 'POST' })
    expect(said(await approve(as.agent(['dpo'], 'officer-1')))).toEqual([403, 'second_person_needed'])
    expect((await approve(dpo)).status).toBe(200)

    const before = (await officer(at)).headers.get('etag')
    expect(said(await answer(officer))).toEqual([202, 'proposed'])
    expect((await officer(at)).headers.get('etag')).not.toBe(before)
    expect(said(await answer(officer))).toEqual([403, 'second_person_needed'])
    expect(said(await answer(dpo, 'Because I say so.'))).toEqual([202, 'proposed']) // other words are another proposal
    expect(said(await answer(dpo))).toEqual([202, 'proposed'])
    expect((await officer(at)).body.state).toBe('assessing')
    expect((await answer(officer)).status).toBe(200)
    await seen(at, ({ state }) => state === 'completed')
    const events = (await officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)
    expect(events.filter((event: string) => event === 'act_countersigned')).toHaveLength(2)
    const shown = (await as.person(FAMOUS.userId, FAMOUS.email)(`${at}/timeline`)).body.entries
    expect(shown.filter(({ event }: { event: string }) => event.startsWith('act_'))).toEqual([])
  })

  test('is not noted to have been told otherwise by one officer', async () => {
    const nobody = await ask(FAMOUS, 'restriction')
    await seen(nobody, ({ state }) => state === 'completed')
    await service.sql(`UPDATE dsar_request SET flags = flags || '{mail_undeliverable}' WHERE id = $1`, [nobody.slice(-36)])
    const body = { how: 'phone', toldAt: new Date().toISOString(), reference: 'CALL-1' }
    const tell = (by: Call) => by(`${nobody}/told-otherwise`, { body, headers: { 'if-match': '*' } })
    expect([said(await tell(officer)), (await tell(dpo)).status]).toEqual([[202, 'proposed'], 200])
  })

  test('has nobody say anything for it who opened it', async () => {
    const opener = as.agent(['privacy_officer'], 'officer-9')
    const subject = { identities: [{ type: 'email', value: FAMOUS.email }] }
    const { body } = await opener('/v1/requests', {
      body: { type: 'objection', details: { purposes: ['analytics'], reasons: 'R' }, subject, channel: 'mail', reference: 'T-9' },
    })
    const at = `/v1/requests/${body.id}`
    await seen(at, ({ flags }) => flags.includes('vip'))
    const extend = (by: Call) => by(`${at}/extensions`, { body: { reason: 'scattered_sources', text: 'Eleven systems.' } })
    expect([said(await extend(opener)), said(await extend(officer)), said(await extend(opener))]).toEqual([
      [403, 'second_person_needed'],
      [202, 'proposed'],
      [403, 'second_person_needed'],
    ])
  })

  test('gets no copy by itself: two officers decide on it', async () => {
    const at = await ask(FAMOUS, 'access')
    await seen(at, ({ state, flags }) => state === 'assessing' && flags.includes('needs_decision'))
    expect((await decide(officer, at)).body.state).toBe('proposed')
    const proposal = (await dpo(`${at}/decisions`)).body.decisions.at(-1)
    const approve = (by: Call) => by(`${at}/decisions/${proposal.id}/approval`, { method: 'POST', headers: { 'if-match': '*' } })
    expect((await approve(as.agent(['dpo'], 'officer-1'))).body.code).toBe('second_person_needed')
    expect((await approve(dpo)).status).toBe(200)
    await seen(at, ({ state }) => state === 'completed')
  })

  test('stays listed until two people want it otherwise, of whom they are none', async () => {
    const remove = (by: Call) => by(`/v1/vips/${id}`, { method: 'DELETE' })
    await officer('/v1/vips', { body: { identities: [{ type: 'user_id', value: 'officer-3' }], reference: 'HR-2026-3' } })
    const own = (await officer('/v1/vips')).body.vips.find(({ reference }: { reference: string }) => reference === 'HR-2026-3')
    expect((await as.agent(['dpo'], 'officer-3')(`/v1/vips/${own.id}`, { method: 'DELETE' })).status).toBe(403)
    const proposed = await remove(officer)
    expect([proposed.status, proposed.body.removalProposedBy]).toEqual([200, expect.stringMatching(/\|officer-1$/)])
    expect([(await remove(officer)).status, (await remove(as.agent(['dpo'], 'officer-1'))).status]).toEqual([403, 403])
    expect((await remove(dpo)).status).toBe(204)
    expect((await remove(dpo)).status).toBe(404)
    const { entries } = (await dpo('/v1/audit?stream=oversight')).body
    const events = entries.filter(({ facts }: { facts: { vip?: string } }) => facts.vip === id)
    expect(events.map(({ event }: { event: string }) => event)).toEqual(['vip_listed', 'vip_removal_proposed', 'vip_removed'])
  })
})

describe('T49: one of the staff', () => {
  test('does not see a request about themself as staff, not even as an officer, but at the portal', async () => {
    const at = await ask(COLLEAGUE, 'restriction')
    const self = as.agent(['agent', 'privacy_officer', 'dpo', 'operator'], COLLEAGUE.userId)
    const nowhere = await self(`/v1/requests/${randomUUID()}`)
    const own = await self(at)
    expect([own.status, own.bytes.toString()]).toEqual([404, nowhere.bytes.toString()])
    expect([await listed(self, at), await found(self, COLLEAGUE)]).toEqual([false, 0])
    expect((await decide(self, at)).status).toBe(404)
    expect((await as.person(COLLEAGUE.userId, COLLEAGUE.email)(at)).status).toBe(200)
  })

  test('whom we know by their calls has requests that no other agent sees and no one officer decides', async () => {
    await as.agent(['agent'], COLLEAGUE.userId)('/v1/requests')
    const at = await ask(COLLEAGUE)
    await seen(at, ({ flags }) => flags.includes('staff_subject') && flags.includes('needs_decision'))
    expect([(await agent(at)).status, (await officer(at)).status]).toEqual([404, 200])
    expect((await decide(officer, at, REFUSAL)).body.state).toBe('proposed')
  })

  test('who is new has the requests that are there reserved by their first call', async () => {
    const at = await ask(NOVICE, 'restriction')
    expect((await agent(at)).status).toBe(200)
    await as.agent(['agent'], NOVICE.userId)('/v1/requests')
    expect((await agent(at)).status).toBe(404)
    expect((await officer(at)).body.flags).toContain('staff_subject')
  })

  test('opens none about themself', async () => {
    const body = {
      type: 'access',
      subject: { identities: [{ type: 'user_id', value: 'agent-7' }] },
      channel: 'mail',
      reference: 'T-2',
    }
    expect((await agent('/v1/requests', { body })).status).toBe(403)
  })

  test('and nobody else’s is reserved', async () => {
    const at = await ask(ANYBODY)
    const { body } = await seen(at, ({ flags }) => flags.includes('needs_decision'))
    expect(body.flags).toEqual(['needs_decision'])
    expect((await agent(at)).status).toBe(200)
    expect((await decide(officer, at, REFUSAL)).body.state).toBe('effective')
  })
})
