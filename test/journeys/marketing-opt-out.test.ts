import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
  await one.lms.query('UPDATE lms_accounts.consents SET granted = true')
})
afterAll(() => one.close())

const onMailingList = async (userId: string) =>
  (await one.lms.query('SELECT 1 FROM lms_accounts.mailing_list WHERE user_id = $1', [userId])).rowCount === 1
const codeIn = (text: string) => /[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(text)?.[0]

describe('no more advertising', () => {
  test('for whoever is logged in, at once', async () => {
    const at = await one.open(one.kamal, { type: 'marketing_opt_out' })
    await one.see(at, ({ state }) => state === 'completed')
    expect(await one.standing(KAMAL)).toMatchObject({ objectedTo: ['marketing'], suppressed: true })
    expect(await onMailingList(KAMAL.userId)).toBe(false)
    expect(await onMailingList(GRACE.userId)).toBe(true)
    expect(await one.mailTo(KAMAL, 'no more advertising from us')).toContain('list of those who want none')
    expect(await one.events(at)).not.toContain('challenge_sent')
  })

  test('for whoever cannot log in, with a code to the address, and not before', async () => {
    const { body } = await one.as.anybody('/v1/requests', {
      body: { type: 'marketing_opt_out', subject: { identities: [{ type: 'email', value: GRACE.email }] } },
    })
    const at = `/v1/requests/${body.id}`
    const code = codeIn(await one.mailTo(GRACE, 'type this code'))
    expect(await one.standing(GRACE)).toMatchObject({ suppressed: false })
    const { body: proof } = await one.as.anybody(`${at}/proofs`, { body: { method: 'email_code', code } })
    expect(proof).toEqual({ accepted: true, assurance: { needed: 1, reached: 1 } })
    await one.see(at, ({ state }) => state === 'completed')
    expect(await one.standing(GRACE)).toMatchObject({ suppressed: true })
    expect(await onMailingList(GRACE.userId)).toBe(false)
  })

  test('for whom a service vouches, at once', async () => {
    await one.lms.query(`UPDATE lms_accounts.consents SET granted = true`)
    const crm = one.as.service({ sub: 'crm', client_id: 'crm' })
    const { body } = await crm('/v1/requests', {
      body: {
        type: 'marketing_opt_out',
        subject: { identities: [{ type: 'email', value: GRACE.email }] },
        assurance: { method: 'signed_unsubscribe_link', level: 1, verifiedAt: new Date().toISOString() },
      },
    })
    const done = await one.see(`/v1/requests/${body.id}`, ({ state }) => state === 'completed')
    expect(done.assurance).toEqual({ needed: 1, reached: 1 })
  })

  test('cannot be refused', async () => {
    const { body } = await one.as.anybody('/v1/requests', {
      body: { type: 'marketing_opt_out', subject: { identities: [{ type: 'email', value: KAMAL.email }] } },
    })
    const refusal = { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'No.' }
    const refused = await one.officer(`/v1/requests/${body.id}/decisions`, { body: refusal, headers: { 'if-match': '*' } }) // it is still on its way
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([422, '/kind'])
  })
})
