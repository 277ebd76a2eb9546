import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { type Service, startService } from '../support/service.ts'

const ABUSE = {
  kind: 'abuse',
  objective: 'canary-objective',
  subjective: 'canary-subjective',
  factors: { dataGivenFreely: 'canary-factor', aim: 'A claim.', timeBetween: 'A day.', conduct: 'The same to others.' },
}
const REFUSAL = { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'canary-reasons: the data are accurate.' }
const EXCESSIVE = { kind: 'refuse', ground: 'manifestly_excessive', reasons: 'canary-reasons: abuse.', evidence: ABUSE }

interface Opened {
  at: string
  id: string
  email: string
  person: Call
}

let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let dpo: Call

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
  officer = as.agent(['privacy_officer'], 'officer-1')
  dpo = as.agent(['dpo'], 'officer-2')
})
afterAll(() => service.close())

/** Of somebody at the portal, in the state given. */
async function opened(state = 'assessing', userId: string = randomUUID()): Promise<Opened> {
  const email = `${userId}@example.org`
  const person = as.person(userId, email)
  const { body } = await person('/v1/requests', { body: { type: 'access', subject: {} } })
  await service.sql('UPDATE dsar_request SET state = $2 WHERE id = $1', [body.id, state])
  return { at: `/v1/requests/${body.id}`, id: body.id, email, person }
}
const etagOf = async (at: string) => (await officer(at)).headers.get('etag') ?? ''
const decide = async (call: Call, at: string, body: unknown, etag?: string) =>
  call(`${at}/decisions`, { body, headers: { 'if-match': etag ?? (await etagOf(at)) } })
const approve = async (call: Call, at: string, id: string) =>
  call(`${at}/decisions/${id}/approval`, { method: 'POST', headers: { 'if-match': await etagOf(at) } })
const stateOf = async (at: string) => (await officer(at)).body.state
const decisionsSeenBy = async (call: Call, at: string) => (await call(`${at}/decisions`)).body.decisions
const entriesOf = async (at: string) => (await officer(`${at}/timeline`)).body.entries
const pointersOf = ({ body }: { body: { errors?: { pointer: string }[] } }) => body.errors?.map(({ pointer }) => pointer)
const lettersOf = (id: string, kind: string) =>
  service.sql<{ id: string }>('SELECT id FROM letter WHERE request_id = $1 AND kind = $2', [id, kind])
async function mailOf({ id, email }: Opened, kind: string) {
  const [letter] = await lettersOf(id, kind)
  await service.app.handlers['send-letter']({ letterId: letter?.id ?? '' })
  return service.mailbox.waitFor(({ envelope }) => envelope.to.includes(email), 5000)
}
/** An answered request of the same person, received so many days before. */
async function answeredBefore(userId: string, days: number): Promise<string> {
  const { id } = await opened('completed', userId)
  await service.sql(
    `UPDATE dsar_request SET closed_at = now(), received_at = received_at - $2 * interval '1 day' WHERE id = $1`,
    [id, days],
  )
  return id
}

describe('a refusal', () => {
  test('ends the request and tells the person why, where to complain and that there are courts', async () => {
    const one = await opened()
    const { status, headers, body } = await decide(officer, one.at, REFUSAL)
    expect([status, body.state, body.law, body.dpv]).toEqual([
      ...[201, 'effective', 'GDPR Art. 12(4)', 'https://w3id.org/dpv/justifications#ProcessRejected'],
    ])
    expect(headers.get('etag')).toBe(await etagOf(one.at))
    expect(await stateOf(one.at)).toBe('refused')
    const { text } = await mailOf(one, 'refusal')
    expect(text).toContain(REFUSAL.reasons)
    expect(text).toContain('https://www.edpb.europa.eu/about-edpb/about-edpb/members_en')
    expect(text).toMatch(/court/)
  })

  test('is shown to the person with its reasons and remedies, to a service without the reasons', async () => {
    const one = await opened()
    await decide(officer, one.at, REFUSAL)
    const [seen] = await decisionsSeenBy(one.person, one.at)
    expect(seen).toMatchObject({
      reasons: REFUSAL.reasons,
      remedies: { complaint: { law: 'GDPR Art. 77', url: expect.stringMatching(/^https:/) }, judicial: { law: 'GDPR Art. 79' } },
    })
    expect(seen).not.toHaveProperty('decidedBy')
    expect(seen).not.toHaveProperty('evidence')

    const crm = as.service()
    const { body } = await crm('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: one.email }] } },
    })
    await decide(officer, `/v1/requests/${body.id}`, REFUSAL)
    expect((await decisionsSeenBy(crm, `/v1/requests/${body.id}`))[0]).toMatchObject({ reasons: null, ground: REFUSAL.ground })
    expect((await as.service({ sub: 'other', client_id: 'other' })(`/v1/requests/${body.id}/decisions`)).status).toBe(404)
  })

  test.each([
    ['without a ground', { ...REFUSAL, ground: undefined }, 400, ['/ground']],
    ['on a ground of nobody’s law', { ...REFUSAL, ground: 'too_much_work' }, 400, ['/ground']],
    ['without reasons', { ...REFUSAL, reasons: undefined }, 400, ['/reasons']],
    ['with blank reasons', { ...REFUSAL, reasons: ' \n ' }, 400, ['/reasons']],
    ['with remedies of its own', { ...REFUSAL, remedies: {} }, 400, ['/remedies']],
    ['of parts that names none', { ...REFUSAL, kind: 'refuse_partly', parts: {} }, 400, ['/parts']],
    ['of parts, without saying which', { ...REFUSAL, kind: 'refuse_partly' }, 400, ['/parts']],
    [
      'of what nobody holds',
      { ...REFUSAL, kind: 'refuse_partly', parts: { categories: ['spells'] } },
      422,
      ['/parts/categories/0'],
    ],
    ['by national law that is not named', { ...REFUSAL, ground: 'member_state_restriction' }, 422, ['/citation']],
    ['on a ground of another right', { ...REFUSAL, ground: '17_3_e' }, 422, ['/ground']],
    ['of everything for the sake of others', { ...REFUSAL, ground: 'rights_of_others' }, 422, ['/ground']],
    ['as excessive without evidence', { ...EXCESSIVE, evidence: undefined }, 422, ['/evidence']],
    [
      'for abuse of which one element is missing',
      { ...EXCESSIVE, evidence: { ...ABUSE, subjective: undefined } },
      400,
      ['/evidence/subjective'],
    ],
    [
      'for abuse without a factor',
      { ...EXCESSIVE, evidence: { ...ABUSE, factors: { ...ABUSE.factors, aim: '' } } },
      400,
      ['/evidence/factors/aim'],
    ],
    ['of no kind', { ...REFUSAL, kind: 'ignore' }, 400, ['/kind']],
    ['with evidence of no kind', { ...EXCESSIVE, evidence: { ...ABUSE, kind: 'rudeness' } }, 400, ['/evidence/kind']],
    ['at a fee of nothing', { ...EXCESSIVE, kind: 'fee_notice', amount: '0.00', currency: 'EUR' }, 400, ['/amount']],
  ])('%s is not saved', async (_, body, status, pointers) => {
    const one = await opened()
    const answer = await decide(officer, one.at, body)
    expect([answer.status, pointersOf(answer)]).toEqual([status, pointers])
    expect(await decisionsSeenBy(officer, one.at)).toEqual([])
    expect(await stateOf(one.at)).toBe('assessing')
  })

  test('is not taken by the table without its legal minimum either', async () => {
    const { id } = await opened()
    const insert = (columns: string, values: string) =>
      service.sql(
        `INSERT INTO decision (id, request_id, kind, state, policy_version, decided_by, decided_at, ${columns})
         VALUES ($1, $2, 'refuse', 'effective', '1', 'o', now(), ${values})`,
        [randomUUID(), id],
      )
    const remedies = `'{"complaint":{"authority":"a","url":"https://a.example"},"judicial":{"law":"GDPR Art. 79"}}'`
    for (const [columns, values] of [
      ['ground, reasons_sealed', `'17_3_b', 'x'`],
      ['ground, remedies', `'17_3_b', ${remedies}`],
      ['reasons_sealed, remedies', `'x', ${remedies}`],
      ['ground, reasons_sealed, remedies', `'17_3_b', 'x', '{"complaint":{"authority":"a","url":"https://a.example"}}'`],
    ] as const)
      await expect(insert(columns, values)).rejects.toThrow(/a_refusal_has_its_legal_minimum/)
    await expect(insert('ground, reasons_sealed, remedies', `'manifestly_excessive', 'x', ${remedies}`)).rejects.toThrow(
      /unfounded_or_excessive/,
    )
    await expect(
      insert('ground, reasons_sealed, evidence_sealed, remedies', `'manifestly_excessive', 'x', 'x', ${remedies}`),
    ).rejects.toThrow(/not_one_persons_word/)
    for (const ground of ['too_much_work', 'rights_of_others'])
      await expect(insert('ground, reasons_sealed, remedies', `'${ground}', 'x', ${remedies}`)).rejects.toThrow(
        /check constraint/,
      )
    await insert('ground, reasons_sealed, remedies', `'17_3_b', 'x', ${remedies}`)
  })

  test('of an objection to direct marketing does not exist', async () => {
    for (const ground of ['not_a_right_under_law', 'cannot_identify', 'compelling_grounds']) {
      const one = await opened()
      await service.sql(`UPDATE dsar_request SET "right" = 'marketing_opt_out' WHERE id = $1`, [one.id])
      const answer = await decide(officer, one.at, { ...REFUSAL, ground })
      expect([answer.status, pointersOf(answer)]).toEqual([422, expect.arrayContaining(['/kind'])])
    }
  })

  test('of somebody whom nobody can write to is left to the staff to tell', async () => {
    const { body } = await as.anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: `${randomUUID()}@example.org` }] } },
    })
    const at = `/v1/requests/${body.id}`
    expect((await decide(officer, at, { ...REFUSAL, ground: 'cannot_identify' })).status).toBe(201)
    expect((await officer(at)).body).toMatchObject({ state: 'refused', flags: ['mail_undeliverable'] })
  })

  test('comes too late once the answer was handed over', async () => {
    const one = await opened('completed')
    const { status, body } = await decide(officer, one.at, REFUSAL)
    expect([status, body.code]).toEqual([409, 'illegal_transition'])
  })
})

describe('who decides', () => {
  test('is the privacy officer or the data protection officer, and nobody else', async () => {
    const { at, person } = await opened()
    for (const call of [as.agent(['agent']), as.agent(['operator']), as.service(), person])
      expect((await decide(call, at, REFUSAL)).status).toBe(403)
    expect((await decide(dpo, at, { kind: 'approve' })).body).toMatchObject({ kind: 'approve', state: 'effective', ground: null })
    expect(await stateOf(at)).toBe('fulfilling')
  })

  test('has read what is decided on', async () => {
    const { at } = await opened()
    const blind = await officer(`${at}/decisions`, { body: REFUSAL })
    expect([blind.status, blind.body.code]).toEqual([428, 'precondition_required'])
    const stale = await decide(officer, at, REFUSAL, '"v99"')
    expect([stale.status, stale.body.code]).toEqual([412, 'stale'])
  })

  test('is never the person the request is about', async () => {
    const { at } = await opened('assessing', 'u-both')
    for (const body of [REFUSAL, { kind: 'approve' }])
      expect((await decide(as.agent(['privacy_officer'], 'u-both'), at, body)).status).toBe(404)
  })

  test('is one of two who decide at once', async () => {
    const { at, id } = await opened()
    const etag = await etagOf(at)
    const held = await holdingUntilReleased(service, 'SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])
    const both = [decide(officer, at, REFUSAL, etag), decide(dpo, at, { kind: 'approve' }, etag)]
    await held.waiting(2)
    await held.release()
    const statuses = (await Promise.all(both)).map(({ status }) => status)
    expect(statuses.sort()).toEqual([201, 412])
    expect(await decisionsSeenBy(officer, at)).toHaveLength(1)
  })

  test('is one of two who refuse at once, whatever version they name', async () => {
    const { at, id } = await opened()
    const held = await holdingUntilReleased(service, 'SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])
    const both = [decide(officer, at, REFUSAL, '*'), decide(dpo, at, REFUSAL, '*')]
    await held.waiting(2)
    await held.release()
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([201, 409])
    expect(await lettersOf(id, 'refusal')).toHaveLength(1)
  })
})

describe('calling a request excessive', () => {
  test('is a proposal until a second person agrees', async () => {
    const one = await opened()
    const proposed = await decide(officer, one.at, EXCESSIVE)
    expect([proposed.status, proposed.body.state]).toEqual([201, 'proposed'])
    expect(await stateOf(one.at)).toBe('assessing')
    expect(await lettersOf(one.id, 'refusal')).toHaveLength(0)
    expect(await decisionsSeenBy(one.person, one.at)).toEqual([])
    const { entries } = (await one.person(`${one.at}/timeline`)).body
    expect(entries.map(({ event }: { event: string }) => event)).not.toContain('decision_proposed')
    expect((await entriesOf(one.at)).at(-1)).toMatchObject({
      event: 'decision_proposed',
      facts: { ground: 'manifestly_excessive' },
    })

    expect((await approve(officer, one.at, proposed.body.id)).status).toBe(403)
    expect((await approve(as.agent(['dpo', 'privacy_officer'], 'officer-1'), one.at, proposed.body.id)).status).toBe(403)
    expect((await approve(as.agent(['agent'], 'officer-3'), one.at, proposed.body.id)).status).toBe(403)
    expect((await approve(dpo, one.at, proposed.body.id)).body).toMatchObject({ state: 'effective', evidence: ABUSE })
    expect(await stateOf(one.at)).toBe('refused')
    expect(await lettersOf(one.id, 'refusal')).toHaveLength(1)
    expect((await approve(dpo, one.at, proposed.body.id)).status).toBe(409)
  })

  test('takes two people neither of whom opened the request', async () => {
    const { body } = await officer('/v1/requests', {
      body: {
        type: 'access',
        subject: { identities: [{ type: 'email', value: `${randomUUID()}@example.org` }] },
        channel: 'letter',
        reference: 'L-1',
      },
    })
    const at = `/v1/requests/${body.id}`
    expect((await decide(officer, at, EXCESSIVE)).status).toBe(403)
    const proposed = await decide(dpo, at, EXCESSIVE)
    expect(proposed.status).toBe(201)
    expect((await approve(officer, at, proposed.body.id)).status).toBe(403)
    expect((await approve(as.agent(['dpo'], 'officer-3'), at, proposed.body.id)).status).toBe(200)
  })

  test('is taken back by the next decision', async () => {
    const { at } = await opened()
    const proposed = await decide(officer, at, EXCESSIVE)
    await decide(officer, at, { kind: 'approve' })
    expect((await decisionsSeenBy(officer, at)).map(({ state }: { state: string }) => state)).toEqual(['superseded', 'effective'])
    const late = await approve(dpo, at, proposed.body.id)
    expect([late.status, late.body.code]).toEqual([409, 'illegal_transition'])
  })

  test('does not come a year after the last equal request', async () => {
    const userId = randomUUID()
    const earlier = await answeredBefore(userId, 370)
    const { at } = await opened('assessing', userId)
    for (const evidence of [ABUSE, { kind: 'repetition', earlier: [earlier] }]) {
      const answer = await decide(officer, at, { ...EXCESSIVE, evidence })
      expect([answer.status, pointersOf(answer)]).toEqual([422, ['/ground']])
    }
  })

  test('may rest on equal requests within the year, of the same person, that were answered', async () => {
    const userId = randomUUID()
    const earlier = [await answeredBefore(userId, 40), await answeredBefore(userId, 20)]
    const foreign = await answeredBefore(randomUUID(), 20)
    const { at } = await opened('assessing', userId)
    const other = await decide(officer, at, { ...EXCESSIVE, evidence: { kind: 'repetition', earlier: [...earlier, foreign] } })
    expect([other.status, pointersOf(other)]).toEqual([422, ['/evidence/earlier/2']])
    const { status, body } = await decide(officer, at, { ...EXCESSIVE, evidence: { kind: 'repetition', earlier } })
    expect([status, body.state]).toEqual([201, 'proposed'])
  })

  test('does not count as a repetition what was about less, nor lets it reopen the year', async () => {
    const userId = randomUUID()
    await answeredBefore(userId, 370)
    const narrower = await answeredBefore(userId, 20)
    await service.sql(`UPDATE dsar_request SET scope = '{"categories":["support"]}' WHERE id = $1`, [narrower])
    const { at, id } = await opened('assessing', userId)
    const excessive = { ...EXCESSIVE, evidence: { kind: 'repetition', earlier: [narrower] } }
    expect(pointersOf(await decide(officer, at, excessive))).toEqual(['/ground'])
    await service.sql(`UPDATE dsar_request SET scope = '{"categories":["support"]}' WHERE id = $1`, [id])
    expect((await decide(officer, at, excessive)).status).toBe(201)
  })

  test('does not count as a repetition what was never answered', async () => {
    const userId = randomUUID()
    const withdrawn = await answeredBefore(userId, 20)
    await service.sql(`UPDATE dsar_request SET state = 'withdrawn' WHERE id = $1`, [withdrawn])
    const { at } = await opened('assessing', userId)
    const answer = await decide(officer, at, { ...EXCESSIVE, evidence: { kind: 'repetition', earlier: [withdrawn] } })
    expect([answer.status, pointersOf(answer)]).toEqual([422, ['/evidence/earlier/0']])
  })
})

describe('a refusal of parts', () => {
  const PARTLY = {
    kind: 'refuse_partly',
    ground: 'rights_of_others',
    reasons: 'canary-reasons: others.',
    parts: { categories: ['support'] },
  }

  test('names the parts to the person, and the rest is carried out', async () => {
    const one = await opened()
    expect((await decide(officer, one.at, PARTLY)).body).toMatchObject({ state: 'effective', parts: PARTLY.parts })
    expect(await stateOf(one.at)).toBe('fulfilling')
    const { text } = await mailOf(one, 'partial-refusal')
    expect(text).toContain(PARTLY.reasons)
    expect(text).toMatch(/court/)
    expect((await entriesOf(one.at)).map(({ event }: { event: string }) => event)).toEqual(
      expect.arrayContaining(['refused_partly', 'approved']),
    )
  })
})

describe('an objection', () => {
  const OBJECTION = { kind: 'refuse', ground: 'compelling_grounds', reasons: 'canary-reasons: fraud is found with these data.' }

  test('to marketing and more is weighed by people for the rest alone, refused whole, and marketing ends all the same', async () => {
    const userId = randomUUID()
    const person = as.person(userId, `${userId}@example.org`)
    const details = { purposes: ['marketing', 'security'] }
    const { body } = await person('/v1/requests', { body: { type: 'objection', subject: {}, details } })
    const at = `/v1/requests/${body.id}`
    await service.sql(`UPDATE dsar_request SET state = 'assessing' WHERE id = $1`, [body.id])
    await service.app.handlers.assess({ requestId: body.id })
    expect((await officer(at)).body).toMatchObject({ state: 'assessing', flags: ['needs_decision'] })

    const [part] = await service.sql<{ id: string }>('SELECT id FROM dsar_request WHERE parent_id = $1', [body.id])
    expect((await decide(officer, `/v1/requests/${part?.id}`, OBJECTION)).status).toBe(409) // it is carried out already
    expect((await decide(officer, at, OBJECTION)).status).toBe(201)
    expect((await officer(at)).body).toMatchObject({ state: 'refused' })

    const marks = await service.sql('SELECT DISTINCT request_id AS by, kind, of FROM subject_mark WHERE request_id = ANY($1)', [
      [body.id, part?.id],
    ])
    expect(marks).toEqual([{ by: part?.id, kind: 'objected', of: 'marketing' }])
  })
})

describe('parts that are refused too late', () => {
  test.each(['fulfilling', 'packaging', 'delivering'])('while %s, stay in the answer', async state => {
    const { at } = await opened(state)
    const body = { ...REFUSAL, kind: 'refuse_partly', parts: { categories: ['support'] } }
    const answer = await decide(officer, at, body)
    expect([answer.status, answer.body.code]).toEqual([409, 'illegal_transition'])
  })
})

describe('a fee', () => {
  const FEE = {
    kind: 'fee_notice',
    ground: 'manifestly_excessive',
    reasons: 'canary-reasons: copies.',
    evidence: ABUSE,
    amount: '12.50',
    currency: 'EUR',
  }

  test('is told before anything is charged, and nothing is done until the person answers', async () => {
    const one = await opened()
    const { body } = await decide(officer, one.at, FEE)
    expect(body).toMatchObject({ state: 'proposed', fee: { amount: '12.50', currency: 'EUR' } })
    expect((await approve(dpo, one.at, body.id)).status).toBe(200)
    expect((await mailOf(one, 'fee-notice')).text).toContain('12.50')

    await service.app.handlers.assess({ requestId: one.id })
    expect(await stateOf(one.at)).toBe('assessing')
    for (const again of [{ kind: 'approve' }, FEE]) expect((await decide(officer, one.at, again)).status).toBe(409)

    const [pause] = (await officer(`${one.at}/pauses`)).body.pauses
    expect(pause).toMatchObject({ reason: 'fee', state: 'waiting' })
    expect((await officer(`${one.at}/pauses/${pause.id}/answer`, { body: {} })).body.state).toBe('answered')
    await service.app.handlers.assess({ requestId: one.id })
    expect(await stateOf(one.at)).toBe('fulfilling')
  })

  test('cannot be announced once the work has begun', async () => {
    const { at } = await opened('fulfilling')
    expect((await decide(officer, at, FEE)).status).toBe(409)
  })

  test('leaves the person the way out', async () => {
    const one = await opened()
    const { body } = await decide(officer, one.at, FEE)
    await approve(dpo, one.at, body.id)
    expect((await one.person(`${one.at}/withdrawal`, { method: 'POST' })).body.state).toBe('withdrawn')
  })
})

test('what was said of people is in the letter and sealed, never on the record, in the logs or in the clear', async () => {
  const one = await opened()
  await decide(officer, one.at, EXCESSIVE)
  await decide(officer, one.at, { ...REFUSAL, reasons: 'canary-reasons to nobody' })
  const entries = await entriesOf(one.at)
  expect(entries.at(-1)).toMatchObject({
    event: 'refused',
    facts: { ground: 'not_a_right_under_law', from: 'assessing', to: 'refused' },
  })
  const stored = await service.sql<{ row: string }>(`SELECT to_jsonb(d)::text AS row FROM decision d`)
  const record = await service.sql<{ row: string }>(`SELECT facts::text AS row FROM audit_entry`)
  const texts = [...stored, ...record].map(({ row }) => row)
  expect(texts.length).toBeGreaterThan(10)
  const hex = Buffer.from('canary').toString('hex')
  for (const text of [...texts, ...service.logs]) {
    expect(text).not.toContain('canary')
    expect(text).not.toContain(hex)
  }
  expect((await officer('/v1/audit/verify', { body: {} })).body).toMatchObject({ intact: true })
})
