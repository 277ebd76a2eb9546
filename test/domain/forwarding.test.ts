import { expect, test } from '@jest/globals'
import type { Day } from '../../src/domain/day.ts'
import { alarmsOf, type Forwarding, type ForwardingAlarm, theirDueOn } from '../../src/domain/forwarding.ts'

test.each<[Day, Day]>([
  ['2026-03-05', '2026-04-05'],
  ['2026-01-31', '2026-02-28'],
  ['2028-01-31', '2028-02-29'],
  ['2026-12-31', '2027-01-31'],
])('what is forwarded on %s is for the other controller to answer by %s', (forwardedOn, dueOn) => {
  expect(theirDueOn(forwardedOn)).toBe(dueOn)
})

const forwardedAt = new Date('2026-03-05T10:00:00Z')
type Standing = Pick<Forwarding, 'forwardedAt' | 'dueOn' | 'acknowledgedAt' | 'answeredAt'>
const silent: Standing = { forwardedAt, dueOn: '2026-04-05', acknowledgedAt: null, answeredAt: null }
const received: Standing = { ...silent, acknowledgedAt: forwardedAt }
const answered: Standing = { ...received, answeredAt: forwardedAt }

test.each<[string, Standing, string, Day, ForwardingAlarm[]]>([
  ['silence for less than a week', silent, '2026-03-12T09:59:59Z', '2026-03-12', []],
  ['silence for a week', silent, '2026-03-12T10:00:00Z', '2026-03-12', ['unacknowledged']],
  ['silence until their last day', silent, '2026-04-05T20:00:00Z', '2026-04-05', ['unacknowledged']],
  ['silence beyond it', silent, '2026-04-05T20:00:00Z', '2026-04-06', ['unacknowledged', 'late']],
  ['a receipt, on their last day', received, '2026-04-05T20:00:00Z', '2026-04-05', []],
  ['a receipt and no more, beyond it', received, '2026-04-05T20:00:00Z', '2026-04-06', ['late']],
  ['an answer', answered, '2027-01-01T00:00:00Z', '2027-01-01', []],
])('%s', (_, forwarding, now, today, alarms) => {
  expect(alarmsOf(forwarding, new Date(now), today)).toEqual(alarms)
})
