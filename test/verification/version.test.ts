import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'

let house: House
let service: Service

beforeAll(async () => {
  house = await openHouse()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  await registerAll(house, callers(service).agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})

test('a request whose person was found is another version of it: a decision on the one before is stale', async () => {
  const officer = callers(service).agent(['privacy_officer'])
  const opened = await officer('/v1/requests', {
    body: { type: 'access', subject: { identities: [{ type: 'email', value: ANA.email }] }, channel: 'mail', reference: 'ZD-9' },
  })
  await service.mailbox.waitFor(({ envelope }) => envelope.to.includes(ANA.email), 10_000)
  const at = `/v1/requests/${opened.body.id}`
  expect((await officer(at)).body.subject.identities.length).toBe(2)
  const cancelled = await officer(`${at}/cancellation`, {
    body: { reason: 'duplicate' },
    headers: { 'if-match': opened.headers.get('etag') ?? '' },
  })
  expect([cancelled.status, cancelled.body.code]).toEqual([412, 'stale'])
})
