import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startErasureCase } from '../support/erasure-case.ts'
import { type LmsCase, startLmsCase } from '../support/lms-case.ts'
import { openRawAdapter } from '../support/raw-adapter.ts'
import { settled } from '../support/registers.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
})
afterAll(() => one.close())

type Dataset = { name: string; what: string; count: number | null; ground: string; statute?: string; until?: string }
const planOf = async (at: string, by = one.officer) =>
  (await by(`${at}/plan`)).body.adapters as { adapter: string; problem: string | null; datasets: Dataset[] }[]

/** Everything in every table, of the platform and of the service, but for what time alone changes. */
async function everything(): Promise<unknown> {
  const rows = async (query: (sql: string) => Promise<Record<string, string>[]>, where: string) => {
    const tables = await query(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE ${where} ORDER BY 1`,
    )
    const found: unknown[] = []
    for (const { name } of tables)
      found.push([name, await query(`SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS md5 FROM ${name} t`)])
    return found
  }
  return [
    await rows(async sql => (await one.lms.query(sql)).rows, `table_schema LIKE 'lms_%'`),
    await rows(sql => one.service.sql(sql), `table_schema = 'public' AND table_name NOT IN ('rate_limit')`),
  ]
}

describe('the plan of a request', () => {
  test('of an erasure says what goes and what the law keeps, with the day, and changes nothing', async () => {
    const at = await one.open(one.kamal, { type: 'erasure', details: { ground: '17_1_b' } })
    await one.see(at, ({ state }) => state === 'cooling_off')
    await one.see(
      `${at}/tasks`,
      ({ tasks }) =>
        tasks.filter((task: { action: string; state: string }) => task.action === 'locate' && task.state === 'done').length === 5,
    )
    await settled(one.service)
    const before = await everything()
    const plan = await planOf(at)
    expect(await everything()).toEqual(before)
    expect(plan.map(({ adapter, problem }) => [adapter, problem])).toEqual(
      ['accounts', 'analytics', 'billing', 'learning', 'support'].map(name => [name, null]),
    )
    const of = (name: string) => plan.flatMap(({ datasets }) => datasets).find(dataset => dataset.name === name)
    expect(of('invoices')).toMatchObject({
      what: 'keep',
      ground: '17_3_b',
      statute: expect.any(String),
      until: expect.stringMatching(/^20\d\d-/),
    })
    expect(of('account')).toMatchObject({ what: 'erase', count: 1, ground: '17_1_b' })
    expect(await planOf(at, one.kamal)).toEqual(plan)
    expect((await one.grace(`${at}/plan`)).status).toBe(404)
    expect((await one.kamal(`${at}/withdrawal`, { method: 'POST' })).status).toBe(200)
    expect((await one.officer(`${at}/plan`)).status).toBe(409)
  }, 30_000)

  test('asks those who have not counted, without waiting for one that does not answer, and changes nothing', async () => {
    const at = await one.open(one.grace, { type: 'objection', details: { purposes: ['analytics'] } })
    await one.see(at, ({ flags }) => flags.includes('needs_decision'))
    await settled(one.service)
    const before = await everything()
    const plan = await planOf(at)
    expect(await everything()).toEqual(before)
    const asked = plan.filter(({ datasets }) => datasets.length > 0)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.flatMap(({ datasets }) => datasets).every(({ what, ground }) => what === 'object' && ground === '21')).toBe(true)
    expect(asked.some(({ problem, datasets }) => problem === null && datasets.every(({ count }) => count !== null))).toBe(true)
  }, 30_000)

  test('never tells an adapter to change anything, not even dryly: one that overlooks the word would', async () => {
    const careless = await openRawAdapter('things', { actions: ['locate', 'collect', 'erase'] })
    const held = await startErasureCase([careless])
    try {
      const identities = [{ type: 'user_id', value: 'u-held' }]
      const hold = { identities, reason: 'litigation', reference: 'LIT-1' }
      expect((await held.officer('/v1/holds', { body: hold })).status).toBe(201)
      const person = held.as.person('u-held', 'held@example.org')
      const { body } = await person('/v1/requests', { body: { type: 'erasure', subject: {} } })
      const at = `/v1/requests/${body.id}`
      await held.see(at, ({ flags }) => flags.includes('needs_decision'))
      expect(await held.officer(`${at}/plan`)).toMatchObject({
        status: 200,
        body: { adapters: [{ datasets: [{ name: 'things', what: 'erase', count: 2 }] }] },
      })
      expect(careless.calls.map(({ task }) => task?.action)).toEqual(['locate'])
    } finally {
      await held.close()
    }
  }, 30_000)
})
