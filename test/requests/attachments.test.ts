import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { receiveFile } from '../../src/messages/take-attachment.ts'
import { filesystemBlobs } from '../../src/platform/blobs.filesystem.ts'
import { type Call, callers, until } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { unpack } from '../support/evidence.ts'
import { EICAR, openScanner, type Scanner, upload as uploadTo } from '../support/scanner.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { startWorker } from '../support/worker-process.ts'

const MEBIBYTE = 1024 * 1024
const DAY = 86_400_000
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

let house: House
let scanner: Scanner
let service: Service
let ana: Call
let officer: Call
/** The path of an open request of Ana's. */
let at: string

const person = (who = ANA, claims = {}) => callers(service).person(who.userId, who.email, claims)
const agent = () => callers(service).agent(['agent'])

beforeAll(async () => {
  house = await openHouse()
  scanner = await openScanner()
  service = await startService({
    env: {
      ADAPTER_ALLOWED_HOSTS: `${hostsOf(house)},${scanner.host}`,
      ATTACHMENT_SCANNER: `${scanner.url}/scan`,
      LOG_LEVEL: 'trace',
    },
  })
  ana = person()
  officer = callers(service).agent(['privacy_officer'])
  await registerAll(house, callers(service).agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await scanner.close()
  await house.close()
})
beforeEach(() => {
  scanner.says = undefined
})

async function openInquiry(by = ana): Promise<string> {
  const { status, body } = await by('/v1/requests', {
    body: { type: 'inquiry', subject: {}, details: { message: 'Where are my data?' } },
  })
  if (status !== 201) throw new Error(JSON.stringify(body))
  const path = `/v1/requests/${body.id}`
  await until(
    () => officer(path),
    ({ body }) => body.flags.includes('needs_decision'),
  )
  return path
}
const end = (path: string) => ana(`${path}/withdrawal`, { method: 'POST' })
/** One request of hers is open at a time, with all the calls that a minute has before it. */
async function startAnew(): Promise<void> {
  if (at) await end(at)
  at = await openInquiry()
  await service.sql('DELETE FROM rate_limit')
}

const upload = (token: string, path: string, bytes: Buffer, headers: Record<string, string> = {}) =>
  uploadTo(service, token, path, bytes, headers)
const tokenOf = ({ userId, email } = ANA) =>
  service.issuer.mint('portal', { sub: userId, email, email_verified: true, auth_time: Math.floor(Date.now() / 1000) })
const staffToken = (roles = ['privacy_officer']) => service.issuer.mint('support_agent', { sub: 'officer-1', roles })

const seen = async (id: string, by = officer, path = at) =>
  (await by(`${path}/attachments`)).body.attachments.find((one: { id: string }) => one.id === id)
const rowOf = async (id: string) =>
  (
    await service.sql<{ state: string; name_sealed: Buffer | null }>('SELECT state, name_sealed FROM attachment WHERE id = $1', [
      id,
    ])
  )[0]
const settled = async (id: string, state: string) => eventually(async () => (await rowOf(id))?.state === state, 20_000)
async function cleanFile(bytes = Buffer.from('a scan of my contract'), token = tokenOf(), path = at): Promise<string> {
  const { status, body } = await upload(token, path, bytes)
  expect([status, body.state]).toEqual([201, 'scanning'])
  await settled(body.id, 'clean')
  return body.id
}
const write = (by: Call, attachments: string[], path = at) =>
  by(`${path}/messages`, { body: { text: 'See the file.', attachments } })
const filesBelow = (id: string): string[] =>
  readdirSync(service.blobDir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.parentPath.includes(id))
    .map(({ parentPath, name }) => join(parentPath, name))

describe('a file', () => {
  beforeAll(startAnew)

  test('goes from the person to the officer with a message, to the last byte', async () => {
    const bytes = randomBytes(300_000)
    const id = await cleanFile(bytes)
    expect(scanner.asked.at(-1)?.bytes.equals(bytes)).toBe(true)
    expect(JSON.stringify(scanner.asked.at(-1)?.headers)).not.toContain('proof')

    const before = service.mailbox.messages().length
    const { status, body } = await write(ana, [id])
    expect(status).toBe(201)
    expect((await officer(`${at}/messages`)).body.messages.at(-1)).toMatchObject({ id: body.id, attachments: [id] })
    const file = await officer(`${at}/attachments/${id}`)
    expect([file.status, file.bytes.equals(bytes)]).toEqual([200, true])
    expect(await seen(id)).toMatchObject({
      name: 'proof.pdf',
      state: 'clean',
      bytes: bytes.length,
      sha256: sha256(bytes),
      messageId: body.id,
    })
    const letter = await service.mailbox.waitFor(({ number }) => number > before, 10_000)
    expect(letter.text + letter.html + JSON.stringify(letter.headers)).not.toMatch(/proof\.pdf|attach/i)
  })

  test('goes from the staff to the person, whose login has to be as good as the request takes', async () => {
    const id = await cleanFile(Buffer.from('our answer'), staffToken())
    expect((await write(officer, [id])).status).toBe(201)
    expect((await ana(`${at}/attachments/${id}`)).bytes.toString()).toBe('our answer')
    await service.sql(`UPDATE dsar_request SET assurance_needed = 2 WHERE id = $1`, [at.split('/').at(-1)])
    const stale = person(ANA, { auth_time: undefined })
    const { status, body } = await stale(`${at}/attachments/${id}`)
    expect([status, body.code]).toEqual([403, 'step_up_required'])
    expect((await ana(`${at}/attachments/${id}`)).status).toBe(200)
  })

  test('T84 is handed out as bytes to be stored, whatever it is and says it is', async () => {
    const page = Buffer.from('<!doctype html><script>fetch("https://evil.test")</script>')
    const { body } = await upload(tokenOf(), at, page, { 'file-name': 'Pr%C3%BCfung%20(1).html' })
    await settled(body.id, 'clean')
    await write(ana, [body.id])
    const { headers } = await officer(`${at}/attachments/${body.id}`)
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''Pr%C3%BCfung%20%281%29.html`)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none';sandbox")
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('that is not found clean is destroyed at once, and goes to nobody', async () => {
    const { body } = await upload(tokenOf(), at, Buffer.concat([randomBytes(100_000), EICAR]))
    await settled(body.id, 'refused')
    expect(await seen(body.id, ana)).toMatchObject({ state: 'refused', name: null, found: 'Win.Test.EICAR_HDB-1' })
    await eventually(() => !filesBelow(at.split('/').at(-1) as string).some(path => path.includes(body.id)))
    const { status, body: problem } = await write(ana, [body.id])
    expect([status, problem.errors[0].pointer]).toEqual([422, '/attachments/0'])
    expect((await ana(`${at}/attachments/${body.id}`)).status).toBe(404)
    expect((await officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event)).toContain(
      'attachment_refused',
    )
  })

  test('is sent once, by the side that it came from, and with a message of its own request', async () => {
    const mine = await cleanFile()
    const ours = await cleanFile(Buffer.from('x'), staffToken())
    for (const [by, id] of [
      [ana, ours],
      [officer, mine],
    ] as const)
      expect((await write(by, [id])).status).toBe(422)
    const both = await Promise.all([write(ana, [mine]), write(ana, [mine])])
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422])
    expect((await officer(`${at}/attachments/${ours}`)).status).toBe(404) // nothing names it yet
    expect(await seen(ours, ana)).toBeUndefined()
  })

  test('of somebody else is what does not exist', async () => {
    const id = await cleanFile()
    await write(ana, [id])
    const ben = person(BEN)
    expect((await ben(`${at}/attachments/${id}`)).status).toBe(404)
    expect((await ben(`${at}/attachments`)).status).toBe(404)
    expect((await upload(tokenOf(BEN), at, Buffer.from('x'))).status).toBe(404)
    const other = await openInquiry(ben)
    expect((await ben(`${other}/attachments/${id}`)).status).toBe(404)
    expect((await write(ben, [id], other)).status).toBe(422)
  })

  test('is to a support agent a state and a size: no name, no byte', async () => {
    const id = await cleanFile()
    await write(ana, [id])
    expect(await seen(id, agent())).toMatchObject({ state: 'clean', name: null })
    expect((await agent()(`${at}/attachments/${id}`)).status).toBe(403)
  })

  test('with one Idempotency-Key is kept once, and another under the same key is refused', async () => {
    const headers = { 'idempotency-key': 'one-file' }
    const [first, again] = [
      await upload(tokenOf(), at, Buffer.from('one'), headers),
      await upload(tokenOf(), at, Buffer.from('one'), headers),
    ]
    expect([again.status, again.body.id, again.headers.get('idempotency-replayed')]).toEqual([201, first.body.id, 'true'])
    expect((await upload(tokenOf(), at, Buffer.from('two'), headers)).body.code).toBe('key_reused')
    const kept = await service.sql('SELECT id FROM attachment WHERE request_id = $1', [at.split('/').at(-1)])
    const present = filesBelow(at.split('/').at(-1) as string).filter(path => path.includes('/attachments/'))
    expect(present.length).toBeLessThanOrEqual(kept.length)
  })
})

describe('what is not taken', () => {
  beforeAll(startAnew)

  test.each([
    ['a path', '..%2Fetc%2Fpasswd'],
    ['a way back', 'a%5Cb.txt'],
    ['the other direction of reading', 'gpj%E2%80%AEexe.pdf'],
    ['a line break', 'a%0D%0AX-Evil%3A%20yes'],
    ['a byte that ends names', 'a%00.pdf'],
    ['a hidden file', '.htaccess'],
    ['markup', '%3Cb%3E.pdf'],
    ['half a character', '%C3.pdf'],
    ['121 characters', 'a'.repeat(121)],
  ])('%s for a name', async (_, name) => {
    const { status, body } = await upload(tokenOf(), at, Buffer.from('x'), { 'file-name': name })
    expect([status, body.code]).toEqual([422, 'unprocessable'])
  })

  test('nothing, a byte too many, another type, anybody without a token', async () => {
    expect((await upload(tokenOf(), at, Buffer.alloc(0))).status).toBe(422)
    expect((await upload(tokenOf(), at, Buffer.alloc(10 * MEBIBYTE + 1))).status).toBe(413)
    for (const type of ['application/json', 'text/html', 'application/pdf'])
      expect((await upload(tokenOf(), at, Buffer.from('{}'), { 'content-type': type })).status).toBe(415)
    expect((await upload('', at, Buffer.from('x'))).status).toBe(401)
    expect(filesBelow(at.split('/').at(-1) as string)).toEqual([])
  })

  test('a stream that says nothing of its length and goes on and on, of which nothing is left', async () => {
    async function* endless() {
      for (let n = 0; n < 11; n++) yield new Uint8Array(MEBIBYTE)
    }
    const response = await fetch(`${service.url}${at}/attachments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf()}`, 'content-type': 'application/octet-stream', 'file-name': 'a.bin' },
      body: ReadableStream.from(endless()),
      duplex: 'half',
    })
    expect(response.status).toBe(413)
    expect(filesBelow(at.split('/').at(-1) as string)).toEqual([])
  })

  test('more than twenty, and any once the request has ended', async () => {
    const before = (await ana(`${at}/attachments`)).body.attachments.length
    const room = 20 - before
    await service.sql('DELETE FROM rate_limit')
    const many = await Promise.all(Array.from({ length: room + 3 }, () => upload(tokenOf(), at, Buffer.from('x'))))
    expect(many.filter(({ status }) => status === 201)).toHaveLength(room)
    expect(many.filter(({ status }) => status === 422)).toHaveLength(3)
    await end(at)
    expect((await upload(tokenOf(), at, Buffer.from('x'))).status).toBe(409)
  })
})

describe('a scanner', () => {
  beforeAll(startAnew)

  test.each([
    ['is broken', (res: { writeHead(status: number): { end(): void } }) => res.writeHead(500).end()],
    ['says something else', (res: { end(body: string): void }) => res.end('{"clean":"yes"}')],
    ['says nothing that is JSON', (res: { end(body: string): void }) => res.end('OK')],
    [
      'sends it elsewhere',
      (res: { writeHead(status: number, headers: object): { end(): void } }) =>
        res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['hangs up', (res: { destroy(): void }) => res.destroy()],
  ])('that %s has said nothing: the file waits, is tried again, and nobody gets it', async (_, says) => {
    const asked = scanner.asked.length
    scanner.says = says as Scanner['says']
    const { body } = await upload(tokenOf(), at, Buffer.from('patience'))
    await eventually(() => scanner.asked.length > asked)
    expect((await write(ana, [body.id])).status).toBe(422)
    expect((await rowOf(body.id))?.state).toBe('scanning')
    scanner.says = undefined
    await settled(body.id, 'clean')
  })

  test('that is slow keeps nobody else waiting, and two that were asked at once settle it once', async () => {
    const { body } = await upload(tokenOf(), at, Buffer.from('twice'))
    await settled(body.id, 'clean')
    await service.sql(`UPDATE attachment SET state = 'scanning' WHERE id = $1`, [body.id])
    const scan = () => service.app.handlers['scan-attachment']({ attachmentId: body.id })
    const held: (() => void)[] = []
    scanner.says = res => held.push(() => res.end('{"clean":true}'))
    const both = [scan(), scan()]
    await eventually(() => held.length === 2)
    expect((await ana(`${at}/attachments`)).status).toBe(200)
    for (const release of held) release()
    await Promise.all(both)
    const entries = (await officer(`${at}/timeline`)).body.entries as { event: string; facts: { attachment?: string } }[]
    const clean = entries.filter(({ event, facts }) => event === 'attachment_clean' && facts.attachment === body.id)
    expect(clean).toHaveLength(2) // when it came, and for the two together
  })

  test('finds what was left to it when every process was gone in between', async () => {
    const idle = await startService({
      working: false,
      env: { ADAPTER_ALLOWED_HOSTS: scanner.host, ATTACHMENT_SCANNER: `${scanner.url}/scan` },
    })
    const headers = {
      authorization: `Bearer ${idle.issuer.mint('portal', { sub: ANA.userId, email: ANA.email, email_verified: true })}`,
    }
    const opened = await callers(idle).person(ANA.userId, ANA.email)('/v1/requests', {
      body: { type: 'inquiry', subject: {}, details: { message: 'Where?' } },
    })
    const uploaded = await fetch(`${idle.url}/v1/requests/${opened.body.id}/attachments`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/octet-stream', 'file-name': 'a.txt' },
      body: 'left alone',
    })
    expect(uploaded.status).toBe(201)
    const worker = startWorker(idle, { ADAPTER_ALLOWED_HOSTS: scanner.host, ATTACHMENT_SCANNER: `${scanner.url}/scan` })
    await worker.started
    await eventually(async () => (await idle.sql(`SELECT 1 FROM attachment WHERE state = 'clean'`)).length === 1, 40_000)
    worker.kill('SIGKILL')
    await worker.exited
    await idle.close()
  }, 90_000)

  test('that there is none of switches attachments off, and says so', async () => {
    const without = await startService({ working: false })
    const { person } = callers(without)
    const opened = await person(ANA.userId, ANA.email)('/v1/requests', { body: { type: 'access', subject: {} } })
    const token = without.issuer.mint('portal', { sub: ANA.userId, email: ANA.email, email_verified: true })
    const refused = await fetch(`${without.url}/v1/requests/${opened.body.id}/attachments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'file-name': 'a.txt' },
      body: 'x',
    })
    expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
      422,
      expect.stringContaining('switched off'),
    ])
    await without.close()
  })
})

describe('what is left of a file', () => {
  const canary = `kanari${randomBytes(6).toString('hex')}`
  let id: string
  beforeAll(async () => {
    await startAnew()
    const { body } = await upload(tokenOf(), at, Buffer.from(`${canary} `.repeat(5000)), { 'file-name': `${canary}.txt` })
    id = body.id
    await settled(id, 'clean')
    await write(ana, [id])
    await officer(`${at}/attachments/${id}`)
    await upload(tokenOf(), at, Buffer.from(canary), { 'file-name': `..%2F${canary}` })
    await service.mailbox.waitFor(({ text }) => text.includes(at.split('/').at(-1) as string), 10_000)
  })

  test('stands in no table, job, log, letter or blob: not its name, not a word of it', async () => {
    const forms = [canary, Buffer.from(canary).toString('hex'), Buffer.from(canary).toString('base64').slice(0, 20)]
    const found = (text: string) => forms.some(form => text.toLowerCase().includes(form.toLowerCase()))
    const tables = await service.sql<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`,
    )
    for (const { name } of tables) {
      const rows = await service.sql<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)
      expect([name, rows.some(({ row }) => found(row))]).toEqual([name, false])
    }
    expect(service.logs.filter(found)).toEqual([])
    expect(service.mailbox.messages().filter(mail => found(JSON.stringify(mail)))).toEqual([])
    for (const path of filesBelow(at.split('/').at(-1) as string))
      expect(found(`${path} ${readFileSync(path, 'latin1')}`)).toBe(false)
  })

  test('is in the evidence: digest, size and times, and no name', async () => {
    const evidence = unpack((await callers(service).agent(['dpo'])(`${at}/evidence`)).bytes)
    const [file] = evidence.says('attachments.json').attachments
    const bytes = Buffer.byteLength(`${canary} `.repeat(5000))
    expect(file).toMatchObject({
      id,
      from: 'person',
      state: 'clean',
      bytes,
      sha256: sha256(Buffer.from(`${canary} `.repeat(5000))),
    })
    expect([file.at, file.scannedAt, file.deletedAt]).toEqual([expect.any(String), expect.any(String), null])
    expect(JSON.stringify(evidence.files.map(({ content }) => content.toString()))).not.toContain(canary)
    expect(evidence.verify().said).toContain('INTACT')
    const forged = evidence.copy()
    forged.forge('attachments.json', text => text.replace(/"sha256": "./, '"sha256": "x'))
    expect(forged.verify().said).toContain('attachments.json: does not match the record')
    for (const one of [evidence, forged]) one.remove()
  })

  test('goes when the case does, key first: nobody gets it, and no byte of it stays', async () => {
    const ended = at
    expect((await end(ended)).status).toBe(200)
    await settled(id, 'deleted')
    expect((await rowOf(id))?.name_sealed).toBeNull()
    await eventually(() => filesBelow(ended.split('/').at(-1) as string).length === 0)
    expect((await officer(`${ended}/attachments/${id}`)).body.code).toBe('gone')
    expect(await seen(id)).toMatchObject({ state: 'deleted', name: null })
  })

  test('goes as many days after an answer as a package does', async () => {
    await startAnew()
    const answered = await cleanFile()
    await write(ana, [answered])
    const { headers } = await officer(at)
    const answer = await officer(`${at}/answer`, {
      body: { text: 'In Colombo.' },
      headers: { 'if-match': headers.get('etag') ?? '' },
    })
    expect(answer.status).toBe(200)
    await until(
      () => officer(at),
      ({ body }) => body.state === 'completed',
    )
    await service.app.handlers['forget-expired']({})
    expect((await officer(`${at}/attachments/${answered}`)).status).toBe(200)
    service.clock.advance(service.config.packageDays * DAY)
    await service.app.handlers['forget-expired']({})
    service.clock.advance(-service.config.packageDays * DAY)
    expect((await officer(`${at}/attachments/${answered}`)).body.code).toBe('gone')
    expect(filesBelow(at.split('/').at(-1) as string)).toEqual([])
  })
})

test('ten mebibytes go through, to the last byte', async () => {
  await startAnew()
  const bytes = randomBytes(10 * MEBIBYTE)
  const id = await cleanFile(bytes)
  await write(ana, [id])
  expect(sha256((await officer(`${at}/attachments/${id}`)).bytes)).toBe(sha256(bytes))
}, 60_000)

test('a file is read no faster than it is stored, so that it never lies in memory', async () => {
  let read = 0
  async function* sent() {
    for (; read < 10 * MEBIBYTE; read += 65_536) yield Buffer.alloc(65_536)
  }
  let go = () => {}
  const held = new Promise<void>(resolve => {
    go = resolve
  })
  const blobs = {
    ...filesystemBlobs(service.blobDir),
    async put(_key: string, source: AsyncIterable<Uint8Array>) {
      let bytes = 0
      for await (const chunk of source) {
        if (bytes === 0) await held
        bytes += chunk.length
      }
      return { bytes }
    },
  }
  const key = createSecretKey(randomBytes(32))
  const content = Readable.from(sent(), { objectMode: false })
  const receiving = receiveFile({ blobs }, key, { requestId: '019af0c2-8a11-7b0e-9d3c-71c5e2b6f404', name: 'a', content })
  let before: number
  await eventually(async () => {
    before = read
    await after(20)
    return read > 0 && read === before // it has come to a stop
  })
  expect(read).toBeLessThan(MEBIBYTE)
  go()
  expect((await receiving).bytes).toBe(10 * MEBIBYTE)
})
