import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callers } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'

describe('the day of receipt', () => {
  let service: Service

  beforeAll(async () => {
    service = await startService({ working: false })
  })
  afterAll(() => service.close())

  const open = (userId: string, timeZone?: string) =>
    callers(service).service()('/v1/requests', {
      body: {
        type: 'access',
        subject: { identities: [{ type: 'user_id', value: userId }], ...(timeZone && { timeZone }) },
        receivedAt: '2026-10-31T20:30:00Z',
        reference: 'letter of 31 October',
      },
    })

  test('is the earlier one, where the person is or where the controller is', async () => {
    const there = await open('u-1', 'Europe/Berlin')
    expect(there.body).toMatchObject({ dueOn: '2026-11-30', legalDueOn: '2026-11-30' })
    const here = await open('u-2')
    expect(here.body).toMatchObject({ dueOn: '2026-12-01', legalDueOn: '2026-12-01' })
    const clocks = await callers(service).service()(`/v1/requests/${there.body.id}/clocks`)
    expect(clocks.body.clocks[0]).toMatchObject({ id: 'promise', receivedOn: '2026-10-31' })
  })

  test('is refused in a zone that nobody knows', async () => {
    const answer = await open('u-3', 'Europe/Atlantis')
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request'])
  })
})
