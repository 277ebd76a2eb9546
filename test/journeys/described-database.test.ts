import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Description } from '../../src/sql/description.ts'
import { type Answered, type Call, callers, until } from '../support/callers.ts'
import { type DescribedDatabase, openDescribed } from '../support/described-database.ts'
import { letIn } from '../support/let-in.ts'
import { codeIn, linkIn } from '../support/letters.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

const OWN = { origin: 'provided' as const, purposes: ['provide_service'], legalBases: ['contract'], retention: 'account_data' }
const CLUB: Description = {
  version: 1,
  name: 'club',
  subject: { table: 'members', identities: { user_id: { column: 'ref' } }, restriction: { column: 'locked' } },
  tables: {
    members: {
      ...OWN,
      title: 'Membership',
      category: 'account',
      columns: { ref: {}, joined: {} },
      erase: { action: 'anonymise', columns: { nick: { to: 'constant', value: 'erased' }, joined: { to: 'nothing' } } },
    },
    bookings: {
      ...OWN,
      title: 'Bookings',
      category: 'content',
      paths: [{ via: 'members' }],
      columns: { what: {}, with_whom: { thirdParty: true }, ticket: { file: { mediaType: 'text/plain' } } },
      erase: { action: 'delete' },
    },
    dues: {
      ...OWN,
      title: 'Dues',
      category: 'billing',
      retention: 'financial_records',
      legalBases: ['contract', 'legal_obligation'],
      paths: [{ via: 'members' }],
      columns: { paid_on: {}, amount: {} },
      erase: { action: 'retain', reason: '17_3_b', statute: 'the tax law', from: 'paid_on', for: 'P7Y' },
    },
  },
}
const SQL = `
CREATE TABLE members (id int PRIMARY KEY, ref text UNIQUE, nick text, joined date, locked boolean NOT NULL DEFAULT false);
CREATE TABLE bookings (id int PRIMARY KEY, member int NOT NULL REFERENCES members, what text, with_whom text, ticket bytea);
CREATE TABLE dues (id int PRIMARY KEY, member int NOT NULL REFERENCES members, paid_on date NOT NULL, amount numeric);
INSERT INTO members VALUES (1, '${ANA.userId}', 'Annie', '2020-01-01', false), (2, '${BEN.userId}', 'Benny', '2021-01-01', false);
INSERT INTO bookings VALUES (1, 1, 'court', 'Ben Silva', 'ticket'), (2, 2, 'court', 'Ana Perera', 'ticket'), (3, 1, 'sauna', NULL, NULL);
INSERT INTO dues VALUES (1, 1, '2010-05-05', 10.00), (2, 1, current_date - 100, 12.50), (3, 2, current_date, 1);
`

let club: DescribedDatabase
let house: House
let service: Service
let officer: Call
let as: ReturnType<typeof callers>

const registration = () => {
  const { baseUrl, credentials, settings } = club.contact
  return { kind: 'sql', title: 'Club', baseUrl, credentials, settings }
}

beforeAll(async () => {
  club = await openDescribed(CLUB, SQL)
  house = await openHouse()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: `${hostsOf(house)},${new URL(club.url).host}` } })
  as = callers(service)
  officer = as.agent(['privacy_officer', 'operator'])
  await registerAll(house, officer, service)
})
afterAll(async () => {
  await service.close()
  await house.close()
  await club.close()
})

const see = (at: string, fits: (body: Answered['body']) => boolean) =>
  until(
    () => officer(at),
    ({ body }) => fits(body),
    20_000,
  )

describe('a database beside services', () => {
  test('is registered by its description, which is held against it, and tells no password', async () => {
    const wrong = structuredClone(registration())
    Object.assign((wrong.settings.description as Description).tables.dues ?? {}, { title: undefined, columns: { paid: {} } })
    const refused = await officer('/v1/adapters', { body: wrong })
    expect([refused.status, refused.body.code]).toEqual([422, 'manifest_refused'])
    expect(refused.body.errors).toContainEqual({ pointer: '/settings/description/tables/dues', detail: expect.any(String) })

    const { status, body } = await officer('/v1/adapters', { body: registration() })
    expect([status, body]).toEqual([201, expect.objectContaining({ kind: 'sql', name: 'club' })])
    expect(body.manifest.actions).toEqual(['locate', 'collect', 'erase', 'restrict', 'lift_restriction'])
    for (const held of Object.values(club.contact.credentials)) {
      const password = held.split(':')[1] ?? '-'
      expect(JSON.stringify([body, await officer('/v1/adapters'), service.logs])).not.toContain(password)
    }
    await letIn(service)
  })

  test('answers a copy with rows and files, and withholds what is about others', async () => {
    const opened = await as.anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: ANA.email }] } },
    })
    const at = `/v1/requests/${opened.body.id}`
    const mail = await service.mailbox.waitFor(({ envelope }) => envelope.to.includes(ANA.email), 10_000)
    await as.anybody(`${at}/proofs`, { body: { method: 'email_code', code: codeIn(mail) } })
    const { body } = await see(at, ({ state }) => state === 'completed')
    expect(body.completeness).toMatchObject({ adaptersAsked: 3, adaptersAnswered: 3 })
    const link = linkIn(await service.mailbox.waitFor(({ text }) => text.includes('/v1/downloads/'), 5000))
    const before = service.mailbox.messages().length
    await as.anybody(link, { body: { step: 'send' } })
    const code = await service.mailbox.waitFor(({ number }) => number > before, 5000)
    const granted = await as.anybody(link, { body: { code: codeIn(code) } })
    const zip = await as.anybody(new URL(granted.body.contentUrl).pathname)
    const files = new Map(readZip(zip.bytes).map(({ name, content }) => [name.slice(name.indexOf('/') + 1), content.toString()]))
    expect(JSON.parse(files.get('data/club/bookings.json') ?? '')).toEqual([
      { what: 'court', with_whom: '[withheld: rights of others]' },
      { what: 'sauna', with_whom: null },
    ])
    expect(files.get('data/club/dues.json')).toContain('"amount":10.00')
    expect([...files].filter(([name, content]) => name.startsWith('data/club/bookings/') && content === 'ticket').length).toBe(1)
  })

  test('is erased, keeps what the law wants kept, and is looked into again', async () => {
    const { body: opened } = await as.person(ANA.userId, ANA.email)('/v1/requests', {
      body: { type: 'erasure', subject: {}, details: { ground: '17_1_b' } },
    })
    const at = `/v1/requests/${opened.id}`
    await see(at, ({ state }) => state === 'cooling_off')
    service.clock.advanceAlone(73 * 3_600_000)
    await service.app.handlers['end-cooling-off']({})
    const { body } = await see(at, ({ state }) => state === 'completed')
    expect(body.flags).toEqual([])
    const { tasks } = (await officer(`${at}/tasks`)).body
    const ofClub = tasks.filter(({ adapter }: { adapter: string }) => adapter === 'club')
    expect(ofClub.map(({ action, state }: { action: string; state: string }) => [action, state])).toEqual(
      expect.arrayContaining([
        ['erase', 'done'],
        ['confirm_erased', 'done'],
      ]),
    )
    expect(await club.rows('SELECT id, nick, locked FROM members ORDER BY id')).toEqual([
      { id: 1, nick: 'erased', locked: true },
      { id: 2, nick: 'Benny', locked: false },
    ])
    expect(await club.rows('SELECT id FROM bookings')).toEqual([{ id: 2 }])
    expect(await club.rows('SELECT id FROM dues ORDER BY id')).toEqual([{ id: 2 }, { id: 3 }])
  })
})
