import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRACE, KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
})
afterAll(() => one.close())

const account = async (userId: string) =>
  (await one.lms.query('SELECT name, city, phone FROM lms_accounts.users WHERE user_id = $1', [userId])).rows[0]
const rectification = (...corrections: object[]) => ({ type: 'rectification', subject: {}, details: { corrections } })
const tasksOf = async (at: string) => (await one.officer(`${at}/tasks`)).body.tasks
const nameTo = (from: string, to: string) => ({ dataset: 'account', field: 'name', from, to })

describe('corrections that nobody can make', () => {
  test.each([
    ['of what nobody holds', { dataset: 'shoes', field: 'size', from: 1, to: 2 }, '/details/corrections/1/dataset'],
    ['of a field that is not there', { dataset: 'account', field: 'size', from: 1, to: 2 }, '/details/corrections/1/field'],
    ['to what cannot stand there', { dataset: 'account', field: 'name', from: 'a', to: 7 }, '/details/corrections/1/to'],
    ['of what never stood there', { dataset: 'grades', field: 'passed', from: 'no', to: true }, '/details/corrections/1/from'],
    [
      'of a day that is none',
      { dataset: 'certificates', field: 'issued_on', from: null, to: '2026-02-31' },
      '/details/corrections/1/to',
    ],
    ['to what stands there', { dataset: 'account', field: 'city', from: 'Galle', to: 'Galle' }, '/details/corrections/1/to'],
  ])('%s are refused at the door', async (_, correction, pointer) => {
    const { status, body } = await one.kamal('/v1/requests', { body: rectification(nameTo('a', 'b'), correction) })
    expect([status, body.errors.map((error: { pointer: string }) => error.pointer)]).toEqual([422, [pointer]])
  })
})

describe('a correction', () => {
  test('is made where it is held, read back, and told by its field, not its value', async () => {
    const before = await account(GRACE.userId)
    const at = await one.open(one.kamal, rectification(nameTo('Kamal Perera', 'Kamala Perera')))
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.completeness).toMatchObject({ complete: true, missing: [] })
    expect(await account(KAMAL.userId)).toMatchObject({ name: 'Kamala Perera' })
    expect(await account(GRACE.userId)).toEqual(before)
    const mail = await one.mailTo(KAMAL, 'read it back')
    expect(mail).toContain('Account: name')
    expect(mail).not.toContain('Kamala')
    const asked = (await tasksOf(at)).filter(
      ({ state, datasets }: { state: string; datasets: [] }) => state === 'done' && datasets.length,
    )
    expect(asked.map(({ adapter, action }: { adapter: string; action: string }) => `${adapter} ${action}`)).toEqual([
      'accounts rectify',
      'accounts read_back',
    ])
    expect(await one.service.sql('SELECT 1 FROM part')).toEqual([]) // what was read back is kept nowhere
  })

  test('of a record that is not as stated leaves it alone, and can then be refused', async () => {
    const before = await account(KAMAL.userId)
    const at = await one.open(one.kamal, rectification(nameTo('Somebody Else', 'Kamal Silva')))
    await one.see(at, ({ flags }) => flags.includes('failed_task'))
    expect(await account(KAMAL.userId)).toEqual(before)
    const [failed] = (await tasksOf(at)).filter(({ state }: { state: string }) => state === 'failed')
    expect(failed).toMatchObject({ action: 'rectify', problem: { code: 'outcome_refused' } })
    const refused = await one.decide(at, {
      kind: 'refuse',
      ground: 'not_a_right_under_law',
      reasons: 'The name there is another.',
    })
    expect(refused.status).toBe(201)
    expect((await one.officer(at)).body.state).toBe('refused')
    expect(await one.mailTo(KAMAL, 'The name there is another.')).toContain('Article 77 GDPR')
  })
})

describe('an adapter that says it corrected and did not', () => {
  test('is found out, and asked once more when it was mended', async () => {
    await one.lms.query(`
      CREATE FUNCTION lms_accounts.lie() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := OLD.name; RETURN NEW; END';
      CREATE TRIGGER lie BEFORE UPDATE ON lms_accounts.users FOR EACH ROW EXECUTE FUNCTION lms_accounts.lie()`)
    const { name } = await account(GRACE.userId)
    const at = await one.open(one.grace, rectification(nameTo(name, 'Grace Silva')))
    const stuck = await one.see(at, ({ flags }) => flags.includes('failed_task'))
    expect(stuck).toMatchObject({ state: 'fulfilling', closedAt: null })
    const [failed] = (await tasksOf(at)).filter(({ state }: { state: string }) => state === 'failed')
    expect(failed).toMatchObject({ action: 'read_back', problem: { code: 'not_corrected' } })
    const tooLate = await one.decide(at, { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'Never mind.' })
    expect(tooLate.status).toBe(409)

    await one.lms.query('DROP TRIGGER lie ON lms_accounts.users')
    expect((await one.officer(`${at}/tasks/${failed.id}/retry`, { method: 'POST' })).status).toBe(202)
    const done = await one.see(at, ({ state }) => state === 'completed')
    expect(done.flags).toEqual([])
    expect(await account(GRACE.userId)).toMatchObject({ name: 'Grace Silva' })
  })
})

describe('what it takes to have something corrected', () => {
  test('is a login: with a code from a mail alone the request waits, and the person is told what is missing', async () => {
    const { name } = await account(KAMAL.userId)
    const { body } = await one.as.anybody('/v1/requests', {
      body: { ...rectification(nameTo(name, 'Kamal')), subject: { identities: [{ type: 'email', value: KAMAL.email }] } },
    })
    const at = `/v1/requests/${body.id}`
    const code = /[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(await one.mailTo(KAMAL, 'type this code'))?.[0]
    const proof = await one.as.anybody(`${at}/proofs`, { body: { method: 'email_code', code } })
    expect(proof.body).toEqual({ accepted: true, assurance: { needed: 2, reached: 1 } })
    const mail = await one.mailTo(KAMAL, 'log in to your account')
    expect(mail).not.toMatch(/(?<![-\w])[0-9A-Z]{4}-[0-9A-Z]{4}(?![-\w])/)
    expect((await one.officer(at)).body).toMatchObject({ state: 'verifying' })
    expect(await account(KAMAL.userId)).toMatchObject({ name })

    const other = await one.grace(`${at}/proofs`, { body: { method: 'portal_login' } })
    expect(other.status).toBe(404)
    const login = await one.kamal(`${at}/proofs`, { body: { method: 'portal_login' } })
    expect(login.body).toMatchObject({ assurance: { needed: 2, reached: 2 } })
    await one.see(at, ({ state }) => state === 'completed')
    expect(await account(KAMAL.userId)).toMatchObject({ name: 'Kamal' })
  })
})
