import { readdirSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { afterEach, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { openRawAdapter, type RawAdapter } from '../support/raw-adapter.ts'
import { type RawCase, startCase } from '../support/raw-case.ts'

let adapter: RawAdapter
let one: RawCase
afterEach(() => one.close())

const LINES = `{"dataset":"things","record":{"name":"x"}}\n`.repeat(1000)

/** Sends the same for as long as anybody takes it. */
function sendWithoutEnd(res: ServerResponse, piece: string, ended: () => void): void {
  const more = () => {
    while (!res.destroyed && res.write(piece));
  }
  res.on('drain', more).on('close', ended)
  more()
}

const endless = {
  'stream of records': (res: ServerResponse, ended: () => void) =>
    sendWithoutEnd(res.writeHead(200, { 'content-type': 'application/x-ndjson' }), LINES, ended),
  file: (res: ServerResponse, ended: () => void) => {
    res.writeHead(200, { 'content-type': 'application/x-ndjson' })
    res.write('{"dataset":"things","file":{"name":"a.bin","mediaType":"application/octet-stream","url":"/file"}}\n')
    adapter.on.poll = file => sendWithoutEnd(file.writeHead(200), LINES, ended)
  },
}

async function cancel(at: string): Promise<void> {
  const etag = (await one.officer(at)).headers.get('etag') ?? ''
  const ended = await one.officer(`${at}/cancellation`, { body: { reason: 'test_request' }, headers: { 'if-match': etag } })
  expect(ended.body.state).toBe('cancelled')
}

test.each(Object.entries(endless))(
  'an endless %s is cut off soon after its request has been ended',
  async (_, send) => {
    adapter = await openRawAdapter('endless')
    one = await startCase([adapter])
    const begun = Promise.withResolvers<void>()
    const closed = new Promise<void>(ended => {
      adapter.on.collect = (_task, res) => {
        send(res, ended)
        begun.resolve()
      }
    })
    const at = await one.ask()
    await begun.promise
    await cancel(at)
    const from = Date.now()
    await closed
    expect(Date.now() - from).toBeLessThan(8000)
    await eventually(() =>
      readdirSync(one.service.blobDir, { recursive: true }).every(name => !/\.(json|csv)|file-/.test(String(name))),
    )
  },
  20_000,
)

test('a collect that hangs is asked anew as soon as staff say so, and what was under way is cut off and does not count', async () => {
  adapter = await openRawAdapter('hanging')
  one = await startCase([adapter])
  const healthy = adapter.on.collect
  const [begun, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  adapter.on.collect = (_task, res) => {
    adapter.on.collect = healthy
    begun.resolve()
    res.on('close', closed.resolve)
    res.writeHead(200, { 'content-type': 'application/x-ndjson' }).write(LINES)
  }
  const at = await one.ask()
  await begun.promise
  expect((await one.retry(at, 'hanging')).status).toBe(202)
  const { completeness } = await one.see(at, ({ state }) => state === 'completed')
  await closed.promise
  expect([completeness.complete, (await one.taskOf(at, 'hanging')).attempt]).toEqual([true, 2])
  const keys = adapter.calls.filter(({ task }) => task?.action === 'collect').map(({ key }) => key)
  expect(new Set(keys).size).toBe(2)
}, 20_000)
