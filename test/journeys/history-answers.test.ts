import { test } from '@jest/globals'
import { liveHistories } from '../support/history/live.ts'

test.each([
  ['rectification', []],
  ['automated_decision_review', []],
  ['inquiry', []],
] as const)('whatever happens to %s, in whatever order, nothing is said that is not so', liveHistories, 300_000)
