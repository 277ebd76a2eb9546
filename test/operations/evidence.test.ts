import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type AnsweredRequest, answeredRequest } from '../support/answered-request.ts'
import { callers } from '../support/callers.ts'
import { type Evidence, unpack } from '../support/evidence.ts'
import { type Service, startService } from '../support/service.ts'
import { type House, hostsOf, openHouse, type Person, registerAll } from '../support/small-house.ts'

const FILES = [
  ...[
    'README.txt',
    'verify.mjs',
    'request.json',
    'clocks.json',
    'decisions.json',
    'notices.json',
    'messages.json',
    'attachments.json',
    'tasks.json',
  ],
  ...['holds.json', 'recipients.json', 'forwardings.json', 'later-rounds.json', 'other-streams.json', 'sealed-package.json'],
  ...['timeline.json', 'public-keys.json', 'public-key.pem', 'manifest.json', 'manifest.json.sig'],
]
/** Begins everything that is known of the person. */
const CANARY = 'kanari'
const EVA: Person = { userId: `${CANARY}-user`, email: `${CANARY}.eva@example.org`, name: `${CANARY} Eva` }

let house: House
let service: Service
let request: AnsweredRequest
/** As it was taken, and a copy that each test may change. */
let original: Evidence
let copy: Evidence

const officer = () => callers(service).agent(['privacy_officer'], 'officer-1')
const fileOf = (name: string) => original.says(name)

beforeAll(async () => {
  let tries = 0
  house = await openHouse(
    {
      prepare: async ({ person }) => {
        tries += 1
        if (tries === 1) throw new Error(`duplicate key value: ${person.email}`)
      },
    },
    [EVA],
  )
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  await registerAll(house, callers(service).agent(['operator']), service)
  request = await answeredRequest(service, EVA)
  const { bytes } = await officer()(`${request.at}/evidence`)
  original = unpack(bytes)
})
afterAll(async () => {
  original.remove()
  copy.remove()
  await service.close()
  await house.close()
})
beforeEach(() => {
  copy?.remove()
  copy = original.copy()
})

describe('the evidence of a request', () => {
  test('proves itself by its own script', () => {
    const { status, said } = copy.verify()
    expect([status, said.at(-1)]).toEqual([0, 'INTACT'])
    const [key] = fileOf('public-keys.json').keys
    expect(said).toContain(`The key that proves it: ${key.kid}, ${key.x}`)
  })

  test('has the record as it is chained, and in its end that it was taken and by whom', async () => {
    const { body } = await officer()(`/v1/audit?stream=request:${request.id}&limit=500`)
    const { entries } = fileOf('timeline.json')
    expect(entries).toEqual(body.entries.slice(0, entries.length))
    expect(entries.at(-1)).toMatchObject({ event: 'evidence_taken', actor: { kind: 'support_agent' } })
    expect(entries.at(-1).actor.id).toMatch(/\|officer-1$/)
    expect(fileOf('manifest.json').head).toEqual({ seq: entries.length, hash: entries.at(-1).hash })
    expect((await officer()('/v1/audit/verify', { body: {} })).body).toMatchObject({ intact: true })
  })

  test('says what was asked, decided, written and handed over', async () => {
    const known = (await officer()(request.at)).body
    expect(fileOf('request.json')).toEqual({
      id: request.id,
      right: 'access',
      state: 'completed',
      flags: [],
      channel: 'portal',
      relationship: 'self',
      scope: {},
      policyVersion: known.policyVersion,
      completeness: { complete: true, adaptersAsked: 2, adaptersAnswered: 2, missing: [] },
      receivedAt: known.receivedAt,
      createdAt: known.createdAt,
      closedAt: known.closedAt,
      dueOn: known.dueOn,
      legalDueOn: known.legalDueOn,
      assurance: known.assurance,
    })
    expect(fileOf('clocks.json')).toEqual((await officer()(`${request.at}/clocks`)).body)
    expect(fileOf('decisions.json').decisions).toEqual([
      expect.objectContaining({ event: 'approved', by: { kind: 'system', id: 'policy' } }),
    ])
    const ready = { kind: 'ready', state: 'sent', attempts: 1, messageId: expect.stringMatching(/^<.+@127\.0\.0\.1>$/) }
    expect(fileOf('notices.json').notices).toContainEqual(expect.objectContaining(ready))
    const answered = [
      { name: 'notes', outcome: 'completed', count: 4 },
      { name: 'scores', outcome: 'completed', count: 1 },
    ]
    const collect = {
      adapter: 'library',
      action: 'collect',
      state: 'done',
      attempts: 2,
      asked: ['notes', 'scores'],
      problem: null,
    }
    expect(fileOf('tasks.json').tasks).toContainEqual(
      expect.objectContaining({ ...collect, answer: { status: 'answered', datasets: answered } }),
    )
    const { sha256, bytes, manifestSha256 } = (await officer()(`${request.at}/package`)).body
    expect(fileOf('sealed-package.json').package).toMatchObject({ sha256, bytes, manifestSha256, destroyedAt: null })
    expect(fileOf('public-keys.json')).toEqual((await callers(service).anybody('/v1/signing-keys')).body)
  })

  test('says nothing of the person and shows nothing of what was collected', () => {
    const forms = [CANARY, Buffer.from(CANARY).toString('hex'), ...[0, 1, 2].map(offset => inBase64(CANARY, offset))]
    const secrets = [...forms, 'example.org', 'attached', '=cmd']
    for (const { name, content } of original.files)
      expect([name, secrets.filter(form => content.toString('latin1').toLowerCase().includes(form.toLowerCase()))]).toEqual([
        name,
        [],
      ])
  })

  test('can be checked without its script, by a tool that is on most machines', () => {
    const command = /^ {2}openssl (.+)$/m.exec(readFileSync(join(original.folder, 'README.txt'), 'utf8'))?.[1] ?? ''
    const openssl = () => spawnSync('openssl', command.split(' '), { cwd: copy.folder }).status
    expect(openssl()).toBe(0)
    copy.flip('manifest.json', 40)
    expect(openssl()).toBe(1)
  })
})

/** What does not depend on the letters around it. */
const inBase64 = (text: string, offset: number) =>
  Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
    .toString('base64')
    .slice(offset ? 4 : 0, -4)

describe('evidence that was tampered with', () => {
  test('has all the files that are tampered with below', () => {
    expect(original.files.map(({ name }) => name).sort()).toEqual(FILES.toSorted())
  })

  // In the script itself only in its first line, a comment: a script that was changed cannot be trusted with checking itself.
  test.each(FILES)('is found out by a single bit of %s', name => {
    const content = readFileSync(join(copy.folder, name))
    const length = name === 'verify.mjs' ? content.indexOf('\n') : content.length
    fc.assert(
      fc.property(fc.integer({ min: 3, max: length - 1 }), at => {
        cpSync(join(original.folder, name), join(copy.folder, name))
        copy.flip(name, at)
        const { status, said } = copy.verify()
        expect([status, said.at(-1)]).toEqual([1, 'NOT INTACT'])
        expect(said.some(line => line.startsWith(`${name}: `) || line.includes(` ${name} `))).toBe(true)
        if (!name.startsWith('manifest')) expect(said[0]).toBe(`${name}: is missing, or not the file that was handed over`)
      }),
      { numRuns: 4 },
    )
  })

  test('is found out by the chain where the digests were forged as well', () => {
    copy.forge('timeline.json', text => text.replace('"event": "proof_accepted"', '"event": "proof_forgotten"'))
    const [, ...said] = copy.verify().said
    expect(said).toEqual([expect.stringMatching(/^timeline\.json: entry \d+ does not match its hash$/), 'NOT INTACT'])
  })

  test.each(['{}', '{"entries":[]}', '[]', 'null'])('is found out where the record was replaced by %s', nothing => {
    copy.forge('timeline.json', () => nothing)
    const { status, said } = copy.verify()
    expect([status, said.slice(1)]).toEqual([
      1,
      [expect.stringMatching(/^timeline\.json: cannot be read/), expect.anything(), 'NOT INTACT'],
    ])
  })

  test('is found out by its end where the last entry was left out', () => {
    copy.forge('timeline.json', text => JSON.stringify({ entries: JSON.parse(text).entries.slice(0, -1) }))
    expect(copy.verify()).toMatchObject({ status: 1 })
    expect(copy.verify().said).toContain('timeline.json: does not end where the record ended')
  })

  test('is found out by its signature where all of it fits together', () => {
    copy.forge('request.json', text => text.replace('"completed"', '"lapsed"'))
    expect(copy.verify()).toEqual({
      status: 1,
      said: ['manifest.json: its signature in manifest.json.sig is not one of public-keys.json', 'NOT INTACT'],
    })
  })

  test('is found out by what is missing and by what was put in', () => {
    rmSync(join(copy.folder, 'notices.json'))
    writeFileSync(join(copy.folder, 'confession.txt'), 'It was me.')
    const { status, said } = copy.verify()
    expect([status, said.length]).toEqual([1, 3])
    expect(said[0]).toMatch(/^notices\.json: is missing/)
    expect(said[1]).toBe('confession.txt: is not part of the evidence')
  })
})

describe('who may take evidence', () => {
  const recorded = () => service.sql(`SELECT 1 FROM audit_entry WHERE event = 'evidence_taken'`)

  test('is an officer; nobody else gets any, and no trace is left of those who ask', async () => {
    const before = (await recorded()).length
    const { agent, service: crm, person, anybody } = callers(service)
    const calls = [agent(['agent']), agent(['operator']), crm(), person(EVA.userId, EVA.email), anybody]
    const answers = await Promise.all(calls.map(call => call(`${request.at}/evidence`)))
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 401])
    expect((await officer()(`/v1/requests/${crypto.randomUUID()}/evidence`)).status).toBe(404)
    expect((await officer()(`${request.at}/evidence`, { method: 'HEAD' })).status).toBe(405)
    expect(await recorded()).toHaveLength(before)
    expect((await agent(['dpo'])(`${request.at}/evidence`)).status).toBe(200)
    expect(await recorded()).toHaveLength(before + 1)
  })
})
