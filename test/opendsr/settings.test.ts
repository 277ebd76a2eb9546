import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Contact } from '../../src/adapters/fetch-manifest.ts'
import type { Problem } from '../../src/domain/problem.ts'
import { LIKE_APPSFLYER, openProcessor, type Processor, SPECIFIED } from '../support/processor.ts'
import { type Asking, asking, DATASET } from '../support/processor-calls.ts'
import { issue } from '../support/x509.ts'

let processor: Processor
let by: Asking
beforeAll(async () => {
  processor = await openProcessor(SPECIFIED)
  by = asking(processor, '2.0')
})
afterAll(async () => {
  await by.close()
  await processor.close()
})

/** What is said against a registration, as `pointer`s. */
async function refusal(change: Partial<Contact> & { overrides?: object; settings?: object }): Promise<(string | undefined)[]> {
  const { overrides = {}, settings = {}, ...contact } = change
  const given = by.contact.settings.overrides as object
  const asked = {
    ...by.contact,
    ...contact,
    settings: { ...by.contact.settings, overrides: { ...given, ...overrides }, ...settings },
  }
  return by.connector.manifest(asked).then(
    () => [],
    ({ code, errors, detail }: Problem) => [code, ...(errors.length > 0 ? errors.map(({ pointer }) => pointer) : [detail])],
  )
}

describe('what a processor is registered with', () => {
  test.each<[string, Parameters<typeof refusal>[0], string]>([
    ['a dialect that nobody speaks', { settings: { dialect: 'klingon' } }, '/settings/dialect'],
    ['two datasets, of which none can be asked for alone', { settings: { datasets: [DATASET, DATASET] } }, '/settings/datasets'],
    ['a dataset without a category', { settings: { datasets: [{ name: 'a', title: 'A' }] } }, '/settings/datasets/0'],
    ['a name that is none', { settings: { name: 'No Name' } }, '/settings/name'],
    ['a setting that is unknown', { overrides: { padding: 'none' } }, '/settings/overrides'],
    ['a path that leads out of the base', { overrides: { requestsPath: '../admin' } }, '/settings/overrides/requestsPath'],
    ['a duration that is none', { overrides: { pollEvery: 'hourly' } }, '/settings/overrides/pollEvery'],
    ['a status that is none', { overrides: { statuses: { done: 'finished' } } }, '/settings/overrides/statuses/done'],
    ['call backs that nobody signs', { overrides: { signature: 'none' } }, '/settings/overrides/callback'],
    ['a certificate that is none', { overrides: { certificate: 'x' } }, '/settings/overrides/certificate'],
    ['a map for all identities', { overrides: { identityShape: 'map' } }, '/settings/overrides/identitiesPerRequest'],
    [
      'our own members written over',
      { overrides: { extraBody: { subject_request_id: '1' } } },
      '/settings/overrides/extraBody/subject_request_id',
    ],
    [
      'a header for what has none',
      { overrides: { auth: { scheme: 'bearer', header: 'x-key' } } },
      '/settings/overrides/auth/header',
    ],
    [
      'a header that frames the call',
      { overrides: { auth: { scheme: 'header', header: 'host' } }, credentials: { value: 'a' } },
      '/settings/overrides/auth/header',
    ],
    ['no token', { credentials: {} }, '/credentials/token'],
    ['a token too many', { credentials: { token: 't-1', password: 'a' } }, '/credentials/password'],
    ['a token with a line feed', { credentials: { token: 'a\nb' } }, '/credentials/token'],
    [
      'a user with a colon',
      { overrides: { auth: { scheme: 'basic' } }, credentials: { username: 'a:b', password: 'c' } },
      '/credentials/username',
    ],
    ['no address', { baseUrl: '' }, '/baseUrl'],
    [
      'identities that it does not take',
      { overrides: { identityTypes: { phone: { type: 'phone', format: 'raw' } } } },
      '/settings/overrides/identityTypes',
    ],
    [
      'a form of identity that it does not take',
      { overrides: { identityTypes: { email: { type: 'email', format: 'md5' } } } },
      '/settings/overrides/identityTypes',
    ],
  ])('is refused with %s', async (_, change, pointer) => {
    const [code, ...pointers] = await refusal(change)
    expect(code).toBe('manifest_refused')
    expect(pointers.some(one => one?.startsWith(pointer))).toBe(true)
  })

  test('is refused where it may not be called, cannot be, or does not answer as it should', async () => {
    expect(await refusal({ baseUrl: 'http://127.0.0.1:1/v2' })).toMatchObject(['address_refused', expect.anything()])
    expect(await refusal({ baseUrl: `${processor.url}/elsewhere` })).toEqual([
      'manifest_refused',
      'the call was answered with 404.',
    ])
    expect(await refusal({})).toEqual([])
  })

  test('is refused with a certificate that could not be believed when it calls back', async () => {
    const { pem } = processor.served
    processor.served.pem = issue('processor', { domains: [processor.domain] }).pem
    const again = asking(processor, '2.0')
    const refused = again.connector.manifest(again.contact).catch(({ detail }: Problem) => detail)
    expect(await refused).toMatch(/^The certificate does not lead to an authority/)
    await again.close()
    processor.served.pem = pem
  })
})

describe('the manifest that follows', () => {
  test('names the kinds of identity and the actions that the processor offers, in our words', async () => {
    expect(await by.connector.manifest(by.contact)).toMatchObject({
      protocol: 'dsar-adapter/1',
      name: 'vendor',
      actions: ['collect', 'erase'],
      identityTypes: [{ type: 'user_id' }, { type: 'email' }],
      datasets: [DATASET],
      cancellable: true,
    })
  })

  test('is the same where the types come as a text, and leaves out what we cannot ask for', async () => {
    const appsFlyer = await openProcessor(LIKE_APPSFLYER)
    const asked = asking(appsFlyer, 'appsflyer')
    expect(await asked.connector.manifest(asked.contact)).toMatchObject({
      actions: ['collect', 'erase'],
      identityTypes: [{ type: 'user_id' }],
    })
    await asked.close()
    await appsFlyer.close()
  })
})
