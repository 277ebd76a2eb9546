import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callers } from '../support/callers.ts'
import { openRegisters, type Registers } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

let service: Service
let registers: Registers

beforeAll(async () => {
  registers = await openRegisters({ crm: () => undefined })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers) }, working: false })
  await registerAll(registers, callers(service).agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await registers.close()
})

const stateOf = async (id: string) =>
  (await service.sql<{ state: string }>('SELECT state FROM dsar_request WHERE id = $1', [id]))[0]?.state

describe('whoever knows people is asked first', () => {
  test('also when the proof is weighed before anybody was asked', async () => {
    const person = callers(service).person('u-quick', 'quick@example.org')
    const { body } = await person('/v1/requests', { body: { type: 'access', subject: {} } })
    expect(body.assurance.reached).toBe(2)
    const job = { requestId: body.id }
    await service.app.handlers['weigh-identity'](job)
    expect(await stateOf(body.id)).toBe('verifying')
    await service.app.handlers['ask-who'](job)
    await service.app.handlers['weigh-identity'](job)
    expect(await stateOf(body.id)).toBe('verifying') // asked, and not answered
    await service.sql(`UPDATE task SET state = 'done' WHERE request_id = $1`, [body.id])
    await service.app.handlers['weigh-identity'](job)
    expect(await stateOf(body.id)).toBe('assessing')
  })

  test('unless it takes no kind of identity that was given: then it cannot know, and nobody waits for it', async () => {
    const { body } = await callers(service).service()('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'phone', value: '+49301' }] } },
    })
    await service.app.handlers['ask-who']({ requestId: body.id })
    await service.app.handlers['weigh-identity']({ requestId: body.id })
    const [row] = await service.sql<{ flags: string[] }>('SELECT flags FROM dsar_request WHERE id = $1', [body.id])
    expect(row?.flags).toEqual(['not_identified'])
  })
})
