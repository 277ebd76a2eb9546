import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { filesystemBlobs } from '../../src/platform/blobs.filesystem.ts'
import { openStream } from '../../src/platform/sealed-stream.ts'
import { openSpool } from '../../src/tasks/spool.ts'

const key = createSecretKey(randomBytes(32))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What these records become: the JSON and the table of one dataset. */
async function spooled(fields: string[], ...records: string[]): Promise<string[]> {
  const spool = openSpool({ blobs: filesystemBlobs(folder), key, prefix: 'p', columns: new Map([['things', fields]]) })
  for (const json of records) await spool.record('things', Buffer.from(json), JSON.parse(json))
  const parts = await spool.finish()
  return Promise.all(
    parts.map(({ inline, blobKey }) => text(Readable.from([inline ?? Buffer.alloc(0)]).pipe(openStream(key, blobKey)))),
  )
}

describe('the table beside the records', () => {
  test('has the same digits as they, in a column and outside of any', async () => {
    const record = '{"id":9007199254740993,"more":{"of":[12345678901234567890]}}'
    expect(await spooled(['id'], record)).toEqual([
      `[\n${record}\n]\n`,
      'id,_other\r\n9007199254740993,"{""more"":{""of"":[12345678901234567890]}}"\r\n',
    ])
  })

  test('T85 disarms what a spreadsheet would run, and the JSON has it as it came', async () => {
    const record = '{"id":"=1+1"}'
    expect(await spooled(['id'], record)).toEqual([`[\n${record}\n]\n`, "id,_other\r\n'=1+1,\r\n"])
  })

  test('of a dataset that declares no columns has those of its first record', async () => {
    const [, table] = await spooled([], '{"id":1,"name":"Ann"}', '{"name":"Ben","age":7}')
    expect(table).toBe('id,name,_other\r\n1,Ann,\r\n,Ben,"{""age"":7}"\r\n')
  })

  test('has a bearable number of columns, whatever the first record is', async () => {
    const members = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`m${n}`, n]))
    const [, table = ''] = await spooled([], JSON.stringify(members))
    expect(table.slice(0, table.indexOf('\r\n')).split(',')).toHaveLength(201)
    expect(table).toContain('""m999"":999')
  })
})
