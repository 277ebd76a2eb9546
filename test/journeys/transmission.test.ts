import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answered, type Call, callers, until } from '../support/callers.ts'
import { linkIn } from '../support/letters.ts'
import { digestOf, openReceiver, type Receiver, verifiedBy } from '../support/receiver.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'
import { type ServiceProcess, startWorker } from '../support/worker-process.ts'
import { readZip } from '../support/zip-reader.ts'

const UNIVERSITY = 'Open University'
const EVE: Person = { userId: 'u-kanari', email: 'kanari@example.org', name: 'Kanari Eve' }

interface Place {
  house: House
  receiver: Receiver
  service: Service
  officer: Call
  RECEIVERS: string
  close(): Promise<void>
}

async function openPlace({ working = true } = {}): Promise<Place> {
  const [house, receiver] = await Promise.all([openHouse({}, [ANA, EVE]), openReceiver()])
  const RECEIVERS = JSON.stringify([{ id: 'university', name: UNIVERSITY, endpoint: receiver.endpoint }])
  const env = { ADAPTER_ALLOWED_HOSTS: `${hostsOf(house)},${receiver.host}`, RECEIVERS }
  const service = await startService({ env, working })
  const officer = callers(service).agent(['privacy_officer', 'operator'])
  await registerAll(house, officer, service)
  const close = async () => {
    await service.close()
    await Promise.all([house.close(), receiver.close()])
  }
  return { house, receiver, service, officer, RECEIVERS, close }
}

let place: Place
let service: Service
let receiver: Receiver
let officer: Call

beforeAll(async () => {
  place = await openPlace()
  ;({ service, receiver, officer } = place)
})
afterAll(() => place.close())
afterEach(() => {
  receiver.answer = res => res.writeHead(201).end()
  receiver.posted.length = 0
})

const asking = { type: 'portability', subject: {}, details: { transmitTo: 'university' } }
const personOf = ({ userId, email }: Person, of = service) => callers(of).person(userId, email)

async function ask(of = service): Promise<string> {
  const { status, body } = await personOf(ANA, of)('/v1/requests', { body: asking })
  expect(status).toBe(201)
  return `/v1/requests/${body.id}`
}
const see = async (at: string, fits: (body: Answered['body']) => boolean, by = officer) =>
  (
    await until(
      () => by(at),
      ({ body }) => fits(body),
    )
  ).body
const isCompleted = ({ state }: { state: string }) => state === 'completed'
const eventsOf = async (at: string, by = officer): Promise<string[]> =>
  (await by(`${at}/timeline`)).body.entries
    .map(({ event }: { event: string }) => event)
    .filter((event: string) => event.startsWith('transmission'))
const recipientsOf = async (at: string) => (await personOf(ANA)(`${at}/recipients`)).body.recipients
const letterOf = (at: string) =>
  service.mailbox.waitFor(({ text }) => text.includes(at.slice(-36)) && text.includes('/v1/downloads/'), 10_000)
const idOf = (at: string) => ({ requestId: at.slice(-36) })

describe('a copy that the person also wants sent to another controller', () => {
  let at: string
  beforeAll(async () => {
    at = await ask()
    await see(at, isCompleted)
  })

  test('arrives whole, opens, and is what the person gets', async () => {
    const [posted, ...others] = receiver.posted
    expect(others).toEqual([])
    expect(posted?.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-length': String(posted?.body.length),
      'content-digest': digestOf(posted?.body ?? Buffer.alloc(0)),
      'repr-digest': digestOf(posted?.body ?? Buffer.alloc(0)),
      'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    const files = readZip(posted?.body ?? Buffer.alloc(0)).map(({ name }) => name.slice(name.indexOf('/') + 1))
    expect(files).toEqual(expect.arrayContaining(['data/people/account.json', 'data/library/notes.json']))

    const granted = await personOf(ANA)(linkIn(await letterOf(at)), { body: {} })
    const { bytes } = await callers(service).anybody(new URL(granted.body.contentUrl).pathname)
    expect(bytes.equals(posted?.body ?? Buffer.alloc(0))).toBe(true)
    const { keys } = (await callers(service).anybody('/v1/signing-keys')).body
    if (!posted) throw new Error('Nothing arrived.')
    expect(verifiedBy(keys, receiver.endpoint, posted)).toEqual(
      expect.arrayContaining(['@method', '@target-uri', 'content-digest', 'content-length', 'idempotency-key']),
    )
    const forged = { ...posted, headers: { ...posted.headers, 'content-digest': digestOf(Buffer.from('other')) } }
    expect(() => verifiedBy(keys, receiver.endpoint, forged)).toThrow('does not hold')
  })

  test('is on the record, in the list of recipients, and in the letter', async () => {
    expect(await eventsOf(at)).toEqual(['transmission_begun', 'transmission_tried', 'transmission_delivered'])
    expect(await recipientsOf(at)).toMatchObject([
      { recipient: UNIVERSITY, action: 'transmit', state: 'acknowledged', why: null },
    ])
    expect((await letterOf(at)).text.replace(/\s+/g, ' ')).toContain(`also sent these data directly to ${UNIVERSITY}`)
  })

  test('is not sent again, however often that is tried; nor is it settled by anybody’s word', async () => {
    for (let n = 0; n < 3; n++) await service.app.handlers.transmit(idOf(at))
    expect(receiver.posted).toEqual([])
    const settled = await officer(`${at}/recipients/${encodeURIComponent(UNIVERSITY)}`, { body: { state: 'failed' } })
    expect(settled.status).toBe(404)
  })
})

describe('asking for it', () => {
  test('names a receiver that is registered, for a right that has one', async () => {
    expect((await callers(service).anybody('/v1/receivers')).body).toEqual({
      receivers: [{ id: 'university', name: UNIVERSITY }],
    })
    const refusal = async (body: object) => {
      const { status, body: problem } = await personOf(EVE)('/v1/requests', { body })
      return [status, problem.errors?.[0]]
    }
    expect(await refusal({ ...asking, details: { transmitTo: 'thief' } })).toEqual([
      422,
      { pointer: '/details/transmitTo', detail: 'No such receiver is registered; one of university.' },
    ])
    expect(await refusal({ ...asking, details: { transmitTo: 'https://thief.example' } })).toMatchObject([400, {}])
    expect(await refusal({ ...asking, type: 'access' })).toMatchObject([422, { pointer: '/details/transmitTo' }])
  })

  test('is refused where no receiver is registered: it is switched off unless somebody switches it on', async () => {
    const off = await startService({ working: false })
    try {
      const { status, body } = await personOf(ANA, off)('/v1/requests', { body: asking })
      expect([status, body.errors]).toEqual([
        422,
        [{ pointer: '/details/transmitTo', detail: 'Direct transmission is switched off here: no receiver is registered.' }],
      ])
      expect((await callers(off).anybody('/v1/receivers')).body).toEqual({ receivers: [] })
    } finally {
      await off.close()
    }
  })

  test('is part of the plan', async () => {
    const identities = [{ type: 'email', value: EVE.email }]
    const opened = await callers(service).anybody('/v1/requests', { body: { ...asking, subject: { identities } } })
    expect((await officer(`/v1/requests/${opened.body.id}/plan`)).body.transmission).toEqual({
      ...{ receiver: 'university', name: UNIVERSITY, ground: '20_2' },
    })
    const plain = await callers(service).anybody('/v1/requests', {
      body: { type: 'portability', subject: { identities: [{ type: 'email', value: 'x@example.org' }] } },
    })
    expect((await officer(`/v1/requests/${plain.body.id}/plan`)).body).not.toHaveProperty('transmission')
  })
})

describe('a receiver', () => {
  const told = async (at: string) => (await letterOf(at)).text.replace(/\s+/g, ' ')

  test('that refuses is not asked again; the person gets their own copy, and is told so', async () => {
    receiver.answer = res => res.writeHead(403).end()
    const at = await ask()
    await see(at, isCompleted)
    expect(receiver.posted).toHaveLength(1)
    expect(await recipientsOf(at)).toMatchObject([{ action: 'transmit', state: 'impossible', why: 'status_403' }])
    expect(await told(at)).toMatch(/did not accept them.*You can download the data and pass them on yourself/)
    expect(await told(at)).not.toContain('also sent')
  })

  test('that redirects is not followed', async () => {
    const elsewhere = await openReceiver()
    receiver.answer = res => res.writeHead(307, { location: elsewhere.endpoint }).end()
    const at = await ask()
    await see(at, isCompleted)
    expect([receiver.posted.length, elsewhere.posted.length]).toEqual([1, 0])
    expect(await eventsOf(at)).toContain('transmission_failed')
    expect(await told(at)).toContain(`${UNIVERSITY} has not confirmed to us that it received them`)
    await elsewhere.close()
  })

  test.each([429, 503])('that says %i gets the same again, under the same key, until it takes it', async status => {
    let refusals = 2
    receiver.answer = res => res.writeHead(refusals-- > 0 ? status : 200).end()
    const at = await ask()
    await see(at, isCompleted)
    const keys = new Set(receiver.posted.map(({ headers }) => headers['idempotency-key']))
    const digests = new Set(receiver.posted.map(({ body }) => digestOf(body)))
    expect([receiver.posted.length, keys.size, digests.size]).toEqual([3, 1, 1])
    expect((await eventsOf(at)).filter(event => event === 'transmission_delayed')).toHaveLength(2)
    expect(await recipientsOf(at)).toMatchObject([{ state: 'acknowledged' }])
  })

  test('that takes its time is waited for', async () => {
    receiver.answer = res => setTimeout(() => res.writeHead(202).end(), 1500)
    const at = await ask()
    await see(at, isCompleted)
    expect(receiver.posted).toHaveLength(1)
    expect(await recipientsOf(at)).toMatchObject([{ state: 'acknowledged' }])
  })

  test('that stays down is given up after a day; until then there is no link, and then the letter says it', async () => {
    receiver.answer = (_res, req) => req.socket.destroy()
    const at = await ask()
    await until(
      () => officer(`${at}/timeline`),
      ({ body }) => body.entries.some(({ event }: { event: string }) => event === 'transmission_delayed'),
    )
    expect((await officer(at)).body.state).toBe('delivering')
    const link = await officer(`${at}/package/links`, { method: 'POST' })
    expect([link.status, link.body.code]).toEqual([409, 'illegal_transition'])
    const tried = receiver.posted.length
    service.clock.advanceAlone(25 * 3_600_000)
    await service.app.handlers.transmit(idOf(at))
    await see(at, isCompleted)
    service.clock.advanceAlone(-25 * 3_600_000)
    expect(receiver.posted.length).toBeLessThanOrEqual(tried + 1)
    const [notice] = await recipientsOf(at)
    expect([notice.state, notice.why]).toEqual(['failed', 'out_of_time'])
    expect(await told(at)).toContain(`${UNIVERSITY} has not confirmed to us that it received them`)
  })

  test('is never tried beyond the day of the answer', async () => {
    receiver.answer = res => res.writeHead(503).end()
    const today = new Date(service.clock.now().getTime() - 30 * 86_400_000).toISOString()
    const crm = callers(service).service()
    const assurance = { method: 'visit', level: 2, verifiedAt: service.clock.real().toISOString() }
    const identities = [{ type: 'user_id', value: ANA.userId }]
    const body = { ...asking, subject: { identities, timeZone: 'UTC' }, receivedAt: today, reference: 'ZD-1', assurance }
    const { body: opened } = await crm('/v1/requests', { body })
    const at = `/v1/requests/${opened.id}`
    await until(
      () => officer(`${at}/timeline`),
      ({ body }) => body.entries.some(({ event }: { event: string }) => event === 'transmission_tried'),
    )
    const [row] = await service.sql<{ last: Date }>('SELECT give_up_at AS last FROM transmission WHERE request_id = $1', [
      opened.id,
    ])
    const endOfDueDay = new Date(`${opened.dueOn}T23:59:59.999Z`)
    expect(row?.last.getTime()).toBeLessThanOrEqual(endOfDueDay.getTime() - 3_600_000)
    await officer(`${at}/cancellation`, { body: { reason: 'test_request' }, headers: { 'if-match': '*' } })
  })
})

describe('a request that has ended', () => {
  test('while its receiver was being waited for is sent no more', async () => {
    receiver.answer = res => res.writeHead(503, { 'retry-after': '3600' }).end()
    const at = await ask()
    await until(
      () => officer(`${at}/timeline`),
      ({ body }) => body.entries.some(({ event }: { event: string }) => event === 'transmission_delayed'),
    )
    expect((await personOf(ANA)(`${at}/withdrawal`, { method: 'POST' })).status).toBe(200)
    await service.app.handlers.transmit(idOf(at))
    expect(receiver.posted).toHaveLength(1)
    await until(
      () => personOf(ANA)(`${at}/recipients`),
      ({ body }) => body.recipients[0]?.state === 'failed',
    )
    expect(await recipientsOf(at)).toMatchObject([{ why: 'request_ended' }])
    expect(await eventsOf(at)).not.toContain('transmission_delivered')
  })

  test('while it was on its way is cut off', async () => {
    const cut = Promise.withResolvers<void>()
    receiver.answer = (_res, req) => void once(req.socket, 'close').then(() => cut.resolve())
    const at = await ask()
    await until(
      async () => ({ ...(await officer(at)), body: receiver.posted }),
      ({ body }) => body.length === 1,
    )
    await personOf(ANA)(`${at}/withdrawal`, { method: 'POST' })
    await cut.promise
    await until(
      () => officer(`${at}/timeline`),
      ({ body }) => body.entries.some(({ event }: { event: string }) => event === 'transmission_stopped'),
    )
    expect(await recipientsOf(at)).toMatchObject([{ state: 'failed', why: 'request_ended' }])
  })

  test('is not sent when its job comes late, whatever ended it', async () => {
    const late = await openPlace({ working: false })
    try {
      const at = await ask(late.service)
      const { handlers } = late.service.app
      const set = (what: string) => late.service.sql(`UPDATE ${what}`)
      await late.service.sql(`UPDATE dsar_request SET state = 'delivering'`)
      const [request] = await late.service.sql<{ id: string }>('SELECT id FROM dsar_request')
      await late.service.sql(
        `INSERT INTO sealed_package (request_id, blob_key, bytes, sealed_bytes, sha256, entries, manifest_sha256, sealed_at, expires_at)
         VALUES ($1, 'requests/x', 1, 100, $2, 1, $2, now(), now() + interval '1 day')`,
        [request?.id, '00'.repeat(32)],
      )
      await handlers['hand-over'](idOf(at))
      const attempts = async () => (await late.service.sql('SELECT attempt, state FROM transmission'))[0]
      for (const state of ['withdrawn', 'cancelled', 'refused', 'lapsed', 'completed']) {
        await set(`dsar_request SET state = '${state}'`)
        await handlers.transmit(idOf(at))
        expect([state, await attempts()]).toEqual([state, { attempt: 0, state: 'queued' }])
      }
      await set(`dsar_request SET state = 'delivering'`)
      await set('sealed_package SET revoked_at = now()')
      await handlers.transmit(idOf(at))
      expect(await attempts()).toEqual({ attempt: 0, state: 'failed' })
      expect(late.receiver.connections()).toBe(0)
    } finally {
      await late.close()
    }
  })
})

describe('a worker that is killed after the receiver has everything and before it has said so', () => {
  test('is replaced by one that sends the same under the same key; what has arrived is not sent again', async () => {
    const dead = await openPlace({ working: false })
    const workers: ServiceProcess[] = []
    const work = async () => {
      const worker = startWorker(dead.service, { RECEIVERS: dead.RECEIVERS })
      workers.push(worker)
      await worker.started
      return worker
    }
    try {
      const arrived = Promise.withResolvers<void>()
      dead.receiver.answer = () => arrived.resolve()
      const first = await work()
      const at = await ask(dead.service)
      await arrived.promise
      dead.receiver.answer = res => res.writeHead(200).end()
      first.kill('SIGKILL')
      await first.exited
      await work()
      await until(
        () => dead.officer(at),
        ({ body }) => body.state === 'completed',
        40_000,
      )
      const keys = dead.receiver.posted.map(({ headers }) => headers['idempotency-key'])
      expect([keys.length, new Set(keys).size]).toEqual([2, 1])
      expect(await eventsOf(at, dead.officer)).toEqual([
        ...['transmission_begun', 'transmission_tried', 'transmission_tried', 'transmission_delivered'],
      ])
      await dead.service.app.handlers.transmit(idOf(at))
      expect(dead.receiver.posted).toHaveLength(2)
    } finally {
      for (const worker of workers) worker.kill('SIGKILL')
      await Promise.all(workers.map(({ exited }) => exited))
      await dead.close()
    }
  }, 60_000)
})

test('nothing of the person is in the log, on the record or in a job', async () => {
  const opened = await personOf(EVE)('/v1/requests', { body: asking })
  const at = `/v1/requests/${opened.body.id}`
  await see(at, isCompleted)
  expect(readZip(receiver.posted[0]?.body ?? Buffer.alloc(0)).some(({ content }) => content.includes('kanari@example.org'))).toBe(
    true,
  )
  const headers = JSON.stringify(receiver.posted[0]?.headers)
  const audit = await service.sql<{ facts: object }>('SELECT facts FROM audit_entry')
  const jobs = await service.sql<{ data: object }>(`SELECT data FROM pgboss.job WHERE name = 'transmit'`)
  expect(jobs.length).toBeGreaterThan(0)
  expect([headers, ...service.logs, JSON.stringify([audit, jobs])].filter(text => /kanari/i.test(text))).toEqual([])
})
