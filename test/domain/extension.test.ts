import { describe, expect, test } from '@jest/globals'
import { deadlines } from '../../src/domain/clocks.ts'
import { canExtend } from '../../src/domain/extension.ts'
import { announced, asked, clock, clocksFor, words } from './a-clock.ts'

describe('an extension', () => {
  test('is possible from receipt to the last day of the month, and once', () => {
    const gdpr = clock('eu_gdpr', '2026-01-31')
    expect(gdpr).toMatchObject({ extensionNoticeBy: '2026-02-28', extendableTo: '2026-04-30' })
    expect(canExtend(gdpr, '2026-01-30')).toBe(false)
    expect(canExtend(gdpr, '2026-01-31')).toBe(true)
    expect(canExtend(gdpr, '2026-02-28')).toBe(true)
    expect(canExtend(gdpr, '2026-03-01')).toBe(false)
    expect(canExtend(clock('eu_gdpr', '2026-01-31', { ledger: [announced('2026-02-10')] }), '2026-02-11')).toBe(false)
    expect(canExtend(clock('promise', '2026-01-31'), '2026-02-01')).toBe(false)
  })

  test('moves the legal date and never the promise', () => {
    expect(deadlines(clocksFor('2026-01-31', { ledger: [announced('2026-02-28')] }))).toEqual({
      dueOn: '2026-02-28',
      legalDueOn: '2026-04-30',
    })
  })

  test('announced too late does not count, and the reckoning says so', () => {
    const gdpr = clock('eu_gdpr', '2026-01-31', { ledger: [announced('2026-03-01')] })
    expect(gdpr.extendedDueOn).toBeUndefined()
    expect(words(gdpr)).toContain('announced on 2026-03-01 is not between receipt and 2026-02-28 and does not count')
  })

  test('is not announced any later because a clock stood still', () => {
    const input = { country: 'GB', ledger: [asked('clarification', '2026-09-10', '2026-09-17')] }
    expect(clock('uk_gdpr', '2026-09-01', input)).toMatchObject({ extensionNoticeBy: '2026-10-01', extendableTo: '2026-12-01' })
  })
})
