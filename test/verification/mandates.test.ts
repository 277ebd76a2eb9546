import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { settled } from '../support/registers.ts'
import { AGENT, type RepresentedCase, startRepresentedCase, WRITTEN } from '../support/represented-case.ts'

let one: RepresentedCase
beforeAll(async () => {
  one = await startRepresentedCase()
})
afterAll(() => one.close())

const yearsAgo = (years: number, days = 0) => {
  const day = new Date()
  day.setUTCFullYear(day.getUTCFullYear() - years)
  return new Date(day.getTime() - days * 86_400_000).toISOString().slice(0, 10)
}
const parent = (age: number) => ({ evidence: 'birth_certificate', childBornOn: yearsAgo(age, 2) })
const heir = (years: number, days = 1) => ({ evidence: 'probate', diedOn: yearsAgo(years, days) })
const COURT = { evidence: 'court_order' }
const isZip = (bytes: Buffer) => bytes.subarray(0, 2).toString() === 'PK'
const pointers = ({ body }: { body: { errors?: { pointer: string }[] } }) => body.errors?.map(({ pointer }) => pointer)

describe('an authorized agent', () => {
  test('T45 has two people look at the mandate and the person confirm it, who then gets the answer: nobody is asked for content before', async () => {
    const ana = one.newcomer()
    const before = one.contentCalls()
    const at = await one.ask('authorized_agent', ana)
    expect((await one.officer(at)).body).toMatchObject({ state: 'verifying', flags: ['mandate_needed'] })
    expect([one.mailsTo(ana.email), one.mailsTo(AGENT.email)]).toEqual([[], []])

    const noted = await one.note(at, { covers: ['access', 'erasure'] })
    expect(noted.body).toMatchObject({ state: 'proposed', voice: 'decides', delivery: 'subject', covers: ['access', 'erasure'] })
    await settled(one.service)
    expect(one.mailsTo(ana.email)).toEqual([])
    expect((await one.approve(at, noted)).body).toMatchObject({ state: 'approved' })
    await settled(one.service)
    expect((await one.officer(at)).body).toMatchObject({ state: 'verifying', flags: [], assurance: { reached: 0 } })
    const [asked] = one.mailsTo(ana.email)
    expect(asked?.text).toContain('Marta Lind acts for you')
    expect(asked?.subject).toBe('Does somebody act for you?')
    expect(one.contentCalls()).toBe(before)

    expect((await one.prove(at, 'email_code', one.codeTo(ana.email))).status).toBe(200)
    await one.see(at, 'completed')
    expect(isZip(await one.download(ana.email))).toBe(true)
    expect(one.mailsTo(AGENT.email)).toEqual([])
  })
})
void [yearsAgo, parent, heir, COURT, WRITTEN, pointers]
