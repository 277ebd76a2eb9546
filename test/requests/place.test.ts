import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let as: ReturnType<typeof callers>

beforeAll(async () => {
  service = await startService({ working: false })
  as = callers(service)
})
afterAll(() => service.close())

const idsOf = ({ clocks }: { clocks: { id: string }[] }) => clocks.map(({ id }) => id)
const compute = (place: object) => as.service()('/v1/deadlines', { body: { receivedAt: '2026-11-20T09:00:00Z', ...place } })

const EVERYONE = ['promise', 'eu_gdpr']
const CALIFORNIA = [...EVERYONE, 'us_ca_confirmation', 'us_ca_ccpa']

describe('the law of a place', () => {
  test.each([
    ['a region with its own', { country: 'US', region: 'US-CA' }, CALIFORNIA],
    ['the region alone', { region: 'US-CA' }, CALIFORNIA],
    ['a region without one: that of its country', { country: 'GB', region: 'GB-ENG' }, [...EVERYONE, 'uk_gdpr']],
    ['Canada, which is not California', { country: 'CA' }, EVERYONE],
  ])('%s', async (_, place, clocks) => {
    const { status, body } = await compute(place)
    expect([status, idsOf(body)]).toEqual([200, clocks])
  })

  test.each([
    ['in another country', { country: 'GB', region: 'US-CA' }, 422, '/region'],
    ['without its country', { country: 'US', region: 'CA' }, 400, '/region'],
  ])('a region %s is refused', async (_, place, expected, pointer) => {
    const { status, body } = await compute(place)
    expect([status, body.errors[0].pointer]).toEqual([expected, pointer])
  })
})

describe('a request from a region', () => {
  const open = (subject: object) =>
    as.service()('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: 'cal@example.org' }], ...subject } },
    })

  test('is under the clocks of that region, and of the country it lies in', async () => {
    const { status, body } = await open({ region: 'US-CA' })
    expect([status, body.subject.country, body.subject.region]).toEqual([201, 'US', 'US-CA'])
    expect(idsOf((await as.service()(`${body.links.clocks}`)).body)).toEqual(CALIFORNIA)
    const { body: found } = await as.service()('/v1/requests')
    expect(found.requests[0].subject.region).toBe('US-CA')
  })

  test('is refused where the region lies in another country', async () => {
    const { status, body } = await open({ country: 'GB', region: 'US-CA' })
    expect([status, body.errors[0].pointer]).toEqual([422, '/subject/region'])
  })
})
