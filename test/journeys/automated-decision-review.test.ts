import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KAMAL, type LmsCase, startLmsCase } from '../support/lms-case.ts'

let one: LmsCase
beforeAll(async () => {
  one = await startLmsCase()
})
afterAll(() => one.close())

const REVIEW = {
  type: 'automated_decision_review',
  details: { decision: 'canary-decision: my exam was graded by a program', view: 'canary-view: it did not read page two' },
}

test('a decision made by a program is looked at by a person, who says what came of it', async () => {
  const at = await one.open(one.kamal, REVIEW)
  await one.see(at, ({ flags }) => flags.includes('needs_decision'))
  const silent = await one.post(one.officer, at, 'answer', { text: 'We looked.' })
  expect([silent.status, silent.body.errors[0].pointer]).toEqual([422, '/outcome'])
  const approved = await one.decide(at, { kind: 'approve' })
  expect(approved.status).toBe(409) // there is nothing to be carried out: it is answered

  const answered = await one.post(one.officer, at, 'answer', { text: 'A teacher read page two: passed.', outcome: 'changed' })
  expect(answered.status).toBe(200)
  await one.mailTo(KAMAL, 'A teacher read page two: passed.')
  await one.see(at, ({ state }) => state === 'completed')
  const { entries } = (await one.kamal(`${at}/timeline`)).body
  expect(entries.find(({ event }: { event: string }) => event === 'answered').facts).toMatchObject({ outcome: 'changed' })
  expect(one.service.logs.join('')).not.toContain('canary')
  expect(JSON.stringify(await one.service.sql('SELECT facts::text FROM audit_entry'))).not.toContain('canary')
})

test('what is carried out is not answered', async () => {
  const at = await one.open(one.kamal, { type: 'objection', details: { purposes: ['analytics'] } })
  await one.see(at, ({ flags }) => flags.includes('needs_decision'))
  expect((await one.post(one.officer, at, 'answer', { text: 'No.' })).status).toBe(409)
})
