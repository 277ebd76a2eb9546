import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { byteRange } from '../../src/delivery/byte-range.ts'

describe('a range of bytes', () => {
  test.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=0-9', { start: 0, end: 9 }],
    ['bytes=5-', { start: 5, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-300', { start: 0, end: 9 }],
    ['bytes=9-999999999999999', { start: 9, end: 9 }],
  ])('%s of ten bytes', (header, range) => {
    expect(byteRange(header, 10)).toEqual({ ...range, partial: true })
  })

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0', 'bytes=7-3'])('T97 %s is not in ten bytes', header => {
    expect(() => byteRange(header, 10)).toThrow(expect.objectContaining({ code: 'range_not_satisfiable' }))
  })

  test.each([undefined, '', 'bytes=-', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=a-b', 'bytes=1-2-3', 'bytes=9999999999999999-'])(
    '%s asks for nothing we serve in part, and gets the whole',
    header => {
      expect(byteRange(header, 10)).toEqual({ start: 0, end: 9, partial: false })
    },
  )

  test('T97 whatever is asked, what comes lies in the file', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), fc.stringMatching(/^bytes=\d{0,4}-\d{0,4}$/), (size, header) => {
        try {
          const { start, end } = byteRange(header, size)
          expect(0 <= start && start <= end && end < size).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'range_not_satisfiable' })
        }
      }),
    )
  })
})
