import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { DescribedTable, Description } from '../../src/sql/description.ts'
import type { Finding } from '../../src/sql/finding.ts'
import { lint } from '../../src/sql/lint.ts'
import { readDescription } from '../../src/sql/read-description.ts'
import { withSession } from '../../src/sql/session.ts'
import { sqlConnector } from '../../src/sql/sql-connector.ts'
import { type DescribedDatabase, openDescribed } from '../support/described-database.ts'
import { SHOP, SHOP_SQL } from './shop.ts'

let shop: DescribedDatabase
beforeAll(async () => {
  shop = await openDescribed(SHOP, SHOP_SQL)
})
afterAll(() => shop.close())

/** What is found in the database while these statements are in force; they are undone. */
async function found(description: Description, sql = ''): Promise<Finding[]> {
  await shop.owner.query(sql)
  try {
    return (await withSession({ connectionString: shop.url }, session => lint(session, description, {}))).findings
  } finally {
    await shop.owner.query(
      `DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE tablename LIKE 'x\\_%' LOOP EXECUTE 'DROP TABLE ' || t || ' CASCADE'; END LOOP; END $$`,
    )
  }
}
const errorsOf = async (description: Description, sql?: string) =>
  (await found(description, sql)).filter(({ kind }) => kind === 'error').map(({ pointer, detail }) => `${pointer} ${detail}`)

const { tables } = SHOP
const withTable = (name: keyof typeof tables, change: Partial<DescribedTable>): Description => ({
  ...SHOP,
  tables: { ...tables, [name]: { ...(tables[name] as DescribedTable), ...change } },
})
const more = (name: string, described: Partial<DescribedTable>): Description => ({
  ...SHOP,
  tables: { ...tables, [name]: { ...(tables.comments as DescribedTable), ...described } },
})

describe('what points at people and nobody thought of', () => {
  test.each([
    [
      'a foreign key to the subject',
      'CREATE TABLE x_a (tenant int, whose uuid, FOREIGN KEY (tenant, whose) REFERENCES people)',
      'public.x_a.tenant, public.x_a.whose points at public.people',
    ],
    [
      'a foreign key four tables away',
      'CREATE TABLE x_b (mark bigint REFERENCES line_notes)',
      'public.x_b.mark points at public.line_notes',
    ],
    ['a name', 'CREATE TABLE x_c (user_id uuid)', 'public.x_c.user_id looks like the number of a person'],
    ['who did something', 'CREATE TABLE x_d ("approvedBy" uuid)', 'public.x_d.approvedBy looks like the number of a person'],
    ['the name of the table', 'CREATE TABLE x_e (people_id uuid)', 'public.x_e.people_id looks like the number of a person'],
    ['an address', 'CREATE TABLE x_f ("contactEmail" varchar(80))', 'public.x_f.contactEmail looks like an address of a person'],
  ])('fails: %s', async (_, sql, detail) => {
    expect(await errorsOf(SHOP, sql)).toEqual([expect.stringContaining(`/ignored ${detail}`)])
  })

  test('passes when somebody wrote down why, and what no longer points at anybody is told', async () => {
    const column = 'public.x_g.user_id'
    const ignoring = { ...SHOP, ignored: [...(SHOP.ignored ?? []), { column, because: 'Numbers of machines.' }] }
    expect(await errorsOf(ignoring, 'CREATE TABLE x_g (user_id uuid)')).toEqual([])
    expect(await found(ignoring)).toContainEqual(expect.objectContaining({ kind: 'warning', pointer: '/ignored/3' }))
  })

  test('is not a number of another type, nor one that leads elsewhere', async () => {
    expect(
      await errorsOf(
        SHOP,
        'CREATE TABLE x_h (user_id boolean, factor_id uuid); CREATE TABLE x_i (id uuid PRIMARY KEY, member_id uuid REFERENCES x_i)',
      ),
    ).toEqual([])
  })
})

describe('what cannot be done is refused', () => {
  test.each<[string, Description, string]>([
    ['a table that is not there', withTable('pages', { table: 'chapters' }), '/tables/pages there is no such table'],
    [
      'a column that is not there',
      withTable('pages', { columns: { stamps: {} } }),
      "/tables/pages/columns/stamps there is no column 'stamps'",
    ],
    [
      'a path that two foreign keys could mean',
      withTable('pages', { paths: [{ via: 'comments' }] }),
      '/tables/pages/paths/0 0 foreign keys',
    ],
    [
      'columns that cannot be compared',
      withTable('pages', { paths: [{ via: 'passports', on: { stamp: 'id' } }] }),
      '/tables/pages cannot be read as described (42883)',
    ],
    [
      'a pointer that cannot be cleared',
      withTable('pages', { erase: { action: 'detach' } }),
      "/tables/pages/paths/0 'passport' is NOT NULL",
    ],
    [
      'a person that is detached from themselves',
      withTable('people', { erase: { action: 'detach' } }),
      '/tables/people/erase the subject',
    ],
    [
      'a column that has to hold something',
      withTable('people', { erase: { action: 'anonymise', columns: { name: { to: 'nothing' }, email: { to: 'hash' } } } }),
      '/tables/people/erase/columns/name is NOT NULL',
    ],
    [
      'an anonymised row that still leads to the person',
      withTable('comments', { erase: { action: 'anonymise', columns: { body: { to: 'nothing' } } } }),
      '/tables/comments/erase/columns rows would still lead',
    ],
    [
      'a stand-in where none fits',
      withTable('odd', { erase: { action: 'anonymise', columns: { camelCase: { to: 'hash' } } } }),
      '/tables/odd/erase/columns/camelCase is no text column',
    ],
    [
      'rows that stay and point at what goes',
      withTable('line_notes', { erase: { action: 'anonymise', columns: { body: { to: 'constant', value: 'erased' } } } }),
      '/tables/order_lines/erase rows of public.line_notes',
    ],
    [
      'what is kept while the way to it goes',
      withTable('comments', { erase: { action: 'retain', reason: '17_3_e', from: 'body', for: 'P1Y' } }),
      '/tables/comments/erase/from is neither a date',
    ],
    ['no file', withTable('odd', { columns: { words: { file: {} } } }), '/tables/odd/columns/words is not a bytea column'],
    [
      'a flag that is none',
      { ...SHOP, subject: { ...SHOP.subject, restriction: { column: 'name' } } },
      '/subject/restriction/column is not a boolean',
    ],
  ])('%s', async (_, description, message) => {
    expect(await errorsOf(description)).toContainEqual(expect.stringContaining(message))
  })

  test('rows that are kept while the way to them goes', async () => {
    const kept = withTable('order_lines', {
      erase: { action: 'retain', reason: '17_3_e', from: 'placed_on', fromTable: 'orders', for: 'P7Y' },
    })
    expect(await errorsOf(kept)).toContainEqual(expect.stringContaining('the way to them through orders is erased'))
  })

  test('rows that are kept behind rows that stay, while the way to those goes', async () => {
    const { order_lines, line_notes } = tables as Record<string, DescribedTable>
    const erase: DescribedTable['erase'] = {
      action: 'retain',
      reason: '17_3_e',
      from: 'placed_on',
      fromTable: 'orders',
      for: 'P7Y',
    }
    const kept: Description = {
      ...SHOP,
      tables: {
        ...tables,
        order_lines: {
          ...(order_lines as DescribedTable),
          erase: { action: 'anonymise', columns: { what: { to: 'constant', value: '-' } } },
        },
        line_notes: { ...(line_notes as DescribedTable), erase },
      },
    }
    const lost = '/tables/line_notes/paths/0 its rows are kept, but the way to them through orders is erased'
    expect(await errorsOf(kept)).toContainEqual(lost)
  })

  test('rows that are kept while nobody is found any more', async () => {
    const { people, orders } = SHOP.tables as Record<string, DescribedTable>
    const erased: DescribedTable['erase'] = { action: 'anonymise', columns: { email: { to: 'hash' } } }
    const kept: DescribedTable['erase'] = { action: 'retain', reason: '17_3_e', from: 'placed_on', for: 'P7Y' }
    const described = (identities: Description['subject']['identities']): Description => ({
      ...SHOP,
      subject: { ...SHOP.subject, identities },
      tables: {
        people: { ...(people as DescribedTable), erase: erased },
        orders: { ...(orders as DescribedTable), erase: kept },
      },
    })
    const lost = expect.stringContaining('/tables/orders/paths/0 its rows are kept, but the way')
    expect(await errorsOf(described({ email: { column: 'email' } }))).toContainEqual(lost)
    expect(await errorsOf(described({ email: { column: 'email' }, user_id: { column: 'id' } }))).not.toContainEqual(lost)
  })

  test('a cascade that would take what is somebody else’s', async () => {
    const sql = 'CREATE TABLE x_j (tenant int, no int, FOREIGN KEY (tenant, no) REFERENCES orders ON DELETE CASCADE)'
    const ignoring = { ...SHOP, ignored: [...(SHOP.ignored ?? []), { column: 'public.x_j.no', because: 'Of others.' }] }
    expect(await errorsOf(ignoring, sql)).toEqual([
      expect.stringMatching(/^\/tables\/orders\/erase would take rows of public.x_j/),
    ])
  })

  test('a circle that can be broken nowhere', async () => {
    const sql = `CREATE TABLE x_k (id int PRIMARY KEY, tenant int, person uuid, next int NOT NULL REFERENCES x_k, FOREIGN KEY (tenant, person) REFERENCES people)`
    const described = more('loops', { table: 'x_k', columns: { id: {} } })
    const ignoring = { ...described, ignored: [...(SHOP.ignored ?? []), { column: 'public.x_k.next', because: 'A list.' }] }
    expect(await errorsOf(ignoring, sql)).toEqual([
      expect.stringMatching(/loops points at itself .* can neither be cleared first nor checked last/),
    ])
  })
})

describe('the form', () => {
  const pointersOf = (json: unknown) => {
    const read = readDescription(json)
    return 'faults' in read ? read.faults.map(({ pointer }) => pointer) : []
  }
  test.each<[string, unknown, string]>([
    ['an unknown word', { ...SHOP, tabels: {} }, '/tabels'],
    [
      'what is still to be chosen',
      { ...SHOP, tables: { ...tables, pages: { ...tables.pages, erase: { action: 'choose' } } } },
      '/tables/pages/erase/action',
    ],
    ['a reason that is still to be given', { ...SHOP, ignored: [{ column: 'a.b.c', because: 'choose' }] }, '/ignored/0/because'],
    [
      'keeping without a law',
      withTable('pages', { erase: { action: 'retain', reason: '17_3_b', from: 'a', for: 'P1Y' } }),
      '/tables/pages/erase/statute',
    ],
    ['paths in a circle', withTable('orders', { paths: [{ via: 'order_lines' }] }), '/tables/orders/paths'],
    ['a table without a path', { ...SHOP, tables: { ...tables, pages: { ...tables.pages, paths: undefined } } }, '/tables/pages'],
  ])('%s has a place', (_, json, place) => {
    expect(pointersOf(JSON.parse(JSON.stringify(json)))).toContain(place)
  })
})

describe('the roles', () => {
  const manifest = (contact = shop.contact) => sqlConnector(shop.deps).manifest(contact)
  const refused = (place: string, detail: string) => ({
    code: 'manifest_refused',
    errors: expect.arrayContaining([{ pointer: place, detail: expect.stringContaining(detail) }]),
  })

  test('of whoever reads can write nothing, and of whoever erases can do it', async () => {
    expect((await manifest()).actions).toEqual(['locate', 'collect', 'erase'])
    const { reader = '', eraser = '' } = shop.contact.credentials
    await expect(manifest({ ...shop.contact, credentials: { reader: eraser } })).rejects.toMatchObject(
      refused('/settings/description/tables/orders', 'the reader may change it'),
    )
    await expect(manifest({ ...shop.contact, credentials: { reader, eraser: reader } })).rejects.toMatchObject(
      refused('/settings/description/tables/orders', 'the eraser has no right to DELETE'),
    )
    expect((await manifest({ ...shop.contact, credentials: { reader } })).actions).toEqual(['locate', 'collect'])
  })

  test('are not told by an error, and neither is a password', async () => {
    const wrong = { ...shop.contact, credentials: { reader: 'nobody:hunter2hunter2' } }
    await expect(manifest(wrong)).rejects.toMatchObject({ code: 'manifest_refused' })
    const told = await manifest(wrong).catch(error => JSON.stringify([error, String(error), error.detail]))
    expect(told).not.toMatch(/hunter2|nobody/)
  })

  test('row security, which would hide rows, stops every task', async () => {
    await shop.owner.query('ALTER TABLE pages ENABLE ROW LEVEL SECURITY')
    try {
      expect(await shop.ask('locate', [{ type: 'email', value: 'x@example.org' }])).toEqual({ kind: 'unknown' })
      await shop.owner.query(`INSERT INTO people VALUES (9, gen_random_uuid(), 'x@example.org', 'X')`)
      expect(await shop.ask('locate', [{ type: 'email', value: 'x@example.org' }])).toMatchObject({
        kind: 'failed',
        code: 'refused',
      })
    } finally {
      await shop.owner.query('ALTER TABLE pages DISABLE ROW LEVEL SECURITY; DELETE FROM people')
    }
  })
})
