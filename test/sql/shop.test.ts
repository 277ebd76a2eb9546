import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readCatalogue } from '../../src/sql/catalogue.ts'
import { erase } from '../../src/sql/erase.ts'
import { findSubject } from '../../src/sql/find-subject.ts'
import { lint } from '../../src/sql/lint.ts'
import { findDescribed } from '../../src/sql/model.ts'
import { inTransaction, withSession } from '../../src/sql/session.ts'
import { type DescribedDatabase, openDescribed, taskOf } from '../support/described-database.ts'
import { ANA, OF_OTHERS, SHOP, SHOP_ROWS, SHOP_SQL } from './shop.ts'

let shop: DescribedDatabase
beforeEach(async () => {
  shop = await openDescribed(SHOP, SHOP_SQL + SHOP_ROWS)
})
afterEach(() => shop.close())

const ana = [{ type: 'email', value: 'ana@example.org' }]
const OF_ANA = {
  people: 1,
  orders: 20,
  order_lines: 60,
  line_notes: 40,
  note_marks: 40,
  comments: 3,
  passports: 1,
  pages: 2,
  odd: 2,
}
const countsIn = (answer: Awaited<ReturnType<DescribedDatabase['ask']>>) => {
  if (!('datasets' in answer)) throw new Error(JSON.stringify(answer))
  return Object.fromEntries(answer.datasets.map(({ name, count }) => [name, count]))
}
const othersIn = async ({ rows }: DescribedDatabase) => {
  const all: Record<string, unknown> = {}
  for (const [table, sql] of Object.entries(OF_OTHERS)) all[table] = await rows(`${sql} ORDER BY 1`)
  return all
}

describe('a database with foreign keys', () => {
  test('is in order: circles are told with what is done about them', async () => {
    const { findings } = await withSession({ connectionString: shop.url }, session => lint(session, SHOP, {}))
    expect(findings.filter(({ kind }) => kind === 'error')).toEqual([])
    expect(findings.filter(({ kind }) => kind === 'note').map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/passports and pages.*one transaction/),
      expect.stringMatching(/people and orders.*latest.*cleared first/),
      expect.stringMatching(/comments points at itself.*cleared first/),
    ])
  })

  test('is counted four foreign keys away, and what is counted is what comes', async () => {
    expect(countsIn(await shop.ask('locate', ana))).toEqual(OF_ANA)
    const { answer, came } = await shop.collect(ana)
    expect(countsIn(answer)).toEqual(OF_ANA)
    expect(came.records.note_marks?.length).toBe(40)
  })

  test('hands over each type without loss', async () => {
    const { came } = await shop.collect(ana, { scope: { datasets: ['odd'] } })
    expect(came.lines[0]).toBe(
      `{"from":1,"camelCase":true,"1%":12345678901234567890.120000,"big":9223372036854775807,"tiny":-1,"dbl":0.1,"day":"2024-02-29",` +
        `"at":"2024-02-29T18:00:00.123456+00:00","local":"2024-02-29T12:00:00","span":"P1DT2H3M","mood":"gr'eat","tags":["a\\"b",null,"{}"],"moods":["so-so"],` +
        `"doc":{"n":1.00,"half":"\ufffd","nul":"\\u0000"},"docb":{"b":1000},"bytes":"AP8Q","words":"tab\\t \\"q\\" \u2028 \u{1F600} =1+1","ip":"10.0.0.1","__proto__":"polluted"}`,
    )
    expect(came.lines[1]).toContain('"1%":"NaN","big":null,"tiny":null,"dbl":"Infinity","day":null,"at":"infinity"')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('is erased of one person through circles and composite keys, and nobody else loses a byte', async () => {
    const before = await othersIn(shop)
    const erased = await shop.ask('erase', ana)
    expect(countsIn(erased)).toMatchObject({ order_lines: 60, line_notes: 40, pages: 2 })
    expect(await shop.rows(`SELECT 1 FROM people WHERE email = 'ana@example.org'`)).toEqual([])
    expect(await othersIn(shop)).toEqual(before)
    expect(await shop.ask('locate', ana)).toEqual({ kind: 'unknown' })
    expect(await shop.rows('SELECT count(*)::int FROM note_marks')).toEqual([{ count: 42 }])
  })

  test('a number that two tenants gave is of nobody in particular', async () => {
    expect(await shop.ask('locate', [{ type: 'user_id', value: ANA }])).toMatchObject({ kind: 'quarantined' })
  })

  test('whom others answered is said to stand, with why', async () => {
    await shop.rows('UPDATE comments SET reply_to = 2 WHERE id = 3')
    const erased = await shop.ask('erase', ana)
    if (erased.kind !== 'result') throw new Error(JSON.stringify(erased))
    const outcomes = Object.fromEntries(erased.datasets.map(({ name, outcome, reason }) => [name, [outcome, reason]]))
    expect(outcomes).toMatchObject({
      comments: ['failed', 'still_referenced'],
      people: ['failed', 'still_referenced'],
      orders: ['completed', undefined],
    })
    expect(countsIn(await shop.ask('locate', ana))).toMatchObject({ people: 1, comments: 3, orders: 0 })
  })
})

/** Erases in small batches, and dies after so many of them. */
async function dieAfter(batches: number): Promise<void> {
  let done = 0
  await withSession({ connectionString: shop.url }, async session => {
    const { model } = findDescribed(SHOP, await readCatalogue(session))
    if (!model) throw new Error('There is no model.')
    const task = taskOf('erase', ana, SHOP)
    const who = await inTransaction(session, 'reading', () => findSubject(session, model, task))
    if (who.kind !== 'found') return
    await erase(session, model, who.found, task, {
      today: '2026-11-23',
      batch: 7,
      onBatch: async () => {
        done += 1
        if (done < batches) return
        await shop.rows(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        )
      },
    })
  }).catch(() => {})
}

describe('an erasure that is cut short', () => {
  test.each([1, 3, 8, 15, 21, 25])('after %i batches goes on where it stood', async batches => {
    const before = await othersIn(shop)
    await dieAfter(batches)
    const left = countsIn(await shop.ask('locate', ana))
    expect(left.people).toBe(1)
    expect(Object.values(left).reduce((sum: number, count) => sum + (count ?? 0), 0)).toBeLessThanOrEqual(169)
    const erased = await shop.ask('erase', ana)
    expect(erased).toMatchObject({ kind: 'result' })
    expect(await shop.ask('locate', ana)).toEqual({ kind: 'unknown' })
    expect(await othersIn(shop)).toEqual(before)
  })
})

test('what was described and is no more stops every task before anything is done', async () => {
  await shop.rows('ALTER TABLE note_marks RENAME TO marks_of_notes')
  expect(await shop.ask('erase', ana)).toMatchObject({ kind: 'failed', code: 'not_valid' })
  expect(await shop.rows('SELECT count(*)::int FROM pages')).toEqual([{ count: 3 }])
})
