import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { csvRow } from '../../src/platform/csv.ts'
import { withExactNumbers } from '../../src/platform/exact-numbers.ts'
import { readCsv } from '../support/csv-reader.ts'

const read = (json: string): Record<string, unknown> => withExactNumbers(Buffer.from(json), JSON.parse(json))
const cells = (json: string, columns = ['a']) => readCsv(csvRow(columns, read(json)))[0]

describe('a number of JSON in a table', () => {
  test.each([
    '9007199254740993',
    '-12345678901234567890',
    '0.1234567890123456789',
    '0.10000000000000000001',
    '1.00000000000000000001',
    '1e400',
    '-1E+400',
    '1e-400',
  ])('%s keeps every digit, in its column and among the others', number => {
    expect(cells(`{"a":${number},"b":{"c":[${number}]}}`)).toEqual([number, `{"b":{"c":[${number}]}}`])
  })

  test('keeps its digits wherever it stands and however many there are', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,40}$/)
    fc.assert(
      fc.property(fc.string(), digits, fc.nat(40), (before, whole, places) => {
        const number = places === 0 ? whole : `${whole}.${'0'.repeat(places - 1)}1`
        const printed = cells(`{${JSON.stringify(`${before}x`)}:true,"a":${number}}`)?.[0] ?? ''
        const [significant, same] = [number.replace('.', '').replace(/^0+/, ''), Number(printed) === Number(number)]
        expect(significant.length > 15 ? printed === number : same).toBe(true)
      }),
    )
  })

  test('costs a second look only where it may have been rounded', () => {
    for (const json of ['{"a":9007199254740,"b":0,"c":[0.1,{"d":-1.5e9}]}', '{"a":"3e123","b":1e21}']) {
      const parsed = JSON.parse(json)
      expect(withExactNumbers(Buffer.from(json), parsed)).toBe(parsed)
    }
  })

  test('leaves texts of digits, the last of two of one name, and names of the prototype as they were', () => {
    const json = '{"a":"9007199254740993","b":1,"b":9007199254740993,"__proto__":{"x":true}}'
    expect(cells(json, ['a', 'b'])).toEqual(['9007199254740993', '9007199254740993', '{"__proto__":{"x":true}}'])
  })
})
