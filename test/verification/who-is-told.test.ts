import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Call, callers, until } from '../support/callers.ts'
import { codeIn } from '../support/letters.ts'
import { knowing, matchOf, type OnFile, openRegisters, type Registers, settled, type WhoIs } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

const nobody: WhoIs = () => undefined

let registers: Registers
let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let tests = 0
/** New people for each test: a mailbox has its share of codes. */
let victim: OnFile
let eve: OnFile
/** What the two registers answer in this test. */
let first: WhoIs = nobody
let second: WhoIs = nobody

beforeAll(async () => {
  registers = await openRegisters({ crm: ids => first(ids), shop: ids => second(ids) })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers) } })
  as = callers(service)
  officer = as.agent(['agent', 'privacy_officer'])
  await registerAll(registers, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await registers.close()
})
beforeEach(async () => {
  await settled(service) // what was left of the test before writes no letter into this one
  first = second = nobody
  service.mailbox.clear()
  tests += 1
  victim = { userId: `u-victim-${tests}`, email: `victim-${tests}@example.org` }
  eve = { userId: `u-eve-${tests}`, email: `eve-${tests}@example.org`, since: '2010-01-01T00:00:00Z' }
})

const user = (value: string) => ({ type: 'user_id', value })
const email = (value: string) => ({ type: 'email', value })
const open = async (call: Call, identities: object[]) => {
  const { status, body } = await call('/v1/requests', { body: { type: 'access', subject: { identities } } })
  expect(status).toBe(201)
  await settled(service)
  return `/v1/requests/${body.id}`
}
const recipients = () => service.mailbox.messages().flatMap(({ envelope }) => envelope.to)
const caseOf = async (at: string) => (await officer(at)).body
const eventsOf = async (at: string): Promise<{ event: string; facts: object }[]> => (await officer(`${at}/timeline`)).body.entries

async function untilNone(query: string): Promise<void> {
  while ((await service.sql(query)).length > 0) await new Promise(resolve => setTimeout(resolve, 20))
}

describe('a code goes to the address on file', () => {
  test('T01 and to nothing that a request only names', async () => {
    first = knowing(victim)
    await open(as.anybody, [user(victim.userId), email(eve.email)])
    expect(recipients()).toEqual([victim.email])
  })

  test('which is not the one that was entered yesterday', async () => {
    first = ids => matchOf({ ...victim, email: eve.email, since: new Date(Date.now() - 86_400_000).toISOString() }, ids)
    second = ids => matchOf({ ...victim, since: '2015-01-01T00:00:00Z' }, ids)
    await open(as.anybody, [email(victim.email)])
    expect(recipients()).toEqual([victim.email])
  })

  test.each([
    ['yesterday', () => new Date(Date.now() - 86_400_000).toISOString()],
    ['nobody knows when', () => 'long ago'],
  ])('and to none at all where the only one was entered %s: such an address proves nothing alone', async (_, since) => {
    first = knowing({ ...victim, since: since() })
    const at = await open(as.anybody, [email(victim.email)])
    expect(recipients()).toEqual([])
    expect(await caseOf(at)).toMatchObject({ state: 'verifying', flags: ['not_identified'] })
    const code = { method: 'email_code', code: 'K7QF-2M9X' }
    expect((await as.anybody(`${at}/proofs`, { body: code })).status).toBe(401)
  })

  test('and never to one that was not confirmed, nor to what is not one plain address', async () => {
    first = ids => ({
      ...matchOf(victim, ids),
      contactPoints: [
        { type: 'email', value: eve.email, since: '2001-01-01T00:00:00Z', verified: false },
        { type: 'email', value: `${victim.email}, ${eve.email}`, since: '2002-01-01T00:00:00Z', verified: true },
        { type: 'phone', value: '+49 30 1', since: '2003-01-01T00:00:00Z', verified: true },
        { type: 'email', value: victim.email, since: '2004-01-01T00:00:00Z', verified: true },
      ],
    })
    await open(as.anybody, [email(victim.email)])
    expect(recipients()).toEqual([victim.email])
  })

  test('as it was when the person was looked up: a change afterwards redirects neither code nor package', async () => {
    first = knowing(victim)
    const at = await open(as.anybody, [email(victim.email)])
    const [mail] = service.mailbox.messages()
    first = ids => matchOf({ ...victim, email: eve.email, since: '2001-01-01T00:00:00Z' }, ids)
    await as.anybody(`${at}/challenges`, { method: 'POST' })
    await settled(service)
    const again = service.mailbox.messages().at(-1)
    expect(mail && again && codeIn(mail) !== codeIn(again)).toBe(true)
    const proof = { method: 'email_code', code: again && codeIn(again) }
    expect((await as.anybody(`${at}/proofs`, { body: proof })).status).toBe(200)
    await until(
      () => officer(at),
      ({ body }) => body.state === 'completed',
    )
    await settled(service)
    expect(new Set(recipients())).toEqual(new Set([victim.email]))
  })
})

describe('nobody becomes two people', () => {
  test.each([
    ['the one first', () => [knowing(eve), knowing(victim)]],
    ['the other first', () => [knowing(victim), knowing(eve)]],
  ])('by naming their own address with the number of another: %s', async (_, answers) => {
    ;[first, second] = answers() as [WhoIs, WhoIs]
    const calls = registers.contentCalls()
    const at = await open(as.anybody, [user(victim.userId), email(eve.email)])
    expect(await caseOf(at)).toMatchObject({ state: 'verifying', flags: ['on_hold'] })
    await as.anybody(`${at}/challenges`, { method: 'POST' })
    await settled(service)
    expect([recipients(), registers.contentCalls() - calls]).toEqual([[], 0])
  })

  test('by entering the address of another, unconfirmed, into their own account', async () => {
    first = ids => ({
      ...matchOf(eve, ids),
      identities: [user(eve.userId), email(eve.email), email(victim.email)],
      contactPoints: [
        { type: 'email', value: eve.email, since: '2020-01-01T00:00:00Z', verified: true },
        { type: 'email', value: victim.email.toUpperCase(), since: '2020-01-01T00:00:00Z', verified: false },
      ],
    })
    const at = await open(as.anybody, [email(eve.email)])
    expect((await caseOf(at)).subject.identities).toHaveLength(2)
  })

  test('but is one whom several know by different numbers', async () => {
    first = knowing(victim)
    second = knowing({ ...victim, userId: 'customer-12345' })
    const at = await open(as.anybody, [email(victim.email)])
    expect(await caseOf(at)).toMatchObject({ flags: [], subject: { identities: { length: 3 } } })
    expect(recipients()).toEqual([victim.email])
  })
})

describe('the staff is asked, and nobody mailed', () => {
  test.each(['hold', 'suspected_fraud'] as const)('when a register says %s', async status => {
    first = ids => ({ ...matchOf(victim, ids), status })
    second = knowing(victim)
    const at = await open(as.anybody, [email(victim.email)])
    for (const _ of [1, 2]) await as.anybody(`${at}/challenges`, { method: 'POST' })
    await service.app.handlers['weigh-identity']({ requestId: at.slice('/v1/requests/'.length) })
    await settled(service)
    expect(recipients()).toEqual([])
    expect(await caseOf(at)).toMatchObject({ state: 'verifying', flags: ['on_hold'] })
    const held = (await eventsOf(at)).find(({ event }) => event === 'person_held_back')
    expect(held?.facts).toEqual({ finding: status })
  })

  test('when nobody knows who that is', async () => {
    const at = await open(as.anybody, [email('stranger@example.org')])
    for (const _ of [1, 2]) expect((await as.anybody(`${at}/challenges`, { method: 'POST' })).status).toBe(202)
    await settled(service)
    expect(recipients()).toEqual([])
    expect(await caseOf(at)).toMatchObject({ state: 'verifying', flags: ['not_identified'] })
  })
})

describe('until everybody who knows people has answered', () => {
  test('no code goes out, however often one is asked for', async () => {
    first = knowing(eve)
    let answer = () => {}
    second = ids => new Promise(resolve => (answer = () => resolve(knowing(victim)(ids))))
    const { body } = await as.anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [user(victim.userId), email(eve.email)] } },
    })
    const at = `/v1/requests/${body.id}`
    await until(
      () => officer(`${at}/tasks`),
      ({ body: { tasks } }) => tasks.some(({ state }: { state: string }) => state === 'done'),
    )
    await as.anybody(`${at}/challenges`, { method: 'POST' })
    await untilNone(`SELECT 1 FROM pgboss.job WHERE name = 'send-code' AND state < 'completed'`)
    const sent = await service.sql('SELECT 1 FROM challenge WHERE request_id = $1', [body.id])
    answer()
    await settled(service)
    expect([sent, recipients()]).toEqual([[], []])
  })

  test('not even who is logged in goes on: what is held under other names would be left out', async () => {
    first = ids => matchOf({ userId: 'u-pia', email: 'pia@old.example.org' }, ids.slice(0, 1))
    const { body } = await as.person('u-pia', 'pia@example.org')('/v1/requests', { body: { type: 'access', subject: {} } })
    const done = await until(
      () => officer(`/v1/requests/${body.id}`),
      answer => answer.body.state === 'completed',
    )
    expect(done.body.subject.identities).toHaveLength(3)
    const events = (await eventsOf(`/v1/requests/${body.id}`)).map(({ event }) => event)
    const confirmed = events.indexOf('identity_confirmed')
    expect(events.slice(0, confirmed).filter(event => event === 'task_done')).toHaveLength(2)
  })
})

describe('a request that nobody proves', () => {
  test('T03 is asked for no content, whatever runs', async () => {
    first = knowing(victim)
    const calls = registers.contentCalls()
    const at = await open(as.anybody, [email(victim.email)])
    const requestId = at.slice('/v1/requests/'.length)
    for (let sweep = 0; sweep < 5; sweep++) {
      for (const job of [
        'ask-who',
        'weigh-identity',
        'assess',
        'start-fulfilment',
        'conclude-fulfilment',
        'build-package',
        'hand-over',
      ] as const)
        await service.app.handlers[job]({ requestId })
      await service.app.handlers['watch-deadlines']({})
      await service.app.handlers['dispatch-tasks']({})
      await settled(service)
    }
    expect(await caseOf(at)).toMatchObject({ state: 'verifying', flags: [] })
    expect(registers.contentCalls() - calls).toBe(0)
    expect(service.mailbox.messages()).toHaveLength(1)
  })
})
