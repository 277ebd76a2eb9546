import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers, until } from '../support/callers.ts'
import { codeIn, linkIn } from '../support/letters.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

describe('an access request', () => {
  let house: House
  let service: Service
  let officer: Call
  let anybody: Call
  let at: string
  let link: string
  let zip: Buffer

  beforeAll(async () => {
    house = await openHouse()
    service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
    const as = callers(service)
    anybody = as.anybody
    officer = as.agent(['agent', 'privacy_officer'])
    await registerAll(house, as.agent(['operator']), service)
  })
  afterAll(async () => {
    await service.close()
    await house.close()
  })

  test('is taken in without anybody being told who is known', async () => {
    const opened = await anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: ANA.email }] } },
    })
    expect(opened.status).toBe(201)
    expect(opened.body).toMatchObject({ state: 'verifying', subject: { identities: [{ type: 'email', value: 'a…@e….org' }] } })
    at = `/v1/requests/${opened.body.id}`
  })

  test('is proven by the code that was mailed to the address on file', async () => {
    const mail = await service.mailbox.waitFor(({ envelope }) => envelope.to.includes(ANA.email), 10_000)
    const proven = await anybody(`${at}/proofs`, { body: { method: 'email_code', code: codeIn(mail) } })
    expect([proven.status, proven.body]).toEqual([200, { accepted: true, assurance: { needed: 1, reached: 1 } }])
  })

  test('is answered by every adapter, packed and mailed', async () => {
    const { body } = await until(
      () => officer(at),
      answer => answer.body.state === 'completed',
    )
    expect(body.completeness).toEqual({ complete: true, adaptersAsked: 2, adaptersAnswered: 2, missing: [] })
    expect(body.flags).toEqual([])
    link = linkIn(await service.mailbox.waitFor(mail => mail.text.includes('/v1/downloads/'), 5000))
  })

  test('opens for whoever has the link and a fresh code from the mailbox', async () => {
    expect((await anybody(link)).body).toContain('Your data package is ready')
    const before = service.mailbox.messages().length
    expect((await anybody(link, { body: { step: 'send' } })).status).toBe(202)
    const mail = await service.mailbox.waitFor(({ number }) => number > before, 5000)
    const granted = await anybody(link, { body: { code: codeIn(mail) } })
    expect(granted.status).toBe(201)

    const content = await anybody(new URL(granted.body.contentUrl).pathname)
    expect(content.headers.get('content-type')).toBe('application/zip')
    expect(content.bytes.length).toBe(granted.body.bytes)
    zip = content.bytes
  })

  test('hands over what the adapters hold, to the letter', () => {
    const files = new Map(readZip(zip).map(({ name, content }) => [name.slice(name.indexOf('/') + 1), content.toString()]))
    expect(files.get('data/library/notes.json')).toContain('"views":12345678901234567890')
    expect(files.get('data/library/notes.csv')).toContain("'=cmd of u-ana")
    expect(files.get('data/library/notes/0001.txt')).toBe('attached')
    expect(JSON.parse(files.get('data/people/account.json') ?? '')).toEqual([{ name: ANA.name, email: ANA.email }])
    expect(JSON.parse(files.get('data/summary.json') ?? '')).toMatchObject({
      completeness: { complete: true, asked: 2, answered: 2 },
    })
  })

  test('is on the record from the first step to the last', async () => {
    const { body } = await officer(`${at}/timeline`)
    const events = body.entries.map(({ event }: { event: string }) => event)
    expect(events).toEqual(
      expect.arrayContaining([
        'opened',
        'challenge_sent',
        'proof_accepted',
        'identity_confirmed',
        'package_sealed',
        'handed_over',
        'download_granted',
      ]),
    )
    expect((await officer('/v1/audit/verify', { body: {} })).body).toMatchObject({ intact: true })
  })
})
