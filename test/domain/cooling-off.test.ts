import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { coolingOffEnds } from '../../src/domain/cooling-off.ts'

const HOUR = 3_600_000
const PERIODS = { erasureHours: 72, contestHours: 336, liftingHours: 168 }
const now = new Date('2026-11-22T12:00:00Z')
const in_ = (hours: number) => new Date(now.getTime() + hours * HOUR)

describe('cooling off', () => {
  test.each([
    ['erasure', 72],
    ['under_age_report', 336],
    ['restriction', 168],
  ] as const)('of %s lasts its own time where there is enough of it', (right, hours) => {
    expect(coolingOffEnds(PERIODS, right, now, in_(720))).toEqual(in_(hours))
  })

  test('ends two days before the request has to be answered, if that is earlier', () => {
    expect(coolingOffEnds(PERIODS, 'erasure', now, in_(100))).toEqual(in_(52))
  })

  test('leaves a day to read the warning, however late it is', () => {
    expect(coolingOffEnds(PERIODS, 'erasure', now, in_(10))).toEqual(in_(24))
    expect(coolingOffEnds(PERIODS, 'erasure', now, in_(-500))).toEqual(in_(24))
  })

  test('is never longer than it is set, nor shorter than a day unless it is set so', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: -1000, max: 1000 }), (hours, due) => {
        const end = coolingOffEnds({ ...PERIODS, erasureHours: hours }, 'erasure', now, in_(due)).getTime() - now.getTime()
        expect(end).toBeLessThanOrEqual(hours * HOUR)
        expect(end).toBeGreaterThanOrEqual(Math.min(hours, 24) * HOUR)
      }),
    )
  })
})
