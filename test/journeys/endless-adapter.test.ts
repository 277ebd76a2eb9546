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
