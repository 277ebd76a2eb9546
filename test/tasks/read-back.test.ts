import { expect, test } from '@jest/globals'
import { readBack } from '../../src/tasks/read-back.ts'

const CORRECTION = { dataset: 'profile', field: 'name', from: 'Anna', to: 'Ana' }
const read = (records: object[], correction: Parameters<typeof readBack>[0][number] = CORRECTION) => {
  const back = readBack([correction])
  for (const record of records) back.record('profile', Buffer.from(''), record as Record<string, unknown>)
  return back.uncorrected()
}

test.each<[string, object[], string[]]>([
  ['shows', [{ name: 'Ana' }], []],
  ['shows beside records that say something else', [{ name: 'Ana' }, { name: 'Zoe' }, { other: 1 }], []],
  ['does not show where nothing is held', [], ['profile']],
  ['does not show where another value is held', [{ name: 'Zoe' }], ['profile']],
  ['does not show while the old value is held as well', [{ name: 'Ana' }, { name: 'Anna' }], ['profile']],
  ['does not show in a field that is only inherited', [Object.create({ name: 'Ana' })], ['profile']],
])('a correction %s', (_, records, expected) => {
  expect(read(records)).toEqual(expected)
})

test('a number is the same however it is kept, and nothing is not the word for it', () => {
  expect(read([{ name: '7' }], { dataset: 'profile', field: 'name', from: 6, to: 7 })).toEqual([])
  expect(read([{ name: 'null' }], { dataset: 'profile', field: 'name', from: 'x', to: null })).toEqual(['profile'])
  expect(read([{ name: null }], { dataset: 'profile', field: 'name', from: 'x', to: null })).toEqual([])
})
