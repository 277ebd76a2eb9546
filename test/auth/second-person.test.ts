import { expect, test } from '@jest/globals'
import type { Caller } from '../../src/auth/caller.ts'
import { requireSecondPerson } from '../../src/auth/second-person.ts'

const STAFF = 'https://id.example/staff'
const agent = (subject: string, issuer = STAFF): Caller => ({
  kind: 'support_agent',
  id: `${issuer}|${subject}`,
  subject,
  roles: new Set(['dpo']),
})

test.each([
  ['the same', 'officer-1', agent('officer-1')],
  ['the same by another issuer', 'officer-1', agent('officer-1', 'https://other.example')],
  ['the same with a bar in the name', 'auth0|1', agent('auth0|1')],
])('%s is no second person', (_, proposer, caller) => {
  expect(() => requireSecondPerson(`${STAFF}|${proposer}`, caller)).toThrow(
    expect.objectContaining({ code: 'second_person_needed', status: 403 }),
  )
})

test.each([
  ['officer-1', 'officer-2'],
  ['officer-1', 'officer-11'],
  ['auth0|1', '1'],
])('after %s, %s is one', (proposer, subject) => {
  expect(() => requireSecondPerson(`${STAFF}|${proposer}`, agent(subject))).not.toThrow()
})
