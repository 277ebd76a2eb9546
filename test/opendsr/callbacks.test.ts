import { constants, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { objectionTo } from '../../src/opendsr/judge-certificate.ts'
import { isSignedBy, signatureOf } from '../../src/opendsr/verify-callback.ts'
import { LIKE_GO, type Manners, openProcessor, type Processor, SPECIFIED } from '../support/processor.ts'
import { asking, CALLBACK_URL, taskFor } from '../support/processor-calls.ts'
import { type Issued, issue } from '../support/x509.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const it of open.splice(0)) await it.close()
})

type How = Parameters<typeof asking>[2]
type Sent = ReturnType<Processor['signed']>

/** A processor that has been asked something, and is told what came of its call back. */
async function met(
  manners: Manners = SPECIFIED,
  dialect = '2.0',
  how: How = {},
  wanted: Parameters<typeof openProcessor>[1] = {},
) {
  const processor = await openProcessor(manners, wanted)
  const by = asking(processor, dialect, { ...how, allowedHosts: [processor.host.replace('127.0.0.1', 'localhost')] })
  open.push(by, processor)
  const task = taskFor('erase')
  await by.ask(task)
  const id = processor.latest().sent.subject_request_id
  const hear = async ({ headers, body }: Sent, taskId = task.taskId) => {
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const callBack = { taskId, url: CALLBACK_URL, headers: lowered, rawBody: Buffer.from(body) }
    return by.connector.hear?.(by.contact, callBack).then(
      ({ message }) => message,
      ({ code }: { code: string }) => code,
    )
  }
  return { processor, by, id, hear, told: () => processor.told(id) }
}

const BELIEVED = expect.stringMatching(/^opendsr-[0-9a-f]{64}$/)
const REFUSED = 'not_allowed'
const pss: How = { overrides: { signature: 'rsa-pss-sha256' } }

describe('a call back', () => {
  test('that the processor signed is believed, and known again', async () => {
    const { processor, hear, told } = await met()
    const first = await hear(processor.signed(told()))
    expect(first).toEqual(BELIEVED)
    expect(await hear(processor.signed(told()))).toBe(first)
  })

  test('with the other padding and the headers of version 1 is believed where that is agreed, and nowhere else', async () => {
    const { processor, hear, told } = await met(LIKE_GO, '1.0', pss)
    expect(await hear(processor.signed(told()))).toEqual(BELIEVED)
    expect(await hear(processor.signed(told(), { padding: constants.RSA_PKCS1_PADDING }))).toBe(REFUSED)
    const agreed = await met(LIKE_GO, '1.0')
    expect(await agreed.hear(agreed.processor.signed(agreed.told()))).toBe(REFUSED)
  })

  test('of which anything was changed is not', async () => {
    const { processor, hear, told } = await met()
    const sent = processor.signed(told())
    const signature = sent.headers['X-OpenDSR-Signature'] ?? ''
    const wrong: [string, Sent][] = [
      ['a byte of the body', { ...sent, body: sent.body.replace('pending', 'pendinG') }],
      ['a blank after the body', { ...sent, body: `${sent.body} ` }],
      ['another spelling of the same JSON', { ...sent, body: JSON.stringify(JSON.parse(sent.body), null, 1) }],
      ['no body', { ...sent, body: '' }],
      ['another domain', { ...sent, headers: { ...sent.headers, 'X-OpenDSR-Processor-Domain': 'evil.example' } }],
      ['no domain', { ...sent, headers: { 'X-OpenDSR-Signature': signature } }],
      ['a bit of the signature', { ...sent, headers: { ...sent.headers, 'X-OpenDSR-Signature': flipped(signature) } }],
      ['half a signature', { ...sent, headers: { ...sent.headers, 'X-OpenDSR-Signature': signature.slice(0, 100) } }],
      ['a signature with more to it', { ...sent, headers: { ...sent.headers, 'X-OpenDSR-Signature': `${signature}!` } }],
      ['no signature', { ...sent, headers: { 'X-OpenDSR-Processor-Domain': processor.domain } }],
      ['headers of version 1', { ...sent, headers: renamed(sent.headers) }],
      ['the other padding', processor.signed(told(), { padding: constants.RSA_PKCS1_PSS_PADDING })],
      ['the key of somebody else', processor.signed(told(), { by: issue('processor', { domains: [processor.domain] }) })],
    ]
    for (const [what, one] of wrong) expect([what, await hear(one)]).toEqual([what, REFUSED])
    expect(await hear(sent)).toEqual(BELIEVED)
  })

  test('about another request, or sent to somebody else, is not', async () => {
    const { processor, hear, told } = await met()
    expect(await hear(processor.signed(told()), '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d5')).toBe(REFUSED)
    const others = told().replace(CALLBACK_URL, 'https://other.example/callbacks')
    expect(await hear(processor.signed(others))).toBe(REFUSED)
    for (const body of ['{}', '[]', 'null', '{', '{"subject_request_id":1}'])
      expect(await hear(processor.signed(body))).toBe(REFUSED)
  })

  test('is not believed of a processor of which none was agreed', async () => {
    const { processor, hear, told } = await met(SPECIFIED, '2.0', { overrides: { callback: false } })
    expect(await hear(processor.signed(told()))).toBe(REFUSED)
  })
})

const flipped = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64')
  bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7)
  return bytes.toString('base64')
}
const renamed = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace('OpenDSR', 'OpenGDPR'), value]))

describe('the certificate of a processor', () => {
  const root = issue('Test Root 2', { isAuthority: true })
  const domains = [SPECIFIED.domain]
  /** What comes of a call back that is signed with this key, while this is at the address of the certificate. */
  const heardWith = async (by: Issued, pem: string, how: How = {}) => {
    const { processor, hear, told } = await met(SPECIFIED, '2.0', how)
    processor.served.pem = pem
    return hear(processor.signed(told(), { by }))
  }

  test('leads to an authority through what was sent with it', async () => {
    const { processor, hear, told } = await met()
    const between = issue('Between', { isAuthority: true }, processor.authority)
    const leaf = issue('processor', { domains }, between)
    processor.served.pem = `${leaf.pem}${between.pem}`
    expect(await hear(processor.signed(told(), { by: leaf }))).toEqual(BELIEVED)

    const posing = issue('Posing', {}, processor.authority)
    const under = issue('processor', { domains }, posing)
    expect(await heardWith(under, `${under.pem}${posing.pem}`)).toBe(REFUSED)
  })

  test('is not believed where it only vouches for itself, or leads nowhere', async () => {
    const alone = issue('processor', { domains })
    expect(await heardWith(alone, alone.pem)).toBe(REFUSED)
    const unknown = issue('processor', { domains }, root)
    expect(await heardWith(unknown, `${unknown.pem}${root.pem}`)).toBe(REFUSED)
    expect(await heardWith(unknown, 'nothing')).toBe(REFUSED)
    const ofThatName = issue('processor', { domains }, issue('Test Root', { isAuthority: true }))
    expect(await heardWith(ofThatName, ofThatName.pem)).toBe(REFUSED)
  })

  test('is not believed before its time, after it, for another domain, or with a weak key', async () => {
    const { authority } = await openedOnce
    const wrong: [string, Issued][] = [
      ['expired', issue('processor', { domains, to: new Date('2026-11-20T11:59:59Z') }, authority)],
      ['early', issue('processor', { domains, from: new Date('2026-11-20T12:00:01Z') }, authority)],
      ['elsewhere', issue('processor', { domains: ['evil.example'] }, authority)],
      ['by its name alone', issue(SPECIFIED.domain, {}, authority)],
      ['weak', issue('processor', { domains, bits: 1024 }, authority)],
    ]
    for (const [what, by] of wrong) expect([what, await heardWith(by, by.pem)]).toEqual([what, REFUSED])
  })

  test('is believed as it stands where it was pinned, for as long as it is valid', async () => {
    const alone = issue('processor', { domains, to: new Date('2026-11-21T00:00:00Z') })
    const pinned = { overrides: { certificate: alone.pem } }
    expect(await heardWith(alone, 'nothing', pinned)).toEqual(BELIEVED)
    expect(await heardWith(alone, alone.pem, { ...pinned, clock: { now: () => new Date('2026-11-22T00:00:00Z') } })).toBe(REFUSED)
  })

  test('has to be on the domain of the discovery', async () => {
    const { processor, hear, told } = await met()
    processor.served.address = `${processor.url.replace('127.0.0.1', 'localhost')}/v9/cert.pem`
    expect(await hear(processor.signed(told()))).toBe(REFUSED)
  })

  test('is fetched once, and again when a signature does not fit it, but not for everybody who sends one', async () => {
    let now = Date.parse('2026-11-20T12:00:00Z')
    const { processor, hear, told } = await met(SPECIFIED, '2.0', { clock: { now: () => new Date(now) } })
    const fetches = () => processor.calls.filter(({ path }) => path.endsWith('cert.pem')).length
    for (let i = 0; i < 3; i += 1) expect(await hear(processor.signed(told()))).toEqual(BELIEVED)
    expect(fetches()).toBe(1)
    const next = issue('processor', { domains }, processor.authority)
    for (let i = 0; i < 3; i += 1) expect(await hear(processor.signed(told(), { by: next }))).toBe(REFUSED)
    expect(fetches()).toBe(1)
    now += 6 * 60_000
    processor.served.pem = next.pem
    expect(await hear(processor.signed(told(), { by: next }))).toEqual(BELIEVED)
    expect(fetches()).toBe(2)
  })
})

test('the certificate of a processor is fetched anew when the one that was kept has run out', async () => {
  let now = Date.parse('2026-11-20T12:00:00Z')
  const to = new Date('2026-11-20T13:00:00Z')
  const { processor, hear, told } = await met(SPECIFIED, '2.0', { clock: { now: () => new Date(now) } }, { to })
  expect(await hear(processor.signed(told()))).toEqual(BELIEVED)
  now += 2 * 3_600_000
  expect(await hear(processor.signed(told()))).toBe(REFUSED)
  const next = issue('processor', { domains: [SPECIFIED.domain] }, processor.authority)
  processor.served.pem = next.pem
  now += 6 * 60_000
  expect(await hear(processor.signed(told(), { by: next }))).toEqual(BELIEVED)
})

let opened: Processor
const openedOnce = openProcessor(SPECIFIED)
beforeAll(async () => {
  opened = await openedOnce
})
afterAll(() => opened.close())

/** A call back as mParticle sent it. Not everybody has it. */
const VECTORS = new URL('../../../shared/vectors/', import.meta.url)
const hasVectors = existsSync(VECTORS)

test(`a real call back of mParticle holds, and nothing that was made of it${hasVectors ? '' : ' (not looked at: the vectors are not here)'}`, () => {
  if (!hasVectors) return
  const read = (name: string) => readFileSync(new URL(name, VECTORS), 'utf8')
  const { headers, rawBody, clock } = JSON.parse(read('mparticle-callback-vector.json'))
  const certificate = new X509Certificate(read('mparticle-opendsr-cert.pem'))
  const profile = {
    signature: 'rsa-pkcs1v15-sha256',
    headerPrefix: 'X-OpenDSR',
    processorDomain: 'opendsr.mparticle.com',
  } as const
  const holds = (given = headers, body: Buffer = Buffer.from(rawBody), how: Parameters<typeof signatureOf>[0] = profile) => {
    const signature = signatureOf(how, given)
    return signature !== undefined && isSignedBy(certificate, how, signature, body)
  }
  const isInForce = (at: string, domain = profile.processorDomain) => objectionTo(certificate, domain, new Date(at)) === undefined
  expect([holds(), isInForce(clock)]).toEqual([true, true])
  for (let at = 0; at < rawBody.length; at += 1) {
    const altered = Buffer.from(rawBody)
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
    expect(holds(headers, altered)).toBe(false)
  }
  const signature = headers['x-opendsr-signature']
  expect([
    holds({ ...headers, 'x-opendsr-signature': flipped(signature) }),
    holds({ ...headers, 'x-opendsr-processor-domain': 'evil.example' }),
    holds(headers, Buffer.from(rawBody), { ...profile, processorDomain: 'other.example' }),
    holds(headers, Buffer.from(rawBody), { ...profile, signature: 'rsa-pss-sha256' }),
    isInForce('2025-12-07T16:42:31Z'),
    isInForce('2024-11-05T16:42:29Z'),
    isInForce(clock, 'other.example' as typeof profile.processorDomain),
    isSignedBy(new X509Certificate(opened.certificate.pem), profile, Buffer.from(signature, 'base64'), Buffer.from(rawBody)),
  ]).toEqual(Array(8).fill(false))
})
