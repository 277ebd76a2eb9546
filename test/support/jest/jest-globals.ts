import type * as jest from '@jest/globals'

type Globals = Omit<typeof jest, 'jest'>

/** What `@jest/globals` has for the test file that runs now. There is no `jest` in it: nothing of ours is mocked. */
export let { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } = {} as Globals

/** Whoever imported them before sees these from now on. */
export function take(globals: Globals): void {
  ;({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } = globals)
}
