import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { AdapterFault } from '../../src/adapters/fault.ts'
import { childOf, childrenOf, parseStrictly } from '../../src/adapters/strict-json.ts'

const read = (json: string | Buffer, depth = 64) => parseStrictly(Buffer.from(json), depth, 'the answer')
const codeOf = (json: string | Buffer, depth?: number): string => {
  try {
    read(json, depth)
    return 'read'
  } catch (error) {
    if (!(error instanceof AdapterFault)) throw error
    return error.code
  }
}

describe('JSON from an adapter', () => {
  test('300,000 levels deep is refused without being built', () => {
    const { user } = process.cpuUsage()
    for (const opening of ['[', '{"a":', '[{"a":']) expect(codeOf(opening.repeat(300_000))).toBe('too_deep')
    expect(process.cpuUsage().user - user).toBeLessThan(1_000_000)
  })

  test('is allowed the depth that is allowed, and not one more', () => {
    expect(codeOf(`${'['.repeat(5)}${']'.repeat(5)}`, 5)).toBe('read')
    expect(codeOf(`${'['.repeat(6)}${']'.repeat(6)}`, 5)).toBe('too_deep')
  })

  test('may hold any number of brackets beside each other, or in text', () => {
    expect(codeOf(`[${'{},'.repeat(1000)}{}]`, 2)).toBe('read')
    expect(codeOf(JSON.stringify(['['.repeat(1000), '\\"['.repeat(100)]), 2)).toBe('read')
  })

  test.each([
    ['a byte order mark', '\ufeff{}'],
    ['NaN', '{"a":NaN}'],
    ['Infinity', '[Infinity]'],
    ['a trailing comma', '[1,]'],
    ['nothing', ''],
    ['two documents', '{}{}'],
    ['half a surrogate pair', '{"a":"\\ud83d"}'],
    ['half a surrogate pair in a name', '{"\\udc00":1}'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a surrogate written in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0xbd, 0x22])],
  ])('with %s is refused', (_, json) => {
    expect(codeOf(json)).toBe('not_json')
  })

  test('may hold a replacement character, whole pairs and null', () => {
    expect(read('["\ufffd","\\ud83d\\ude00",null]')).toEqual(['\ufffd', '😀', null])
  })

  test('cannot reach the prototype of anything', () => {
    const value = read('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}') as Record<string, unknown>
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
  })

  test('says nothing of its content when it is refused', () => {
    expect(() => read('{"name":"Ada Lovelace"')).toThrow(/^not_json: the answer is not JSON$/)
  })
})

describe('the children of an object or array', () => {
  test('are the bytes they were written in, so that numbers keep their spelling', () => {
    const json = Buffer.from('{ "id" : 9007199254740993 , "rate": 1.10,"deep":{"a":[1, 2]}, "text":"},\\"{" , "r\\u00e9c":1e400}')
    expect(childrenOf(json).map(({ key, raw }) => [key, raw.toString()])).toEqual([
      ['id', '9007199254740993'],
      ['rate', '1.10'],
      ['deep', '{"a":[1, 2]}'],
      ['text', '"},\\"{"'],
      ['réc', '1e400'],
    ])
    expect(childrenOf(Buffer.from('[ {"a":1}, [2,3] ,"]" ]')).map(({ raw }) => raw.toString())).toEqual([
      '{"a":1}',
      '[2,3]',
      '"]"',
    ])
  })

  test('of something empty are none', () => {
    for (const json of ['{}', '[]', '{ }', ' [ ] ', '"text"', '7']) expect(childrenOf(Buffer.from(json))).toEqual([])
  })

  test('of the same name count as JSON.parse counts them: the last', () => {
    expect(childOf(Buffer.from('{"a":1,"a":2}'), 'a')?.toString()).toBe('2')
  })

  test('are those that JSON.parse sees, whatever the document', () => {
    const spaced = fc.constantFrom(undefined, 1, '\t')
    fc.assert(
      fc.property(fc.jsonValue(), spaced, (value, space) => {
        fc.pre(typeof value === 'object' && value !== null)
        const children = childrenOf(Buffer.from(JSON.stringify(value, null, space))).map(({ key, raw }) => [
          key,
          JSON.parse(raw.toString()),
        ])
        const expected = Array.isArray(value) ? value.map(child => [undefined, child]) : Object.entries(value as object)
        expect(JSON.stringify(children)).toBe(JSON.stringify(expected))
      }),
    )
  })
})
