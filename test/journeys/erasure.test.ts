import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
})
afterAll(() => one.close())

describe('an erasure of everything', () => {
  let at: string

  test('T18 waits until everybody on file could have objected, and can be withdrawn meanwhile', async () => {
    at = await one.open(one.kamal, { type: 'erasure', details: { ground: '17_1_b' } })
    const cooling = await one.see(at, ({ state }) => state === 'cooling_off')
    expect(cooling.coolsOffAt).toBe(new Date(Date.parse(cooling.coolsOffAt)).toISOString())
    const mail = await one.service.mailbox.waitFor(
      ({ envelope, text }) => envelope.to.includes(KAMAL.email) && text.includes('17(1)(b)'),
      5000,
    )
    expect(mail.text).not.toContain('Kamal')
    await one.pass(71)
    expect((await one.officer(at)).body.state).toBe('cooling_off')
  })

  test('is carried out, looked into again, and certified with what the law keeps', async () => {
    await one.pass(2)
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.completeness).toMatchObject({ complete: true, adaptersAsked: 5, adaptersAnswered: 5, missing: [] })
    const mail = await one.service.mailbox.waitFor(
      ({ envelope, text }) => envelope.to.includes(KAMAL.email) && text.includes('17(3)(b)'),
      5000,
    )
    expect(mail.text).toContain('Invoices')
    expect(await one.events(at)).toEqual(
      expect.arrayContaining(['cooling_off_started', 'cooled_off', 'carried_out', 'handed_over']),
    )
  })

  test('asked whoever knows who is who last', async () => {
    const { tasks } = (await one.officer(`${at}/tasks`)).body
    const erased = tasks.filter(({ action }: { action: string }) => action === 'erase')
    expect(erased.map(({ state }: { state: string }) => state)).toEqual(Array(5).fill('done'))
    const ended = (name: string) => Date.parse(erased.find(({ adapter }: { adapter: string }) => adapter === name).finishedAt)
    for (const name of ['billing', 'learning', 'analytics', 'support']) expect(ended(name)).toBeLessThanOrEqual(ended('accounts'))
  })

  test('leaves nobody else without their data', async () => {
    const access = await one.open(one.grace, { type: 'access' })
    const done = await one.see(access, ({ state }) => state === 'completed')
    expect(done.completeness.adaptersAnswered).toBe(5)
    const reasons = done.completeness.missing.map(({ reason }: { reason: string }) => reason)
    expect(new Set(reasons)).toEqual(new Set(['staff_identity']))
  })

  test('is known to services afterwards', async () => {
    const crm = one.as.service({ scope: 'subjects:lookup' })
    const { body } = await crm('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: KAMAL.email }] } })
    expect(body.subjects[0]).toMatchObject({ erased: true, suppressed: true })
    const other = await crm('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: GRACE.email }] } })
    expect(other.body.subjects[0]).toMatchObject({ erased: false, suppressed: false })
  })
})
