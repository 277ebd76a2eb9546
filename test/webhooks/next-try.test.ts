import { expect, test } from '@jest/globals'
import { nextTry } from '../../src/webhooks/next-try.ts'

const waits = (share: number, retryAfter?: number) =>
  Array.from({ length: 10 }, (_, n) => nextTry({ random: () => share }, { tries: n + 1, retryAfter }))

test('ten attempts are made over three days and more, and the waits differ by chance', () => {
  const [least, most] = [waits(0), waits(1)]
  expect(least).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, undefined])
  expect(most).toEqual([6, 360, 2160, 8640, 21_600, 43_200, 60_480, 86_400, 103_680, undefined])
})

test('a receiver can ask for more time, up to a day, and never for less', () => {
  expect(waits(0, 60).slice(0, 3)).toEqual([60, 300, 1800])
  expect(waits(0, 10 ** 9)[0]).toBe(86_400)
  expect(waits(0, 10 ** 9)[9]).toBeUndefined()
})
