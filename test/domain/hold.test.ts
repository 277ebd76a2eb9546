import { expect, test } from '@jest/globals'
import { holdState } from '../../src/domain/hold.ts'

const HOUR = 3_600_000
const NOW = new Date('2026-11-20T12:00:00Z')
/** So many hours ago, and milliseconds more. */
const ago = (hours: number, more = 0) => new Date(NOW.getTime() - hours * HOUR - more)
const NEVER = { proposedAt: ago(0), approvedAt: null, releaseProposedAt: null, releasedAt: null }

test.each([
  ['proposed', 'just now', {}],
  ['proposed', 'a moment less than 72 hours ago', { proposedAt: ago(72, -1) }],
  ['lapsed', '72 hours ago, and never approved', { proposedAt: ago(72) }],
  ['active', 'and approved', { proposedAt: ago(999), approvedAt: ago(998) }],
  ['releasing', 'and its release as well', { approvedAt: ago(9), releaseProposedAt: ago(72, -1) }],
  ['active', 'and its release 72 hours ago, never approved', { approvedAt: ago(99), releaseProposedAt: ago(72) }],
  ['released', 'and released', { approvedAt: ago(99), releaseProposedAt: ago(98), releasedAt: ago(97) }],
] as const)('a hold is %s that was proposed %s', (state, _, given) => {
  expect(holdState({ ...NEVER, ...given }, NOW)).toBe(state)
})
