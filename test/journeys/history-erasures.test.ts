import { test } from '@jest/globals'
import { liveHistories } from '../support/history/live.ts'

test.each([
  ['erasure', [104225962]],
  ['under_age_report', [173383053]],
] as const)('whatever happens to %s, in whatever order, nothing is said that is not so', liveHistories, 300_000)
