import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type AnsweredRequest, answeredRequest, letterWithLink } from '../support/answered-request.ts'
import { type Answered, type Call, callAs, callers } from '../support/callers.ts'
import { codeIn, linkIn } from '../support/letters.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** More than the buffers of a connection hold: of Ben; Ana has a smaller one. */
const LARGE = randomBytes(24 * 1024 * 1024)
const SMALL = LARGE.subarray(0, 1_500_000)
const bytesOf = (userId: string) => (userId === BEN.userId ? LARGE : SMALL)
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

let house: House
let service: Service
let anybody: Call
let sealed: AnsweredRequest

const person = ({ userId, email }: Person) => callers(service).person(userId, email)
const ana = () => person(ANA)
const officer = () => callers(service).agent(['privacy_officer'])
const usesLeft = async (id: string) => (await officer()(`/v1/requests/${id}/package`)).body.usesLeft
const form = (fields: string) => ({
  method: 'POST',
  body: fields,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
})

async function mailedCode(link: string): Promise<string> {
  const before = service.mailbox.messages().length
  await anybody(link, { body: { step: 'send' } })
  return codeIn(await service.mailbox.waitFor(({ number, envelope }) => number > before && envelope.to[0] === ANA.email, 5000))
}

/** The path of the content, for the person's own session. */
async function opened(link: string, by = ANA): Promise<string> {
  const { status, body } = await person(by)(link, { body: {} })
  if (status !== 201) throw new Error(JSON.stringify(body))
  return new URL(body.contentUrl).pathname
}

beforeAll(async () => {
  house = await openHouse({
    openFile: async userId => bytesOf(userId),
    datasets: {
      attachments: {
        title: 'Attachments',
        category: 'content',
        origin: 'provided',
        purposes: ['provide_service'],
        legalBases: ['contract'],
        recipients: [],
        retention: 'account_data',
        fields: [],
        count: () => 1,
        records: () => [],
        files: ({ person: { userId } }) => [
          { name: 'a.bin', mediaType: 'application/octet-stream', key: userId, size: bytesOf(userId).length },
        ],
      },
    },
  })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house), LINK_USES: '3' } })
  anybody = callers(service).anybody
  await registerAll(house, callers(service).agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})
beforeEach(async () => {
  await service.sql('DELETE FROM challenge') // a mailbox takes three codes an hour, and here every test is another hour
})

describe('the page behind a link', () => {
  beforeAll(async () => {
    sealed = await answeredRequest(service, ANA)
  })

  test('T93 changes nothing however often it is opened, by whatever looks into mails', async () => {
    const mails = service.mailbox.messages().length
    const before = await service.sql('SELECT * FROM link')
    const looked = await Promise.all(
      Array.from({ length: 40 }, (_, i) => anybody(sealed.link, { method: i % 2 ? 'GET' : 'HEAD' })),
    )
    expect(new Set(looked.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await service.sql('SELECT * FROM link')).toEqual(before)
    expect(await service.sql('SELECT 1 FROM download_grant')).toEqual([])
    expect(service.mailbox.messages().length).toBe(mails)
  })

  test('T96 is not kept, not passed on, and loads nothing', async () => {
    const { headers, body } = await anybody(sealed.link)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-robots-tag')).toBe('noindex')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(body).not.toMatch(/<(script|img|link|iframe|object|base)|src=|href=|url\(|@import/i)
    expect(body).not.toContain(sealed.link.split('/').at(-1))
  })

  test('speaks the language of the request, whatever the browser asks for', async () => {
    const headers = { 'accept-language': 'de' }
    expect((await anybody(sealed.link, { headers })).body).toContain('<html lang="en">')
    await service.sql(`UPDATE dsar_request SET locale = 'de-AT', time_zone = 'Europe/Vienna' WHERE id = $1`, [sealed.id])
    const { body } = await anybody(sealed.link)
    const wrong = await anybody(sealed.link, form('step=open&code=0000-0000'))
    await service.sql(`UPDATE dsar_request SET locale = 'en' WHERE id = $1`, [sealed.id])
    expect(body).toContain('<html lang="de">')
    expect(body).toMatch(/<h1>Ihr Datenpaket liegt bereit<\/h1>[\s\S]*Eine ZIP-Datei von 1,\d MB\.[\s\S]* MEZ, noch 3-mal/)
    expect(wrong.body).toContain('Dieser Code war falsch')
    for (const text of [body, wrong.body]) expect(text).not.toMatch(/\b(your|the|code from|mail me)\b/i)
  })

  test.each([
    ['de-CH,de;q=0.9,en;q=0.5', 'de'],
    ['en;q=0.5, fr, de;q=0.8', 'de'],
    ['de;q=0, fr', 'en'],
    ['de;q=nonsense', 'en'],
    ['', 'en'],
  ])(
    'about a link that leads nowhere speaks the language that is wanted most of those there are: %s',
    async (wanted, language) => {
      const { status, body, headers } = await anybody(`/v1/downloads/${'A'.repeat(43)}`, {
        headers: { 'accept-language': wanted },
      })
      expect([status, headers.get('vary')?.includes('accept-language')]).toEqual([404, true])
      expect(body).toContain(`<html lang="${language}">`)
      expect(body).toContain(language === 'de' ? 'Dieser Link gilt nicht mehr' : 'This link no longer works')
    },
  )

  test('says nothing of the person', async () => {
    const { body } = await anybody(sealed.link)
    for (const said of [ANA.email, ANA.name, ANA.userId]) expect(body).not.toContain(said)
  })

  test('T99 is the same page for a link that expired, was used up or replaced; one that never was is not found', async () => {
    const unknown = await anybody(`/v1/downloads/${'A'.repeat(43)}`)
    const before = service.mailbox.messages().length
    await officer()(`${sealed.at}/package/links`, { method: 'POST' })
    const replaced = await anybody(sealed.link)
    sealed = { ...sealed, link: linkIn(await letterWithLink(service, sealed.id, before)) }
    expect([unknown.status, replaced.status]).toEqual([404, 410])
    expect(replaced.bytes).toEqual(unknown.bytes)
  })
})

describe('a link alone', () => {
  test.each([{}, { step: 'open' }])('T92 opens nothing: %j', async body => {
    const { status, body: problem } = await anybody(sealed.link, { body })
    expect([status, problem.code]).toEqual([403, 'step_up_required'])
  })

  test('T42 opens once for one token of the person: the call that was recorded opens nothing again', async () => {
    const token = service.issuer.mint('portal', { sub: ANA.userId, email: ANA.email, email_verified: true })
    const recorded = callAs(service, token)
    const own = await answeredRequest(service, ANA)
    expect((await recorded(own.link, { body: {} })).status).toBe(201)
    const { status, body } = await recorded(own.link, { body: {} })
    expect([status, body.code]).toEqual([409, 'token_used'])
    expect(await usesLeft(own.id)).toBe(2)
  })

  test('T92 opens nothing in the session of another person, or of staff', async () => {
    expect((await person(BEN)(sealed.link, { body: {} })).status).toBe(403)
    expect((await callers(service).agent()(sealed.link, { body: {} })).status).toBe(403)
    expect(await usesLeft(sealed.id)).toBe(3)
  })

  test('T92 opens nothing with a code that was guessed, or was mailed for another package', async () => {
    const wrong = await anybody(sealed.link, { body: { code: 'AAAA-AAAA' } })
    expect([wrong.status, wrong.body.code]).toEqual([401, 'proof_refused'])
    const other = await answeredRequest(service, ANA)
    const code = await mailedCode(sealed.link)
    expect((await anybody(other.link, { body: { code } })).status).toBe(401)
    expect(await usesLeft(other.id)).toBe(3)
  })

  test('T94 is not in the database, and neither is the way to the content', async () => {
    const grant = (await opened(sealed.link)).split('/').at(-1) ?? ''
    const dump = JSON.stringify([await service.sql('SELECT * FROM link'), await service.sql('SELECT * FROM download_grant')])
    const token = sealed.link.split('/').at(-1) ?? ''
    for (const secret of [token, grant]) {
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
      expect(dump).not.toContain(secret)
      expect(dump).not.toContain(Buffer.from(secret, 'base64url').toString('hex'))
    }
  })

  test('T88 leads to where the operator says, whatever host a caller names', async () => {
    const before = service.mailbox.messages().length
    const evil = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
    const token = service.issuer.mint('support_agent', { sub: 'a', roles: ['dpo'] })
    const { statusCode } = await service.app.server.inject({
      method: 'POST',
      url: `${sealed.at}/package/links`,
      headers: { ...evil, authorization: `Bearer ${token}` },
    })
    expect(statusCode).toBe(201)
    const letter = await letterWithLink(service, sealed.id, before)
    expect(letter.text + letter.html).not.toContain('evil')
    sealed = { ...sealed, link: linkIn(letter) }
  })
})

describe('a person in a browser without scripts', () => {
  let link: string
  beforeAll(async () => {
    link = (await answeredRequest(service, ANA)).link
  })

  test('T84 has a code mailed, mistypes it, types it right, and is sent to the file, which is stored and never shown', async () => {
    const before = service.mailbox.messages().length
    const asked = await anybody(link, form('step=send&word=CODE'))
    expect([asked.status, asked.body]).toEqual([200, expect.stringContaining('on its way')])
    const code = codeIn(await service.mailbox.waitFor(({ number }) => number > before, 5000))

    const wrong = await anybody(link, form('step=open&code=AAAA-AAAA'))
    expect([wrong.status, wrong.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8'])
    expect(wrong.body).toContain('aria-invalid')

    const right = await anybody(link, form(`step=open&code=${encodeURIComponent(code.toLowerCase().replace('-', ' '))}`))
    expect(right.status).toBe(303)
    const content = new URL(right.headers.get('location') ?? '', service.url + link).href
    for (const [headers, status] of [[{}, 200] as const, [{ range: 'bytes=0-9' }, 206] as const]) {
      const file = await anybody(content, { headers })
      expect([file.status, file.headers.get('content-type')]).toEqual([status, 'application/zip'])
      expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="dsar-[0-9a-f-]{36}\.zip"$/)
      expect(file.headers.get('x-content-type-options')).toBe('nosniff')
      expect(file.headers.get('content-security-policy')).toMatch(/^default-src 'none';.*;sandbox$/)
      expect(file.headers.get('cache-control')).toBe('no-store')
      expect(file.headers.get('referrer-policy')).toBe('no-referrer')
    }
  })

  test('cannot use the code twice', async () => {
    const code = await mailedCode(link)
    expect((await anybody(link, form(`code=${code}`))).status).toBe(303)
    expect((await anybody(link, form(`code=${code}`))).status).toBe(401)
  })

  test('is shown a page, not a problem, when the link has ended meanwhile', async () => {
    const { id, link } = await answeredRequest(service, ANA)
    await officer()(`/v1/requests/${id}/package`, { method: 'DELETE' })
    const answer = await anybody(link, form('step=send&word=CODE'))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([410, 'text/html; charset=utf-8'])
  })

  test('is told when the mailbox has had its codes, and never that one is on its way when none is', async () => {
    const pages: Answered[] = []
    for (let n = 0; n < 4; n++) pages.push(await anybody(link, form('step=send&word=CODE')))
    const said = pages.map(({ body }) => (/A code is on its way|Enough codes/.exec(body) ?? [])[0])
    expect(said).toEqual([...Array(3).fill('A code is on its way'), 'Enough codes'])
    expect((await anybody(link, { body: { step: 'send' } })).status).toBe(429)
  })
})

describe('uses of a link', () => {
  test('T95 are as many as promised, however many come at once; after them it is gone', async () => {
    const { id, link } = await answeredRequest(service, ANA)
    const came = await Promise.all(Array.from({ length: 8 }, () => ana()(link, { body: {} })))
    expect(came.map(({ status }) => status).sort()).toEqual([201, 201, 201, 410, 410, 410, 410, 410])
    expect(await usesLeft(id)).toBe(0)
    expect((await anybody(link)).status).toBe(410)
    const left = (await officer()(`/v1/requests/${id}/timeline`)).body.entries
      .filter(({ event }: { event: string }) => event === 'download_granted')
      .map(({ facts }: { facts: { usesLeft: number } }) => facts.usesLeft)
    expect(left).toEqual([2, 1, 0])
  })

  test('are not taken by asking for a code, by guessing, or by fetching the same download in pieces', async () => {
    const { id, link } = await answeredRequest(service, ANA)
    await anybody(link, { body: { step: 'send' } })
    await anybody(link, { body: { code: 'AAAA-AAAA' } })
    const content = await opened(link)
    for (const range of ['bytes=0-9', 'bytes=10-19']) await anybody(content, { headers: { range } })
    expect(await usesLeft(id)).toBe(2)
  })
})

describe('the content', () => {
  let content: string
  let whole: Answered
  beforeAll(async () => {
    const { id, link } = await answeredRequest(service, ANA)
    content = await opened(link)
    whole = await anybody(content)
    const { body } = await officer()(`/v1/requests/${id}/package`)
    expect([whole.bytes.length, sha256(whole.bytes)]).toEqual([body.bytes, body.sha256])
  })
  const part = (range: string, headers: Record<string, string> = {}) => anybody(content, { headers: { range, ...headers } })

  test('T97 comes in parts that make up the whole, fetched all at once', async () => {
    const size = whole.bytes.length
    const step = Math.ceil(size / 7)
    const parts = await Promise.all(
      Array.from({ length: 7 }, (_, i) => part(`bytes=${i * step}-${Math.min((i + 1) * step, size) - 1}`)),
    )
    expect(parts.map(({ status }) => status)).toEqual(Array(7).fill(206))
    expect(parts[1]?.headers.get('content-range')).toBe(`bytes ${step}-${2 * step - 1}/${size}`)
    expect(sha256(Buffer.concat(parts.map(({ bytes }) => bytes)))).toBe(sha256(whole.bytes))
  })

  test('T97 is not fetched in a thousand ranges at once, and stays whole for whoever comes later', async () => {
    const many = await Promise.all(Array.from({ length: 1000 }, (_, i) => part(`bytes=${i}-${i}`)))
    const statuses = many.map(({ status }) => status)
    expect(statuses.filter(status => status === 206).length).toBeLessThanOrEqual(600)
    expect(statuses).toContain(429)
    expect(statuses.filter(status => ![206, 429, 503].includes(status))).toEqual([])
    await service.sql('DELETE FROM rate_limit')
    expect(sha256((await anybody(content)).bytes)).toBe(sha256(whole.bytes))
  })

  test('can be gone on with where it broke off', async () => {
    const rest = await part('bytes=1000000-', { 'if-range': whole.headers.get('etag') ?? '' })
    expect([rest.status, rest.bytes.equals(whole.bytes.subarray(1_000_000))]).toEqual([206, true])
  })

  test('comes whole to those who have the beginning of something else', async () => {
    const other = await part('bytes=0-9', { 'if-range': '"another"' })
    expect([other.status, other.bytes.length, other.headers.get('content-range')]).toEqual([200, whole.bytes.length, null])
  })

  test('T97 has an end, and says where', async () => {
    const { status, headers, body } = await part(`bytes=${whole.bytes.length}-`)
    expect([status, body.code]).toEqual([416, 'range_not_satisfiable'])
    expect(headers.get('content-range')).toBe(`bytes */${whole.bytes.length}`)
  })

  test('is described to HEAD as GET would give it, in full', async () => {
    const { status, headers, bytes } = await anybody(content, { method: 'HEAD', headers: { range: 'bytes=0-9' } })
    expect([status, bytes.length, headers.get('content-length')]).toEqual([200, 0, String(whole.bytes.length)])
    expect([headers.get('accept-ranges'), headers.get('etag')]).toEqual(['bytes', whole.headers.get('etag')])
  })

  test('is gone an hour after it was opened', async () => {
    service.clock.advance(HOUR)
    expect((await anybody(content)).status).toBe(410)
    service.clock.advance(-HOUR)
  })
})

describe('who revokes a package', () => {
  test('T98 ends the downloads that are running, within five seconds', async () => {
    const { at, link } = await answeredRequest(service, BEN)
    const content = await opened(link, BEN)
    const response = await new Promise<IncomingMessage>(resolve => get(service.url + content, resolve))
    expect(response.statusCode).toBe(200)
    const broken = new Promise(resolve => response.once('error', resolve))

    expect((await officer()(`${at}/package`, { method: 'DELETE' })).status).toBe(204)
    expect((await anybody(content, { headers: { range: 'bytes=0-9' } })).status).toBe(410)
    expect((await anybody(link)).status).toBe(410)
    expect((await person(BEN)(link, { body: {} })).status).toBe(410)
    await after(3000)
    let received = 0
    response.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
    expect(received).toBeLessThan(LARGE.length)
  })

  test('leaves no way to a new link', async () => {
    const { at } = await answeredRequest(service, ANA)
    await ana()(`${at}/package`, { method: 'DELETE' })
    expect((await ana()(`${at}/package/links`, { method: 'POST' })).status).toBe(410)
  })
})

describe('a package past its day', () => {
  test('T95 is gone for everybody, and its bytes and its key with it', async () => {
    const { id, at, link } = await answeredRequest(service, ANA)
    const content = await opened(link)
    service.clock.advance(service.config.packageDays * DAY)
    for (const path of [link, content]) expect((await anybody(path)).status).toBe(410)
    expect((await ana()(link, { body: {} })).status).toBe(410)
    await service.app.handlers['forget-expired']({})
    expect(await service.sql('SELECT 1 FROM request_key WHERE request_id = $1', [id])).toEqual([])
    const stored = readdirSync(join(service.blobDir, 'requests', id), { recursive: true, withFileTypes: true })
    expect(stored.filter(entry => entry.isFile())).toEqual([])
    expect((await officer()(`${at}/package`)).body).toMatchObject({ available: false, usesLeft: 0 })
    expect((await officer()(`${at}/package/links`, { method: 'POST' })).body.code).toBe('gone')
  })
})
