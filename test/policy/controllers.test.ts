import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { controllerOf, type OtherController } from '../../src/policy/controllers.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'

const folder = mkdtempSync(join(tmpdir(), 'policy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const university: OtherController = {
  name: 'University',
  contact: 'https://university.example/privacy',
  email: 'dpo@university.example',
  client: 'https://login.example|university',
  datasets: ['grades'],
}
const load = (...controllers: OtherController[]) => {
  const path = join(folder, 'policy.yaml')
  writeFileSync(path, stringify({ ...loadPolicy(), controllers }))
  return loadPolicy(path)
}
const owner = (other: Partial<OtherController>, adapter = 'learning', category = 'learning') =>
  controllerOf(load({ ...university, ...other }), adapter, { name: 'grades', category })?.name

describe('a dataset', () => {
  test('is another’s by its name or its category, in one adapter or any', () => {
    expect(owner({})).toBe('University')
    expect(owner({ datasets: ['certificates'] })).toBeUndefined()
    expect(owner({ datasets: ['certificates'], categories: ['learning'] })).toBe('University')
    expect(owner({ adapter: 'learning' })).toBe('University')
    expect(owner({ adapter: 'billing' })).toBeUndefined()
  })

  test('belongs to nobody else in the published policy', () => {
    expect(controllerOf(loadPolicy(), 'learning', { name: 'grades', category: 'learning' })).toBeUndefined()
  })
})

test.each<[string, OtherController[], string]>([
  ['says not what is its own', [{ ...university, datasets: undefined } as OtherController], 'neither datasets nor categories'],
  ['is there twice', [university, university], '/controllers/1/name: is there twice'],
  ['is reached by a script', [{ ...university, contact: 'javascript:alert(1)' }], '/controllers/0/contact'],
  [
    'is reached by a mail with more in it',
    [{ ...university, contact: 'mailto:a@b.example?bcc=x@y.example' }],
    '/controllers/0/contact',
  ],
])('a controller that %s is refused', (_, controllers, complaint) => {
  expect(() => load(...controllers)).toThrow(complaint)
})
