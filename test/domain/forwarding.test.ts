import { expect, test } from '@jest/globals'
import type { Day } from '../../src/domain/day.ts'
import { theirDueOn } from '../../src/domain/forwarding.ts'

test.each<[Day, Day]>([
  ['2026-03-05', '2026-04-05'],
  ['2026-01-31', '2026-02-28'],
  ['2028-01-31', '2028-02-29'],
  ['2026-12-31', '2027-01-31'],
])('what is forwarded on %s is for the other controller to answer by %s', (forwardedOn, dueOn) => {
  expect(theirDueOn(forwardedOn)).toBe(dueOn)
})
