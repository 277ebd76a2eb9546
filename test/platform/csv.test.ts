import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { csvHeader, csvRow } from '../../src/platform/csv.ts'
import { readCsv } from '../support/csv-reader.ts'

const only = (value: unknown): string | undefined => readCsv(csvRow(['a'], { a: value }))[0]?.[0]

describe('a cell', () => {
  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '\nx', '\0x', '=HYPERLINK("http://x","y")', '=1', '@x'])(
    'T85 that a spreadsheet would run is disarmed: %j',
    text => {
      expect(only(text)).toBe(`'${text}`)
    },
  )

  test.each([
    ['a negative number stays a number', -5, '-5'],
    ['a fraction', 0.1, '0.1'],
    ['true', true, 'true'],
    ['null is empty', null, ''],
    ['text with a formula inside is left alone', 'a=1', 'a=1'],
    ['a date stays as it is', '2026-01-31T20:30:00Z', '2026-01-31T20:30:00Z'],
    ['a comma', 'a,b', 'a,b'],
    ['quotes', 'say "hi"', 'say "hi"'],
    ['lines', 'a\r\nb', 'a\r\nb'],
    ['an object is JSON', { a: ['=1', null] }, '{"a":["=1",null]}'],
    ['an empty list is JSON', [], '[]'],
  ])('%s', (_, value, expected) => {
    expect(only(value)).toBe(expected)
  })
})

describe('a table', () => {
  test('has its declared columns and one for everything else', () => {
    expect(csvHeader(['id', 'name'])).toBe('id,name,_other\r\n')
    expect(csvRow(['id', 'name'], { name: 'Ann', id: 7 })).toBe('7,Ann,\r\n')
    expect(csvRow(['id', 'name'], { id: 7, since: 2020 })).toBe('7,,"{""since"":2020}"\r\n')
  })

  test('does not let a declared column hide the one for everything else', () => {
    expect(csvHeader(['_other'])).toBe('_other,__other\r\n')
    expect(csvRow(['_other'], { _other: 1, x: 2 })).toBe('1,"{""x"":2}"\r\n')
  })

  test('disarms the names of its columns too', () => {
    expect(csvHeader(['=cmd'])).toBe("'=cmd,_other\r\n")
  })

  test('reads nothing from the prototype and writes nothing to it', () => {
    expect(csvRow(['constructor', 'toString'], {})).toBe(',,\r\n')
    expect(csvRow(['id'], JSON.parse('{"id":1,"__proto__":{"isAdmin":true}}'))).toBe('1,"{""__proto__"":{""isAdmin"":true}}"\r\n')
  })

  test('T85 is read back cell by cell, whatever the records hold, and no text cell starts as a formula', () => {
    const columns = fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 6 })
    const records = fc.array(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue())),
    )
    fc.assert(
      fc.property(columns, records, (names, list) => {
        const rows = readCsv(csvHeader(names) + list.map(record => csvRow(names, record)).join(''))
        expect(rows).toHaveLength(list.length + 1)
        list.forEach((record, at) => {
          const row = rows[at + 1] ?? []
          expect(row).toHaveLength(names.length + 1)
          names.forEach((name, column) => {
            const value = Object.hasOwn(record, name) ? record[name] : null
            if (typeof value !== 'string') return
            expect(row[column]).not.toMatch(/^[=+\-@\t\r\0]/)
            expect(row[column]?.replace(/^'/, '')).toBe(value.replace(/^'/, ''))
          })
          const others = Object.fromEntries(Object.entries(record).filter(([key]) => !names.includes(key)))
          expect(row.at(-1)).toBe(Object.keys(others).length > 0 ? JSON.stringify(others) : '')
        })
      }),
    )
  })
})
