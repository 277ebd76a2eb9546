import { test } from '@jest/globals'
import { liveHistories } from '../support/history/live.ts'

test.each([
  ['restriction', [123135962]],
  ['objection', []],
  ['consent_withdrawal', []],
  ['marketing_opt_out', []],
] as const)('whatever happens to %s, in whatever order, nothing is said that is not so', liveHistories, 300_000)
