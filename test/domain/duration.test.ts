import { describe, expect, test } from '@jest/globals'
import { millisecondsOf } from '../../src/domain/duration.ts'

const HOUR = 3_600_000

describe('a duration', () => {
  test.each([
    ['P3D', 72 * HOUR],
    ['PT72H', 72 * HOUR],
    ['P2W', 336 * HOUR],
    ['P1W2DT3H4M5S', (9 * 24 + 3) * HOUR + 245_000],
    ['PT0S', 0],
  ])('%s is so long', (text, milliseconds) => expect(millisecondsOf(text)).toBe(milliseconds))

  test.each(['', 'P', 'PT', 'P1DT', 'P1M', 'P1Y', 'P-1D', 'P1.5D', 'P1H', 'PT1D', '3D', 'P1D ', 'P1D\n', 'P999999D'])(
    '%j is none of a known length',
    text => expect(() => millisecondsOf(text)).toThrow(RangeError),
  )
})
