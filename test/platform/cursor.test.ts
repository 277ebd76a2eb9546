import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Type } from 'typebox'
import { BadCursor, decodeCursor, encodeCursor, nextLink } from '../../src/platform/cursor.ts'

const Place = Type.Object({ day: Type.String({ format: 'date' }), id: Type.String() }, { additionalProperties: false })

describe('a cursor', () => {
  test('comes back as the place it was made from', () => {
    fc.assert(
      fc.property(fc.string(), id => {
        const place = { day: '2026-11-22', id }
        expect(decodeCursor(Place, encodeCursor(place))).toEqual(place)
      }),
    )
  })

  test.each([
    ['empty', ''],
    ['no base64url', 'a+b/c='],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['of another list', encodeCursor({ name: 'x' })],
    ['with a field more', encodeCursor({ day: '2026-11-22', id: 'a', sql: '--' })],
    ['with a day that is none', encodeCursor({ day: 'yesterday', id: 'a' })],
    ['too long', encodeCursor({ day: '2026-11-22', id: 'x'.repeat(2000) })],
  ])('that is %s is refused', (_, cursor) => {
    expect(() => decodeCursor(Place, cursor)).toThrow(BadCursor)
  })

  test('anything else is refused and nothing breaks', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(() => decodeCursor(Place, text)).toThrow(BadCursor)
      }),
    )
  })
})

test('the link to the next page keeps the filters and replaces the cursor', () => {
  expect(nextLink('/v1/requests?state=received&state=verifying&cursor=old', 'new')).toBe(
    '</v1/requests?state=received&state=verifying&cursor=new>; rel="next"',
  )
  expect(nextLink('/v1/requests', 'c')).toBe('</v1/requests?cursor=c>; rel="next"')
  expect(nextLink('//evil.example/x>;y', 'c')).not.toContain('>;y')
})
