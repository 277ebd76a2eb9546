import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Call, callers, until } from '../support/callers.ts'
import { codeIn, linkIn } from '../support/letters.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

const REFUSAL = {
  kind: 'refuse_partly',
  ground: 'rights_of_others',
  reasons: 'These notes are about other learners.',
  parts: { datasets: [{ adapter: 'library', dataset: 'notes' }] },
}

describe('an access request of which a part is refused', () => {
  let house: House
  let service: Service
  let officer: Call
  let anybody: Call

  beforeAll(async () => {
    house = await openHouse()
    service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
    const as = callers(service)
    anybody = as.anybody
    officer = as.agent(['privacy_officer'])
    await registerAll(house, as.agent(['operator']), service)
  })
  afterAll(async () => {
    await service.close()
    await house.close()
  })

  test('brings the rest, names what is missing and why, and claims no more', async () => {
    const opened = await anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: ANA.email }] } },
    })
    const at = `/v1/requests/${opened.body.id}`
    const asked = await service.mailbox.waitFor(({ envelope }) => envelope.to.includes(ANA.email), 10_000)
    const decided = await officer(`${at}/decisions`, {
      body: REFUSAL,
      headers: { 'if-match': (await officer(at)).headers.get('etag') ?? '' },
    })
    expect(decided.status).toBe(201)
    const told = await service.mailbox.waitFor(({ text }) => text.includes(REFUSAL.reasons), 5000)
    expect(told.text).toContain('Notes')

    await anybody(`${at}/proofs`, { body: { method: 'email_code', code: codeIn(asked) } })
    const { body } = await until(
      () => officer(at),
      answer => answer.body.state === 'completed',
    )
    expect(body.completeness).toMatchObject({
      complete: false,
      missing: [{ adapter: 'library', dataset: 'notes', outcome: 'refused', reason: 'rights_of_others' }],
    })

    const names = (
      await unpacked(linkIn(await service.mailbox.waitFor(({ text }) => text.includes('/v1/downloads/'), 5000)))
    ).map(({ name }) => name.slice(name.indexOf('/') + 1))
    expect(names).toContain('data/people/account.json')
    expect(names.filter(name => name.includes('notes'))).toEqual([])
  })

  async function unpacked(link: string) {
    const before = service.mailbox.messages().length
    await anybody(link, { body: { step: 'send' } })
    const mail = await service.mailbox.waitFor(({ number }) => number > before, 5000)
    const granted = await anybody(link, { body: { code: codeIn(mail) } })
    const files = readZip((await anybody(new URL(granted.body.contentUrl).pathname)).bytes)
    const index = files.find(({ name }) => name.endsWith('index.html'))?.content.toString()
    expect(index).toContain('GDPR Art. 15(4) and 20(4)')
    expect(index).toContain('Not included, for the reason given')
    return files
  }
})
