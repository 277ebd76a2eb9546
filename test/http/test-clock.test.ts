import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createApp } from '../../src/app.ts'
import { createLog } from '../../src/platform/log.ts'
import { type AnsweredRequest, answeredRequest } from '../support/answered-request.ts'
import { type Call, callAs, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'

const DAY = 86_400_000
const CLOCK = '/v1/test/clock'

describe('without test mode', () => {
  let service: Service
  beforeAll(async () => {
    service = await startService({ working: false })
  })
  afterAll(() => service.close())

  test('there is no such address', async () => {
    const operator = callers(service).agent(['operator'])
    expect((await operator(CLOCK)).status).toBe(404)
    expect((await operator(CLOCK, { body: { advance: 'P1D' } })).status).toBe(404)
  })

  test('a database in which days were skipped is not served', async () => {
    await service.sql('INSERT INTO test_clock DEFAULT VALUES')
    await expect(createApp(service.config)).rejects.toThrow('its days are not real')
    await service.sql('DELETE FROM test_clock')
  })

  test('a database with requests of real people never becomes one for tests', async () => {
    const { status } = await callers(service).person(ANA.userId, ANA.email)('/v1/requests', {
      body: { type: 'access', subject: {} },
    })
    expect(status).toBe(201)
    await expect(createApp({ ...service.config, testMode: true })).rejects.toThrow('requests of real people')
    expect(await service.sql('SELECT 1 FROM test_clock')).toEqual([])
  })
})

describe('in test mode', () => {
  let house: House
  let service: Service
  let operator: Call
  const move = async (body: object) => (await operator(CLOCK, { body })).body.now
  const shown = async (call: Call) => Date.parse((await call(CLOCK)).body.now)

  beforeAll(async () => {
    house = await openHouse()
    service = await startService({ env: { TEST_MODE: 'true', ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
    operator = callers(service).agent(['operator'])
    await registerAll(house, operator, service)
  })
  afterAll(async () => {
    await service.close()
    await house.close()
  })

  test('the clock runs with the real one until somebody moves it', async () => {
    expect(Math.abs((await shown(operator)) - Date.now())).toBeLessThan(2000)
  })

  test('what the service says of itself has it, with examples; what is committed has not', () => {
    const { paths = {} } = service.app.server.swagger() as { paths?: Record<string, Record<string, object>> }
    expect(Object.keys(paths[CLOCK] ?? {}).sort()).toEqual(['get', 'post'])
    expect(JSON.stringify(paths[CLOCK])).toContain('{"advance":"P3D"}')
    expect(readFileSync('openapi/dsar.yaml', 'utf8')).not.toContain(CLOCK)
  })

  test('it is moved by a length of time and to a moment, and answers what it shows then', async () => {
    const before = await shown(operator)
    const now = Date.parse(await move({ advance: 'P1DT2H' }))
    expect(now - before).toBeGreaterThanOrEqual(DAY + 7_200_000)
    const to = new Date(now + 3 * DAY).toISOString()
    expect(await move({ to })).toBe(to)
    expect(await shown(operator)).toBeGreaterThanOrEqual(now + 3 * DAY)
  })

  test.each([
    ['backwards', { to: '2020-01-01T00:00:00Z' }, '/to'],
    ['to the end of days', { to: '9999-01-01T00:00:00Z' }, '/to'],
    ['for centuries', { advance: 'P99999D' }, '/advance'],
    ['to a second that no calendar has', { to: '2030-06-31T00:00:00Z' }, undefined],
  ])('it does not go %s', async (_where, body, pointer) => {
    const answer = await operator(CLOCK, { body })
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual(pointer ? [422, pointer] : [400, expect.anything()])
  })

  test('it takes either, in units that have a length, and nothing else', async () => {
    for (const body of [{}, { advance: 'P1M' }, { advance: 'P1D', to: '2030-01-01T00:00:00Z' }, { by: 'P1D' }])
      expect((await operator(CLOCK, { body })).status).toBe(400)
  })

  test('operators alone move it', async () => {
    const { agent, person, service: crm } = callers(service)
    for (const call of [agent(['agent', 'privacy_officer', 'dpo']), person(ANA.userId, ANA.email), crm()])
      expect((await call(CLOCK, { body: { advance: 'P1D' } })).status).toBe(403)
    expect((await callers(service).anybody(CLOCK)).status).toBe(401)
  })

  test('two moves at once are both made, and one that is sent again is not', async () => {
    const before = await shown(operator)
    const headers = { 'idempotency-key': 'a-day' }
    await Promise.all([move({ advance: 'P1D' }), operator(CLOCK, { body: { advance: 'P1D' }, headers })])
    const again = await operator(CLOCK, { body: { advance: 'P1D' }, headers })
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    const days = ((await shown(operator)) - before) / DAY
    expect(Math.floor(days)).toBe(2)
  })

  test('every other process goes by it when the answer comes, and tokens stay as valid as they were', async () => {
    const log = createLog({ level: 'silent' })
    const other = await createApp(service.config, { log })
    await other.server.listen({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${(other.server.server.address() as AddressInfo).port}`
    const there = callAs({ url }, service.issuer.mint('support_agent', { sub: 'agent-7', roles: ['operator'] }))
    const now = Date.parse(await move({ advance: 'P30D' }))
    expect(await shown(there)).toBeGreaterThanOrEqual(now)
    await other.close()
  })

  describe('ninety days in one go', () => {
    let at: string
    let answered: AnsweredRequest
    const alarms = () =>
      service.mailbox
        .messages()
        .filter(({ text, subject }) => subject.startsWith('Deadline alarm') && text.includes(at.slice(13)))
    const events = async () =>
      (await callers(service).agent()(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)

    beforeAll(async () => {
      answered = await answeredRequest(service, BEN)
      const { body } = await callers(service).agent()('/v1/requests', {
        body: {
          type: 'access',
          subject: { identities: [{ type: 'email', value: ANA.email }] },
          channel: 'letter',
          reference: 'L-1',
        },
      })
      at = `/v1/requests/${body.id}`
      await service.mailbox.waitFor(({ envelope }) => envelope.to.includes(ANA.email), 10_000)
      await move({ advance: 'P90D' })
    })

    test('raise every alarm once and let lapse what nobody proved, before the answer comes', async () => {
      const { body } = await callers(service).agent()(at)
      expect(body).toMatchObject({ state: 'lapsed' })
      expect((await events()).filter((event: string) => event === 'deadline_alarm')).toHaveLength(4)
      const [{ raised }] = (await service.sql<{ raised: number }>(
        'SELECT count(*)::int AS raised FROM deadline_alarm WHERE request_id = $1',
        [body.id],
      )) as [{ raised: number }]
      expect(raised).toBe(4)
    })

    test('destroy the package that was not fetched, and close its link', async () => {
      const { body } = await callers(service).agent()(`${answered.at}/package`)
      expect(body.available).toBe(false)
      const keys = await service.sql('SELECT 1 FROM request_key WHERE request_id = $1', [answered.id])
      expect(keys).toEqual([])
      expect((await callers(service).anybody(answered.link)).status).toBe(410)
    })

    test('are over then: another day raises nothing again', async () => {
      await service.mailbox.waitFor(() => alarms().length >= 4, 10_000)
      await move({ advance: 'P1D' })
      expect((await events()).filter((event: string) => event === 'deadline_alarm')).toHaveLength(4)
      expect(alarms()).toHaveLength(4)
    })

    test('leave alone what bears the time of the machines: new files, keys of calls, tasks', async () => {
      const headers = { 'idempotency-key': 'after-ninety-days' }
      const body = { type: 'access', subject: {} }
      const first = await callers(service).person(BEN.userId, BEN.email)('/v1/requests', { body, headers })
      await move({ advance: 'P60D' })
      const again = await callers(service).person(BEN.userId, BEN.email)('/v1/requests', { body, headers })
      expect([again.status, again.body.id]).toEqual([201, first.body.id])
    })
  })
})
