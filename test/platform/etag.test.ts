import { expect, test } from '@jest/globals'
import { etagOf, matchesVersion } from '../../src/platform/etag.ts'

test.each([
  ['"v3"', true],
  ['"v2", "v3"', true],
  ['*', true],
  [' "v3" ', true],
  ['"v2"', false],
  ['W/"v3"', false],
  ['v3', false],
  ['', false],
  ['"v33"', false],
])('If-Match %s against version 3: %p', (ifMatch, matches) => {
  expect(etagOf(3)).toBe('"v3"')
  expect(matchesVersion(ifMatch, 3)).toBe(matches)
})
