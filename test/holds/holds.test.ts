import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callAs, callers } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { type Service, startService } from '../support/service.ts'

const HOUR = 3_600_000

let service: Service
let as: ReturnType<typeof callers>
beforeAll(async () => {
  service = await startService({ working: false, env: { LOG_LEVEL: 'trace' } })
  as = callers(service)
})
afterAll(() => service.close())

// Tokens anew for each call: the clock moves.
const officer = () => as.agent(['privacy_officer'], 'officer-1')
const dpo = () => as.agent(['dpo'], 'dpo-1')
const third = () => as.agent(['privacy_officer', 'dpo'], 'officer-2')

const somebody = () => ({ type: 'email', value: `Kanari.${randomUUID()}@example.org` })
const proposal = (identity = somebody()) => ({
  body: { identities: [identity], reason: 'litigation', reference: 'Kanari v. Almastack', note: 'Counsel of Kanari wrote.' },
})
const POST = { method: 'POST' }
const RELEASE = { body: { reason: 'matter_ended' } }

async function proposed(identity = somebody()): Promise<string> {
  const { status, body } = await officer()('/v1/holds', proposal(identity))
  expect([status, body.state]).toEqual([201, 'proposed'])
  return `/v1/holds/${body.id}`
}
async function active(identity = somebody()): Promise<string> {
  const at = await proposed(identity)
  expect((await dpo()(`${at}/approval`, POST)).body.state).toBe('active')
  return at
}
const stateOf = async (at: string) => (await dpo()(at)).body.state
const recorded = async (at: string) => {
  const { body } = await dpo()('/v1/audit?stream=holds&limit=500')
  return body.entries.filter(({ facts }: { facts: { hold: string } }) => at.endsWith(facts.hold))
}

describe('a legal hold', () => {
  test('is proposed by one, approved by another, released by two; who and why is shown and on the record', async () => {
    const { status, headers, body: hold } = await officer()('/v1/holds', proposal())
    const at = `/v1/holds/${hold.id}`
    expect([status, headers.get('location')]).toEqual([201, at])
    await dpo()(`${at}/approval`, POST)
    await dpo()(`${at}/release`, RELEASE)
    const { body: released } = await officer()(`${at}/release/approval`, POST)
    const by = (sub: string) => ({ by: `${service.issuer.url}/staff|${sub}`, at: expect.any(String) })
    expect(released).toEqual({
      id: hold.id,
      state: 'released',
      reason: 'litigation',
      reference: 'Kanari v. Almastack',
      note: 'Counsel of Kanari wrote.',
      identityTypes: ['email'],
      proposed: by('officer-1'),
      approved: by('dpo-1'),
      release: { reason: 'matter_ended', proposed: by('dpo-1'), approved: by('officer-1') },
    })
    expect((await officer()(at)).body).toEqual(released)
    const events = (await recorded(at)).map(({ event, actor }: { event: string; actor: { id: string } }) => [
      event,
      actor.id.split('|')[1],
    ])
    expect(events).toEqual([
      ['hold_proposed', 'officer-1'],
      ['hold_approved', 'dpo-1'],
      ['release_proposed', 'dpo-1'],
      ['hold_released', 'officer-1'],
    ])
    expect((await dpo()('/v1/audit/verify', { body: { stream: 'holds' } })).body.intact).toBe(true)
  })

  test('is proposed once for one Idempotency-Key', async () => {
    const call = { ...proposal(), headers: { 'idempotency-key': randomUUID() } }
    const [first, again] = [await officer()('/v1/holds', call), await officer()('/v1/holds', call)]
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  test.each([
    ['no identity', { identities: [] }, 400],
    ['a reason of its own', { reason: 'because' }, 400],
    ['no reference', { reference: undefined }, 400],
    ['an approval of its own', { approvedBy: 'x' }, 400],
    ['what is no address', { identities: [{ type: 'email', value: 'Kanari@' }] }, 422],
  ])('with %s is not taken', async (_, change, status) => {
    expect((await officer()('/v1/holds', { body: { ...proposal().body, ...change } })).status).toBe(status)
  })

  test('that is not there cannot be read or decided on', async () => {
    const at = `/v1/holds/${randomUUID()}`
    const answers = [
      await dpo()(at),
      await dpo()(`${at}/approval`, POST),
      await dpo()(`${at}/release`, RELEASE),
      await dpo()(`${at}/release/approval`, POST),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404])
  })
})

describe('one person is not two', () => {
  /** The same member of staff, as whoever they may come. */
  const disguises = () => ({
    'by the same token': officer(),
    'by another token': as.agent(['privacy_officer'], 'officer-1'),
    'in another role': as.agent(['dpo'], 'officer-1'),
    'in all roles at once': as.agent(['agent', 'privacy_officer', 'dpo', 'operator'], 'officer-1'),
    'under another name and address': callAs(
      service,
      service.issuer.mint('support_agent', { sub: 'officer-1', roles: ['dpo'], name: 'Other', email: 'other@example.org' }),
    ),
  })

  test('who proposed a hold does not approve it', async () => {
    const at = await proposed()
    for (const [how, call] of Object.entries(disguises())) {
      const { status, body } = await call(`${at}/approval`, POST)
      expect([how, status, body.code]).toEqual([how, 403, 'second_person_needed'])
    }
    expect(await stateOf(at)).toBe('proposed')
    expect((await dpo()(`${at}/approval`, POST)).status).toBe(200)
  })

  test('who proposed the release does not approve it, having approved the hold or not', async () => {
    const at = await active()
    await officer()(`${at}/release`, RELEASE)
    for (const [how, call] of Object.entries(disguises())) {
      const { status, body } = await call(`${at}/release/approval`, POST)
      expect([how, status, body.code]).toEqual([how, 403, 'second_person_needed'])
    }
    expect(await stateOf(at)).toBe('releasing')
    expect((await third()(`${at}/release/approval`, POST)).body.state).toBe('released')
  })

  test('nobody but officers decides', async () => {
    const at = await proposed()
    for (const call of [as.agent(['agent', 'operator'], 'x'), as.service(), as.person('officer-2', 'o@example.org')])
      expect((await call(`${at}/approval`, POST)).status).toBe(403)
    expect((await as.anybody(`${at}/approval`, POST)).status).toBe(401)
  })
})

test('neither holds for long nor ends in the table on the word of one', async () => {
  const { id } = (
    await officer()('/v1/holds', {
      body: { identities: [{ type: 'user_id', value: 'u-alone' }], reason: 'litigation', reference: 'F-1' },
    })
  ).body
  const change = (columns: string) => service.sql(`UPDATE legal_hold SET ${columns} WHERE id = $1`, [id])
  const approved = `approved_at = now(), holds_until = 'infinity'`
  for (const columns of [
    `holds_until = 'infinity'`,
    `approved_by = proposed_by, ${approved}`,
    approved,
    `approved_by = 'second', ${approved}, released_by = 'third', released_at = now()`,
    `approved_by = 'second', approved_at = now(), holds_until = now()`,
  ])
    await expect(change(columns)).rejects.toThrow(/check constraint/)
  await change(`approved_by = 'second', ${approved}`)
  const release = `release_reason = 'matter_ended', release_proposed_by = 'first', released_at = now(), holds_until = now()`
  await expect(change(`${release}, released_by = 'first'`)).rejects.toThrow(/a_release_is_not_one_persons_word/)
  await change(`${release}, released_by = 'second'`)
})

describe('what is decided', () => {
  test.each([
    ['approval', 'an active hold', active],
    ['release/approval', 'an active hold', active],
    ['release/approval', 'a proposed hold', proposed],
    ['release', 'a proposed hold', proposed],
  ])('%s does not fit %s', async (decision, _, made) => {
    const body = decision === 'release' ? RELEASE : POST
    expect((await third()(`${await made()}/${decision}`, body)).body.code).toBe('illegal_transition')
  })

  test.each([
    ['approval', proposed],
    ['release/approval', async () => (await dpo()(`${await active()}/release`, RELEASE)).headers.get('location') ?? ''],
  ])('%s at the same time by two is taken from one', async (decision, made) => {
    const at = await made()
    const held = await holdingUntilReleased(service, 'SELECT FROM legal_hold WHERE id = $1 FOR UPDATE', [at.split('/')[3]])
    const approver = decision === 'approval' ? dpo() : officer()
    const both = [approver(`${at}/${decision}`, POST), third()(`${at}/${decision}`, POST)]
    await held.waiting(2)
    await held.release()
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 409])
    const events = (await recorded(at)).map(({ event }: { event: string }) => event)
    expect(new Set(events).size).toBe(events.length)
  })

  test('approval and the next step at the same time follow each other', async () => {
    const at = await proposed()
    const held = await holdingUntilReleased(service, 'SELECT FROM legal_hold WHERE id = $1 FOR UPDATE', [at.split('/')[3]])
    const approval = dpo()(`${at}/approval`, POST)
    await held.waiting(1)
    const release = third()(`${at}/release`, RELEASE)
    await held.waiting(2)
    await held.release()
    expect([(await approval).status, (await release).status]).toEqual([200, 200])
    expect(await stateOf(at)).toBe('releasing')
  })
})

describe('a proposal', () => {
  /** The holds that stand against a request about somebody. */
  async function requestAbout(identity: { type: string; value: string }) {
    const opened = await as.anybody('/v1/requests', { body: { type: 'access', subject: { identities: [identity] } } })
    return async () => (await dpo()(`/v1/requests/${opened.body.id}/holds`)).body.holds.map(({ id }: { id: string }) => id)
  }

  test('holds for 72 hours and is void afterwards; approved, the hold lasts', async () => {
    const [ana, ben] = [somebody(), somebody()]
    const [ofAna, ofBen] = [await requestAbout(ana), await requestAbout(ben)]
    expect([await ofAna(), await ofBen()]).toEqual([[], []])
    const [alone, together] = [await proposed(ana), await active(ben)]
    const ids = [alone, together].map(at => [at.split('/')[3]])
    expect([await ofAna(), await ofBen()]).toEqual(ids)
    service.clock.advance(71 * HOUR)
    expect([await ofAna(), await ofBen()]).toEqual(ids)
    service.clock.advance(HOUR)
    expect([await ofAna(), await ofBen()]).toEqual([[], ids[1]])
    expect([await stateOf(alone), await stateOf(together)]).toEqual(['lapsed', 'active'])
    expect((await dpo()(`${alone}/approval`, POST)).body.code).toBe('illegal_transition')
  })

  test('to release leaves the hold, and is void after 72 hours', async () => {
    const ana = somebody()
    const of = await requestAbout(ana)
    const at = await active(ana)
    await dpo()(`${at}/release`, RELEASE)
    expect(await of()).toHaveLength(1)
    service.clock.advance(72 * HOUR)
    expect((await officer()(`${at}/release/approval`, POST)).body.code).toBe('illegal_transition')
    expect([await of(), await stateOf(at)]).toEqual([[at.split('/')[3]], 'active'])
    await officer()(`${at}/release`, RELEASE)
    await dpo()(`${at}/release/approval`, POST)
    expect(await of()).toEqual([])
  })

  test('that nobody approved is not renewed by who made it, before or after it lapsed, but by somebody else', async () => {
    const ana = somebody()
    await proposed(ana)
    const again = { body: { ...proposal().body, identities: [somebody(), { ...ana, value: ana.value.toUpperCase() }] } }
    expect((await officer()('/v1/holds', again)).body.code).toBe('already_exists')
    service.clock.advance(100 * HOUR)
    expect((await officer()('/v1/holds', again)).body.code).toBe('already_exists')
    expect((await dpo()('/v1/holds', again)).status).toBe(201)
  })
})

describe('holds are found', () => {
  test('by an exact identity, whoever is meant by it', async () => {
    const ana = somebody()
    const at = await active(ana)
    await proposed()
    const search = async (body: object) =>
      (await dpo()('/v1/holds/search', { body })).body.holds.map(({ id }: { id: string }) => `/v1/holds/${id}`)
    const upper = { ...ana, value: ana.value.toUpperCase() }
    expect(await search({ identity: upper })).toEqual([at])
    expect(await search({ identity: upper, holding: false })).toEqual([])
    expect(await search({ identity: { type: 'user_id', value: ana.value } })).toEqual([])
  })

  test('in pages, the newest first, by whether they hold', async () => {
    const all = await service.sql<{ id: string }>(`SELECT id FROM legal_hold WHERE holds_until > $1 ORDER BY id DESC`, [
      service.clock.now(),
    ])
    expect(all.length).toBeGreaterThan(3)
    const seen: string[] = []
    let path: string | undefined = '/v1/holds?holding=true&limit=2'
    while (path) {
      const page: Awaited<ReturnType<ReturnType<typeof dpo>>> = await dpo()(path)
      seen.push(...page.body.holds.map(({ id }: { id: string }) => id))
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
    }
    expect(seen).toEqual(all.map(({ id }) => id))
  })
})

test('nothing of a person is in a row, a log or an entry in clear', async () => {
  const tables = ['legal_hold', 'legal_hold_identity', 'audit_entry', 'idempotency_key', 'request_identity']
  for (const table of tables) {
    const rows = await service.sql<{ row: string }>(`SELECT t::text AS row FROM ${table} t`)
    expect(rows.length).toBeGreaterThan(0)
    for (const { row } of rows)
      for (const form of ['utf8', 'hex', 'base64'] as const)
        for (const spelling of ['Kanari', 'kanari', 'KANARI']) expect(row).not.toContain(Buffer.from(spelling).toString(form))
  }
  expect(service.logs.join('')).not.toMatch(/kanari/i)
})
