import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers, until } from '../support/callers.ts'
import { knowing, openRegisters, type Registers, settled } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

let registers: Registers
let service: Service
let crm: Call
let anybody: Call

beforeAll(async () => {
  registers = await openRegisters({ crm: knowing({ userId: 'u-ada', email: 'ada@example.org' }) })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers) } })
  const as = callers(service)
  crm = as.service({ scope: 'requests:open requests:read subjects:lookup' })
  anybody = as.anybody
  await registerAll(registers, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await registers.close()
})

const linkFor = async (email: string, locale = 'en') => (await crm('/v1/opt-out-links', { body: { email, locale } })).body
const pathOf = ({ url }: { url: string }) => new URL(url).pathname
const requests = () => service.sql('SELECT id FROM dsar_request')
const isSuppressed = async (email: string): Promise<boolean> =>
  (await crm('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: email }] } })).body.subjects[0].suppressed
const press = (path: string, type = 'application/x-www-form-urlencoded') =>
  fetch(`${service.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body: 'List-Unsubscribe=One-Click' })

describe('the link in an advertisement', () => {
  test('changes nothing when it is opened, however often and by whatever', async () => {
    const path = pathOf(await linkFor('ada@example.org', 'de'))
    for (const method of ['GET', 'HEAD', 'OPTIONS']) for (let n = 0; n < 10; n++) await fetch(`${service.url}${path}`, { method })
    const page = await fetch(`${service.url}${path}`)
    expect([page.status, page.headers.get('referrer-policy')]).toEqual([200, 'no-referrer'])
    expect(await page.text()).toContain('<html lang="de">')
    expect([await requests(), await isSuppressed('ada@example.org')]).toEqual([[], false])
  })

  test('opts out by one press of a mail program, once however often, and the person is told', async () => {
    const link = await linkFor('ada@example.org')
    expect(link.headers).toEqual({ 'List-Unsubscribe': `<${link.url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' })
    for (let n = 0; n < 3; n++) expect((await press(pathOf(link))).status).toBe(200)
    const [{ id } = { id: '' }] = await service.sql<{ id: string }>('SELECT id FROM dsar_request')
    const officer = callers(service).agent(['privacy_officer'])
    const { body } = await until(
      () => officer(`/v1/requests/${id}`),
      answer => answer.body.state === 'completed',
    )
    expect(body).toMatchObject({ type: 'marketing_opt_out', channel: 'link', assurance: { needed: 1, reached: 1 } })
    expect((await press(pathOf(await linkFor('Ada@example.org')))).status).toBe(200)
    await settled(service)
    expect([(await requests()).length, await isSuppressed('ada@example.org')]).toEqual([1, true])
    expect(new Set(service.mailbox.messages().flatMap(({ envelope }) => envelope.to))).toEqual(new Set(['ada@example.org']))
    expect(service.mailbox.messages().at(-1)?.text).toContain('no more advertising')
  })

  test('suppresses an address that nobody here knows as well, and says nothing of that', async () => {
    const page = await (await press(pathOf(await linkFor('zoe@example.org')))).text()
    await until(
      () => crm('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: 'zoe@example.org' }] } }),
      ({ body }) => body.subjects[0].suppressed,
    )
    expect(page).toBe(await (await press(pathOf(await linkFor('ada@example.org')))).text())
  })

  test.each(['application/json', 'multipart/form-data; boundary=x'])('takes %s as well', async type => {
    const path = pathOf(await linkFor(`kim-${type.length}@example.org`))
    const answer = type === 'application/json' ? await anybody(path, { body: {} }) : { status: (await press(path, type)).status }
    expect(answer.status).toBe(type === 'application/json' ? 202 : 200)
  })

  test('is nobody else’s: a changed one leads nowhere, and it says neither address nor name', async () => {
    const { url } = await linkFor('ada@example.org')
    const path = new URL(url).pathname
    expect(Buffer.from(path.slice('/v1/opt-outs/'.length), 'base64url').toString('latin1')).not.toContain('ada')
    for (const wrong of [`${path.slice(0, -2)}xx`, `/v1/opt-outs/${'A'.repeat(60)}`]) {
      expect((await anybody(wrong)).status).toBe(404)
      expect((await anybody(wrong, { body: {} })).status).toBe(404)
    }
  })

  test.each(['a@b', 'x@example.org,y@example.org', 'x@example.org\r\nBcc: y@example.org'])('is not made for %j', async email => {
    expect((await crm('/v1/opt-out-links', { body: { email } })).body.code).toBe('unprocessable')
  })
})
