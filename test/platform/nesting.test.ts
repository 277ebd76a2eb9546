import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { nestingOf } from '../../src/platform/nesting.ts'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

describe('the nesting of a JSON text', () => {
  test('is that of the value it stands for', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'a') }), value => {
        expect(nestingOf(JSON.stringify(value))).toBe(depthOf(value))
        expect(nestingOf(JSON.stringify(value, null, 2))).toBe(depthOf(value))
      }),
    )
  })

  test.each([
    ['brackets', '['.repeat(1 << 20)],
    ['quotes', '"'.repeat(1 << 20)],
    ['escaped quotes in a text without an end', `"${'\\"'.repeat(1 << 19)}`],
    ['backslashes', '\\'.repeat(1 << 20)],
  ])('is found in one pass over a mebibyte of %s', (_, json) => {
    const { user } = process.cpuUsage()
    nestingOf(json)
    expect(process.cpuUsage().user - user).toBeLessThan(1_000_000) // going back again and again would take minutes
  })
})
