import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { levelNeeded, loginMinutes } from '../../src/policy/ladder.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { callers } from '../support/callers.ts'
import { hostsOfRaw, openRawAdapter, type RawAdapter, registerRaw } from '../support/raw-adapter.ts'
import { type Service, startService } from '../support/service.ts'

const { assurance } = loadPolicy()

let clinic: RawAdapter
let service: Service
let as: ReturnType<typeof callers>

beforeAll(async () => {
  clinic = await openRawAdapter('clinic', { sensitive: true })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOfRaw([clinic]) }, working: false })
  as = callers(service)
})
afterAll(async () => {
  await service.close()
  await clinic.close()
})

const minutesAgo = (minutes: number) => ({ auth_time: Math.floor(service.clock.real().getTime() / 1000) - minutes * 60 })
const ask = (type: string, claims: Record<string, unknown>, more: object = {}) =>
  as.person('u-ada', 'ada@example.org', claims)('/v1/requests', { body: { type, subject: {}, ...more } })
const shownFor = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).body.assurance

describe('how well somebody has to be known', () => {
  test('stands in the policy, for each right', () => {
    expect(levelNeeded(assurance, 'marketing_opt_out', { sensitive: false })).toBe(1)
    expect(levelNeeded(assurance, 'erasure', { sensitive: true })).toBe(2)
    expect(levelNeeded(assurance, 'access', { sensitive: false })).toBe(1)
    expect(levelNeeded(assurance, 'access', { sensitive: true })).toBe(3)
    expect([loginMinutes(assurance, 'access'), loginMinutes(assurance, 'erasure')]).toEqual([15, 5])
  })

  test('T17 is better where special categories of data are in scope, and a login alone does not reach', async () => {
    expect(await shownFor('access', minutesAgo(1))).toEqual({ needed: 1, reached: 2 })
    await registerRaw([clinic], as.agent(['operator']), service)
    expect(await shownFor('portability', minutesAgo(1), { scope: { categories: ['billing'] } })).toEqual({
      needed: 1,
      reached: 2,
    })
    const other = as.person('u-bob', 'bob@example.org', minutesAgo(1))
    const { body } = await other('/v1/requests', { body: { type: 'access', subject: {} } })
    expect(body.assurance).toEqual({ needed: 3, reached: 2 })
    const strong = as.person('u-bob', 'bob@example.org', { ...minutesAgo(1), amr: ['pwd', 'otp'] })
    const proven = await strong(`/v1/requests/${body.id}/proofs`, { body: { method: 'portal_login' } })
    expect(proven.body.assurance).toEqual({ needed: 3, reached: 3 })
  })

  test('T17 includes how lately they logged in: six minutes do for a copy and not for an erasure', async () => {
    expect(await shownFor('restriction', minutesAgo(6), { details: { ground: '18_1_a' } })).toEqual({ needed: 1, reached: 2 })
    expect(await shownFor('erasure', minutesAgo(6))).toEqual({ needed: 2, reached: 0 })
    const { body } = await as.person(
      'u-eve',
      'eve@example.org',
      minutesAgo(4),
    )('/v1/requests', { body: { type: 'erasure', subject: {} } })
    expect(body.assurance).toEqual({ needed: 2, reached: 2 })
  })

  test('is not reached by the word of a service beyond what the policy takes from services', async () => {
    const { body } = await as.service()('/v1/requests', {
      body: {
        type: 'erasure',
        subject: { identities: [{ type: 'user_id', value: 'u-carl' }] },
        channel: 'crm',
        assurance: { method: 'branch_visit', level: 4, verifiedAt: service.clock.real().toISOString() },
      },
    })
    expect(body.assurance).toEqual({ needed: 2, reached: assurance.methods.service_assertion.atMost })
  })
})
