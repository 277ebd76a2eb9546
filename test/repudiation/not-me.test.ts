import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Mail } from '../../src/demo/mail.ts'
import { type Call, callers, until } from '../support/callers.ts'
import { codeIn } from '../support/letters.ts'
import { notYouIn } from '../support/not-you.ts'
import { matchOf, type OnFile, openRegisters, type Registers, settled } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

let registers: Registers
let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let people = 0
let addresses = 0
let ana: OnFile & { old: string; young: string }

beforeAll(async () => {
  registers = await openRegisters({ crm: ids => known(ids) })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers), TRUST_PROXY: '127.0.0.1' } })
  as = callers(service)
  // each call from an address of its own: calls are counted for each as well, and that is not what is shown here
  const { anybody } = as
  as.anybody = (path, options) =>
    anybody(path, {
      ...options,
      headers: { ...options?.headers, 'x-forwarded-for': `2001:db8:${(++addresses).toString(16)}::1` },
    })
  officer = as.agent(['agent', 'privacy_officer'])
  await registerAll(registers, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await registers.close()
})
beforeEach(async () => {
  await settled(service)
  service.mailbox.clear()
  people += 1
  const name = `ana-${people}`
  ana = { userId: `u-${name}`, email: `${name}@example.org`, old: `${name}@old.example.org`, young: `${name}@young.example.org` }
})

/** Ana has a main address, an older one, and one that she entered yesterday. */
function known(identities: readonly { type: string; value: string }[]) {
  const mine = identities.filter(({ value }) => value === ana.userId || value === ana.email)
  const {
    contactPoints: [main],
    ...match
  } = matchOf(ana, mine)
  if (mine.length === 0 || !main) return undefined
  const yesterday = new Date(Date.now() - 86_400_000).toISOString()
  return {
    ...match,
    contactPoints: [
      main,
      { ...main, value: ana.old, since: '2015-01-01T00:00:00Z' },
      { ...main, value: ana.young, since: yesterday },
    ],
  }
}

const everywhere = () => [ana.email, ana.old, ana.young]
const mails = (address: string, subject = /./): Mail[] =>
  service.mailbox.messages().filter(mail => mail.envelope.to.includes(address) && subject.test(mail.subject))
const recipients = (subject: RegExp) =>
  service.mailbox
    .messages()
    .flatMap(mail => (subject.test(mail.subject) ? mail.envelope.to : []))
    .sort()
const means = (address: string, subject = /./) => {
  const mail = mails(address, subject).at(-1)
  if (!mail) throw new Error(`No letter came to ${address}.`)
  return notYouIn(mail)
}
const RECEIVED = /received your request/
const WARNED = /important message/

interface Case {
  at: string
  id: string
}
const openAt = async (call: Call, body: object): Promise<Case> => {
  const answer = await call('/v1/requests', { body })
  expect(answer.status).toBe(201)
  await settled(service)
  return { at: `/v1/requests/${answer.body.id}`, id: answer.body.id }
}
/** Somebody without a login asks for Ana's data; they have not proven anything yet. */
const asked = (type = 'access', more: object = {}) =>
  openAt(as.anybody, { type, subject: { identities: [{ type: 'email', value: ana.email }] }, ...more })
/** A request that is proven and that waits for the staff. */
const provenInquiry = async (): Promise<Case> => {
  const one = await asked('inquiry', { details: { message: 'Why?' } })
  await prove(one)
  return one
}
async function prove({ at }: Case): Promise<void> {
  const code = codeIn(mails(ana.email, /confirmation code/).at(-1) as Mail)
  expect((await as.anybody(`${at}/proofs`, { body: { method: 'email_code', code } })).status).toBe(200)
  await settled(service)
}
const stateOf = async ({ at }: Case) => (await officer(at)).body
const eventsOf = async ({ at }: Case): Promise<{ event: string; facts: Record<string, unknown> }[]> =>
  (await officer(`${at}/timeline`)).body.entries
const notMe = ({ path, code }: { path: string; code: string }) => as.anybody(path, { body: { code } })
const form = (fields: string) => ({ body: fields, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
const rowsOf = ({ id }: Case) =>
  service.sql(
    `SELECT (SELECT to_jsonb(r) FROM dsar_request r WHERE id = $1) AS request, (SELECT max(seq)::int FROM audit_entry WHERE stream = 'request:' || $1) AS entries,
       (SELECT jsonb_agg(l ORDER BY l.id) FROM repudiation_link l WHERE request_id = $1) AS links, (SELECT count(*)::int FROM person_freeze) AS freezes`,
    [id],
  )

describe('a new request', () => {
  test('T18 A2 is announced to every address on file, old and young, each with means of its own, once somebody proved something', async () => {
    const one = await provenInquiry()
    expect(recipients(RECEIVED)).toEqual(everywhere().sort())
    const paths = everywhere().map(address => means(address, RECEIVED).path)
    expect(new Set(paths).size).toBe(3)
    await service.app.handlers.acknowledge({ requestId: one.id })
    await settled(service)
    expect(recipients(RECEIVED)).toHaveLength(3)
  })

  test('T13 that nobody proved writes to one address, however often it is asked for', async () => {
    const opened: Case[] = []
    for (let n = 0; n < 6; n++) opened.push(await asked())
    for (const one of opened.slice(0, 3)) await as.anybody(`${one.at}/challenges`, { method: 'POST' })
    await settled(service)
    expect(service.mailbox.messages().map(({ envelope }) => envelope.to[0])).toEqual([ana.email, ana.email, ana.email])
  })

  test('is announced where the portal says the person reads, too', async () => {
    await openAt(as.person(ana.userId, 'ana-portal@example.org'), { type: 'inquiry', subject: {}, details: { message: 'Why?' } })
    expect(recipients(RECEIVED)).toEqual([...everywhere(), 'ana-portal@example.org'].sort())
  })

  test('says in both languages what to do', async () => {
    await asked('access', { subject: { identities: [{ type: 'email', value: ana.email }], locale: 'de-AT' } })
    const [mail] = mails(ana.email)
    expect(mail?.text).toContain('Waren Sie das nicht?')
    const { body } = await as.anybody(means(ana.email).path)
    expect(body).toContain('<html lang="de">')
    expect(body).toContain('Einen Antrag in Ihrem Namen stoppen')
  })
})

describe('whoever says that it was not them', () => {
  test('T18 stops it with the code of that letter; the others and the officer are told', async () => {
    const one = await provenInquiry()
    const answer = await notMe(means(ana.old, RECEIVED))
    expect([answer.status, answer.body]).toEqual([200, { effect: 'stopped' }])
    await settled(service)
    expect(await stateOf(one)).toMatchObject({ state: 'cancelled', flags: ['repudiated'] })
    const events = await eventsOf(one)
    expect(events.find(({ event }) => event === 'repudiated')?.facts).toEqual({
      effect: 'stopped',
      state: 'assessing',
      contact: 2,
    })
    expect(events.find(({ event }) => event === 'cancelled')?.facts).toMatchObject({ reason: 'repudiated' })
    expect(recipients(WARNED)).toEqual([ana.email, ana.young].sort())
    expect(recipients(/has been closed/)).toEqual([])
    const [alert] = mails(service.config.privacyOfficer, /not theirs/)
    expect(alert?.text).toContain('was stopped at once')
    expect(alert?.text).not.toContain('ana-')
  })

  test('A2 before anything was proven, stops it by the letter with the code, and that code proves nothing any more', async () => {
    const one = await asked()
    const [mail] = mails(ana.email)
    const { path, code } = notYouIn(mail as Mail)
    expect((await notMe({ path, code: codeIn(mail as Mail) })).status).toBe(401) // the other code does nothing here
    const proofs = `${one.at}/proofs`
    expect((await as.anybody(proofs, { body: { method: 'email_code', code: code.replace(' ', '-') } })).status).toBe(401)
    expect((await notMe({ path, code: code.toLowerCase() })).body).toEqual({ effect: 'stopped' })
    expect((await as.anybody(proofs, { body: { method: 'email_code', code: codeIn(mail as Mail) } })).status).toBe(401)
    expect(await stateOf(one)).toMatchObject({ state: 'cancelled' })
  })

  test('A26 logged in as themself needs no code, and every address is told', async () => {
    const one = await provenInquiry()
    const answer = await as.person(ana.userId, ana.email)(`${one.at}/repudiation`, { method: 'POST' })
    expect([answer.status, answer.body]).toEqual([200, { effect: 'stopped' }])
    await settled(service)
    expect(recipients(WARNED)).toEqual(everywhere().sort())
    const [said] = (await eventsOf(one)).filter(({ event }) => event === 'repudiated')
    expect(said?.facts).toMatchObject({ contact: null })
  })

  test('is nobody else: to a stranger the request does not exist', async () => {
    const one = await provenInquiry()
    const stranger = as.person('u-eve', 'eve@example.org')
    expect((await stranger(`${one.at}/repudiation`, { method: 'POST' })).status).toBe(404)
    expect(await stateOf(one)).toMatchObject({ state: 'assessing' })
  })

  test('says it once: the second time changes nothing and is answered the same', async () => {
    const one = await provenInquiry()
    const [first, second] = [means(ana.old, RECEIVED), means(ana.young, RECEIVED)]
    await notMe(first)
    await settled(service)
    const before = [await rowsOf(one), service.mailbox.messages().length]
    expect((await notMe(second)).body).toEqual({ effect: 'stopped' })
    await settled(service)
    const [row] = await rowsOf(one)
    const [was] = before[0] as (typeof row)[]
    expect([row?.request, row?.entries, service.mailbox.messages().length]).toEqual([was?.request, was?.entries, before[1]])
  })

  test('does so on the page, without a script, and the page says what came of it', async () => {
    await provenInquiry()
    const { path, code } = means(ana.young, RECEIVED)
    expect((await as.anybody(path, form('code=1234'))).status).toBe(401)
    const answer = await as.anybody(path, form(`code=${encodeURIComponent(code)}`))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(answer.body).toContain('We have stopped the request.')
    expect(answer.body).not.toMatch(/<script|<form|ana-|http/)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})

describe('what it is too late for', () => {
  test('is said to be so: a copy was handed over, but its link works no more', async () => {
    const one = await asked()
    await prove(one)
    await until(
      () => officer(one.at),
      ({ body }) => body.state === 'completed',
    )
    await settled(service)
    const link = /\/v1\/downloads\/[\w-]{43}/.exec(mails(ana.email, /answered/)[0]?.text ?? '')?.[0] ?? ''
    expect((await as.anybody(link)).status).toBe(200)
    const answer = await notMe(means(ana.old, RECEIVED))
    expect(answer.body).toEqual({ effect: 'handed_over' })
    expect((await as.anybody(link)).status).toBe(410)
    expect((await officer(`${one.at}/package/links`, { method: 'POST' })).status).toBe(410)
    await settled(service)
    expect(await stateOf(one)).toMatchObject({ state: 'completed', flags: ['repudiated'] })
    expect(mails(ana.email, WARNED)[0]?.text).toContain('we cannot take them back')
    expect(mails(service.config.privacyOfficer, /not theirs/)[0]?.text).toContain('It came too late')
  })

  test('ends some time after the request: the link is gone, and so is what was kept for it', async () => {
    const one = await asked()
    const link = means(ana.email)
    await notMe(link)
    service.clock.advanceAlone(31 * 86_400_000)
    expect([(await as.anybody(link.path)).status, (await notMe(link)).status]).toEqual([410, 410])
    await service.app.handlers['forget-expired']({})
    expect(await service.sql('SELECT 1 FROM repudiation_link WHERE request_id = $1', [one.id])).toEqual([])
    expect(await service.sql('SELECT 1 FROM person_freeze')).toEqual([])
    service.clock.advanceAlone(-31 * 86_400_000)
  })
})

describe('scanners', () => {
  test('T15 open the link ten times by GET, HEAD and OPTIONS, and submit the form empty and with garbage: nothing changes', async () => {
    const one = await provenInquiry()
    const { path, code } = means(ana.old, RECEIVED)
    const before = await rowsOf(one)
    const garbage = ['', 'code=', 'code=test', 'code=%00', 'code=UUUU-UUUU', `code=${'A'.repeat(90)}`, 'code=on']
    for (let n = 0; n < 10; n++) {
      for (const method of ['GET', 'HEAD']) expect((await as.anybody(path, { method })).status).toBe(200)
      expect((await as.anybody(path, { method: 'OPTIONS' })).status).toBe(405)
      for (const fields of n < 2 ? garbage : garbage.slice(0, 1)) expect((await as.anybody(path, form(fields))).status).toBe(401)
    }
    expect(await rowsOf(one)).toEqual(before)
    expect((await notMe({ path, code })).status).toBe(200)
  })
})

describe('guessing at a code', () => {
  test('T05 T18 ends with the fifth: the link is dead, the right code as well, and the officer is told', async () => {
    const one = await provenInquiry()
    const link = means(ana.old, RECEIVED)
    const guesses = await Promise.all(Array.from({ length: 9 }, () => notMe({ ...link, code: '0000 0000' })))
    expect(new Set(guesses.map(({ status }) => status))).not.toContain(200)
    const answer = await notMe(link)
    expect(answer.status).toBe(410)
    await settled(service)
    expect((await eventsOf(one)).filter(({ event }) => event === 'repudiation_refused')).toHaveLength(5)
    expect(mails(service.config.privacyOfficer, /not theirs/)[0]?.text).toContain('The request goes on')
    expect((await notMe(means(ana.young, RECEIVED))).body).toEqual({ effect: 'stopped' })
  })
})
