import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { callers, until } from '../support/callers.ts'
import { linkIn } from '../support/letters.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'
import { readZip } from '../support/zip-reader.ts'

let house: House
let service: Service
beforeAll(async () => {
  house = await openHouse()
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  await registerAll(house, callers(service).agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await house.close()
})

/** What the package says of each adapter and of each of its datasets. */
async function told(type: string, categories: string[]) {
  const ana = callers(service).person(ANA.userId, ANA.email)
  const { body } = await ana('/v1/requests', { body: { type, subject: {}, scope: { categories } } })
  await until(
    () => ana(`/v1/requests/${body.id}`),
    answer => answer.body.state === 'completed',
  )
  const letters = service.mailbox.messages().filter(({ text }) => text.includes('/v1/downloads/'))
  const granted = await ana(linkIn(letters.at(-1) ?? { text: '' }), { body: {} })
  const content = await ana(new URL(granted.body.contentUrl).pathname)
  const summary = readZip(content.bytes).find(({ name }) => name.endsWith('data/summary.json'))
  const { adapters, completeness } = JSON.parse(summary?.content.toString() ?? '{}')
  const statuses = adapters.map(({ name, status }: { name: string; status: string }) => `${name}: ${status}`)
  const outcomes = adapters.flatMap(({ datasets }: { datasets: { name: string; outcome: string }[] }) =>
    datasets.map(({ name, outcome }) => `${name}: ${outcome}`),
  )
  return { statement: completeness.statement, said: [...statuses, ...outcomes].sort() }
}

test('a copy of some categories says of the others that they were not asked for, and nothing about portability', async () => {
  expect(await told('access', ['usage'])).toEqual({
    statement: expect.stringContaining('complete: of what you asked for'),
    said: [
      'account: not_asked_for',
      'library: answered',
      'notes: not_asked_for',
      'people: nothing_asked_for',
      'scores: completed',
    ],
  })
})

test('to portability, what Art. 20 does not cover is told apart from what was not asked for', async () => {
  expect(await told('portability', ['usage', 'account'])).toEqual({
    statement: expect.stringContaining('complete: of what you asked for'),
    said: [
      'account: completed',
      'library: nothing_asked_for',
      'notes: not_asked_for',
      'people: answered',
      'scores: not_portable',
    ],
  })
})
