import { expect, test } from '@jest/globals'
import { STATUTE } from '../../src/domain/statute.ts'

const isStatute = (text: string) => new RegExp(STATUTE, 'u').test(text)

test.each([
  'the tax and company law that binds the seller',
  '§ 147 AO',
  'HGB §§ 238, 257',
  'Commercial Code s. 257',
  'Regulation (EU) 2016/679, Art. 5(2)',
  'Companies Act No. 07 of 2007',
  'L. 123-22 du Code de commerce',
  'SR 641.201.511, Art. 70',
  'Διάταγμα 4308/2014',
])('the name of a law: %s', text => {
  expect(isStatute(text)).toBe(true)
})

test.each([
  ['nothing', ''],
  ['numbers alone', '147'],
  ['a mail address', 'ask ana@example.org'],
  ['a link', 'see https://example.org/u-1029'],
  ['a telephone number', 'call +94 11 260 1647'],
  ['one without a plus', 'call 0171 234 5678'],
  ['a long number', 'customer 20480917'],
  ['two lines', 'a law\nand more'],
  ['markup', 'a <b>law</b>'],
  ['what turns the direction of reading', 'a law \u202e'],
  ['a story', 'the law '.repeat(30)],
])('%s is none', (_, text) => {
  expect(isStatute(text)).toBe(false)
})
