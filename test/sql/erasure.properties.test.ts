import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { roleOf } from '../../src/sql/connect.ts'
import type { DescribedTable, Description, Erase } from '../../src/sql/description.ts'
import { lint } from '../../src/sql/lint.ts'
import { withSession } from '../../src/sql/session.ts'
import { type DescribedDatabase, openDescribed, snapshot } from '../support/described-database.ts'

const ERASURES: Erase[] = [
  { action: 'delete' },
  { action: 'detach' },
  { action: 'anonymise', columns: { words: { to: 'constant', value: 'erased' } } },
  { action: 'anonymise', columns: { words: { to: 'hash' }, up: { to: 'nothing' } } },
  { action: 'retain', reason: '17_3_e', from: 'day', for: 'P7Y' },
  {
    action: 'retain',
    reason: '17_3_e',
    from: 'day',
    for: 'P7Y',
    afterwards: { action: 'anonymise', columns: { words: { to: 'hash' } } },
  },
]
const PEOPLE = 3

interface Made {
  /** Of the table above: the subject's is 0, the first other 1. */
  above: number
  erase: Erase
  nullable: boolean
  /** Whether the database knows of the pointer. */
  keyed: boolean
  /** A pointer within the table: none, one that may be empty, one that is only checked in the end. */
  within: 'none' | 'nullable' | 'deferred'
  rows: { up: number; within: number; old: boolean }[]
}

const madeAt = (at: number): fc.Arbitrary<Made> =>
  fc.record({
    above: fc.nat({ max: at }),
    erase: fc.constantFrom(...ERASURES),
    nullable: fc.boolean(),
    keyed: fc.boolean(),
    within: fc.constantFrom('none' as const, 'nullable' as const, 'deferred' as const),
    rows: fc.array(fc.record({ up: fc.nat(), within: fc.nat(), old: fc.boolean() }), { minLength: 1, maxLength: 7 }),
  })
const house = fc.record({
  subject: fc.constantFrom<Erase>({ action: 'delete' }, { action: 'anonymise', columns: { words: { to: 'hash' } } }),
  /** Whether people point at a row of theirs in the first table. */
  back: fc.boolean(),
  tables: fc.integer({ min: 1, max: 4 }).chain(count => fc.tuple(...Array.from({ length: count }, (_, i) => madeAt(i)))),
})
type House = typeof house extends fc.Arbitrary<infer T> ? T : never

/** What is kept below what is kept is kept by the same date. */
const goesAlong = (tables: readonly Made[], above: number, erase: Erase): boolean =>
  erase.action === 'retain' && tables[above - 1]?.erase.action === 'retain'

interface Row {
  id: number
  up: number | null
  owner: number
  within: number | null
  old: boolean
}

/** Rows of each table with whose they are: pointers within a table stay with one person. */
function rowsOf({ tables }: House): Row[][] {
  const subject = Array.from({ length: PEOPLE }, (_, i) => ({ id: i + 1, up: null, owner: i + 1, within: null, old: false }))
  const all: Row[][] = [subject]
  for (const { above, rows, nullable, within, erase } of tables) {
    const parents = all[above] as Row[]
    const made = rows.map((row, i): Row => {
      const parent = nullable && row.up % 5 === 0 ? undefined : parents[row.up % parents.length]
      const old = goesAlong(tables, above, erase) && parent ? parent.old : row.old
      return { id: i + 1, up: parent?.id ?? null, owner: parent?.owner ?? 0, within: null, old }
    })
    for (const [i, row] of made.entries()) {
      const isKept = erase.action === 'retain' && within === 'deferred' // a kept row cannot point at one that goes
      const peers = made.filter(one => one.owner === row.owner && (!isKept || one.old === row.old))
      if (within !== 'none') row.within = peers[(rows[i]?.within ?? 0) % peers.length]?.id ?? row.id
    }
    all.push(made)
  }
  return all
}

const tableSql = ({ above, nullable, keyed, within }: Made, i: number): string =>
  `CREATE TABLE t${i + 1} (id int PRIMARY KEY, up int ${nullable ? '' : 'NOT NULL'} ${keyed ? `REFERENCES t${above}` : ''}, words text, day date NOT NULL
   ${within === 'none' ? '' : `, peer int ${within === 'nullable' ? '' : 'NOT NULL'} REFERENCES t${i + 1} ${within === 'deferred' ? 'DEFERRABLE' : ''}`});`

function sqlOf(made: House): string {
  const all = rowsOf(made)
  const back = made.back ? (all[1]?.filter(({ owner }) => owner > 0) ?? []) : []
  return `DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;
    CREATE TABLE t0 (id int PRIMARY KEY, words text${made.back ? ', own int' : ''});
    ${made.tables.map(tableSql).join('\n')}
    ${made.back ? 'ALTER TABLE t0 ADD FOREIGN KEY (own) REFERENCES t1;' : ''}
    BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO t0 (id, words) SELECT i, 'of ' || i FROM generate_series(1, ${PEOPLE}) i;
    ${all
      .slice(1)
      .map((rows, i) => {
        const within = made.tables[i]?.within !== 'none'
        const values = rows.map(
          ({ id, up, old, within: peer }) =>
            `(${id}, ${up ?? 'NULL'}, 'w${id}', ${old ? `'2001-01-01'` : 'current_date'}${within ? `, ${peer}` : ''})`,
        )
        return `INSERT INTO t${i + 1} VALUES ${values.join(', ')};`
      })
      .join('\n')}
    ${back.map(({ id, owner }) => `UPDATE t0 SET own = ${id} WHERE id = ${owner};`).join('\n')} COMMIT;`
}

function describedAs(made: House): Description {
  const described = (more: Partial<DescribedTable>, erase: Erase): DescribedTable => ({
    title: 'T',
    category: 'content',
    origin: 'provided',
    purposes: ['provide_service'],
    legalBases: ['contract'],
    retention: 'account_data',
    columns: { id: {}, words: {} },
    erase,
    ...more,
  })
  return {
    version: 1,
    name: 'house',
    subject: { table: 't0', identities: { user_id: { column: 'id' } } },
    tables: {
      t0: described({}, made.subject),
      ...Object.fromEntries(
        made.tables.map(({ above, erase }, i) => [
          `t${i + 1}`,
          described(
            { paths: [{ via: `t${above}`, on: { up: 'id' } }] },
            goesAlong(made.tables, above, erase) ? { ...erase, fromTable: `t${above}` } : erase,
          ),
        ]),
      ),
    },
    ignored: [
      { column: 'public.t0.own', because: 'their own' },
      ...made.tables.map((_, i) => ({ column: `public.t${i + 1}.peer`, because: 'their own' })),
    ],
  }
}

let empty: DescribedDatabase
beforeAll(async () => {
  const nothing: House = { subject: { action: 'delete' }, back: false, tables: [] }
  empty = await openDescribed(describedAs(nothing), 'CREATE TABLE t0 (id int)')
})
afterAll(() => empty.close())

const countsIn = (answer: Awaited<ReturnType<DescribedDatabase['ask']>>): Record<string, number> =>
  'datasets' in answer ? Object.fromEntries(answer.datasets.map(({ name, count = 0 }) => [name, count])) : {}

test('whatever the schema: what is counted is what comes, what is erased is gone or kept, and nobody else loses a byte', async () => {
  let usable = 0
  await fc.assert(
    fc.asyncProperty(house, async made => {
      await empty.owner.query(sqlOf(made))
      for (const [login, rights] of [
        ['reader', 'SELECT'],
        ['eraser', 'SELECT, UPDATE, DELETE'],
      ] as const)
        await empty.owner.query(
          `GRANT USAGE ON SCHEMA public TO ${roleOf(empty.contact, login)}; GRANT ${rights} ON ALL TABLES IN SCHEMA public TO ${roleOf(empty.contact, login)}`,
        )
      const description = describedAs(made)
      const { findings } = await withSession({ connectionString: empty.url }, session => lint(session, description, {}))
      fc.pre(!findings.some(({ kind }) => kind === 'error'))
      usable += 1
      const database = empty.as(description)
      const all = rowsOf(made)
      const ofAna = (rows: readonly Row[]) => rows.filter(({ owner }) => owner === 1)
      const expected = Object.fromEntries(all.map((rows, i) => [`t${i}`, ofAna(rows).length]))
      expect(countsIn(await database.ask('locate', '1'))).toEqual(expected)
      expect(countsIn((await database.collect('1')).answer)).toEqual(expected)

      const names = all.map((_, i) => `t${i}`)
      const before = await snapshot(empty.owner, names)
      const erased = await database.ask('erase', '1')
      if (erased.kind !== 'result') throw new Error(JSON.stringify(erased))
      expect(erased.datasets.filter(({ outcome }) => !['completed', 'no_data', 'retained'].includes(outcome))).toEqual([])
      const after = await snapshot(empty.owner, names)
      for (const [i, rows] of all.entries()) {
        const others = new Set(rows.filter(({ owner }) => owner !== 1).map(({ id }) => `(${id},`))
        const ofOthers = (taken: string[] = []) => taken.filter(row => others.has(row.slice(0, row.indexOf(',') + 1)))
        expect(ofOthers(after[`t${i}`])).toEqual(ofOthers(before[`t${i}`]))
      }
      const kept = Object.fromEntries(
        erased.datasets.map(({ name, outcome, count }) => [name, outcome === 'retained' ? count : 0]),
      )
      const left = countsIn(await database.ask('locate', '1'))
      expect({ ...Object.fromEntries(names.map(name => [name, 0])), ...left }).toEqual(kept)
      for (const [i, rows] of all.entries()) {
        const isKept = i > 0 && made.tables[i - 1]?.erase.action === 'retain'
        expect(kept[`t${i}`]).toBe(isKept ? ofAna(rows).filter(({ old }) => !old).length : 0)
      }
    }),
    { numRuns: 40, endOnFailure: true },
  )
  expect(usable).toBeGreaterThan(20)
}, 180_000)
