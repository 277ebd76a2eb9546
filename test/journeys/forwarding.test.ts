import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { addMonths, dayIn } from '../../src/domain/day.ts'
import { type AnsweredRequest, answeredRequest } from '../support/answered-request.ts'
import { type Call, callers, until } from '../support/callers.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

const UNIVERSITY = 'University of Colombo'
const DPO = 'dpo@university.example'

let house: House
let service: Service
let as: ReturnType<typeof callers>
let university: Call
let officer: Call

beforeAll(async () => {
  house = await openHouse()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  withUniversity(service)
  as = callers(service)
  officer = as.agent(['privacy_officer', 'operator'])
  university = as.service({ sub: 'university', client_id: 'university', scope: 'forwardings:read' })
  await registerAll(house, officer, service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})

/** The address of the issuer is known only once it is up. */
function withUniversity({ config, issuer }: Service): void {
  const issuedBy = issuer.issuers.find(({ kind }) => kind === 'service')?.issuer
  config.policy.controllers.push({
    name: UNIVERSITY,
    contact: 'mailto:privacy@university.example',
    email: DPO,
    client: `${issuedBy}|university`,
    adapter: 'library',
    datasets: ['notes'],
  })
}

const listOf = async (at: string, by: Call = officer) => (await by(`${at}/forwardings`)).body.forwardings
const mailsTo = (address: string) => service.mailbox.messages().filter(({ envelope }) => envelope.to.includes(address))

describe('a part of a request that another controller has to answer', () => {
  let asked: AnsweredRequest
  let id: string

  beforeAll(async () => {
    asked = await answeredRequest(service, ANA)
    id = (await listOf(asked.at))[0]?.id
  })

  test('is forwarded with a month of its own, and the person sees to whom', async () => {
    const today = dayIn(service.clock.now(), 'UTC')
    const [forwarding, ...others] = await listOf(asked.at, as.person(ANA.userId, ANA.email))
    expect(others).toEqual([])
    expect(forwarding).toMatchObject({
      controller: UNIVERSITY,
      contact: 'mailto:privacy@university.example',
      datasets: [{ adapter: 'library', dataset: 'notes', title: 'Notes' }],
      acknowledgedAt: null,
    })
    expect([addMonths(today, 1), addMonths(dayIn(service.clock.now(), 'Asia/Colombo'), 1)]).toContain(forwarding.dueOn)
  })

  test('is told to that controller in a mail that says nothing of the person', async () => {
    const mail = await service.mailbox.waitFor(({ envelope }) => envelope.to.includes(DPO), 5000)
    expect(mail.text).toContain(id)
    expect([mail.subject, mail.text, mail.html].join()).not.toMatch(/Perera|ana@|u-ana/i)
    expect(mailsTo(DPO)).toHaveLength(1)
  })

  test('is told to the person in a letter and in the package', async () => {
    const isTold = ({ envelope, text }: { envelope: { to: string[] }; text: string }) =>
      envelope.to.includes(ANA.email) && text.includes(`${UNIVERSITY} alone decides`)
    expect((await service.mailbox.waitFor(isTold, 5000)).text).toContain('* Notes')
    const granted = await as.person(ANA.userId, ANA.email)(asked.link, { body: {} })
    const { bytes } = await as.anybody(new URL(granted.body.contentUrl).pathname)
    const files = new Map(readZip(bytes).map(({ name, content }) => [name.slice(name.indexOf('/') + 1), content.toString()]))
    expect([...files.keys()].filter(path => path.includes('notes'))).toEqual([])
    const { forwarded, completeness } = JSON.parse(files.get('data/summary.json') ?? '')
    expect(forwarded).toMatchObject([{ controller: UNIVERSITY, datasets: [{ dataset: 'notes' }] }])
    expect(completeness.complete).toBe(false)
    expect(completeness.missing).toMatchObject([{ adapter: 'library', dataset: 'notes', why: 'forwarded' }])
    expect(files.get('index.html')).toContain('href="mailto:privacy@university.example"')
  })

  test('was not asked of the adapter', async () => {
    const { tasks } = (await officer(`${asked.at}/tasks`)).body
    const named = tasks.flatMap(({ datasets }: { datasets: { name: string }[] }) => datasets.map(({ name }) => name))
    expect(new Set(named)).toEqual(new Set(['account', 'scores']))
    expect((await officer(asked.at)).body.completeness.missing).toEqual([
      { adapter: 'library', dataset: 'notes', outcome: 'forwarded', reason: UNIVERSITY },
    ])
  })

  test('is fetched by that controller alone, and that it was is on the record', async () => {
    const { status, body } = await university(`/v1/forwardings/${id}`)
    expect([status, body]).toMatchObject([
      200,
      {
        id,
        type: 'access',
        subject: {
          identities: expect.arrayContaining([{ type: 'user_id', value: ANA.userId }]),
          contactPoint: { type: 'email', value: ANA.email },
        },
      },
    ])
    const another = as.service({ client_id: 'college', scope: 'forwardings:read' })
    for (const path of ['', '/acknowledgment'])
      expect((await another(`/v1/forwardings/${id}${path}`, { method: path ? 'POST' : 'GET' })).status).toBe(404)
    const self = as.agent(['dpo'], ANA.userId) // of one's own case nobody says as staff that it was answered
    expect((await self(`/v1/forwardings/${id}/answer`, { method: 'POST' })).status).toBe(404)
    expect((await as.service({ client_id: 'university' })(`/v1/forwardings/${id}`)).status).toBe(403)
    const { entries } = (await officer(`${asked.at}/timeline`)).body
    const events = entries.map(({ event }: { event: string }) => event)
    expect(events.filter((event: string) => event.startsWith('forward'))).toEqual(['forwarded', 'forwarding_fetched'])
  })

  test('is acknowledged once: the first time counts', async () => {
    const acknowledge = () => university(`/v1/forwardings/${id}/acknowledgment`, { method: 'POST' })
    const first = await acknowledge()
    expect([first.status, first.body.acknowledgedAt]).toEqual([200, expect.any(String)])
    expect((await acknowledge()).body).toEqual(first.body)
    expect((await officer(`/v1/forwardings/${id}/acknowledgment`, { method: 'POST' })).body).toEqual(first.body)
    expect((await listOf(asked.at))[0]).toEqual(first.body)
  })

  test('stays forwarded once when the work is begun again', async () => {
    await service.sql(`UPDATE dsar_request SET state = 'fulfilling', closed_at = NULL WHERE id = $1`, [asked.id])
    await service.app.handlers['start-fulfilment']({ requestId: asked.id })
    expect((await listOf(asked.at)).map((one: { id: string }) => one.id)).toEqual([id])
    expect(mailsTo(DPO)).toHaveLength(1)
  })
})

test('a right that changes data is forwarded with its particulars, and the rest of it is done', async () => {
  const corrections = [{ dataset: 'notes', field: 'text', from: 'a', to: 'b' }]
  const theirs = { type: 'rectification', subject: {}, details: { corrections } }
  const opened = await as.person(BEN.userId, BEN.email)('/v1/requests', { body: theirs })
  const at = `/v1/requests/${opened.body.id}`
  const [forwarding] = (
    await until(
      () => officer(`${at}/forwardings`),
      ({ body }) => body.forwardings.length === 1,
    )
  ).body.forwardings
  const { body } = await university(`/v1/forwardings/${forwarding.id}`)
  expect(body).toMatchObject({ type: 'rectification', details: { corrections } })
  expect(house.done.names.size).toBe(0)
})

test('whoever erases does not claim what is another’s, nor that an account is gone that stays', async () => {
  const opened = await as.person(BEN.userId, BEN.email)('/v1/requests', { body: { type: 'erasure', subject: {} } })
  const at = `/v1/requests/${opened.body.id}`
  await until(
    () => officer(at),
    ({ body }) => body.state === 'cooling_off',
  )
  expect(await listOf(at)).toEqual([])
  service.clock.advanceAlone(73 * 3_600_000)
  await service.app.handlers['end-cooling-off']({})
  const { body } = await until(
    () => officer(at),
    answer => answer.body.state === 'completed',
  )
  expect(body.completeness.missing).toEqual([{ adapter: 'library', dataset: 'notes', outcome: 'forwarded', reason: UNIVERSITY }])
  expect(await listOf(at)).toHaveLength(1)
  expect([...house.done.erased].sort()).toEqual([`account/${BEN.userId}`, `scores/${BEN.userId}`])
  const certificate = mailsTo(BEN.email).find(({ text }) => text.includes('we erased'))
  expect(certificate?.text).toMatch(/belongs to another controller[\s\S]*Notes/)
})
