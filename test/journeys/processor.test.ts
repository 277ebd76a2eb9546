import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Answered, Call } from '../support/callers.ts'
import { type ErasureCase, isCompleted, openHonestAdapter, startErasureCase } from '../support/erasure-case.ts'
import { letIn } from '../support/let-in.ts'
import { codeIn, linkIn } from '../support/letters.ts'
import { openProcessor, type Processor, SPECIFIED } from '../support/processor.ts'
import { DATASET } from '../support/processor-calls.ts'
import { hostsOfRaw } from '../support/raw-adapter.ts'
import { readZip } from '../support/zip-reader.ts'

let processor: Processor
let one: ErasureCase
let registered: Answered
let vendor: Call

const POST = { method: 'POST' }
const registration = () => ({
  kind: 'opendsr',
  baseUrl: processor.baseUrl,
  title: 'Vendor Analytics',
  credentials: { token: 't-1' },
  settings: {
    name: 'vendor',
    dialect: '2.0',
    overrides: { processorDomain: processor.domain, certificate: processor.certificate.pem, pollEvery: 'PT1H' },
    datasets: [{ ...DATASET, fields: [{ name: 'name', type: 'string', title: 'Name' }] }],
  },
})

beforeAll(async () => {
  processor = await openProcessor(SPECIFIED)
  const things = await openHonestAdapter('things')
  one = await startErasureCase([things], { ADAPTER_ALLOWED_HOSTS: `${hostsOfRaw([things])},${processor.host}` })
  registered = await one.as.agent(['operator'], 'olga')('/v1/adapters', { body: registration() })
  vendor = (path, options) => one.anybody(path, options)
})
afterAll(async () => {
  await one.close()
  await processor.close()
})

/** Of the request that the processor was sent last: its id there, and where it was told to call back. */
const sentNow = () => {
  const { subject_request_id: id, status_callback_urls: [url = ''] = [] } = processor.latest().sent
  return { id, path: new URL(url).pathname }
}
const callBack = ({ headers, body }: ReturnType<Processor['signed']>, path = sentNow().path) => vendor(path, { body, headers })
const accepted = ({ state }: { state: string }) => state === 'accepted'

describe('a processor that speaks OpenDSR', () => {
  test('is registered by its settings; what it is called with is never told again', async () => {
    expect([registered.status, registered.body.state]).toEqual([201, 'trial'])
    expect(registered.body).toMatchObject({ kind: 'opendsr', name: 'vendor', manifest: { actions: ['collect', 'erase'] } })
    expect(JSON.stringify((await one.officer('/v1/adapters')).body)).not.toContain('t-1')

    const { credentials: _, ...without } = registration()
    const refused = await one.officer('/v1/adapters', { body: without })
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, '/credentials/token'])
  })

  test('is let in by a second person, after what it tells of itself was looked at; nobody is asked for there to try it', async () => {
    const at = registered.headers.get('location') ?? ''
    const checked = await one.officer(`${at}/check`, POST)
    expect([checked.status, checked.body.passed, checked.body.checks.length]).toEqual([200, true, 1])
    expect(processor.requests.size).toBe(0)
    const match = { 'if-match': (await one.officer(at)).headers.get('etag') ?? '' }
    const approved = await one.as.agent(['privacy_officer'], 'petra')(`${at}/approval`, { ...POST, headers: match })
    expect([approved.status, approved.body.state]).toEqual([200, 'live'])
    await letIn(one.service)
  })
})

describe('an erasure', () => {
  let at: string
  let email: string
  let told: string

  test('is asked for under the ids that the processor knows, and waits for it', async () => {
    const erased = await one.erase()
    ;[at, email] = [erased.at, erased.email]
    await one.coolOff(at)
    const task = await one.seeTask(at, 'vendor', accepted, 'erase')
    expect(Date.parse(task.nextTryAt ?? '') - Date.now()).toBeGreaterThan(600_000)
    expect(processor.latest().sent).toMatchObject({
      subject_request_type: 'erasure',
      subject_identities: expect.arrayContaining([
        { identity_type: 'controller_customer_id', identity_value: erased.userId, identity_format: 'raw' },
      ]),
    })
  })

  test('is looked at as soon as the processor calls back, and not for anybody who does', async () => {
    const { id, path } = sentNow()
    processor.set(id, 'completed')
    told = processor.told(id)
    const forged = { ...processor.signed(told), body: told.replace('completed', 'cancelled') }
    expect((await callBack(forged)).status).toBe(403)
    expect((await vendor(path, { body: told })).status).toBe(403)
    expect((await callBack(processor.signed(told.replace(id, '475974fa-6b42-4370-bb56-b5d845686bb5')))).status).toBe(403)
    expect(await one.taskOf(at, 'vendor', 'erase')).toMatchObject({ state: 'accepted' })

    expect((await callBack(processor.signed(told))).status).toBe(202)
    await one.seeTask(at, 'vendor', ({ state }) => state === 'done', 'erase')
  })

  test('is not taken for verified by the word of the processor: that somebody has to look into', async () => {
    const seen = await one.see(at, ({ flags }) => flags.includes('unconfirmed_erasure'))
    expect(seen.state).toBe('fulfilling')
    const task = await one.taskOf(at, 'vendor', 'confirm_erased')
    expect(task).toMatchObject({ state: 'failed', problem: { code: 'not_supported' } })
    const settled = await one.officer(`${at}/tasks/${task.id}/outcome`, {
      body: { datasets: [{ name: 'profile', outcome: 'no_data' }], reference: 'DPA-2026-7' },
    })
    expect(settled.status).toBe(200)
    await one.see(at, isCompleted)
  })

  test('is told to the person as what it is: one service was searched, the other has confirmed', async () => {
    const isCertificate = (mail: { envelope: { to: string[] }; text: string }) =>
      mail.envelope.to.includes(email) && mail.text.includes('searched again')
    const { text } = await one.service.mailbox.waitFor(isCertificate, 5000)
    expect(text).toMatch(/One service was asked to erase them\. Afterwards it was searched again/)
    expect(text).toMatch(/cannot search ourselves\. Each has confirmed[^*]*\* Vendor Analytics/)
    expect(text).toMatch(/all services that we can search again on/)
  })

  test('takes a call back that comes late, twice or says otherwise, and nothing comes of it', async () => {
    const { id, path } = sentNow()
    const before = processor.calls.length
    processor.set(id, 'cancelled')
    const late = processor.signed(processor.told(id))
    const statuses = [await callBack(late, path), await callBack(late, path), await callBack(processor.signed(told), path)]
    expect(statuses.map(({ status }) => status)).toEqual([202, 202, 202])
    expect((await one.officer(at)).body).toMatchObject({ state: 'completed', flags: [] })
    expect(processor.calls.length).toBe(before)
  })

  test('is looked for again after a week where that can be done, and nobody is troubled where it cannot', async () => {
    await one.pass(24 * 7 + 1)
    await one.see(at, () => true)
    for (let tries = 0; tries < 100 && !(await one.events(at)).includes('erasure_confirmed_again'); tries += 1)
      await new Promise(next => setTimeout(next, 50))
    expect(await one.events(at)).toContain('erasure_confirmed_again')
    expect((await one.officer(at)).body.flags).toEqual([])
  })
})

describe('a copy', () => {
  test('holds what the processor had put down, as the file that it is', async () => {
    const at = await one.ask()
    await one.seeTask(at, 'vendor', accepted)
    const { id } = sentNow()
    processor.files.set('/results/ana.json', { status: 200, body: '{"events":[1,2]}' })
    processor.set(id, 'completed', { results_url: `${processor.url}/results/ana.json`, results_count: 2 })
    expect((await callBack(processor.signed(processor.told(id)))).status).toBe(202)
    const { completeness } = await one.see(at, isCompleted)
    expect(completeness).toMatchObject({ complete: true, adaptersAsked: 2, adaptersAnswered: 2, missing: [] })

    const link = linkIn(await one.service.mailbox.waitFor(mail => mail.text.includes('/v1/downloads/'), 5000))
    const before = one.service.mailbox.messages().length
    await one.anybody(link, { body: { step: 'send' } })
    const mail = await one.service.mailbox.waitFor(({ number }) => number > before, 5000)
    const granted = await one.anybody(link, { body: { code: codeIn(mail) } })
    const { bytes } = await one.anybody(new URL(granted.body.contentUrl).pathname)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(granted.body.sha256)
    const file = readZip(bytes).find(({ name }) => name.endsWith('data/vendor/profile/0001.json'))
    expect(file?.content.toString()).toBe('{"events":[1,2]}')
  })
})

test('a correction that a processor has no word for is a task for a person', async () => {
  const person = one.as.person('u-rectify', 'rectify@example.org')
  const { status, body } = await person('/v1/requests', {
    body: {
      type: 'rectification',
      subject: {},
      details: { corrections: [{ dataset: 'profile', field: 'name', from: 'a', to: 'b' }] },
    },
  })
  expect([status, body.errors]).toEqual([201, undefined])
  const task = await one.seeTask(`/v1/requests/${body.id}`, 'vendor', ({ state }) => state === 'failed', 'rectify')
  expect(task.problem).toMatchObject({ code: 'not_supported' })
})
