import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openRawAdapter, type RawAdapter } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

let adapter: RawAdapter
let one: RawCase

beforeAll(async () => {
  adapter = await openRawAdapter('marketing', { identityTypes: [{ type: 'email', formats: ['sha256'] }] })
  one = await startCase([adapter])
})
afterAll(async () => {
  await one.close()
  await adapter.close()
})

test('an adapter that takes hashed addresses only is never told the address', async () => {
  const opened = await one.ask()
  await one.see(opened, ({ state }) => state === 'completed')
  const hash = createHash('sha256').update('person1@example.org').digest('hex')
  const told = adapter.calls.map(({ task }) => task?.subject.identities)
  expect(told).toEqual([[{ type: 'email', value: hash, format: 'sha256' }], [{ type: 'email', value: hash, format: 'sha256' }]])
})
