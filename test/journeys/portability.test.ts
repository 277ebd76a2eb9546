import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callers, until } from '../support/callers.ts'
import { linkIn } from '../support/letters.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

describe('a portability request from the portal', () => {
  let house: House
  let service: Service
  let id: string
  let link: string

  beforeAll(async () => {
    house = await openHouse()
    service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
    await registerAll(house, callers(service).agent(['operator']), service)
  })
  afterAll(async () => {
    await service.close()
    await house.close()
  })

  const ana = () => callers(service).person(ANA.userId, ANA.email)
  const ben = () => callers(service).person(BEN.userId, BEN.email)

  test('needs no code while the login is fresh', async () => {
    const opened = await ana()('/v1/requests', { body: { type: 'portability', subject: {} } })
    expect(opened.status).toBe(201)
    id = opened.body.id
    const { body } = await until(
      () => ana()(`/v1/requests/${id}`),
      answer => answer.body.state === 'completed',
    )
    expect(body).toMatchObject({ assurance: { reached: 2 }, completeness: { complete: true, adaptersAsked: 2 } })
    expect(service.mailbox.messages().map(({ envelope }) => envelope.to)).toEqual([[ANA.email], [ANA.email]])
  })

  test('opens for the person who is logged in, and for nobody else who is', async () => {
    link = linkIn(await service.mailbox.waitFor(mail => mail.text.includes('/v1/downloads/'), 5000))
    const refused = await ben()(link, { body: {} })
    expect([refused.status, refused.body.code]).toEqual([403, 'step_up_required'])
    const granted = await ana()(link, { body: {} })
    expect(granted.status).toBe(201)

    const content = await callers(service).anybody(new URL(granted.body.contentUrl).pathname)
    const files = new Map(
      readZip(content.bytes).map(file => [file.name.slice(file.name.indexOf('/') + 1), file.content.toString()]),
    )
    const names = [...files.keys()].filter(name => name.startsWith('data/')).sort()
    expect(names).toEqual([
      'data/library/notes.csv',
      'data/library/notes.json',
      'data/library/notes/0001.txt',
      'data/people/account.csv',
      'data/people/account.json',
      'data/summary.json',
    ])
    const { adapters, completeness } = JSON.parse(files.get('data/summary.json') ?? '')
    expect(completeness).toMatchObject({ complete: true, missing: [] })
    const library = adapters.find(({ name }: { name: string }) => name === 'library')
    expect(library.datasets.find(({ name }: { name: string }) => name === 'scores')).toMatchObject({
      outcome: 'not_portable',
      count: 0,
    })
  })

  test('is not there for anybody else', async () => {
    const theirs = await ben()(`/v1/requests/${id}`)
    const nobodys = await ben()('/v1/requests/019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4')
    expect([theirs.status, theirs.bytes.toString()]).toEqual([404, nobodys.bytes.toString()])
    expect((await ben()('/v1/requests')).body).toEqual({ requests: [] })
  })
})
