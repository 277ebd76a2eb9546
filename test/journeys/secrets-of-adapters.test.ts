import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { type Arrived, located, openRawAdapter, type RawAdapter, sendJson } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

let one: RawCase
let keeper: RawAdapter
let neighbour: RawAdapter

beforeAll(async () => {
  keeper = await openRawAdapter('keeper')
  neighbour = await openRawAdapter('neighbour')
  one = await startCase([keeper, neighbour])
})
afterAll(() => one.close())

function isSignedBy({ secret }: RawAdapter, { headers, body }: Arrived): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>, { jsonParse: false })
    return true
  } catch {
    return false
  }
}
/** As it is written, and as what it stands for. */
const spellings = ({ secret }: RawAdapter): string[] => {
  const bare = secret.slice('whsec_'.length)
  const bytes = Buffer.from(bare, 'base64')
  return [bare, bytes.toString('hex'), bytes.toString('base64url'), bytes.toString('latin1')]
}

test('T62 what is signed for one adapter reaches no other, wherever it sends us: redirect, location or file', async () => {
  const at = neighbour.url
  const { locate } = keeper.on
  keeper.on.locate = (_task, res) => res.writeHead(307, { location: `${at}/tasks` }).end()
  const asked = await one.ask()
  await one.seeTask(asked, 'keeper', ({ problem }) => problem?.code === 'redirected', 'locate')
  keeper.on.locate = (_task, res) => res.writeHead(202, { location: `${at}/tasks/1` }).end()
  await one.retry(asked, 'keeper', 'locate')
  await one.seeTask(asked, 'keeper', ({ problem }) => problem?.code === 'location_refused', 'locate')

  keeper.on.locate = (task, res) => sendJson(res, 200, located(task, 1))
  keeper.on.collect = (task, res) => {
    const file = { name: 'a.txt', mediaType: 'text/plain', url: `${at}/exports/a.txt` }
    const end = { matched: task.subject.identities.slice(0, 1), counts: { things: 1 } }
    const lines = [{ dataset: 'things', file }, { end }].map(line => JSON.stringify(line))
    res.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines.join('\n'))
  }
  neighbour.on.poll = res => res.end('what the neighbour holds')
  await one.retry(asked, 'keeper', 'locate')
  await one.seeTask(asked, 'keeper', ({ problem }) => problem?.code === 'file_refused')
  keeper.on.locate = locate

  expect(keeper.calls.every(call => isSignedBy(keeper, call))).toBe(true)
  expect(neighbour.calls.every(call => isSignedBy(neighbour, call))).toBe(true) // nor is it asked anything without a signature
  for (const call of neighbour.calls) {
    expect(isSignedBy(keeper, call)).toBe(false)
    const heard = JSON.stringify([call.path, call.headers, call.body])
    expect(spellings(keeper).filter(secret => heard.includes(secret))).toEqual([])
  }
})
