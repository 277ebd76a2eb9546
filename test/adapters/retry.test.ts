import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseRetryAfter, pollDelay, retryDelay } from '../../src/adapters/retry.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const inSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)
const FAR = inSeconds(28 * 86_400)
const HOUR = 3600
const delay = (attempt: number, { random = 1, dueAt = FAR, retryAfter = undefined as number | undefined } = {}) =>
  retryDelay({ random: () => random }, { attempt, now: NOW, dueAt, retryAfter })

describe('the wait before the next try', () => {
  test('doubles with each attempt, up to an hour', () => {
    expect([1, 2, 3, 4, 11, 12, 13, 1000].map(attempt => delay(attempt))).toEqual([2, 4, 8, 16, 2048, HOUR, HOUR, HOUR])
  })

  test('is any part of that span, so that tasks which failed together do not come back together', () => {
    expect([0, 0.25, 0.5].map(random => delay(11, { random }))).toEqual([1, 512, 1024])
  })

  test('is never shorter than the adapter asks for', () => {
    expect(delay(1, { retryAfter: 120, random: 0 })).toBe(120)
    expect(delay(1, { retryAfter: 120, random: 1 })).toBe(122)
  })

  test('F30 is not stretched to years by an adapter', () => {
    expect(delay(1, { retryAfter: 1e9, random: 0 })).toBe(6 * HOUR)
    expect(delay(1, { retryAfter: -5, random: 0 })).toBe(1)
  })

  test('shrinks as the due date comes nearer', () => {
    expect(delay(20, { dueAt: inSeconds(4000) })).toBe(1000)
    expect(delay(20, { dueAt: inSeconds(40), retryAfter: HOUR })).toBe(10)
    expect(delay(20, { dueAt: inSeconds(2) })).toBe(1)
  })

  test('is an unhurried one again once the due date is past', () => {
    expect(delay(20, { dueAt: inSeconds(-1) })).toBe(HOUR)
  })

  test('leaves room for many tries in the last hour', () => {
    let [left, tries] = [HOUR, 0]
    for (; left > 4; tries++) left -= delay(50, { dueAt: inSeconds(left) })
    expect(tries).toBeGreaterThan(20)
  })

  test('F30 is a whole number of seconds, at least one, and before the due date at most a quarter of the time left', () => {
    const seconds = fc.double({ min: -1e7, max: 1e10, noNaN: true })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        seconds,
        fc.option(seconds, { nil: undefined }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, rest, retryAfter, random) => {
          const dueAt = inSeconds(rest)
          for (const wait of [delay(attempt, { dueAt, retryAfter, random }), pollDelay({ now: NOW, dueAt, retryAfter })]) {
            expect(Number.isInteger(wait)).toBe(true)
            expect(wait).toBeGreaterThanOrEqual(1)
            expect(wait).toBeLessThanOrEqual(7 * HOUR)
            if (dueAt > NOW) expect(wait).toBeLessThanOrEqual(Math.max(1, rest / 4 + 0.001))
          }
        },
      ),
    )
  })
})

describe('an accepted task', () => {
  test('is looked at when the adapter says, and after half a minute when it says nothing', () => {
    expect(pollDelay({ now: NOW, dueAt: FAR, retryAfter: 5 })).toBe(5)
    expect(pollDelay({ now: NOW, dueAt: FAR })).toBe(30)
    expect(pollDelay({ now: NOW, dueAt: FAR, retryAfter: 0 })).toBe(1)
  })
})

describe('Retry-After', () => {
  test.each<[string | undefined, number | undefined]>([
    ['120', 120],
    [' 7 ', 7],
    ['0', 0],
    ['-5', 0],
    ['1000000000', 1e9],
    ['Sun, 01 Mar 2026 12:02:00 GMT', 120],
    ['Sunday, 01-Mar-26 12:02:00 GMT', 120],
    ['Sun Mar  1 12:02:00 2026 GMT', 120],
    ['Sun, 01 Mar 2020 12:02:00 GMT', 0],
    ['soon', undefined],
    ['1.5', undefined],
    ['2026-03-01T12:02:00Z', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%p means %p seconds', (header, seconds) => {
    expect(parseRetryAfter(header, NOW)).toBe(seconds)
  })

  test('never yields anything but a number of seconds or nothing', () => {
    fc.assert(
      fc.property(fc.string(), header => {
        const seconds = parseRetryAfter(header, NOW)
        expect(seconds === undefined || seconds >= 0).toBe(true)
      }),
    )
  })
})
