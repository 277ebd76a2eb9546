import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Event, isTerminal, nextState, STATES, type State } from '../../src/domain/lifecycle.ts'
import { isPackaged, RIGHTS, type Right } from '../../src/domain/rights.ts'

const EVENTS: Event[] = [
  ...(['identification_started', 'identity_confirmed', 'verification_lapsed', 'approved', 'cooling_off_started'] as const),
  ...(['cooled_off', 'answered', 'fulfilment_completed', 'carried_out', 'package_sealed', 'collection_reopened'] as const),
  ...(['handed_over', 'refused', 'withdrawn', 'cancelled'] as const),
]
const rights = Object.keys(RIGHTS) as Right[]

/** The states that some story leads through. */
function story(right: Right, events: readonly Event[]): State[] {
  const states: State[] = ['received']
  for (const event of events)
    try {
      states.push(nextState(states.at(-1) as State, event, right))
    } catch {}
  return states
}

const stories = fc.tuple(fc.constantFrom(...rights), fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }))

describe('whatever is tried, in whatever order', () => {
  test('nothing follows the end of a request', () => {
    fc.assert(
      fc.property(stories, ([right, events]) => {
        expect(story(right, events).filter(isTerminal).length).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('nothing is carried out or handed over before identity was confirmed and somebody or the policy approved', () => {
    fc.assert(
      fc.property(stories, ([right, events]) => {
        const states = story(right, events)
        const done = states.findIndex(state => ['fulfilling', 'delivering', 'completed'].includes(state))
        if (done !== -1) expect(states.slice(0, done)).toEqual(expect.arrayContaining(['verifying', 'assessing']))
      }),
    )
  })

  test('what is being carried out can be taken back only where it is a copy; that a record is not as stated shows then', () => {
    for (const right of rights)
      for (const event of ['refused', 'withdrawn', 'cancelled'] as const) {
        const attempt = () => nextState('fulfilling', event, right)
        if (isPackaged(right) || (right === 'rectification' && event === 'refused')) expect(attempt()).toBe(event)
        else expect(attempt).toThrow('illegal_transition')
      }
  })

  test('every state can come about, for some right', () => {
    const seen = new Set<State>()
    fc.assert(
      fc.property(stories, ([right, events]) => {
        for (const state of story(right, events)) seen.add(state)
      }),
      { numRuns: 20_000, seed: 7 },
    )
    expect([...seen].sort()).toEqual([...STATES].sort())
  })
})
