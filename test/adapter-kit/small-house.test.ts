import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Result } from '../../src/adapter-kit/adapter.ts'
import { ANA, BEN, type House, openHouse } from '../support/small-house.ts'
import { call, linesOf, taskFor } from './caller.ts'

let house: House
beforeEach(async () => {
  house = await openHouse()
})
afterEach(() => house.close())

const ask = (name: string, action: Parameters<typeof taskFor>[0], { userId }: { userId: string }, more: object = {}) => {
  const { url, secret } = house.adapters.find(one => one.name === name) ?? { url: '', secret: '' }
  const task = taskFor(action, { subject: { identities: [{ type: 'user_id', value: userId }] }, ...more })
  return call('POST', `${url}/tasks`, task, { secret })
}
const datasetsOf = async (response: Response) => ((await response.json()) as Result).datasets

test('two services erase one person and know nothing of them afterwards', async () => {
  expect(await datasetsOf(await ask('library', 'erase', ANA, { scope: { datasets: ['notes'] } }))).toMatchObject([{ count: 4 }])
  expect(await datasetsOf(await ask('library', 'locate', ANA))).toMatchObject([{ count: 0 }, { name: 'scores', count: 1 }])
  expect(await linesOf(await ask('library', 'collect', ANA))).toHaveLength(2)
  for (const name of ['library', 'people']) await ask(name, 'erase', ANA)
  for (const name of ['library', 'people']) expect((await ask(name, 'locate', ANA)).status).toBe(204)
  expect((await ask('people', 'resolve', ANA)).status).toBe(204)
  expect(await datasetsOf(await ask('library', 'locate', BEN))).toMatchObject([{ count: 4 }, { count: 1 }])
})

test('a name is corrected where it stands as stated', async () => {
  const to = (from: string) => ({ parameters: { corrections: [{ dataset: 'account', field: 'name', from, to: 'Ana Silva' }] } })
  expect(await datasetsOf(await ask('people', 'rectify', ANA, to('Anna')))).toMatchObject([{ outcome: 'refused' }])
  for (const _twice of [1, 2])
    expect(await datasetsOf(await ask('people', 'rectify', ANA, to(ANA.name)))).toMatchObject([{ outcome: 'completed' }])
  expect(await linesOf(await ask('people', 'collect', ANA))).toContainEqual({
    dataset: 'account',
    record: { name: 'Ana Silva', email: ANA.email },
  })
})

test('what is restricted and objected to is noted, dataset by dataset', async () => {
  await ask('library', 'restrict', ANA)
  await ask('library', 'object', ANA, { parameters: { purposes: ['provide_service'] } })
  await ask('library', 'lift_restriction', ANA, { scope: { datasets: ['notes'] } })
  expect([...house.done.restricted]).toEqual(['scores/u-ana'])
  expect([...house.done.objected]).toEqual(['notes/u-ana', 'scores/u-ana'])
})
