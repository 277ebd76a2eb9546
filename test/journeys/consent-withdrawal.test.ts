import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
  await one.lms.query('UPDATE lms_accounts.consents SET granted = true WHERE user_id = $1', [KAMAL.userId])
})
afterAll(() => one.close())

const consents = async (): Promise<Record<string, boolean>> => {
  const { rows } = await one.lms.query('SELECT purpose, granted FROM lms_accounts.consents WHERE user_id = $1', [KAMAL.userId])
  return Object.fromEntries(rows.map(({ purpose, granted }) => [purpose, granted]))
}
const isOnMailingList = async () =>
  (await one.lms.query('SELECT 1 FROM lms_accounts.mailing_list WHERE user_id = $1', [KAMAL.userId])).rowCount === 1

describe('consent that is withdrawn', () => {
  test('ends for the cookies named and for nothing else, with a receipt', async () => {
    expect(await consents()).toEqual({ marketing: true, analytics_cookies: true, marketing_cookies: true })
    const at = await one.open(one.kamal, { type: 'consent_withdrawal', details: { cookies: ['analytics', 'functional'] } })
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.completeness).toMatchObject({ complete: true, missing: [] })
    expect(await consents()).toEqual({ marketing: true, analytics_cookies: false, marketing_cookies: true })
    expect(await isOnMailingList()).toBe(true)
    const receipt = await one.mailTo(KAMAL, 'withdrew your consent')
    expect(receipt).toContain('cookies that help us understand')
    expect(receipt).toContain('cookies that remember your preferences')
    expect(receipt).not.toContain('advertising')
    expect(await one.standing(KAMAL)).toMatchObject({
      consentWithdrawn: { purposes: [], cookies: ['analytics', 'functional'] },
      suppressed: false,
    })
  })

  test('ends for a purpose', async () => {
    const at = await one.open(one.kamal, { type: 'consent_withdrawal', details: { purposes: ['marketing'] } })
    await one.see(at, ({ state }) => state === 'completed')
    expect(await consents()).toEqual({ marketing: false, analytics_cookies: false, marketing_cookies: true })
    expect(await isOnMailingList()).toBe(false)
    expect(await one.standing(KAMAL)).toMatchObject({ consentWithdrawn: { purposes: ['marketing'] } })
  })

  test('cannot be withdrawn from what does not rest on it', async () => {
    const { status, body } = await one.kamal('/v1/requests', {
      body: { type: 'consent_withdrawal', subject: {}, details: { purposes: ['billing'] } },
    })
    expect([status, body.errors?.[0]?.pointer]).toEqual([422, '/details/purposes/0'])
  })
})
