import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Call, callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let as: ReturnType<typeof callers>
let ids: string[]
let agents = 0

const BUDGET = 5
const DAY_MS = 86_400_000

beforeAll(async () => {
  service = await startService({ env: { VIEWING_BUDGET: String(BUDGET), VIEWING_BUDGET_OFFICERS: '8' } })
  as = callers(service)
  ids = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      const { body } = await as.person(`u-${n}`, `u-${n}@example.org`)('/v1/requests', { body: { type: 'access', subject: {} } })
      return String(body.id)
    }),
  )
})
afterAll(() => service.close())

let agent: Call
let sub: string
beforeEach(() => {
  agents += 1
  sub = `curious-${agents}`
  agent = as.agent(['agent'], sub)
})
const look = (by: Call, n: number, part = '') => by(`/v1/requests/${ids[n]}${part}`)
const statuses = async (by: Call, from: number, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, async (_, n) => (await look(by, from + n)).status))
const letters = () => service.mailbox.messages().filter(({ text }) => text.includes(sub))
const spent = async () =>
  Number(/^dsar_viewing_budgets_spent_total (\d+)/m.exec((await as.anybody('/metrics')).bytes.toString())?.[1] ?? 0)

describe('T50: how many different cases one of the staff may open in 24 hours', () => {
  test('one more is refused, the privacy officer told once, and the refusals counted', async () => {
    const before = await spent()
    expect(await statuses(agent, 0, BUDGET)).toEqual(Array(BUDGET).fill(200))
    const refused = await look(agent, BUDGET)
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_requests'])
    expect(refused.body.detail).toContain(`${BUDGET} different cases in 24 hours`)
    expect((await look(agent, BUDGET + 1, '/timeline')).status).toBe(429)
    await service.mailbox.waitFor(({ text }) => text.includes(sub), 10_000)
    expect(letters()).toHaveLength(1)
    expect(letters()[0]?.envelope.to).toEqual([service.config.privacyOfficer])
    expect((await spent()) - before).toBe(2)
    const { entries } = (await as.agent(['dpo'], 'overseer')('/v1/audit?stream=oversight')).body
    const events = entries.filter(({ actor }: { actor: { id: string } }) => actor.id.endsWith(`|${sub}`))
    expect(events.map(({ event, facts }: Record<string, unknown>) => [event, facts])).toEqual([
      ['viewing_budget_spent', { budget: BUDGET }],
    ])
  })

  test('of all who come at the same time, as many get in as there is room', async () => {
    const answers = await statuses(agent, 0, 12)
    expect(answers.filter(status => status === 200)).toHaveLength(BUDGET)
    expect(answers.filter(status => status === 429)).toHaveLength(12 - BUDGET)
  })

  test('another part of a case, the same case again, lists and what is not there cost nothing', async () => {
    for (let n = 0; n < 3; n++)
      for (const part of ['', '/timeline', '/clocks', '/tasks']) expect((await look(agent, 0, part)).status).toBe(200)
    for (let n = 0; n < 2 * BUDGET; n++) expect((await agent(`/v1/requests/${randomUUID()}`)).status).toBe(404)
    for (const list of ['/v1/requests?limit=100', '/v1/adapters']) expect((await agent(list)).status).toBe(200)
    expect(await statuses(agent, 1, BUDGET - 1)).toEqual(Array(BUDGET - 1).fill(200))
    expect((await look(agent, BUDGET)).status).toBe(429)
    expect((await look(agent, 0)).status).toBe(200)
    expect((await agent('/v1/requests?limit=100')).status).toBe(200)
  })

  test('a token of another session, or with another role, is the same person', async () => {
    await statuses(agent, 0, BUDGET)
    expect((await look(as.agent(['agent'], sub), BUDGET)).status).toBe(429)
    expect((await look(as.agent(['operator'], sub), BUDGET)).status).toBe(429)
  })

  test('writing below a case opens it as well', async () => {
    await statuses(agent, 0, BUDGET)
    expect((await agent(`/v1/requests/${ids[BUDGET]}/messages`, { body: { text: 'Hello.' } })).status).toBe(429)
  })

  test('each case is forgotten a day after it was opened, and nothing sooner', async () => {
    await statuses(agent, 0, 2)
    service.clock.advanceAlone(DAY_MS / 2)
    await statuses(agent, 2, BUDGET - 2)
    expect((await look(agent, BUDGET)).status).toBe(429)
    service.clock.advanceAlone(DAY_MS / 2 + 1000)
    expect(await statuses(agent, BUDGET, 2)).toEqual([200, 200])
    expect((await look(agent, 0)).status).toBe(429)
    await service.app.handlers['forget-expired']({})
    const kept = () => service.sql(`SELECT 1 FROM viewing_budget WHERE viewer LIKE '%' || $1`, [`|${sub}`])
    expect(await kept()).toHaveLength(1)
    service.clock.advanceAlone(DAY_MS + 1000)
    await service.app.handlers['forget-expired']({})
    expect(await kept()).toEqual([])
  })

  test('officers have a budget of their own, services and people none', async () => {
    expect((await statuses(as.agent(['privacy_officer'], sub), 0, 9)).sort()).toEqual([...Array(8).fill(200), 429])
    for (let n = 0; n < 12; n++)
      expect((await as.person(`u-${n}`, `u-${n}@example.org`)(`/v1/requests/${ids[n]}`)).status).toBe(200)
  })
})
